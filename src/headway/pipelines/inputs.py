"""What a pipeline can be given: one thing, many, a data set, a file, or an endless stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from headway.data import Dataset, open_rows
from headway.errors import ConfigError, DataError

__all__ = ["CHUNK", "Chunk", "Given", "is_pair", "is_text", "opened"]

CHUNK = 4096
"""Inputs answered at once: enough to sort them by length, few enough for an endless stream."""


class Chunk(list[Any]):
    """Some inputs of more.

    Attributes:
        first: number of the first, for messages.
    """

    first: int = 0


@dataclass(frozen=True)
class Given:
    """What a pipeline was given, some thousand inputs at a time.

    Attributes:
        chunks: the inputs.
        one: whether it is a single one.
        lazy: whether it is an iterator, to be answered by one.
    """

    chunks: Iterator[Chunk]
    one: bool = False
    lazy: bool = False

    def checked(self, fine: Callable[[Any], bool], wanted: str) -> Given:
        """The same, which refuses an input that is not fine when it is its turn."""
        return replace(self, chunks=_checked(self.chunks, fine, wanted))

    def shaped(self, answers: list[Any]) -> Any:
        """One answer for one input, else a list."""
        return answers[0] if self.one else answers

    def lazily(self, answer: Callable[..., list[Any]], **options: Any) -> Iterator[Any]:
        """The answers one by one, each chunk asked when it is its turn."""
        for chunk in self.chunks:
            yield from answer(chunk, **options)


def opened(
    given: Any,
    *,
    one: Callable[[Any], bool],
    rows: Callable[[Dataset], Iterable[Any]],
    wanted: str,
) -> Given:
    """Looks at what was given.

    Args:
        given: one input; many; a data set, or the `Path` of a file of rows; or an iterator.
        one: whether something is one input.
        rows: the inputs of a data set.
        wanted: what an input is called in messages.

    Raises:
        ConfigError: nothing that can be answered.
        DataError: a file that cannot be read, or holds several splits.
    """
    if isinstance(given, Chunk):
        return Given(iter([given]))
    if one(given):
        return Given(_chunks(iter([given])), one=True)
    if isinstance(given, Iterator):
        return Given(_chunks(given), lazy=True)
    if isinstance(given, Path):
        given = _rows_of(given)
    if isinstance(given, Dataset):
        given = rows(given)
    if isinstance(given, (str, dict)) or not isinstance(given, Iterable):
        raise ConfigError(
            f"{given!r:.60} is a {type(given).__name__}",
            allowed=f"{wanted}, many of them, a data set, or the Path of a file of rows",
        )
    return Given(_chunks(iter(given)))


def _chunks(given: Iterator[Any]) -> Iterator[Chunk]:
    first = 0
    while chunk := Chunk(islice(given, CHUNK)):
        chunk.first = first
        first += len(chunk)
        yield chunk


def _checked(chunks: Iterator[Chunk], fine: Callable[[Any], bool], wanted: str) -> Iterator[Chunk]:
    for chunk in chunks:
        for number, one in enumerate(chunk, chunk.first):
            if not fine(one):
                raise ConfigError(f"text {number} is {one!r:.60}", allowed=wanted)
        yield chunk


def _rows_of(path: Path) -> Dataset:
    found = open_rows(path)
    if not isinstance(found, Dataset):
        raise DataError(
            f"{path} holds several splits: {', '.join(found)}", next_step="name the file of one"
        )
    return found


def is_text(given: object) -> bool:
    """Whether something is a text.

    >>> is_text("a"), is_text(["a"])
    (True, False)
    """
    return isinstance(given, str)


def is_pair(given: object) -> bool:
    """Whether something is a pair of texts; a list of two is two texts.

    >>> is_pair(("a", "b")), is_pair(["a", "b"])
    (True, False)
    """
    return isinstance(given, tuple) and len(given) == 2 and all(map(is_text, given))
