"""Models: cut one piece of normalized text into tokens of the vocabulary.

MODELS holds the reader of each kind that a tokenizer.json names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.errors import TokenizerError, nearest
from headway.tokenizer.bpe import read_bpe
from headway.tokenizer.checks import Fields
from headway.tokenizer.known_fields import refuse_unknown_fields
from headway.tokenizer.pieces import Model
from headway.tokenizer.unigram import read_unigram
from headway.tokenizer.wordpiece import read_wordlevel, read_wordpiece

__all__ = ["MODELS", "build_model"]


MODELS: dict[str, Callable[[Fields], Model]] = {
    "BPE": read_bpe,
    "Unigram": read_unigram,
    "WordLevel": read_wordlevel,
    "WordPiece": read_wordpiece,
}


def build_model(values: Any, place: str = "model") -> Model:
    """The model that a JSON object describes.

    >>> vocabulary = {"[UNK]": 0, "play": 1, "##ing": 2}
    >>> model = build_model({"type": "WordPiece", "unk_token": "[UNK]", "vocab": vocabulary,
    ...     "continuing_subword_prefix": "##", "max_input_chars_per_word": 100})
    >>> [piece.token for piece in model.tokenize("playing")]
    ['play', '##ing']
    """
    fields = Fields(values, place)
    kind = fields.text("type") if "type" in fields.values else _guess_kind(fields)
    if kind not in MODELS:
        raise TokenizerError(
            f"{place} is of the unknown kind {kind!r} {nearest(kind, MODELS)}".rstrip(),
            allowed=", ".join(MODELS),
        )
    refuse_unknown_fields(fields, "model")
    return MODELS[kind](fields)


def _guess_kind(fields: Fields) -> str:
    """The kind of a model in a file from before kinds were written."""
    if "merges" in fields.values:
        return "BPE"
    if isinstance(fields.values.get("vocab"), list):
        return "Unigram"
    return "WordPiece" if "continuing_subword_prefix" in fields.values else "WordLevel"
