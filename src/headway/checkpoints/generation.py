"""How a checkpoint writes text: what its decoder is fed first, and which tokens end a text.

Format: generation_config.json, and the same keys in the config.json of older checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.checkpoints.documents import read_object
from headway.errors import CheckpointError, ConfigError

__all__ = ["CHAT", "GENERATION", "Generation", "read_generation"]

GENERATION = "generation_config.json"
CHAT = "chat_template.jinja"


@dataclass(frozen=True)
class Generation:
    """What generating text needs to know of a checkpoint.

    Attributes:
        start: the token that a decoder behind an encoder is fed first, or None.
        stop: tokens that end a text.
        stored: generation_config.json as read, which is written back when saving.
        said: how texts are written: what that file holds or, where there is none, config.json.
        chat: the template of conversations, or None.
        chat_file: whether it has a file of its own, which is written back when saving.
    """

    start: int | None = None
    stop: frozenset[int] = frozenset()
    stored: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, Any] = field(default_factory=dict)
    chat: str | None = None
    chat_file: bool = False

    def first(self, rows: int) -> int:
        """The start token of a model with a word table of so many rows.

        Raises:
            ConfigError: there is none, or it is not in the table.
        """
        if self.start is None or self.start >= rows:
            raise ConfigError(
                f"the decoder's first token is {self.start}",
                allowed=f"0 to {rows - 1}",
                next_step="set decoder_start_token_id in config.json",
            )
        return self.start


def read_generation(folder: Path, values: Mapping[str, Any]) -> Generation:
    """What generation_config.json says and, where it says nothing, config.json.

    Args:
        folder: of the model.
        values: what config.json holds.

    Raises:
        CheckpointError: the file cannot be read, or a token is not a number.
    """
    path = folder / GENERATION
    stored = read_object(path) if path.is_file() else {}
    said = [(GENERATION, stored), ("config.json", values)]

    def tokens(key: str) -> list[int]:
        return next((found for file, keys in said if (found := _tokens(file, key, keys))), [])

    # T5 starts with its padding token, and not every config.json of its kind says so.
    starts = (tokens(f"{role}_token_id") for role in ("decoder_start", "bos", "pad"))
    start = next((found[0] for found in starts if found), None)
    chat, own = _chat(folder)
    stop = frozenset(tokens("eos_token_id"))
    return Generation(start, stop, stored, stored or values, chat, own)


def _chat(folder: Path) -> tuple[str | None, bool]:
    """The template of conversations, and whether it has a file of its own."""
    path = folder / CHAT
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8"), True
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} cannot be read: {error}") from None
    path = folder / "tokenizer_config.json"
    said = read_object(path).get("chat_template") if path.is_file() else None
    if isinstance(said, list):  # several, by name
        named = {each.get("name"): each.get("template") for each in said if isinstance(each, dict)}
        said = named.get("default")
    return (said, False) if isinstance(said, str) else (None, False)


def _tokens(file: str, key: str, values: Mapping[str, Any]) -> list[int]:
    """A token or a list of them; a number below 0 means none, as in Llama's pad_token_id."""
    value = values.get(key)
    found = value if isinstance(value, list) else [] if value is None else [value]
    if not all(type(token) is int for token in found):
        raise CheckpointError(f"{file}: {key} = {value!r}", allowed="a token's number, or several")
    return [token for token in found if token >= 0]
