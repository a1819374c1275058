"""Patterns: what the padded form says is what the sequences say one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from headway.core.layout import Layout
from headway.core.masks import Local, Pattern, SlidingCausal, causal, everywhere
from headway.core.positions import RelativeBias

LENGTHS = [(3,), (4, 1, 6), (5, 5), (1, 1, 1)]


def bias_of(kind: str) -> Callable[..., torch.Tensor] | None:
    torch.manual_seed(0)
    return RelativeBias(2, buckets=8, farthest=12, both_ways=True) if kind == "bias" else None


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("past", [0, 2, "mixed"])
@pytest.mark.parametrize("bias", ["none", "bias"])
def test_padded_equals_one_by_one_for_causal(lengths: Any, past: Any, bias: str) -> None:
    before = tuple(range(len(lengths))) if past == "mixed" else (past,) * len(lengths)
    queries = Layout(lengths, past=before)
    keys = Layout(tuple(a + b for a, b in zip(lengths, before, strict=True)))
    check(Pattern(queries, keys, causal, bias_of(bias)))


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("key_lengths", [(2, 7, 1), (4, 4, 4)])
@pytest.mark.parametrize("bias", ["none", "bias"])
def test_padded_equals_one_by_one_everywhere(lengths: Any, key_lengths: Any, bias: str) -> None:
    queries, keys = Layout(lengths), Layout(key_lengths[: len(lengths)])
    check(Pattern(queries, keys, everywhere, bias_of(bias)))


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("window", [1, 2, 3, 5])
@pytest.mark.parametrize("past", [0, 2, "mixed"])
def test_padded_equals_one_by_one_for_windows(lengths: Any, window: int, past: Any) -> None:
    before = tuple(range(len(lengths))) if past == "mixed" else (past,) * len(lengths)
    queries = Layout(lengths, past=before)
    keys = Layout(tuple(a + b for a, b in zip(lengths, before, strict=True)))
    check(Pattern(queries, keys, SlidingCausal(window), bias_of("bias")))
    check(Pattern(keys, keys, Local(window)))
    check(Pattern(keys, keys, Local(window), global_keys=tuple(n % 3 for n in keys.lengths)))


def check(pattern: Pattern) -> None:
    padded = pattern.padded
    if padded is None:
        assert all(not added.any() for added in pattern.per_sequence)
        assert pattern.keys.uniform
        return
    padded = padded.expand(len(pattern.queries.lengths), -1, -1, -1)
    for row, added in zip(padded, pattern.per_sequence, strict=True):
        assert torch.equal(row[:, : added.shape[-2], : added.shape[-1]].expand_as(added), added)
        # What lies behind a sequence's end is never seen by its queries.
        assert (row[:, : added.shape[-2], added.shape[-1] :] == -torch.inf).all()
        # Every row of the padded form sees something, so that no softmax is undefined.
        assert (row > -torch.inf).any(-1).all()


def test_a_causal_query_sees_itself_and_before() -> None:
    seen = causal(torch.tensor([[2], [3]]), torch.arange(5))
    assert seen.tolist() == [[True, True, True, False, False], [True, True, True, True, False]]
    assert everywhere(torch.tensor([[2], [3]]), torch.arange(5)).all()


def test_as_many_sequences_of_keys_as_of_queries() -> None:
    with pytest.raises(ValueError, match="2 sequences of queries cannot attend to 1"):
        Pattern(Layout((1, 1)), Layout((1,)))


@pytest.mark.parametrize("window", [0, 1, 2, 5, 40])
def test_a_window_is_what_its_definition_says(window: int) -> None:
    places = range(9)
    queries, keys = torch.tensor(places)[:, None], torch.tensor(places)
    local = [[abs(q - k) <= window // 2 for k in places] for q in places]
    assert Local(window)(queries, keys).tolist() == local
    if window:
        sliding = [[q - window < k <= q for k in places] for q in places]
        assert SlidingCausal(window)(queries, keys).tolist() == sliding


def test_a_window_that_no_text_leaves_is_none() -> None:
    layout = Layout((9, 4))
    assert Pattern(layout, layout, SlidingCausal(9)).plainly_causal
    assert Pattern(layout, layout, SlidingCausal(8)).mask == SlidingCausal(8)
    assert Pattern(layout, layout, Local(16)).mask is everywhere
    assert Pattern(layout, layout, Local(15)).mask == Local(15)


def test_windows_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="a window of -1 tokens"):
        Local(-1)
    with pytest.raises(ValueError, match="a window of 0 tokens"):
        SlidingCausal(0)
