"""Characters that stand for all of Unicode."""

from __future__ import annotations

import functools
import itertools
import unicodedata
from typing import Any

EVERY = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]

OF_PLANES = [c for c in EVERY if ord(c) < 0x40000 or 0xE0000 <= ord(c) < 0xE1000 or not ord(c) % 61]
"""All of the planes that have characters, and some of those that have none."""


def kind_of(character: str) -> tuple[Any, ...]:
    """What makes a character different from its neighbours in the tables."""
    return (
        unicodedata.category(character),
        unicodedata.combining(character),
        bool(unicodedata.decomposition(character)),
        character.lower() == character,
    )


@functools.cache
def runs() -> list[list[str]]:
    """Characters in their order, put together with neighbours of the same kind."""
    return [list(run) for _, run in itertools.groupby(EVERY, kind_of)]


@functools.cache
def borders() -> list[str]:
    """Characters at both ends of each run of like ones, and one of each thousand."""
    ends = {end for run in runs() for end in (run[0], run[-1])}
    return sorted({*ends, *EVERY[::997]})


@functools.cache
def most() -> list[str]:
    """All of the runs below a thousand; both ends and one of each eleven in longer ones.

    The longer ones are ideographs, syllables, and places that nothing is assigned to (of those,
    one of each thousand). Eleven meets every first, middle and last part of Hangul syllables.
    """
    found = {*borders()}
    for run in runs():
        if len(run) < 1000:
            found |= {*run}
        elif unicodedata.category(run[0]) not in ("Cn", "Co"):
            found |= {*run[:64], *run[-64:], *run[::11]}
    return sorted(found)
