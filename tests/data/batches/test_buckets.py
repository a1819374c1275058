"""Cuts of one window: every row once, budgets kept, rows of like length together."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.batches.buckets import Cut, PaddedBudget, Pieces, RowCount, TokenBudget
from headway.data.batches.budget import sorted_batches
from headway.data.batches.packing import Blocks, Packing
from headway.data.batches.shuffling import mix
from headway.errors import ConfigError

LENGTHS = st.lists(st.integers(0, 60), max_size=120)


def cut(rule: Cut, lengths: list[int], key: int | None = 1) -> Pieces:
    keys = np.zeros(len(lengths), dtype=np.uint64)
    if key is not None:
        keys = mix(np.arange(len(lengths), dtype=np.uint64), key)
    return rule(np.array(lengths, dtype=np.int64), keys)


def nested(pieces: Pieces) -> list[list[list[tuple[int, int, int]]]]:
    """Batches of sequences of (row, start, length); the ends fit together."""
    parts = list(
        zip(pieces.rows.tolist(), pieces.starts.tolist(), pieces.lengths.tolist(), strict=True)
    )
    sequences = divided(parts, pieces.sequences.tolist())
    return divided(sequences, pieces.batches.tolist())


def divided(items: list[Any], ends: list[int]) -> list[list[Any]]:
    assert (ends[-1] if ends else 0) == len(items)
    assert all(a < b for a, b in zip([0, *ends], ends, strict=False)), "nothing is empty"
    return [items[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def batches(pieces: Pieces) -> list[list[int]]:
    """Row numbers of each batch, where pieces are whole rows and sequences."""
    for batch in nested(pieces):
        assert all(len(sequence) == 1 and sequence[0][1] == 0 for sequence in batch)
    return [[sequence[0][0] for sequence in batch] for batch in nested(pieces)]


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 100), st.sampled_from([None, 1, 2]))
def test_a_token_budget_is_kept(lengths: list[int], budget: int, key: int | None) -> None:
    found = batches(cut(TokenBudget(budget), lengths, key))
    flat = [row for batch in found for row in batch]
    assert sorted(flat) == list(range(len(lengths)))
    assert [lengths[row] for row in flat] == sorted(lengths, reverse=True)
    for batch, following in itertools.zip_longest(found, found[1:]):
        total = sum(lengths[row] for row in batch)
        assert total <= budget or len(batch) == 1
        if following:
            assert total + lengths[following[0]] > budget, "as full as the order allows"


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 100))
def test_without_chance_they_are_the_batches_of_evaluation(lengths: list[int], budget: int) -> None:
    found = batches(cut(TokenBudget(budget), lengths, key=None))
    assert found == sorted_batches(lengths, budget)


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 100), st.sampled_from([1, 8]))
def test_a_padded_budget_is_kept(lengths: list[int], budget: int, multiple: int) -> None:
    found = batches(cut(PaddedBudget(budget, multiple_of=multiple), lengths))
    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    for batch in found:
        longest = -(-max(lengths[row] for row in batch) // multiple) * multiple
        assert len(batch) * longest <= budget or len(batch) == 1


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 10))
def test_a_number_of_rows_is_kept(lengths: list[int], rows: int) -> None:
    found = batches(cut(RowCount(rows), lengths))
    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    assert all(len(batch) == rows for batch in found[:-1])
    assert batches(cut(RowCount(rows), lengths, key=None)) == [
        list(range(start, min(start + rows, len(lengths))))
        for start in range(0, len(lengths), rows)
    ]


@pytest.mark.parametrize(
    "rule",
    [TokenBudget(30), PaddedBudget(30), RowCount(3), Packing(30, 2), Blocks(30, 2)],
    ids=repr,
)
def test_other_keys_give_other_batches(rule: Cut) -> None:
    lengths = [1 + n % 7 for n in range(60)]
    assert len({str(nested(cut(rule, lengths, key))) for key in range(5)}) == 5
    assert nested(cut(rule, lengths, 3)) == nested(cut(rule, lengths, 3))
    assert nested(cut(rule, [])) == []


def test_lengths_beyond_the_packed_sort() -> None:
    lengths = [1, 1 << 21, 5, 1 << 30]
    assert batches(cut(TokenBudget(10), lengths)) == [[3], [1], [2, 0]]


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "8"])
@pytest.mark.parametrize("rule", [TokenBudget, PaddedBudget, RowCount, Packing, Blocks])
def test_numbers_out_of_range(rule: Any, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"{rule.__name__}\(\w+={value!r}\). Allowed: a whole"):
        rule(value)
    if rule is not TokenBudget and rule is not RowCount:
        with pytest.raises(ConfigError, match="Allowed: a whole number, 1 or more"):
            rule(1, value)
