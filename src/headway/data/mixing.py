"""Several data sets mixed row by row, by weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from headway.data.dataset import Dataset
from headway.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

__all__ = ["interleave"]

_DRAWN_AT_ONCE = 1 << 16


def interleave(
    parts: Sequence[Dataset],
    weights: Sequence[float] | None = None,
    *,
    seed: int = 0,
    stop: Literal["first", "all"] = "first",
) -> Dataset:
    """Rows of several data sets in turn; each gives its own in the order that it has.

    No row is copied: the result holds positions.

    Args:
        parts: data sets with the same columns.
        weights: how often each of them is drawn, in any unit; then `seed` decides every draw.
            Without, they take turns.
        seed: the same seed, weights and numbers of rows give the same rows.
        stop: "first" ends when the data set whose turn it is has no row left; "all" goes on with
            the others until every row was taken once.

    Raises:
        ConfigError: no data sets, weights that do not fit, or another `stop`.
        DataError: columns that differ.

    >>> words, numbers = (Dataset.from_columns({"x": list(x)}) for x in ("abc", "12345"))
    >>> "".join(interleave([words, numbers])["x"])
    'a1b2c3'
    >>> "".join(interleave([words, numbers], stop="all")["x"])
    'a1b2c345'
    """
    if not parts:
        raise ConfigError("interleave() of no data sets", allowed="one or more")
    if stop not in ("first", "all"):
        raise ConfigError(f"interleave(stop={stop!r})", allowed="'first' or 'all'")
    sizes = np.array([len(part) for part in parts], np.int64)
    shares = _shares(weights, len(parts))
    random = np.random.default_rng(seed)
    turns = _turns(sizes, shares, random, until_all=stop == "all")
    starts = np.cumsum(sizes) - sizes
    order = np.empty(len(turns), np.int64)
    for part, start in enumerate(starts):
        mine = turns == part
        order[mine] = start + np.arange(np.count_nonzero(mine))
    return parts[0].concatenate(*parts[1:]).select(order)


def _shares(weights: Sequence[float] | None, parts: int) -> npt.NDArray[np.float64] | None:
    if weights is None:
        return None
    shares = np.asarray(weights, np.float64)
    good = shares.shape == (parts,) and bool(np.isfinite(shares).all() and (shares > 0).all())
    if not good:
        raise ConfigError(
            f"weights {list(weights)} for {parts} data sets",
            allowed="a number above 0 for each of them",
        )
    return shares


def _turns(
    sizes: Numbers,
    shares: npt.NDArray[np.float64] | None,
    random: np.random.Generator,
    *,
    until_all: bool,
) -> Numbers:
    """Whose turn it is, row by row: numbers of the data sets."""
    left, turns, turn = sizes.copy(), [np.empty(0, np.int64)], 0
    playing = np.arange(len(sizes))
    if until_all:
        playing = playing[left > 0]
    while len(playing):
        if shares is None:
            drawn = playing[(turn + np.arange(_DRAWN_AT_ONCE)) % len(playing)]
        else:
            inside = np.cumsum(shares[playing])
            chosen = np.searchsorted(inside / inside[-1], random.random(_DRAWN_AT_ONCE), "right")
            drawn = playing[chosen]
        end, empty = _first_beyond(drawn, left, playing, until_all=until_all)
        turns.append(drawn[:end])
        left -= np.bincount(drawn[:end], minlength=len(left))
        turn = (turn + end) % len(playing)
        if empty is None:
            continue
        if not until_all:
            break
        place = int(np.searchsorted(playing, empty))
        playing = np.delete(playing, place)
        turn = place % max(1, len(playing))  # the one after it
    return np.concatenate(turns)


def _first_beyond(
    drawn: Numbers, left: Numbers, playing: Numbers, *, until_all: bool
) -> tuple[int, int | None]:
    """How many of the draws count, and which data set ends them.

    A data set that others go on without ends them with its last row, else with the draw after it.
    """
    end, empty = len(drawn), None
    for part in playing:
        at = np.flatnonzero(drawn == part)
        rows = int(left[part])
        if until_all and len(at) >= rows and at[rows - 1] + 1 <= end:
            end, empty = int(at[rows - 1]) + 1, int(part)
        elif not until_all and len(at) > rows and at[rows] < end:
            end, empty = int(at[rows]), int(part)
    return end, empty
