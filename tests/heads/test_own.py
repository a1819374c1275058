"""Heads of our own fit every family."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from headway.core.dropout import Dropout
from headway.core.layout import Layout
from headway.errors import ConfigError
from headway.families import bert, llama
from headway.heads import OWN_HEADS, TEXT_POOLINGS, CrfHead, own_head

LABELS = 3

EVERY = [
    (of, name, pooling)
    for of, heads in OWN_HEADS.items()
    for name in heads
    for pooling in (TEXT_POOLINGS if of == "text" else [None])
]
"""Every head of ours, with every pooling that it can have."""

every_head = pytest.mark.parametrize(("of", "name", "pooling"), EVERY)


def built(of: str, name: str, pooling: str | None, **sizes: Any) -> nn.Module:
    """A head for states of 8 numbers and three labels, with weights that make every term matter."""
    torch.manual_seed(0)
    config = bert.Config(**{"hidden": 8, "heads": 2, "inner": 8, "layers": 1, **sizes})
    body: Any = None  # which no head of ours asks for
    head = own_head(name, pooling, of=of).build(config, body, LABELS)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
    return head


def per_text(head: nn.Module, hidden: Tensor, layout: Layout) -> list[Tensor]:
    """The logits of each text."""
    made = head(hidden, layout)
    return layout.split(made) if head.per_token else list(made)


def numbers(logits: list[Tensor]) -> Tensor:
    """All logits but those of cells that do not count."""
    flat = torch.cat([rows.float().flatten() for rows in logits])
    return flat[flat != -torch.inf]


@every_head
@pytest.mark.parametrize("family", [bert, llama])
def test_every_head_gives_rows_of_what_it_is_of(
    family: ModuleType, of: str, name: str, pooling: str | None
) -> None:
    config = family.Config(hidden=8, heads=2, inner=8, layers=1, vocabulary=9)
    body: Any = None
    head = own_head(name, pooling, of=of).build(config, body, LABELS)
    shapes = {
        "text": [(LABELS,), (LABELS,)],
        "token": [(4, LABELS), (1, LABELS)],
        "span": [(4, 2), (1, 2)],
        "pairs": [(4, 4, LABELS + 1), (1, 1, LABELS + 1)],
    }
    logits = per_text(head, torch.randn(5, 8), Layout((4, 1)))
    assert [tuple(rows.shape) for rows in logits] == shapes[of]


@every_head
def test_every_parameter_and_state_gets_a_gradient(of: str, name: str, pooling: str | None) -> None:
    head = built(of, name, pooling)
    hidden = torch.randn(5, 8, requires_grad=True)
    logits = per_text(head, hidden, Layout((4, 1)))
    total = numbers(logits).square().sum()
    if isinstance(head, CrfHead):
        paths = head.crf.loss(torch.cat(logits), torch.arange(5) % LABELS, Layout((4, 1)))
        total = total + paths.sum()
    total.backward()
    assert hidden.grad is not None and hidden.grad.any()
    assert not [n for n, p in head.named_parameters() if p.grad is None or not p.grad.any()]


@every_head
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5), seed=st.integers(0, 999))
@settings(max_examples=15)
def test_texts_do_not_touch_each_other(
    of: str, name: str, pooling: str | None, lengths: list[int], seed: int
) -> None:
    head = built(of, name, pooling).double().eval()
    layout, chance = Layout(tuple(lengths)), torch.Generator().manual_seed(seed)
    hidden = torch.randn(layout.tokens, 8, generator=chance, dtype=torch.float64)
    with torch.no_grad():
        together = per_text(head, hidden, layout)
        for rows, length, mine in zip(layout.split(hidden), lengths, together, strict=True):
            (alone,) = per_text(head, rows, Layout((length,)))
            torch.testing.assert_close(mine, alone, rtol=1e-9, atol=1e-9)


@every_head
@pytest.mark.parametrize("autocast", [False, True])
def test_half_precision_is_near(autocast: bool, of: str, name: str, pooling: str | None) -> None:
    head, layout, hidden = built(of, name, pooling).eval(), Layout((4, 1)), torch.randn(5, 8)
    exact = per_text(head, hidden, layout)
    if autocast:
        with torch.autocast("cpu", torch.bfloat16):
            near = per_text(head, hidden, layout)
    else:
        near = per_text(head.bfloat16(), hidden.bfloat16(), layout)
        assert near[0].dtype == torch.bfloat16
    total = numbers(near).square().sum()
    if isinstance(head, CrfHead):
        paths = head.crf.loss(torch.cat(near), torch.arange(5) % LABELS, layout)
        total = total + paths.sum()
    total.backward()
    for rows, wanted in zip(near, exact, strict=True):
        torch.testing.assert_close(rows.float(), wanted, rtol=0.1, atol=0.1)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())


@pytest.mark.parametrize(
    ("of", "name", "pooling", "labels", "count"),
    [
        ("text", "linear", "mean", 2, 1538),
        ("text", "linear", "attention", 2, 1538 + 768 * 128 + 128 + 128),
        ("text", "mlp", "first", 2, 768 * 768 + 768 + 1538),
        ("text", "lstm", "max", 2, 2 * 4 * 384 * (768 + 384 + 2) + 1538),
        ("token", "linear", None, 9, 768 * 9 + 9),
        ("token", "mlp", None, 9, 768 * 768 + 768 + 768 * 9 + 9),
        ("token", "lstm", None, 9, 2 * 4 * 384 * (768 + 384 + 2) + 768 * 9 + 9),
        ("token", "crf", None, 9, 768 * 9 + 9 + 9 * 9 + 9 + 9),
        ("token", "lstm-crf", None, 9, 2 * 4 * 384 * (768 + 384 + 2) + 768 * 9 + 9 + 9 * 11),
        ("span", "linear", None, 0, 1538),
        ("span", "mlp", None, 0, 768 * 768 + 768 + 1538),
        ("pairs", "biaffine", None, 4, 2 * (768 * 128 + 128) + 5 * 129 * 129),
    ],
)
def test_parameters_are_as_many_as_by_hand(
    of: str, name: str, pooling: str | None, labels: int, count: int
) -> None:
    body: Any = None
    head = own_head(name, pooling, of=of).build(bert.Config(), body, labels)
    assert sum(parameter.numel() for parameter in head.parameters()) == count


@every_head
def test_dropout_is_the_configs_and_stands_before_the_output(
    of: str, name: str, pooling: str | None
) -> None:
    head = built(of, name, pooling, dropout=0.5)
    assert {part.rate for part in head.modules() if isinstance(part, Dropout)} - {0.0} == {0.5}
    layout, hidden = Layout((4, 1)), torch.randn(5, 8)
    a, b, c, d = (
        numbers(per_text(head.train(mode), hidden, layout)) for mode in (True, True, False, False)
    )
    assert not torch.equal(a, b)
    assert torch.equal(c, d)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"head 'liner' is not known.*did you mean 'linear'"):
        own_head("liner", "first")
    with pytest.raises(ConfigError, match=r"pooling 'avg' is not known\. Allowed: first"):
        own_head("linear", "avg")
    with pytest.raises(ConfigError, match=r"pooling None is not known\. Allowed: first"):
        own_head("linear")
    with pytest.raises(ConfigError, match=r"heads of 'tokens' is not known.*mean 'token'"):
        own_head("linear", of="tokens")
    with pytest.raises(ConfigError, match=r"pooling 'mean' with a head of 'token'. Allowed: none"):
        own_head("linear", "mean", of="token")
