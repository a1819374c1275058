"""The conditional random field against all paths, written out one by one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from headway.core.initial import initialise
from headway.core.layout import Layout
from headway.errors import ConfigError
from headway.heads import TokenClassifier
from headway.heads.crf import Crf, CrfHead, viterbi

LENGTHS = st.lists(st.integers(0, 4), min_size=1, max_size=5)


def drawn(lengths: list[int], labels: int, seed: int) -> tuple[Crf, Tensor, Tensor, Layout]:
    """A Crf, emissions, tags and layout of double precision."""
    torch.manual_seed(seed)
    crf, layout = Crf(labels).double(), Layout(tuple(lengths))
    for parameter in crf.parameters():
        nn.init.normal_(parameter)
    emissions = torch.randn(layout.tokens, labels, dtype=torch.float64, requires_grad=True)
    return crf, emissions, torch.randint(labels, (layout.tokens,)), layout


def score(path: Any, emissions: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """As the definition says it."""
    total = start[path[0]] + end[path[-1]]
    for place, label in enumerate(path):
        total = total + emissions[place, label]
    for before, after in itertools.pairwise(path):
        total = total + transitions[before, after]
    return total


def every_path(emissions: Tensor) -> Any:
    return itertools.product(range(emissions.shape[1]), repeat=len(emissions))


@given(lengths=LENGTHS, labels=st.integers(1, 3), seed=st.integers(0, 999))
@settings(max_examples=25)
def test_loss_and_gradients_are_those_of_all_paths(
    lengths: list[int], labels: int, seed: int
) -> None:
    crf, emissions, tags, layout = drawn(lengths, labels, seed)
    numbers = (crf.start, crf.transitions, crf.end)
    surprises = []
    for rows, right in zip(layout.split(emissions), layout.split(tags), strict=True):
        if len(rows):
            scores = torch.stack([score(path, rows, *numbers) for path in every_path(rows)])
            surprises.append(scores.logsumexp(0) - score(right.tolist(), rows, *numbers))
    loss = crf.loss(emissions, tags, layout)
    if not surprises:
        assert loss.shape == (0,)
        loss.sum().backward()
        return
    wanted = torch.stack(surprises)
    torch.testing.assert_close(loss, wanted)
    asked = [emissions, *crf.parameters()]
    mine = torch.autograd.grad(loss.sum(), asked, allow_unused=True)
    theirs = torch.autograd.grad(wanted.sum(), asked, allow_unused=True)
    for ours, other, of in zip(mine, theirs, asked, strict=True):
        zero = torch.zeros_like(of)  # of transitions where no sequence has two places
        torch.testing.assert_close(zero if ours is None else ours, zero if other is None else other)


@given(
    lengths=LENGTHS,
    labels=st.integers(1, 3),
    seed=st.integers(0, 999),
    forbidden=st.floats(0, 0.6),
)
@settings(max_examples=40)
def test_the_best_path_is_the_best_of_all(
    lengths: list[int], labels: int, seed: int, forbidden: float
) -> None:
    crf, emissions, _, layout = drawn(lengths, labels, seed)
    numbers = [parameter.detach().clone() for parameter in (crf.start, crf.transitions, crf.end)]
    for table in numbers:
        table[torch.rand(table.shape) < forbidden] = -torch.inf
    wanted: list[list[int]] = []
    possible = True
    for rows in layout.split(emissions.detach()):
        paths = list(every_path(rows)) if len(rows) else []
        scores = [score(path, rows, *numbers).item() for path in paths]
        possible &= not paths or max(scores) > float("-inf")
        wanted.append(list(paths[scores.index(max(scores))]) if paths else [])
    if possible:
        assert viterbi(emissions, layout, *numbers) == wanted
    else:
        with pytest.raises(ConfigError, match=r"sequence \d, of [1-4] places, has no path"):
            viterbi(emissions, layout, *numbers)


def test_a_label_that_cannot_follow_never_does() -> None:
    """O, B, I: an I behind an O or at the start cannot be, however likely each place finds it."""
    transitions, start = torch.zeros(3, 3), torch.zeros(3)
    transitions[0, 2] = start[2] = -torch.inf
    emissions = torch.tensor(
        [[0.0, -1.0, 5.0], [0.0, -1.0, 5.0], [3.0, -1.0, 0.0], [0.0, 0.1, 9.0]]
    )
    found = viterbi(emissions, Layout((4,)), start, transitions, torch.zeros(3))
    assert found == [[1, 2, 2, 2]]
    emissions[2, 0] = 30.0
    found = viterbi(emissions, Layout((4,)), start, transitions, torch.zeros(3))
    assert found == [[1, 2, 0, 1]]


def test_the_field_decodes_with_its_own_numbers() -> None:
    crf, emissions, _, layout = drawn([4, 0, 2], 3, 5)
    wanted = viterbi(emissions, layout, crf.start, crf.transitions, crf.end)
    assert crf.decode(emissions, layout) == wanted
    assert [len(path) for path in wanted] == [4, 0, 2]
    assert Crf(2).decode(torch.empty(0, 2), Layout((0, 0))) == [[], []]
    assert Crf(2).decode(torch.empty(0, 2), Layout(())) == []


def test_long_sequences_stay_finite() -> None:
    crf, layout = Crf(3), Layout((3000,))
    emissions = torch.randn(3000, 3) * 50
    tags = torch.randint(3, (3000,))
    apart = F.cross_entropy(emissions, tags, reduction="sum")  # zeros tie no labels together
    torch.testing.assert_close(crf.loss(emissions, tags, layout)[0], apart, rtol=1e-4, atol=0)
    assert crf.decode(emissions, layout) == [emissions.argmax(-1).tolist()]


def test_half_precision_is_summed_in_full() -> None:
    crf, emissions, tags, layout = drawn([40, 30], 3, 1)
    half, rows = crf.bfloat16(), emissions.detach().bfloat16()
    found = half.loss(rows, tags, layout)
    assert found.dtype == torch.float32
    exact = Crf(3)
    exact.load_state_dict(half.state_dict())
    torch.testing.assert_close(found, exact.loss(rows.float(), tags, layout))
    assert half.decode(rows, layout) == exact.decode(rows.float(), layout)


def test_rows_that_are_too_many_or_too_few_are_refused() -> None:
    crf = Crf(2)
    with pytest.raises(ValueError, match="3 rows for a layout of 2 places"):
        crf.loss(torch.zeros(3, 2), torch.zeros(2, dtype=torch.int64), Layout((2,)))
    with pytest.raises(ValueError, match="1 rows for a layout of 2 places"):
        crf.loss(torch.zeros(2, 2), torch.zeros(1, dtype=torch.int64), Layout((2,)))
    with pytest.raises(ValueError, match="1 rows for a layout of 2 places"):
        crf.decode(torch.zeros(1, 2), Layout((2,)))


def test_a_fresh_field_ties_no_labels_together() -> None:
    crf = Crf(4)
    for parameter in crf.parameters():
        parameter.data.fill_(9.0)
    initialise(crf, 0.02)
    assert not any(parameter.any() for parameter in crf.parameters())


def test_the_head_gives_the_logits_of_a_token_classifier() -> None:
    torch.manual_seed(0)
    output, hidden, layout = nn.Linear(4, 3), torch.randn(6, 4), Layout((2, 4))
    head = CrfHead(output, Crf(3), transform=nn.Tanh(), dropout=0.5).eval()
    torch.testing.assert_close(head(hidden, layout), output(hidden.tanh()))
    plain = TokenClassifier(output, transform=nn.Tanh(), dropout=0.5)
    for model in (head.train(), plain):
        torch.manual_seed(1)
        model.made = model(hidden, layout)
    assert torch.equal(head.made, plain.made)
    assert head.per_token


def test_transitions_are_learned() -> None:
    """Emissions say nothing; the tags go round 0, 1, 2: only the transitions can tell them."""
    crf, layout = Crf(3), Layout((7, 4, 9))
    tags = (layout.within + 1) % 3
    emissions = torch.zeros(layout.tokens, 3)
    optimiser = torch.optim.Adam(crf.parameters(), lr=0.2)
    for _ in range(40):
        optimiser.zero_grad()
        crf.loss(emissions, tags, layout).mean().backward()
        optimiser.step()
    assert crf.decode(emissions, layout) == [part.tolist() for part in layout.split(tags)]
