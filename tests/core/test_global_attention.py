"""Global tokens: which they are, and that they gather with projections of their own."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from headway.core import masks
from headway.core.global_attention import BeforeSeparator, GlobalLocalAttention, first_token
from headway.core.kernels import eager
from headway.core.layout import Layout
from headway.core.masks import Local, Pattern
from headway.core.taps import record

LAYOUT = Layout((30, 1, 9))


@pytest.mark.parametrize(
    ("texts", "counts"),
    [
        ([[0, 7, 9, 2, 2, 5, 2]], (3,)),
        ([[0, 7, 9]], (1,)),  # no separator: the first token
        ([[2, 7, 9]], (1,)),  # never none
        ([[0], [0, 2], [0, 5, 5, 2]], (1, 1, 3)),
    ],
)
def test_what_stands_before_the_first_separator(texts: Any, counts: Any) -> None:
    ids = torch.tensor([id for text in texts for id in text])
    assert BeforeSeparator(2)(ids, Layout.of(texts)) == counts
    assert first_token(ids, Layout.of(texts)) == (1,) * len(texts)


def layer(**more: Any) -> GlobalLocalAttention:
    torch.manual_seed(0)
    made = GlobalLocalAttention(8, 2, **more).double()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return made


@pytest.mark.parametrize("block", [2, 128])
@pytest.mark.parametrize("counts", [(1, 1, 1), (4, 1, 0), (30, 1, 9), (0, 0, 0)])
def test_a_global_token_gathers_with_its_own_projections(
    monkeypatch: pytest.MonkeyPatch, counts: Any, block: int
) -> None:
    monkeypatch.setattr(masks, "BLOCK", block)
    attention, x = layer(), torch.randn(40, 8).double()
    pattern = Pattern(LAYOUT, LAYOUT, Local(6), global_keys=counts)
    with torch.no_grad():
        got = attention(x, pattern)
        usual = eager(*heads(attention.qkv(x), 3), pattern, scale=0.5)
        own_q, own_kv = attention.global_q(x), attention.global_kv(x)
        own = eager(*heads(torch.cat([own_q, own_kv], -1), 3), Pattern(LAYOUT, LAYOUT), scale=0.5)
        within = [range(length) for length in LAYOUT.lengths]
        is_global = [
            place < n for places, n in zip(within, counts, strict=True) for place in places
        ]
        mixed = torch.where(torch.tensor(is_global)[:, None, None], own, usual)
        torch.testing.assert_close(got, attention.output(mixed.flatten(1)))


def heads(rows: torch.Tensor, parts: int) -> list[torch.Tensor]:
    return [part.unflatten(-1, (2, 4)) for part in rows.chunk(parts, dim=-1)]


def test_a_watched_map_is_whole() -> None:
    attention, x = layer(), torch.randn(40, 8).double()
    pattern = Pattern(LAYOUT, LAYOUT, Local(6), global_keys=(2, 1, 1))
    with torch.no_grad():
        wanted = attention(x, pattern)
        with record(attention, ["map"]) as seen:
            torch.testing.assert_close(attention(x, pattern), wanted)
    first = seen["map"][0]
    assert first.shape == (2, 30, 30)
    torch.testing.assert_close(first.sum(-1), torch.ones(2, 30).double())
    assert (first[:, :2] > 0).all()  # a global token sees all
    assert (first[:, :, :2] > 0).all()  # and all see it
    assert not first[:, 10, 2:7].any()  # another sees no farther than its window
    assert (first[:, 10, 7:14] > 0).all()


def test_dropout_takes_part_in_both_ways() -> None:
    attention = layer(dropout=0.5)
    pattern = Pattern(LAYOUT, LAYOUT, Local(6), global_keys=(1, 1, 1))
    x = torch.randn(40, 8).double()
    moved = (attention(x, pattern) - attention(x, pattern)).abs().sum(-1) > 0
    assert moved[0]
    assert moved[1:].any()
