"""How a checkpoint wants its hidden states made into one vector a text.

Format: sentence-transformers' modules.json, the config of its pooling module, and the prompts in
config_sentence_transformers.json. The `max_seq_length` in sentence_bert_config.json is not read:
it is where that library cuts a text off, and here a long text is read in windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.checkpoints.documents import read_json, read_object, write_json
from headway.errors import CheckpointError

__all__ = ["Embedding", "read_embedding", "static_place", "write_embedding"]

MODULES = "modules.json"
PROMPTS = "config_sentence_transformers.json"

CHAINS = (
    ["Transformer", "Pooling"],
    ["Transformer", "Pooling", "Normalize"],
    ["StaticEmbedding"],
    ["StaticEmbedding", "Normalize"],
)
"""The modules that can be, in order."""

SWITCHES = {
    "pooling_mode_cls_token": "first",
    "pooling_mode_lasttoken": "last",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
}
"""Of these keys one is true -> name in core.pooling.POOLINGS."""

WORDS = {"cls": "first", "lasttoken": "last", "max": "max", "mean": "mean"}
"""What newer files have in `pooling_mode` -> the same."""


_TRANSFORMER = {"Transformer": "", "Pooling": "1_Pooling"}
"""Module -> its folder."""


@dataclass(frozen=True)
class Embedding:
    """From hidden states to a text's vector.

    Attributes:
        pooling: name in core.pooling.POOLINGS.
        normalise: whether the vector has length 1.
        prompt: what every text begins with.
        declared: whether the checkpoint says so itself; else it is our default.
        static: whether one module is both the word vectors and their mean.
    """

    pooling: str = "mean"
    normalise: bool = True
    prompt: str = ""
    declared: bool = False
    static: bool = False

    def prompted(self, texts: Sequence[str]) -> Sequence[str]:
        """Texts with the prompt before each; what is no text is left for others to name."""
        if not self.prompt or isinstance(texts, str):
            return texts
        return [self.prompt + text if isinstance(text, str) else text for text in texts]


def read_embedding(folder: Path) -> Embedding:
    """What the folder's modules.json says, or the default.

    Raises:
        CheckpointError: a module, a pooling or a prompt that is not known.
    """
    path = folder / MODULES
    if not path.is_file():
        return Embedding()
    modules = _modules(path)
    kinds = [kind for kind, _ in modules]
    if kinds not in CHAINS:
        known = [kind for chain in CHAINS for kind in chain]
        odd = next((kind for kind in kinds if kind not in known), "")
        raise CheckpointError(
            f"{path}: module {odd!r} is not known" if odd else f"{path}: modules {kinds}",
            allowed=" or ".join(", ".join(chain) for chain in CHAINS),
            next_step="take modules.json away to use the model without it",
        )
    if kinds[0] == "StaticEmbedding":
        return Embedding("mean", "Normalize" in kinds, _prompt(folder), declared=True, static=True)
    place = folder / modules[1][1] / "config.json"
    values, prompt = read_object(place), _prompt(folder)
    if prompt and values.get("include_prompt") is False:
        raise CheckpointError(f"{place}: include_prompt = false", allowed="true, or no prompt")
    return Embedding(_pooling(values, place), "Normalize" in kinds, prompt, declared=True)


def write_embedding(embedding: Embedding, hidden: int, folder: Path) -> None:
    """Writes modules.json and what belongs to it, which sentence-transformers reads."""
    places = {"StaticEmbedding": ""} if embedding.static else dict(_TRANSFORMER)
    if embedding.normalise:
        places["Normalize"] = f"{len(places)}_Normalize"
    entries = [
        {"idx": n, "name": str(n), "path": place, "type": f"sentence_transformers.models.{kind}"}
        for n, (kind, place) in enumerate(places.items())
    ]
    write_json(folder / MODULES, entries)
    for place in filter(None, places.values()):
        (folder / place).mkdir()
    if not embedding.static:
        _write_pooling(embedding, hidden, folder)
    if embedding.prompt:
        prompts = {"prompts": {"default": embedding.prompt}, "default_prompt_name": "default"}
        write_json(folder / PROMPTS, prompts)


def static_place(folder: Path) -> Path:
    """The folder with the word vectors of a StaticEmbedding.

    Raises:
        CheckpointError: modules.json cannot be read.
    """
    path = folder / MODULES
    modules = _modules(path) if path.is_file() else []
    return folder / modules[0][1] if modules else folder


def _write_pooling(embedding: Embedding, hidden: int, folder: Path) -> None:
    chosen = {key: name == embedding.pooling for key, name in SWITCHES.items()}
    write_json(folder / "1_Pooling/config.json", {"word_embedding_dimension": hidden, **chosen})


def _modules(path: Path) -> list[tuple[str, str]]:
    """Name and folder of each module."""
    try:
        entries = read_json(path)
        found = [(str(e["type"]).rpartition(".")[2], str(e.get("path") or "")) for e in entries]
    except (TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{path} is not a list of modules: {error}") from None
    for _, place in found:
        if place and (place == ".." or Path(place).name != place):
            raise CheckpointError(f"{path}: module path {place!r}", allowed="a folder beside it")
    return found


def _pooling(values: Mapping[str, Any], path: Path) -> str:
    if "pooling_mode" in values:
        asked = [f"pooling_mode = {values['pooling_mode']!r}"]
        names = [WORDS.get(str(values["pooling_mode"]), "")]
    else:
        asked = [key for key in values if key.startswith("pooling_mode_") and values[key]]
        names = [SWITCHES.get(key, "") for key in asked]
    if len(names) != 1 or not names[0]:
        raise CheckpointError(
            f"{path} asks for {' and '.join(asked) or 'no pooling'}",
            allowed="one of " + ", ".join([*SWITCHES, *map(repr, WORDS)]),
        )
    return names[0]


def _prompt(folder: Path) -> str:
    """The prompt that is put before every text where the caller names none."""
    path = folder / PROMPTS
    values = read_object(path) if path.is_file() else {}
    name, prompts = values.get("default_prompt_name"), values.get("prompts")
    if name is None:
        return ""
    prompt = prompts.get(name) if isinstance(prompts, dict) and isinstance(name, str) else None
    if not isinstance(prompt, str):
        raise CheckpointError(
            f"{path}: default_prompt_name = {name!r}, and prompts = {prompts!r}",
            allowed="the name of a prompt, or null",
        )
    return prompt
