"""How a checkpoint wants its hidden states made into one vector a text.

Format: sentence-transformers' modules.json and the config of its pooling module.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.checkpoints.tensors import read_json
from headway.errors import CheckpointError

__all__ = ["Embedding", "read_embedding", "write_embedding"]

POOLING_KEYS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "first",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "last",
}


@dataclass(frozen=True)
class Embedding:
    """From hidden states to a text's vector.

    Attributes:
        pooling: name in core.pooling.POOLINGS.
        normalise: whether the vector has length 1.
        declared: whether the checkpoint says so itself; else it is our default.
    """

    pooling: str = "mean"
    normalise: bool = True
    declared: bool = False


def read_embedding(folder: Path) -> Embedding:
    """What the folder's modules.json says, or the default.

    Raises:
        CheckpointError: a module or a pooling that is not known.
    """
    path = folder / "modules.json"
    if not path.is_file():
        return Embedding()
    kinds = _modules(path)
    pooling, normalise = "mean", False
    for kind, place in kinds:
        if kind == "Pooling":
            pooling = _pooling(read_json(folder / place / "config.json"), folder)
        elif kind == "Normalize":
            normalise = True
        elif kind != "Transformer":
            raise CheckpointError(
                f"{path}: module {kind!r} is not known", allowed="Transformer, Pooling, Normalize"
            )
    return Embedding(pooling, normalise, declared=True)


def write_embedding(embedding: Embedding, hidden: int, folder: Path) -> None:
    """Writes modules.json and the pooling's config, which sentence-transformers reads."""
    import json

    modules = [("Transformer", ""), ("Pooling", "1_Pooling")]
    modules += [("Normalize", "2_Normalize")] if embedding.normalise else []
    entries = [
        {"idx": n, "name": str(n), "path": place, "type": f"sentence_transformers.models.{kind}"}
        for n, (kind, place) in enumerate(modules)
    ]
    (folder / "modules.json").write_text(json.dumps(entries, indent=2), encoding="utf-8")
    values: dict[str, Any] = {"word_embedding_dimension": hidden}
    values.update({key: name == embedding.pooling for key, name in POOLING_KEYS.items()})
    for _, place in modules[1:]:
        (folder / place).mkdir()
    text = json.dumps(values, indent=2)
    (folder / "1_Pooling" / "config.json").write_text(text, encoding="utf-8")


def _modules(path: Path) -> list[tuple[str, str]]:
    import json

    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        found = [(str(e["type"]).rpartition(".")[2], str(e.get("path", ""))) for e in entries]
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise CheckpointError(f"{path} is not a list of modules: {error}") from None
    for _, place in found:
        if place and Path(place).name != place:
            raise CheckpointError(f"{path}: module path {place!r}", allowed="a folder beside it")
    return found


def _pooling(values: dict[str, Any], folder: Path) -> str:
    if "pooling_mode" in values:
        named = {"cls": "first", "mean": "mean", "max": "max", "lasttoken": "last"}
        chosen = [named.get(str(values["pooling_mode"]), "")]
    else:
        on = [key for key, value in values.items() if key.startswith("pooling_mode") and value]
        chosen = [POOLING_KEYS.get(key, "") for key in on]
    if len(chosen) != 1 or not chosen[0]:
        raise CheckpointError(
            f"{folder}: its pooling config asks for {values}",
            allowed="one of first, mean, max, last",
        )
    return chosen[0]
