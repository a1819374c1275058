"""Tokenizers and ids as a command line names them, and encodings as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headway.errors import InputError, ResolveError
from headway.hub import resolve_data, resolve_model
from headway.tokenizer import ByteOffsets, Encoding, Tokenizer
from headway.tokenizer.formats import holds_tokenizer

__all__ = ["as_document", "byte_offsets", "numbers_in", "tokenizer_of"]


def tokenizer_of(name: str) -> Tokenizer:
    """The tokenizer in a file or folder, or of a model by name.

    Raises:
        InputError: there is none.
    """
    if name.startswith(("pkg:", "hf:")):
        return Tokenizer.load(_resolve(name))
    return Tokenizer.load(Path(name))


def _resolve(name: str) -> Path:
    """The model, or what a package carries that has a tokenizer and no model, as a GGUF."""
    try:
        return resolve_model(name)
    except ResolveError:
        if not name.startswith("pkg:"):
            raise
        try:
            place = resolve_data(name)
        except ResolveError:
            place = None
        if place is None or not holds_tokenizer(place):
            raise
        return place


def numbers_in(line: str) -> list[int]:
    """The ids in a line, with spaces or commas between.

    Raises:
        InputError: something else is between them.
    """
    found = []
    for word in line.replace(",", " ").split():
        try:
            found.append(int(word))
        except ValueError:
            raise InputError(f"{word!r:.40} is no id", allowed="whole numbers") from None
    return found


def as_document(encoding: Encoding) -> dict[str, Any]:
    """An encoding as JSON holds it."""
    return {
        "ids": encoding.ids,
        "tokens": encoding.tokens,
        "offsets": encoding.offsets,
        "word_ids": encoding.word_ids,
    }


def byte_offsets(texts: Sequence[str], encoding: Encoding) -> list[tuple[int, int]]:
    """(start, end) of each token in bytes of its text; (0, 0) for an added token."""
    offsets = [ByteOffsets(text) for text in texts]
    return [
        (0, 0) if which is None else offsets[which].span(*span)
        for which, span in zip(encoding.sequence_ids, encoding.offsets, strict=True)
    ]
