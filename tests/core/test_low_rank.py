from __future__ import annotations

import pytest
import torch
from torch import nn

from headway.core.linear import FusedLinear
from headway.core.low_rank import LowRank, beside, merge, merged_while


def learned(low_rank: LowRank) -> LowRank:
    with torch.no_grad():
        low_rank.up.normal_()
    return low_rank


def test_nothing_is_added_at_first() -> None:
    layer, x = nn.Linear(4, 3), torch.randn(5, 4)
    before = layer(x)
    beside([layer], LowRank(4, {"a": 3}, rank=2, scale=2.0))
    assert torch.equal(layer(x), before)


def test_each_part_has_a_product_of_its_own() -> None:
    layer, x = FusedLinear(4, (3, 2)), torch.randn(5, 4)
    plain = layer(x).detach()
    low_rank = learned(LowRank(4, {"a": 3, "b": 2}, rank=2, scale=0.5))
    beside([layer], low_rank)
    (down_a, up_a), (down_b, up_b) = low_rank.products().values()
    wanted = plain + 0.5 * torch.cat([x @ down_a.T @ up_a.T, x @ down_b.T @ up_b.T], dim=1)
    torch.testing.assert_close(layer(x), wanted)
    torch.testing.assert_close(torch.cat(layer.separate(x), dim=1), wanted)


def test_parts_that_are_read_by_themselves_have_their_products_too() -> None:
    layer, x, others = FusedLinear(4, (3, 2, 2)), torch.randn(5, 4), torch.randn(6, 4)
    for way in (None, learned(LowRank(4, {"a": 3, "b": 2, "c": 2}, rank=2, scale=0.5))):
        if way is not None:
            beside([layer], way)
        whole, rest = layer.separate(x), layer.separate(others)[1:]
        for found, wanted in (
            (layer.separate_leading(x, 2), whole[:2]),
            (layer.separate_first(x, others), (whole[0], *rest)),
        ):
            for one, other in zip(found, wanted, strict=True):
                torch.testing.assert_close(one, other)


def test_merged_the_layer_gives_the_same_and_is_plain() -> None:
    layer, x = nn.Linear(4, 3), torch.randn(5, 4)
    low_rank = learned(LowRank(4, {"a": 3}, rank=2, scale=2.0))
    beside([layer], low_rank)
    wanted = layer(x).detach()
    assert merge(nn.Sequential(layer)) == [low_rank]
    torch.testing.assert_close(layer(x), wanted)
    assert sorted(layer.state_dict()) == ["bias", "weight"] and not layer._forward_hooks
    assert merge(layer) == []


def test_while_merged_weights_alone_say_it_and_then_they_are_what_they_were() -> None:
    layer, x = nn.Linear(4, 3), torch.randn(5, 4)
    before = layer.weight.detach().clone()
    beside([layer], learned(LowRank(4, {"a": 3}, rank=2, scale=2.0)))
    wanted = layer(x).detach()
    with pytest.raises(RuntimeError), merged_while(layer):
        torch.testing.assert_close(nn.functional.linear(x, layer.weight, layer.bias), wanted)
        torch.testing.assert_close(layer(x), wanted)
        raise RuntimeError
    assert torch.equal(layer.weight, before)
    torch.testing.assert_close(layer(x).detach(), wanted)


def test_layers_of_one_weight_have_one_product() -> None:
    one, other = nn.Linear(4, 4), nn.Linear(4, 4)
    other.weight = one.weight
    before = one.weight.detach().clone()
    low_rank = learned(LowRank(4, {"a": 4}, rank=2, scale=2.0))
    beside([one, other], low_rank)
    both = nn.Sequential(one, other)
    assert len(list(both.parameters())) == 3 + 2
    with merged_while(both):
        torch.testing.assert_close(one.weight, before + low_rank.matrix())
    assert merge(both) == [low_rank]
    torch.testing.assert_close(other.weight, before + low_rank.matrix())


def test_gradients_reach_both_matrices_and_not_the_weight() -> None:
    layer = nn.Linear(4, 3).requires_grad_(False)
    low_rank = learned(LowRank(4, {"a": 3}, rank=2, scale=2.0, dropout=0.5))
    beside([layer], low_rank)
    layer.train()(torch.randn(50, 4)).square().sum().backward()
    assert layer.weight.grad is None
    assert all(p.grad is not None and p.grad.any() for p in low_rank.parameters())
