"""Losses in pieces beside cross-entropy over all logits at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headway.heads import LanguageModelHead, words
from headway.heads.words import summed_word_loss, word_losses

TOKENS, HIDDEN, WORDS = 23, 6, 11

Asked = list[Tensor | None]


@pytest.fixture(params=[1, 5, 23, 1000], ids="{} rows a piece".format)
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(words, "LOGITS", {"cpu": request.param * WORDS})
    monkeypatch.setattr(words, "LEAST_ROWS", 1)
    return int(request.param)


def made(
    *, bias: bool = True, dtype: torch.dtype = torch.float64
) -> tuple[nn.Linear, Tensor, Tensor]:
    torch.manual_seed(0)
    output = nn.Linear(HIDDEN, WORDS, bias=bias, dtype=dtype)
    states = torch.randn(TOKENS, HIDDEN, dtype=dtype, requires_grad=True)
    return output, states, torch.randint(WORDS, (TOKENS,))


def at_once(output: nn.Linear, states: Tensor, right: Tensor) -> Tensor:
    return F.cross_entropy(output(states).float(), right, reduction="sum")


def asked(
    loss: Callable[[nn.Linear, Tensor, Tensor], Tensor], output: nn.Linear, *given: Tensor
) -> tuple[float, Asked]:
    """A mean's value, and its gradients of states, weight and bias."""
    output.zero_grad()
    given[0].grad = None
    found = loss(output, *given) / TOKENS
    found.backward()
    return found.item(), [given[0].grad, *(p.grad for p in output.parameters())]


@pytest.mark.parametrize("bias", [True, False])
def test_value_and_gradients_are_those_of_all_logits(pieces: int, bias: bool) -> None:
    given = made(bias=bias)
    value, mine = asked(summed_word_loss, *given)
    expected, theirs = asked(at_once, *given)
    assert value == pytest.approx(expected, rel=1e-6)
    assert len(mine) == 2 + bias
    torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-7)


def test_gradients_add_to_those_that_are_there_and_shared_tables_get_both(pieces: int) -> None:
    output, _, right = made(bias=False, dtype=torch.float32)
    found = []
    for loss in (summed_word_loss, at_once):
        output.zero_grad()
        for _ in range(2):  # two parts of a step
            states = F.embedding(right, output.weight)  # the table is read, too
            loss(output, states, right).backward()
        found.append(output.weight.grad)
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("held", ["weight", "states"])
def test_what_does_not_learn_has_no_gradient(pieces: int, held: str) -> None:
    output, states, right = made()
    if held == "weight":
        output.requires_grad_(False)
    else:
        states = states.detach()
    _, mine = asked(summed_word_loss, output, states, right)
    _, theirs = asked(at_once, output, states, right)
    assert [each is None for each in mine] == [held == "states", *[held == "weight"] * 2]
    torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_as_near_as_all_logits_at_once(pieces: int, dtype: torch.dtype) -> None:
    output, states, right = made(dtype=torch.float32)
    exact = asked(at_once, output, states, right)
    with torch.autocast("cpu", dtype):
        value, mine = asked(summed_word_loss, output, states, right)
    assert value == pytest.approx(exact[0], rel=0.01)
    for one, other in zip(mine, exact[1], strict=True):
        assert one is not None and other is not None and one.dtype == torch.float32
        assert (one - other).norm() < 0.01 * other.norm()


def test_a_word_without_gradients_and_what_each_piece_is_shown(pieces: int) -> None:
    output, states, right = made(dtype=torch.float32)
    shown = torch.zeros(TOKENS, WORDS)

    def see(rows: slice, logits: Tensor) -> None:
        shown[rows] = logits

    expected = F.cross_entropy(output(states), right, reduction="none")
    found = word_losses(output, states, right)
    torch.testing.assert_close(found, expected.detach())
    for enabled in (True, False):
        shown.zero_()
        with torch.set_grad_enabled(enabled):
            total = summed_word_loss(output, states, right, see)
        assert total.requires_grad == enabled
        torch.testing.assert_close(total.detach(), expected.detach().sum())
        torch.testing.assert_close(shown, output(states).detach())


def test_twice_is_the_same_to_the_bit(pieces: int) -> None:
    given = made(dtype=torch.float32)
    (one, first), (other, second) = (asked(summed_word_loss, *given) for _ in range(2))
    assert one == other
    for a, b in zip(first, second, strict=True):
        assert a is not None and b is not None and a.equal(b)


def test_no_token_asks_nothing(pieces: int) -> None:
    output, states, right = made()
    value, mine = asked(summed_word_loss, output, states[:0].detach().requires_grad_(), right[:0])
    assert value == 0 and all(each is not None and not each.any() for each in mine)


def test_a_head_transforms_and_scales_before_it(pieces: int) -> None:
    output, states, right = made(dtype=torch.float32)
    head = LanguageModelHead(output, transform=nn.Tanh(), scale=0.5)
    expected = F.cross_entropy(output(states.tanh() * 0.5), right, reduction="none")
    torch.testing.assert_close(head.losses(states, right), expected.detach())
    torch.testing.assert_close(head.loss(states, right), expected.sum())


@contextmanager
def peak_memory() -> Iterator[Callable[[], int]]:
    """Gives the most bytes that were held at once beside those of before; asked behind it."""
    most = [0]
    with torch.profiler.profile(profile_memory=True) as seen:
        yield lambda: most[0]
    assert seen.profiler is not None
    sizes = (e.nbytes() for e in seen.profiler.kineto_results.events() if e.name() == "[memory]")
    most[0] = max(itertools.accumulate(sizes))


def test_memory_does_not_hold_all_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them would be 64 MB, as would be what they ask; a piece is 4 MB."""
    monkeypatch.setattr(words, "LOGITS", {"cpu": 2**20})
    output = nn.Linear(8, 4000, bias=False)
    states = torch.randn(4000, 8, requires_grad=True)
    right = torch.randint(4000, (4000,))
    with peak_memory() as most:
        summed_word_loss(output, states, right).backward()
    assert 2**22 < most() < 3 * 2**22
    with peak_memory() as most:
        word_losses(output, states, right)
    assert 2**22 < most() < 3 * 2**22
    with peak_memory() as most:
        at_once(output, states, right).backward()
    assert most() > 30 * 2**22
