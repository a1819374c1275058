"""Attention with dropout beside the formula that autograd differentiates, with the same draws."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from headway.core import attention_dropout
from headway.core.attention_dropout import attention_with_dropout
from headway.core.dropout import kept_bytes, scale_of

SHAPES = [(3, 2, 5, 7), (1, 4, 6, 6), (5, 1, 1, 3), (2, 3, 4, 1)]
ADDED = [None, (1, 1, 1, 0), (0, 1, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0)]
"""What is added: 1 = the same for all, 0 = as many as there are."""


def problem(
    shape: tuple[int, ...], like: tuple[int, ...] | None, dtype: torch.dtype = torch.float64
) -> list[Any]:
    """q, k, v and what is added, a tensor or None."""
    torch.manual_seed(1)
    sequences, heads, queries, keys = shape
    made: list[Any] = [
        torch.randn(sequences, rows, heads, 8, dtype=dtype).transpose(1, 2)  # not as they lie
        for rows in (queries, keys, keys)
    ]
    made.append(None)
    if like is not None:
        sizes = [one or size for one, size in zip(like, shape, strict=True)]
        made[3] = torch.randn(sizes, dtype=dtype)
    return [None if side is None else side.requires_grad_() for side in made]


def formula(q: Tensor, k: Tensor, v: Tensor, added: Tensor | None, dropped: int) -> Tensor:
    scores = 0.37 * q @ k.transpose(-1, -2)
    weights = (scores if added is None else scores + added).softmax(dim=-1)
    kept = kept_bytes(weights.shape, dropped)
    return weights * kept * scale_of(dropped) @ v


def with_gradients(function: Any, sides: list[Any], **given: Any) -> list[Tensor]:
    torch.manual_seed(2)
    found = function(*sides, **given)
    weights = torch.randn_like(found)
    learned = [side for side in sides if side is not None]
    return [found, *torch.autograd.grad((found * weights).sum(), learned)]


@pytest.mark.parametrize(("shape", "like"), [*itertools.product(SHAPES, ADDED)], ids=str)
def test_it_equals_the_formula_whatever_goes_together(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], like: tuple[int, ...] | None
) -> None:
    sides = problem(shape, like)
    wanted = with_gradients(formula, sides, dropped=77)
    for tile, few in itertools.product((1, 40, 80, 2**19), (0, 2**22)):
        monkeypatch.setattr(attention_dropout, "TILE", tile)
        monkeypatch.setattr(attention_dropout, "FEW", few)
        got = with_gradients(attention_with_dropout, sides, scale=0.37, dropped=77)
        torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("few", [0, 2**22])
def test_keys_that_nobody_may_see_have_no_part(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(attention_dropout, "FEW", few)
    q, k, v, _ = problem((3, 2, 5, 7), None)
    added = torch.zeros(3, 1, 1, 7, dtype=torch.float64)
    added[1, ..., 4:] = -torch.inf
    found, of_q, of_k, of_v = with_gradients(
        lambda *sides: attention_with_dropout(*sides, added, scale=0.37, dropped=77), [q, k, v]
    )
    for gradient in (found, of_q, of_k, of_v):
        assert gradient.isfinite().all()
    assert not of_k[1, :, 4:].any() and not of_v[1, :, 4:].any()
    assert of_k[0, :, 4:].any() and of_v[2, :, 4:].any()


@pytest.mark.parametrize("dropped", [1, 128, 255])
def test_the_mean_stays(dropped: int) -> None:
    torch.manual_seed(0)
    q, k = torch.randn(2, 1, 2, 400, 4)
    ones = torch.ones(1, 2, 400, 4)
    found = attention_with_dropout(q, k, ones, None, scale=0.1, dropped=dropped)
    assert found.mean().item() == pytest.approx(1, abs=0.05)


def test_half_precision_stays_near() -> None:
    sides = problem((3, 2, 5, 7), (0, 1, 0, 0), torch.float32)
    halves = [None if s is None else s.detach().bfloat16().requires_grad_() for s in sides]
    wanted = with_gradients(attention_with_dropout, sides, scale=0.37, dropped=77)
    got = with_gradients(attention_with_dropout, halves, scale=0.37, dropped=77)
    for one, other in zip(got, wanted, strict=True):
        assert one.dtype == torch.bfloat16
        torch.testing.assert_close(one.float(), other, rtol=0.1, atol=0.1)


def test_of_many_maps_a_byte_a_number_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_dropout, "FEW", 1000)
    kept: list[int] = []

    def note(saved: Tensor) -> Tensor:
        kept.append(saved.nbytes)
        return saved

    few, many = problem((1, 1, 30, 30), None), problem((2, 2, 100, 100), None)
    for sides, most in ((few, 9 * 900), (many, 40_000)):
        kept.clear()
        with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
            attention_with_dropout(*sides, scale=0.37, dropped=77)
        own = sum(side.nbytes for side in sides if side is not None)
        assert most <= sum(kept) <= most + 2 * own
