"""Disentangled attention: the formula written out, two kernels, and which distance is which row."""

from __future__ import annotations

import copy
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor, nn
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

from headway.core.disentangled import TERMS, DisentangledAttention, RelativeVectors
from headway.core.layout import Layout
from headway.core.masks import Pattern, causal
from headway.core.taps import record, replace
from headway.errors import CheckpointError

LAYOUT = Layout((7, 1, 12, 3))
USES = [(), ("c2p",), ("p2c",), TERMS]


def attention(terms: tuple[str, ...] = TERMS, *, own: bool = False, **more: Any) -> Any:
    torch.manual_seed(0)
    vectors = RelativeVectors(6, farthest=9, buckets=4, norm=nn.LayerNorm(6))
    made = DisentangledAttention(6, 2, vectors, terms=terms, own_projections=own, **more)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.5)
    return made.eval()


def written_out(made: Any, x: Tensor, positions: range, seen: bool = True) -> Tensor:
    """The paper's formula for one sequence, one pair of tokens at a time."""
    table = made.positions.norm(made.positions.vectors.weight)
    parts = list(zip(made.qkv.weight.chunk(3), made.qkv.bias.chunk(3), strict=True))
    q, k, v = ((x @ weight.T + bias).unflatten(-1, (2, 3)) for weight, bias in parts)
    layers = (made.position_query, made.position_key)
    own = [part if layer is None else (layer.weight, layer.bias)
           for layer, part in zip(layers, parts, strict=False)]  # fmt: skip
    of_query, of_key = ((table @ w.T + b).unflatten(-1, (2, 3)) for w, b in own)
    mixed = torch.zeros_like(x)
    for head in range(2):
        for i in positions:
            scores = []
            for j in positions if seen else range(i + 1):
                row = made.positions.row(torch.tensor(i - j))
                score = q[i, head] @ k[j, head]
                if "c2p" in made.terms:
                    score = score + q[i, head] @ of_key[row, head]
                if "p2c" in made.terms:
                    score = score + k[j, head] @ of_query[row, head]
                scores.append(score / (3 * (1 + len(made.terms))) ** 0.5)
            weights = torch.stack(scores).softmax(0)
            mixed[i, 3 * head : 3 * head + 3] = weights @ v[: len(weights), head]
    return mixed @ made.output.weight.T + made.output.bias


@pytest.mark.parametrize("terms", USES)
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("mask", [None, causal])
def test_both_kernels_are_the_formula(terms: tuple[str, ...], own: bool, mask: Any) -> None:
    made = attention(terms, own=own)
    assert (made.position_key is not None) == (own and "c2p" in terms)
    assert (made.position_query is not None) == (own and "p2c" in terms)
    pattern = Pattern(LAYOUT, LAYOUT) if mask is None else Pattern(LAYOUT, LAYOUT, mask)
    x = torch.randn(LAYOUT.tokens, 6)
    with torch.no_grad():
        fast = made(x, pattern)
        with record(made, ["map"]) as seen:
            plain = made(x, pattern)
        for number, (rows, states) in enumerate(
            zip(LAYOUT.split(fast), LAYOUT.split(x), strict=True)
        ):
            wanted = written_out(made, states, range(len(states)), seen=mask is None)
            torch.testing.assert_close(rows, wanted, rtol=1e-5, atol=1e-5)
            weights = seen["map"][number]
            torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:2]))
    torch.testing.assert_close(fast, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("elements", [1, 2**22])
@pytest.mark.parametrize("layout", [LAYOUT, Layout((5, 5))])
def test_kernels_have_the_same_gradients(own: bool, elements: int, layout: Layout) -> None:
    """Also where maps of one sequence at a time are made, and made again for the way back."""
    x, pattern, found = torch.randn(layout.tokens, 6), Pattern(layout, layout), []
    for watched in (False, True):
        made = copy.deepcopy(attention(own=own))
        with (
            record(made, ["map"] if watched else []),
            mock.patch("headway.core.disentangled.MAP_ELEMENTS", elements),
        ):
            made(x, pattern).square().sum().backward()
        found.append({name: parameter.grad for name, parameter in made.named_parameters()})
    fast, plain = found
    assert fast.keys() == plain.keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(fast[name], gradient, rtol=1e-4, atol=1e-5)


def test_dropped_numbers_are_the_same_on_the_way_back() -> None:
    made, pattern = attention(dropout=0.5).train(), Pattern(LAYOUT, LAYOUT)
    x, results = torch.randn(LAYOUT.tokens, 6), []
    for _ in range(2):
        torch.manual_seed(3)
        with mock.patch("headway.core.disentangled.MAP_ELEMENTS", 1):
            mixed = made(x, pattern)
            torch.manual_seed(4)  # what comes between must not reach the way back
            made.zero_grad()
            mixed.sum().backward()
        results.append((mixed.detach(), made.qkv.weight.grad.clone()))
    (first, slope), (second, again) = results
    assert torch.equal(first, second)
    assert torch.equal(slope, again)
    assert not torch.allclose(first, made.eval()(x, pattern))


def test_maps_can_be_edited() -> None:
    made, x = attention(), torch.randn(LAYOUT.tokens, 6)
    pattern = Pattern(LAYOUT, LAYOUT)

    def own_token(maps: list[Tensor]) -> list[Tensor]:
        return [torch.eye(weights.shape[-1]).expand_as(weights) for weights in maps]

    with torch.no_grad(), replace(made, {"map": own_token}):
        edited = made(x, pattern)
        values = made.qkv.separate(x)[2]
    torch.testing.assert_close(edited, made.output(values))


@pytest.mark.parametrize("farthest", [3, 4, 9, 33, 64, 128, 512])
def test_rows_are_the_references_buckets(farthest: int) -> None:
    distances = torch.arange(-700, 701)
    plain = RelativeVectors(2, farthest=farthest)
    assert torch.equal(plain.row(distances), distances.clamp(-farthest, farthest - 1) + farthest)
    for buckets in range(2, min(2 * farthest - 2, 260)):
        if buckets // 2 >= farthest - 1:
            continue
        table = RelativeVectors(2, farthest=farthest, buckets=buckets)
        theirs = make_log_bucket_position(distances, buckets, farthest).long()
        wanted = (theirs + buckets).clamp(0, 2 * buckets - 1)
        assert torch.equal(table.row(distances), wanted), buckets


@pytest.mark.parametrize("buckets", [None, 6])
def test_only_the_rows_that_a_text_needs_are_given(buckets: int | None) -> None:
    table = RelativeVectors(2, farthest=20, buckets=buckets)
    for longest in (1, 2, 5, 40):
        vectors, rows = table(longest)
        positions = torch.arange(longest)
        wanted = table.row(positions[:, None] - positions)
        assert torch.equal(vectors[rows], table.vectors.weight[wanted])
        assert rows.unique().tolist() == list(range(len(vectors)))


@pytest.mark.parametrize(("buckets", "farthest"), [(1, 9), (0, 9), (16, 9), (4, 3), (256, 100)])
def test_buckets_that_cannot_be(buckets: int, farthest: int) -> None:
    with pytest.raises(CheckpointError, match=rf"in {buckets} buckets up to distance {farthest} "):
        RelativeVectors(2, farthest=farthest, buckets=buckets)
