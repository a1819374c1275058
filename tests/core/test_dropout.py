"""Dropout: the share that is asked for, the exact scale, the same draw from the same seed."""

from __future__ import annotations

import pytest
import torch

from headway.core.attention import SelfAttention
from headway.core.dropout import Dropout, at_rate, dropout, drops
from headway.core.layout import Layout
from headway.core.masks import Pattern


@pytest.mark.parametrize("rate", [1 / 256, 0.1, 0.25, 0.5, 0.9])
def test_the_share_is_right_and_the_scale_exact(rate: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(100_003)
    out = dropout(x, rate)
    dropped = round(rate * 256) / 256
    share = (out == 0).double().mean().item()
    spread = (dropped * (1 - dropped) / x.numel()) ** 0.5
    assert abs(share - dropped) < 5 * spread
    assert (out[out != 0] - 1 / (1 - dropped)).abs().max() < 1e-6
    assert set(out.unique().tolist()) == {0.0, out.max().item()}


def test_elements_are_dropped_independently() -> None:
    torch.manual_seed(0)
    kept = (dropout(torch.ones(64, 20_000), 0.5) != 0).double() - 0.5
    together = kept @ kept.T / 20_000 * 4  # correlation of the rows
    assert (together - torch.eye(64)).abs().max() < 0.05
    neighbours = (kept[:, 1:] * kept[:, :-1]).mean() * 4
    assert neighbours.abs() < 0.01


def test_the_seed_decides() -> None:
    x = torch.randn(50, 7)
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(dropout(x, 0.3))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5, 2), (0, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_the_gradient_is_the_mask_times_the_scale(
    shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    x = torch.full(shape, 3.0, dtype=dtype, requires_grad=True)
    torch.manual_seed(4)
    out = dropout(x, 0.5)
    assert (out.shape, out.dtype) == (x.shape, dtype)
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert torch.equal(gradient, out.detach() / 3)


def test_strided_input_is_dropped_in_place_order() -> None:
    torch.manual_seed(0)
    x = torch.randn(6, 4).t()
    out = dropout(x, 0.5)
    kept = out != 0
    torch.testing.assert_close(out[kept], x[kept] * 2)


def test_the_ends_of_the_range() -> None:
    x = torch.randn(10)
    assert dropout(x, 0.0) is x
    assert not dropout(x, 1.0).any()


def test_only_while_training() -> None:
    x = torch.ones(1000)
    module = Dropout(0.5)
    assert (module(x) == 0).any()
    assert module.eval()(x) is x
    assert repr(module) == "Dropout(0.5)"


def test_a_module_at_another_rate_for_a_while() -> None:
    layout = Layout((3, 4))
    layer = SelfAttention(8, 2, dropout=0.5).train()  # what it drops is in its map
    x = torch.randn(7, 8)

    def same_twice() -> bool:
        return torch.equal(*(layer(x, Pattern(layout, layout)) for _ in range(2)))

    with at_rate(layer, None):
        assert drops(layer) and not same_twice()
    with pytest.raises(ZeroDivisionError), at_rate(layer, 0.0):
        assert not drops(layer) and same_twice()
        with at_rate(layer, 0.9):  # what drops nothing goes on to
            assert same_twice()
        _ = 1 / 0
    assert drops(layer) and not same_twice() and layer.dropout.rate == 0.5
    assert not drops(torch.nn.Linear(2, 2))
