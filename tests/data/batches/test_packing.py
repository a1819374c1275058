"""Packing: first fit decreasing as the textbook has it; blocks that lose no token."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.batches.packing import Blocks, Packing

from .test_buckets import LENGTHS, cut, nested


def textbook(lengths: list[int], room: int) -> list[list[int]]:
    """Lengths, longest first, each into the first bin that has room for it."""
    bins: list[list[int]] = []
    for length in sorted(lengths, reverse=True):
        fitting = (one for one in bins if sum(one) + length <= room)
        found = next(fitting, None)
        if found is None:
            bins.append([length])
        else:
            found.append(length)
    return bins


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 80), st.integers(1, 4))
def test_packing_is_first_fit_decreasing(lengths: list[int], room: int, sequences: int) -> None:
    found = nested(cut(Packing(room, sequences), lengths))
    bins = [bin_ for batch in found for bin_ in batch]
    rows = [row for bin_ in bins for row, _, _ in bin_]
    assert sorted(rows) == list(range(len(lengths)))
    assert all(start == 0 and size == lengths[row] for b in bins for row, start, size in b)
    assert sorted([size for *_, size in one] for one in bins) == sorted(textbook(lengths, room))
    assert all(len(batch) == sequences for batch in found[:-1])


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 80), st.integers(1, 4), st.sampled_from([None, 4]))
def test_blocks_hold_every_token_once(
    lengths: list[int], size: int, sequences: int, key: int | None
) -> None:
    found = nested(cut(Blocks(size, sequences), lengths, key))
    blocks = [block for batch in found for block in batch]
    tokens = [
        (row, place)
        for block in blocks
        for row, start, length in block
        for place in range(start, start + length)
    ]
    assert sorted(tokens) == [(row, n) for row, length in enumerate(lengths) for n in range(length)]
    assert all(length for block in blocks for *_, length in block)
    filled = [sum(length for *_, length in block) for block in blocks]
    assert all(total == size for total in filled[:-1])
    for (row, place), (following, start) in itertools.pairwise(tokens):
        assert (following, start) == (row, place + 1) or start == 0, "a row goes on in the next"
    if key is None:
        assert tokens == sorted(tokens)
