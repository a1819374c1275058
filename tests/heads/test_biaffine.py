"""The biaffine head against its formula, its loss and its decoding against plain loops."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from heads.test_words import peak_memory
from headway.core.layout import Layout
from headway.errors import DataError
from headway.heads.biaffine import BiaffineHead, biaffine_loss, decode

LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=4)


def drawn(seed: int, labels: int = 2, widest: int = 32) -> BiaffineHead:
    torch.manual_seed(seed)
    return BiaffineHead(5, labels, size=3, widest=widest).double()


def cell(head: BiaffineHead, rows: Tensor, first: int, last: int) -> Tensor:
    """start' U end + start' u + end' v + b, with a 1 behind both vectors for what is linear."""
    one = torch.ones(1, dtype=rows.dtype)
    start = torch.cat([head.start(rows[first]), one])
    end = torch.cat([head.end(rows[last]), one])
    size = len(start)
    by_start = torch.cat([head.pair.weight, head.pair.bias[:, None]], dim=1)
    tables = by_start.view(head.labels + 1, size, size)  # [label, end, start]
    return torch.stack([end @ table @ start for table in tables])


@given(lengths=LENGTHS, seed=st.integers(0, 999), widest=st.integers(1, 7))
@settings(max_examples=25)
def test_cells_are_those_of_the_formula(lengths: list[int], seed: int, widest: int) -> None:
    head, layout = drawn(seed, widest=widest), Layout(tuple(lengths))
    hidden = torch.randn(layout.tokens, 5, dtype=torch.float64)
    tables = head(hidden, layout)
    for table, rows in zip(tables, layout.split(hidden), strict=True):
        width = min(widest, len(rows))
        assert table.shape == (len(rows), width, 3)
        for first in range(len(rows)):
            for further in range(width):
                last, logits = first + further, table[first, further]
                if last < len(rows):
                    torch.testing.assert_close(logits, cell(head, rows, first, last))
                else:
                    assert logits.tolist() == [0.0, -math.inf, -math.inf]


def surprise(tables: list[Tensor], spans: list[list[Any]], widest: int) -> Tensor:
    """The mean of -log p over the cells that count, cell by cell."""
    found = []
    for table, entities in zip(tables, spans, strict=True):
        right = {(first, last): label for first, last, label in entities}
        for first in range(len(table)):
            for last in range(first, min(len(table), first + widest)):
                logits = table[first, last - first]
                found.append(logits.logsumexp(0) - logits[right.get((first, last), 0)])
    return torch.stack(found).mean()


@given(seed=st.integers(0, 999), widest=st.integers(1, 6))
@settings(max_examples=20)
def test_loss_and_gradients_are_those_of_a_plain_loop(seed: int, widest: int) -> None:
    head, layout = drawn(seed, widest=widest), Layout((4, 0, 1, 5))
    hidden = torch.randn(layout.tokens, 5, dtype=torch.float64, requires_grad=True)
    spans = [[(0, 3, 1), (1, 1, 2)], [], [(0, 0, 2)], [(2, 3, 1)]]  # the first may be too wide
    tables = head(hidden, layout)
    loss, wanted = biaffine_loss(tables, spans).mean(), surprise(tables, spans, widest)
    torch.testing.assert_close(loss, wanted.float())
    asked = [hidden, *head.parameters()]
    mine = torch.autograd.grad(loss, asked, retain_graph=True)
    theirs = torch.autograd.grad(wanted, asked)
    for ours, other in zip(mine, theirs, strict=True):
        assert ours.isfinite().all()
        torch.testing.assert_close(ours, other, rtol=1e-4, atol=1e-6)


def test_no_words_are_no_loss() -> None:
    head = BiaffineHead(4, 2)
    loss = biaffine_loss(head(torch.zeros(0, 4), Layout((0, 0))), [[], []])
    loss.sum().backward()
    assert loss.shape == biaffine_loss([], []).shape == (0,)


@pytest.mark.parametrize("widest", [1, 2, 3, 32])
@pytest.mark.parametrize("words", [0, 1, 2, 5])
def test_spans_are_counted_without_a_table(words: int, widest: int) -> None:
    head = BiaffineHead(4, 2, widest=widest)
    loss = biaffine_loss(head(torch.zeros(words, 4), Layout((words,))), [[]])
    assert head.spans_of(words) == len(loss)


@pytest.mark.parametrize(
    "entity", [(0, 3, 1), (-1, 1, 1), (2, 1, 1), (0, 1, 0), (0, 1, 3), (0, 1, -1)]
)
def test_entities_that_cannot_be_are_refused(entity: tuple[int, int, int]) -> None:
    with pytest.raises(DataError, match=r"entity \(.*\) in 3 words. Allowed: .* label from 1 to 2"):
        biaffine_loss([torch.zeros(3, 3, 3)], [[entity]])


def clash(a: Any, b: Any, nested: bool) -> bool:
    """Whether two spans share a word; nested, whether none lies in the other either."""
    shared = a[0] <= b[1] and b[0] <= a[1]
    inside = (a[0] <= b[0] and b[1] <= a[1]) or (b[0] <= a[0] and a[1] <= b[1])
    return shared and not (nested and inside)


@given(
    words=st.integers(0, 9),
    seed=st.integers(0, 999),
    nested=st.booleans(),
    widest=st.sampled_from([2, 32]),
)
@settings(max_examples=60)
def test_decoding_is_greedy(words: int, seed: int, nested: bool, widest: int) -> None:
    head = drawn(seed, widest=widest)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_(std=0.7)
        table = head(torch.randn(words, 5, dtype=torch.float64), Layout((words,)))[0]
    every = []
    for first in range(words):
        for last in range(first, min(words, first + widest)):
            sure, label = table[first, last - first].softmax(0).max(0)
            if label:
                every.append((first, last, label.item(), sure.item()))
    wanted: list[Any] = []
    for span in sorted(every, key=lambda span: -span[3]):
        if not any(clash(span, other, nested) for other in wanted):
            wanted.append(span)
    wanted.sort(key=lambda span: (span[0], -span[1]))
    found = decode(table, nested=nested)
    assert [span[:3] for span in found] == [span[:3] for span in wanted]
    assert [span[3] for span in found] == pytest.approx([span[3] for span in wanted], abs=1e-6)


def dense(table: Tensor) -> Tensor:
    """A table with a cell for each pair of a first and a last word, [words, words, labels + 1]."""
    words, width, outputs = table.shape
    wide = table.new_full((words, words, outputs), -math.inf)
    wide[:, :, 0] = 0.0
    for first in range(words):
        last = min(words, first + width)
        wide[first, first:last] = table[first, : last - first]
    return wide


def scored(wide: Tensor) -> Tensor:
    """The cells of a dense table that count, bool [words, words]."""
    return torch.ones(wide.shape[:2]).triu().bool() & (wide[:, :, 1:] != -math.inf).any(dim=-1)


@given(
    words=st.integers(0, 9),
    seed=st.integers(0, 999),
    nested=st.booleans(),
    widest=st.integers(1, 10),
)
@settings(max_examples=60)
def test_it_is_as_with_a_cell_for_each_pair(
    words: int, seed: int, nested: bool, widest: int
) -> None:
    head = drawn(seed, widest=widest)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_(std=0.7)
        (table,) = head(torch.randn(words, 5, dtype=torch.float64), Layout((words,)))
    wide, right = dense(table), torch.zeros(words, words, dtype=torch.int64)
    spans = [(n // 3, n, 1 + n % 2) for n in range(words)]  # some of them too wide
    for first, last, label in spans:
        right[first, last] = label
    counted = scored(wide)
    wanted = nn.functional.cross_entropy(wide[counted].float(), right[counted], reduction="none")
    assert torch.equal(biaffine_loss([table], [spans]), wanted)

    odds, label = wide.float().max(dim=-1)
    odds = odds - wide.float().scatter(2, label[:, :, None], -math.inf).logsumexp(dim=-1)
    places = (counted & (label > 0)).nonzero().tolist()
    taken: list[Any] = []
    for first, last in sorted(places, key=lambda place: -odds[tuple(place)].item()):
        if not any(clash((first, last), other, nested) for other in taken):
            sure = pytest.approx(odds[first, last].sigmoid().item(), abs=1e-6)
            taken.append((first, last, label[first, last].item(), sure))
    assert decode(table, nested=nested) == sorted(taken, key=lambda span: (span[0], -span[1]))


def test_memory_grows_with_the_words_not_with_their_square() -> None:
    """A cell for each pair of them would be 300 MB."""
    words = 5000
    head = BiaffineHead(4, 2, size=2)
    with torch.no_grad(), peak_memory() as most:
        (table,) = head(torch.randn(words, 4), Layout((words,)))
        loss = biaffine_loss([table], [[(0, 3, 1)]])
        found = decode(table, nested=True)
    assert len(loss) == head.spans_of(words) and found
    assert most() < 50e6


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_nested_entities_are_learned(precision: torch.dtype) -> None:
    """Each word has a state of its own, and some spans of a text are entities in each other."""
    torch.manual_seed(0)
    head, layout = BiaffineHead(12, 2, size=16), Layout((7, 5))
    hidden = torch.eye(12)
    spans = [[(0, 4, 1), (1, 2, 2), (6, 6, 1)], [(0, 3, 2), (0, 1, 1)]]
    optimiser = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(80):
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            tables = head(hidden, layout)
        biaffine_loss(tables, spans).mean().backward()
        optimiser.step()
    found = [decode(table, nested=True) for table in head.eval()(hidden, layout)]
    assert [[span[:3] for span in entities] for entities in found] == [
        sorted(entities, key=lambda span: (span[0], -span[1])) for entities in spans
    ]
    flat = decode(head(hidden, layout)[0])
    assert all(not clash(a, b, False) for a in flat for b in flat if a is not b)


def test_dropout_stands_behind_both_layers() -> None:
    torch.manual_seed(0)
    head = BiaffineHead(4, 1, size=2000, dropout=0.25)
    for layer in (head.start, head.end):
        nn.init.zeros_(layer[0].weight)
        nn.init.ones_(layer[0].bias)
        dropped = (layer(torch.ones(1, 4)) == 0).float().mean().item()
        assert abs(dropped - 0.25) < 0.05
        assert not (layer.eval()(torch.ones(1, 4)) == 0).any()
