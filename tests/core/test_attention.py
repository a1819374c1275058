"""Attention layers, where what comes out can be said beforehand."""

from __future__ import annotations

import pytest
import torch

from headway.core.attention import CrossAttention, SelfAttention
from headway.core.cache import LayerCache
from headway.core.layout import Layout
from headway.core.masks import Pattern, causal
from headway.core.taps import replace
from headway.errors import CheckpointError


def test_a_uniform_map_mixes_means() -> None:
    torch.manual_seed(0)
    layer, layout = SelfAttention(12, 3).double(), Layout((5, 2))
    x = torch.randn(7, 12).double()
    pattern = Pattern(layout, layout)

    def uniform(maps: list[torch.Tensor]) -> list[torch.Tensor]:
        return [torch.full_like(weights, 1 / weights.shape[-1]) for weights in maps]

    with replace(layer, {"map": uniform}):
        got = layer(x, pattern)
    value = layer.qkv.separate(x)[2]
    means = torch.cat([part.mean(0, keepdim=True).expand_as(part) for part in layout.split(value)])
    torch.testing.assert_close(got, layer.output(means))


def test_grouped_heads_are_heads_that_repeat() -> None:
    torch.manual_seed(0)
    grouped = SelfAttention(12, 6, kv_heads=2).double()
    full = SelfAttention(12, 6).double()
    q, k, v = grouped.qkv.weight.split((12, 4, 4))
    bq, bk, bv = grouped.qkv.bias.split((12, 4, 4))

    def repeat(rows: torch.Tensor) -> torch.Tensor:
        return rows.unflatten(0, (2, 2)).repeat_interleave(3, dim=0).flatten(0, 1)

    full.qkv.weight.data = torch.cat([q, repeat(k), repeat(v)])
    full.qkv.bias.data = torch.cat([bq, repeat(bk), repeat(bv)])
    full.output.load_state_dict(grouped.output.state_dict())
    layout = Layout((5, 2))
    x, pattern = torch.randn(7, 12).double(), Pattern(layout, layout, causal)
    torch.testing.assert_close(grouped(x, pattern), full(x, pattern))


def test_cross_attention_sees_only_its_own_memory() -> None:
    torch.manual_seed(0)
    layer = CrossAttention(6, 2, memory_hidden=4)
    queries, keys = Layout((2, 3)), Layout((4, 1))
    x, memory = torch.randn(5, 6), torch.randn(5, 4)
    before = layer(x, memory, Pattern(queries, keys))
    memory[4] += 1.0  # of the second text
    after = layer(x, memory, Pattern(queries, keys))
    assert torch.equal(before[:2], after[:2])
    assert not torch.isclose(before[2:], after[2:]).all(-1).any()
    # One key: all weight is on it, whatever the query.
    torch.testing.assert_close(after[2], after[4])


def test_cross_attention_reads_the_memory_once() -> None:
    torch.manual_seed(0)
    layer, cache = CrossAttention(6, 2), LayerCache()
    queries, keys = Layout((2, 3)), Layout((4, 1))
    x, memory = torch.randn(5, 6), torch.randn(5, 6)
    first = layer(x, memory, Pattern(queries, keys), cache=cache)
    torch.testing.assert_close(first, layer(x, memory, Pattern(queries, keys)))
    again = layer(x, torch.full_like(memory, torch.nan), Pattern(queries, keys), cache=cache)
    assert torch.equal(first, again)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SelfAttention(10, 3), "a hidden size of 10 cannot be split into 3 equal heads"),
        (lambda: CrossAttention(10, 3), "a hidden size of 10 cannot be split into 3 equal heads"),
        (lambda: SelfAttention(12, 4, kv_heads=3), "4 attention heads cannot share 3 key heads"),
    ],
)
def test_sizes_that_do_not_divide_are_refused(make: object, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        make()  # type: ignore[operator]  # a lambda of the table above
