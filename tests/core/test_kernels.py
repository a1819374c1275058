"""All attention kernels compute the same thing, with the same gradients."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from headway.core import attention_dropout, kernels
from headway.core.kernels import apart, attend, batched, eager
from headway.core.layout import Layout
from headway.core.masks import Local, Pattern, SlidingCausal, causal, everywhere
from headway.core.positions import RelativeBias
from headway.core.taps import Tap

LENGTHS = [(6, 1, 9, 3), (4, 4), (1,)]
GRID = list(itertools.product(LENGTHS, ["everywhere", "causal", "cached", "other"], [1, 3], [0, 1]))


def problem(lengths: Any, kind: str, groups: int, biased: int) -> tuple[list[Tensor], Pattern]:
    """q, k, v and the pattern, double precision so that only mathematics can differ."""
    torch.manual_seed(0)
    past = tuple(2 * n for n in range(len(lengths))) if kind == "cached" else ()
    queries = Layout(lengths, past=past)
    keys = Layout(tuple(a + b for a, b in zip(lengths, queries.past, strict=True)))
    if kind == "other":
        keys = Layout(tuple(reversed([n + 1 for n in lengths])))
    kv_heads, size = 2, 5
    bias = RelativeBias(kv_heads * groups, buckets=8, farthest=12, both_ways=True).double()
    mask = everywhere if kind in ("everywhere", "other") else causal
    pattern = Pattern(queries, keys, mask, bias if biased else None)
    tensors = [
        torch.randn(queries.tokens, kv_heads * groups, size),
        torch.randn(keys.tokens, kv_heads, size),
        torch.randn(keys.tokens, kv_heads, size),
    ]
    return [tensor.double().requires_grad_() for tensor in tensors], pattern


def by_hand(q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, scale: float) -> Tensor:
    """Token by token and head by head, as the paper reads."""
    groups, rows = q.shape[1] // k.shape[1], []
    for number, (query, key, value) in enumerate(
        zip(pattern.queries.split(q), pattern.keys.split(k), pattern.keys.split(v), strict=True)
    ):
        before = pattern.queries.past[number]
        for place, row in enumerate(query):
            position = torch.tensor([[before + place]])
            seen = slice(before + place + 1) if pattern.mask is causal else slice(None)
            heads = []
            for head, vector in enumerate(row):
                scores = key[seen, head // groups] @ vector * scale
                if pattern.bias is not None:
                    scores = scores + pattern.bias(position, torch.arange(len(key))[seen])[head, 0]
                heads.append(scores.softmax(0) @ value[seen, head // groups])
            rows.append(torch.stack(heads))
    return torch.stack(rows)


@pytest.mark.parametrize(("lengths", "kind", "groups", "biased"), GRID)
def test_kernels_equal_the_formula_with_gradients(
    lengths: Any, kind: str, groups: int, biased: int
) -> None:
    tensors, pattern = problem(lengths, kind, groups, biased)
    weights = torch.randn(pattern.queries.tokens, 2 * groups, 5).double()
    wanted = by_hand(*tensors, pattern, 0.37)
    wanted_gradients = torch.autograd.grad((wanted * weights).sum(), tensors)
    products = batched_by_products(tensors, pattern)
    for got in (
        eager(*tensors, pattern, scale=0.37),
        batched(*tensors, pattern, scale=0.37),
        products,
    ):
        torch.testing.assert_close(got, wanted, rtol=1e-9, atol=1e-9)
        gradients = torch.autograd.grad((got * weights).sum(), tensors)
        torch.testing.assert_close(gradients, wanted_gradients, rtol=1e-9, atol=1e-9)


def batched_by_products(tensors: list[Tensor], pattern: Pattern) -> Tensor:
    """The form of the batched kernel that serves dropout, here with none dropped."""
    q, k, v = tensors
    keys, values = (pattern.keys.pad(part).transpose(1, 2) for part in (k, v))
    mixed = kernels._by_products(
        pattern.queries.pad(q).transpose(1, 2),
        keys,
        values,
        pattern.padded,
        0.37,
        0.0,
    )
    return pattern.queries.unpad(mixed.transpose(1, 2))


@pytest.mark.parametrize(("lengths", "kind", "groups", "biased"), GRID)
def test_maps_made_a_few_sequences_at_a_time_change_nothing(
    monkeypatch: pytest.MonkeyPatch, lengths: Any, kind: str, groups: int, biased: int
) -> None:
    tensors, pattern = problem(lengths, kind, groups, biased)
    weights = torch.randn(pattern.queries.tokens, 2 * groups, 5).double()
    wanted = batched_by_products(tensors, pattern)
    wanted_gradients = torch.autograd.grad((wanted * weights).sum(), tensors)
    monkeypatch.setattr(kernels, "MAP_ELEMENTS", 1)
    got = batched_by_products(tensors, pattern)
    torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12)
    gradients = torch.autograd.grad((got * weights).sum(), tensors)
    torch.testing.assert_close(gradients, wanted_gradients, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("few", [0, 2**22])
def test_maps_made_again_drop_the_same_numbers(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    tensors, pattern = problem((9, 4, 7), "everywhere", 1, 0)
    monkeypatch.setattr(attention_dropout, "FEW", few)
    q, k, v = tensors
    torch.manual_seed(0)
    mixed = batched(q, k, v, pattern, scale=0.37, drop=0.5)
    (gradient,) = torch.autograd.grad(mixed.sum(), v)
    # The result is linear in v: with the same numbers dropped, its gradient explains it wholly.
    torch.testing.assert_close((gradient * v).sum(), mixed.sum(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("biased", [0, 1])
def test_the_bias_learns_the_same_from_both_kernels(biased: int) -> None:
    tensors, pattern = problem((6, 1, 9, 3), "causal", 1, 1)
    assert isinstance(pattern.bias, RelativeBias)
    table = pattern.bias.values.weight
    weights = torch.randn(pattern.queries.tokens, 2, 5).double()
    gradients = []
    for kernel in (eager, batched):
        fresh = Pattern(pattern.queries, pattern.keys, causal, pattern.bias)
        out = kernel(*tensors, fresh, scale=1.0)
        gradients.append(torch.autograd.grad((out * weights).sum(), table)[0])
    torch.testing.assert_close(*gradients)
    assert gradients[0].any()


def test_a_watched_map_is_shown_and_can_be_replaced() -> None:
    (q, k, v), pattern = problem((3, 5), "everywhere", 1, 0)
    tap, shown = Tap(), []
    tap.listeners.append(shown.append)
    out = attend(q, k, v, pattern, scale=0.5, drop=0.0, map_tap=tap)
    torch.testing.assert_close(out, batched(q, k, v, pattern, scale=0.5))
    assert [tuple(weights.shape) for weights in shown[0]] == [(2, 3, 3), (2, 5, 5)]
    for weights in shown[0]:
        torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    tap.listeners = [lambda maps: [torch.full_like(w, 1 / w.shape[-1]) for w in maps]]
    out = attend(q, k, v, pattern, scale=0.5, drop=0.0, map_tap=tap)
    means = [part.mean(0, keepdim=True).expand_as(part) for part in pattern.keys.split(v)]
    torch.testing.assert_close(out, torch.cat(means))


@pytest.mark.parametrize("watched", [False, True])
def test_dropout_on_the_map_keeps_the_mean(watched: bool) -> None:
    torch.manual_seed(0)
    layout, tap = Layout((40, 25)), Tap()
    if watched:
        tap.listeners.append(lambda maps: None)
    q, k = torch.randn(65, 2, 4), torch.randn(65, 2, 4)
    v = torch.ones(65, 2, 4)
    pattern = Pattern(layout, layout)
    runs = [attend(q, k, v, pattern, scale=0.5, drop=0.25, map_tap=tap) for _ in range(60)]
    stacked = torch.stack(runs)
    assert stacked.std(0).min() > 0.02  # every row of the map has lost something in some run
    assert (stacked.mean() - 1).abs() < 0.01


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_lower_precision_stays_near(dtype: torch.dtype) -> None:
    tensors, pattern = problem((6, 1, 9, 3), "causal", 3, 0)
    wanted = eager(*tensors, pattern, scale=0.37)
    low = [tensor.detach().to(dtype) for tensor in tensors]
    for kernel in (eager, batched):
        got = kernel(*low, pattern, scale=0.37)
        assert got.dtype == dtype
        near = 1e-5 if dtype == torch.float32 else 0.05
        torch.testing.assert_close(got.double(), wanted, rtol=near, atol=near)


WIDTHS = [
    (torch.float64, (6, 1, 5), 8),
    (torch.float64, (4, 1), 4),
    (torch.float64, (14, 14), 14),
    (torch.float32, (15, 9), 16),
    (torch.float32, (31, 9), 31),
    (torch.bfloat16, (20, 3), 32),
    (torch.bfloat16, (16, 16), 16),
    (torch.bfloat16, (60, 60), 64),
]
"""Numbers, lengths of texts, and the keys in the rows of their maps."""


@pytest.mark.parametrize(("dtype", "lengths", "width"), WIDTHS)
@pytest.mark.parametrize("kind", ["everywhere", "causal"])
@pytest.mark.parametrize("biased", [0, 1])
def test_rows_of_maps_are_made_of_whole_vectors(
    dtype: torch.dtype, lengths: tuple[int, ...], width: int, kind: str, biased: int
) -> None:
    tensors, pattern = problem(lengths, kind, 1, biased)
    low = [tensor.detach().to(dtype).requires_grad_() for tensor in tensors]
    exact = [tensor.detach().double().requires_grad_() for tensor in low]
    changed = width if not pattern.plainly_causal else pattern.keys.longest
    assert kernels._in_whole_vectors(low[0], pattern) == changed
    later = Layout(lengths, past=(1,) * len(lengths))
    after = Pattern(later, Layout(tuple(n + 1 for n in lengths)), causal)
    assert kernels._in_whole_vectors(low[0], after) == after.keys.longest
    near = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 3e-2}[dtype]
    wanted = eager(*exact, pattern, scale=0.37)
    got = batched(*low, pattern, scale=0.37)
    torch.testing.assert_close(got.double(), wanted, rtol=near, atol=near)
    gradients = torch.autograd.grad(got.square().sum(), low)
    for ours, theirs in zip(
        gradients, torch.autograd.grad(wanted.square().sum(), exact), strict=True
    ):
        torch.testing.assert_close(ours.double(), theirs, rtol=5 * near, atol=5 * near)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("lengths", [(6, 1, 9, 3), (4, 4), (40, 2, 1), (1,)])
def test_texts_set_apart(lengths: tuple[int, ...], groups: int, dtype: torch.dtype) -> None:
    tensors, pattern = problem(lengths, "causal", groups, 0)
    low = [tensor.to(dtype) for tensor in tensors]
    got = apart(*low, pattern, scale=0.37)
    assert got.dtype == dtype
    near = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 2e-2}[dtype]
    wanted = eager(*(tensor.double() for tensor in low), pattern, scale=0.37)
    torch.testing.assert_close(got.double(), wanted, rtol=near, atol=near)


def test_when_texts_are_set_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    def noted(name: str) -> Any:
        kernel = getattr(kernels, name)

        def call(*given: Any, **more: Any) -> Any:
            called.append(name)
            return kernel(*given, **more)

        return call

    for name in ("apart", "batched"):
        monkeypatch.setattr(kernels, name, noted(name))

    def which(lengths: tuple[int, ...], kind: str = "causal", drop: float = 0.0) -> str:
        (q, k, v), pattern = problem(lengths, kind, 3, 0)
        attend(q, k, v, pattern, scale=0.37, drop=drop, map_tap=Tap())
        return called.pop()

    assert which((90, 5)) == "batched"  # gradients
    with torch.no_grad():
        assert which((90, 5)) == "apart"
        assert which((90, 5), drop=0.1) == "batched"
        assert which((90, 5), "everywhere") == "batched"
        assert which((90, 5), "cached") == "batched"
        assert which((90, 90)) == "batched"
        assert which((9, 5)) == "batched"  # a call costs more
        assert which((90, 0)) == "batched"


@torch.no_grad()
@pytest.mark.parametrize("past", [(40, 3, 9), (8, 8, 8)])
def test_a_step_of_decoding_in_half_precision(past: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    queries = Layout((1,) * 3, past=past)
    pattern = Pattern(queries, Layout(tuple(n + 1 for n in past)), causal)
    q, k, v = torch.randn(3, 6, 8), *torch.randn(2, pattern.keys.tokens, 2, 8)
    low = [tensor.bfloat16() for tensor in (q, k, v)]
    got = batched(*low, pattern, scale=0.37)
    assert got.dtype == torch.bfloat16
    wanted = eager(*(tensor.float() for tensor in low), pattern, scale=0.37)
    torch.testing.assert_close(got.float(), wanted, rtol=1e-2, atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="the fused ragged kernel runs on GPUs")
@pytest.mark.parametrize("kind", ["everywhere", "causal", "other", "local", "sliding"])
@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("size", [5, 64])
def test_the_gpu_kernel_equals_the_formula(kind: str, groups: int, size: int) -> None:
    device = torch.device("cuda")
    lengths = (60, 1, 90, 33)
    torch.manual_seed(0)
    queries = Layout(lengths, device=device)
    keys = Layout(tuple(reversed(lengths)), device=device) if kind == "other" else queries
    kinds = {"causal": causal, "local": Local(11), "sliding": SlidingCausal(20)}
    pattern = Pattern(queries, keys, kinds.get(kind, everywhere))
    q, k, v = (
        torch.randn(
            lay.tokens, heads, size, device=device, dtype=torch.bfloat16, requires_grad=True
        )
        for lay, heads in ((queries, 2 * groups), (keys, 2), (keys, 2))
    )
    full = [tensor.detach().float().requires_grad_() for tensor in (q, k, v)]
    wanted = eager(*full, pattern, scale=0.3)
    wanted_gradients = torch.autograd.grad(wanted.square().sum(), full)
    got = attend(q, k, v, pattern, scale=0.3, drop=0.0, map_tap=Tap())
    assert kernels._varlen_can(q, pattern, 0.0) == (size == 64)
    torch.testing.assert_close(got.float(), wanted, rtol=0.03, atol=0.03)
    gradients = torch.autograd.grad(got.square().sum(), (q, k, v))
    for gradient, want in zip(gradients, wanted_gradients, strict=True):
        assert (gradient.float() - want).abs().mean() < 0.03 * want.abs().mean() + 1e-3
