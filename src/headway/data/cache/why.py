"""Why a step was computed again: which part of its key is another one than before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol, TypeVar

__all__ = ["Change", "changes", "nearest_entry"]

_SHOWN = 36  # characters; a hash, of any kind, is longer


class Keyed(Protocol):
    """Anything with the parts of a key."""

    @property
    def parts(self) -> Mapping[str, str]:
        """What the key was made of."""


K = TypeVar("K", bound=Keyed)


class Change(NamedTuple):
    """One part of a key that differs; None where it is not there."""

    part: str
    before: str | None
    now: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.part} is new"
        if self.now is None:
            return f"{self.part} is gone"
        if max(len(self.before), len(self.now)) <= _SHOWN:
            return f"{self.part} was {self.before} and is {self.now}"
        return f"{self.part} has changed"


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[Change]:
    """The parts in which two keys differ.

    >>> before = {"step": "map", "size": "5"}
    >>> [str(change) for change in changes(before, {"step": "map", "size": "6"})]
    ['size was 5 and is 6']
    """
    names = [*now, *(name for name in before if name not in now)]
    return [
        Change(name, before.get(name), now.get(name))
        for name in names
        if before.get(name) != now.get(name)
    ]


def nearest_entry(parts: Mapping[str, str], entries: Iterable[K]) -> K | None:
    """Of the results of the same step, the one with the fewest parts that differ; or None."""
    same = [entry for entry in entries if entry.parts.get("step") == parts.get("step")]
    return min(same, key=lambda entry: len(changes(entry.parts, parts)), default=None)
