"""Attention in windows: the blocks of a band compute what the formula says, at a linear cost."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from headway.core import kernels, masks
from headway.core.band import Band
from headway.core.kernels import attend, banded, batched, eager
from headway.core.layout import Layout
from headway.core.masks import Local, Pattern, SlidingCausal, causal
from headway.core.positions import RelativeBias
from headway.core.taps import Tap

LENGTHS = [(40, 1, 23, 6, 17), (31, 31), (18,)]
MASKS = [Local(0), Local(5), Local(8), SlidingCausal(1), SlidingCausal(4), SlidingCausal(9)]
WIDE = Local(80)
GRID = list(itertools.product(LENGTHS, MASKS, [1, 3], [0, 2]))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "BLOCK", 4)


def problem(lengths: Any, mask: Any, groups: int, most: int) -> tuple[list[Tensor], Pattern]:
    """q, k, v and the pattern, double precision so that only mathematics can differ."""
    torch.manual_seed(0)
    layout = Layout(lengths)
    first = tuple(min(length, number % (most + 1)) for number, length in enumerate(lengths))
    pattern = Pattern(layout, layout, mask, global_keys=first if most else ())
    tensors = [torch.randn(layout.tokens, heads, 5) for heads in (2 * groups, 2, 2)]
    return [tensor.double().requires_grad_() for tensor in tensors], pattern


@pytest.mark.parametrize(("lengths", "mask", "groups", "most"), GRID)
def test_the_band_equals_the_formula_with_gradients(
    lengths: Any, mask: Any, groups: int, most: int
) -> None:
    tensors, pattern = problem(lengths, mask, groups, most)
    weights = torch.randn(pattern.queries.tokens, 2 * groups, 5).double()
    wanted = eager(*tensors, pattern, scale=0.37)
    wanted_gradients = torch.autograd.grad((wanted * weights).sum(), tensors)
    assert pattern.band is not None
    for got in (
        attend(*tensors, pattern, scale=0.37, drop=0.0, map_tap=Tap()),
        batched(*tensors, pattern, scale=0.37),
        by_products(tensors, pattern),
    ):
        torch.testing.assert_close(got, wanted, rtol=1e-9, atol=1e-9)
        gradients = torch.autograd.grad((got * weights).sum(), tensors)
        torch.testing.assert_close(gradients, wanted_gradients, rtol=1e-9, atol=1e-9)


def by_products(tensors: list[Tensor], pattern: Pattern) -> Tensor:
    """The form of the banded kernel that serves dropout, here with none dropped, in parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "_products_win", lambda q, k: True)
        patch.setattr(kernels, "MAP_ELEMENTS", 200)
        return banded(*tensors, pattern, scale=0.37)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_lower_precision_stays_near(dtype: torch.dtype) -> None:
    tensors, pattern = problem((40, 1, 23), Local(6), 3, 2)
    wanted = eager(*tensors, pattern, scale=0.37)
    got = banded(*(tensor.detach().to(dtype) for tensor in tensors), pattern, scale=0.37)
    assert got.dtype == dtype
    near = 1e-5 if dtype == torch.float32 else 0.05
    torch.testing.assert_close(got.double(), wanted, rtol=near, atol=near)


def test_dropout_on_the_map_keeps_the_mean_and_varies() -> None:
    torch.manual_seed(0)
    layout = Layout((40, 25))
    q, k, v = torch.randn(65, 2, 4), torch.randn(65, 2, 4), torch.ones(65, 2, 4)
    pattern = Pattern(layout, layout, Local(6), global_keys=(1, 2))
    assert pattern.band is not None
    runs = [banded(q, k, v, pattern, scale=0.5, drop=0.25) for _ in range(60)]
    stacked = torch.stack(runs)
    assert stacked.std(0).min() > 0.02  # every row of the map has lost something in some run
    assert (stacked.mean() - 1).abs() < 0.01


def test_where_there_is_no_band() -> None:
    long, short = Layout((40, 3)), Layout((8, 3))
    bias = RelativeBias(2, buckets=8, farthest=12, both_ways=True)
    after = Layout((39, 2), past=(1, 1))
    assert Pattern(long, long, Local(4)).band is not None
    assert Pattern(short, short, Local(4)).band is None  # one block would see nearly all
    assert Pattern(long, long, Local(4), bias).band is None
    assert Pattern(after, long, SlidingCausal(4)).band is None
    assert Pattern(long, long).band is None
    assert Pattern(long, long).banded is None


@pytest.mark.parametrize("mask", [Local(6), SlidingCausal(5)])
def test_what_is_made_grows_with_the_length_and_not_its_square(mask: Any) -> None:
    sizes = [largest_made(length, mask) for length in (200, 400, 800)]
    assert sizes[1] < 2.1 * sizes[0]
    assert sizes[2] < 2.1 * sizes[1]


def largest_made(length: int, mask: Any) -> int:
    """Numbers in the largest tensor that torch makes while one text passes the kernel."""
    layout = Layout((length, 3))
    q = torch.randn(layout.tokens, 1, 4)
    made: list[int] = []

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, Tensor):
                made.append(out.numel())
            return out

    with Watch():
        attend(q, q, q, Pattern(layout, layout, mask), scale=1.0, drop=0.5, map_tap=Tap())
    return max(made)


def test_blocks_and_back() -> None:
    layout = Layout((10, 1, 4))
    band = Band(layout, before=3, after=2, block=4)
    rows = torch.randn(15, 2)
    assert band.cut(rows).shape == (5, 4, 2)
    assert torch.equal(band.join(band.cut(rows)), rows)
    windows = band.windows(rows)
    assert windows.shape == (5, 9, 2)
    assert torch.equal(windows[1, :9], rows[1:10])  # places 4 - 3 to 4 + 4 + 2 of the first text
    assert not windows[0, :3].any()


def test_what_the_gpu_kernel_is_told() -> None:
    layout, cached = Layout((40, 3)), Layout((39, 2), past=(1, 1))
    told = {
        (-1, -1): [Pattern(layout, layout), Pattern(cached, layout), Pattern(layout, layout, WIDE)],
        (-1, 0): [Pattern(layout, layout, causal), Pattern(layout, layout, SlidingCausal(40))],
        (3, 3): [Pattern(layout, layout, Local(7))],
        (6, 0): [Pattern(layout, layout, SlidingCausal(7))],
        None: [
            Pattern(cached, layout, SlidingCausal(7)),
            Pattern(layout, layout, Local(7), global_keys=(1, 0)),
            Pattern(layout, layout, lambda queries, keys: keys == queries),
        ],
    }
    for window, patterns in told.items():
        assert [kernels._fused_window(pattern) for pattern in patterns] == [window] * len(patterns)
