"""What a model makes of several replies to each of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from headway.core.layout import Layout
from headway.core.stacks import EncoderDecoder
from headway.heads import LanguageModelHead, losses
from headway.model import Model
from headway.training.collate import Batch
from headway.training.targets import States, continued_states, target_states

__all__ = ["Weighed", "counts_of_two", "double_head_loss", "weigh"]

Replies = Sequence[Sequence[Sequence[int]]]
"""For each row its replies, each of one token or more."""


class Weighed(NamedTuple):
    """Replies as a model finds them.

    Attributes:
        nats: -log p of each row's first reply, float32 [rows].
        counts: how many tokens that has, float32 [rows].
        scores: how well every reply fits, row after row, float32 [replies].
    """

    nats: Tensor
    counts: Tensor
    scores: Tensor


def weigh(model: Model, batch: Batch, replies: Replies) -> Weighed:
    """How likely the first reply of each row is, and how well all of them fit.

    A model with a choice head scores a reply by it. Where there is none, a reply's score is its
    mean log-likelihood a token. A row's input is read once for all its replies, but by a decoder
    that learns, which reads it with each.

    Args:
        model: with a head over the vocabulary.
        batch: the inputs; for a decoder, each of one window.
        replies: of each of its rows, one or more.
    """
    assert isinstance(model.head, LanguageModelHead)
    choice, device = model.head.choice, model.device
    flat = [list(reply) for row in replies for reply in row]
    owners = [place for place, row in enumerate(replies) for _ in row]
    sizes = list(map(len, replies))
    firsts = [sum(sizes[:row]) for row in range(len(sizes))]
    states = _states(model, batch, flat, owners, whole=choice is not None)
    if choice is None or states.last is None:
        nats, counts = _nats(model, states.before, flat)
        first = torch.tensor(firsts, device=device)
        return Weighed(nats[first], counts[first], -nats / counts)
    scores = choice(states.last, Layout((1,) * len(flat), device=device)).float().squeeze(1)
    apart = states.before.split(list(map(len, flat)))  # the others need not be written
    before = torch.cat([apart[place] for place in firsts])
    return Weighed(*_nats(model, before, [flat[place] for place in firsts]), scores)


def _states(
    model: Model,
    batch: Batch,
    flat: Sequence[Sequence[int]],
    owners: Sequence[int],
    *,
    whole: bool,
) -> States:
    if isinstance(model.body, EncoderDecoder):
        return target_states(model, batch, flat, owners, whole=whole)
    marks = batch.segments if model.checkpoint.speakers else None
    return continued_states(model, batch, flat, owners, segments=marks, whole=whole)


def _nats(model: Model, before: Tensor, texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """-log p of each text, and how many tokens it has, float32 [texts] twice."""
    assert model.head is not None
    layout = Layout.of(texts, model.device)
    wanted = torch.tensor([token for text in texts for token in text], device=model.device)
    logits = model.head(before, layout).float()
    return layout.sums(F.cross_entropy(logits, wanted, reduction="none")), layout.counts.float()


def counts_of_two(replies: Replies) -> tuple[float, float]:
    """What both terms of `double_head_loss` count: tokens of the right replies, and rows with a
    choice."""
    tokens = sum(len(row[0]) for row in replies)
    return float(tokens), float(sum(len(row) > 1 for row in replies))


def double_head_loss(
    model: Model, batch: Batch, replies: Replies, weight: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Language modelling of the right replies, and the choice of each among its row's: the sums.

    The first is over the right replies' tokens. The second is the cross-entropy of the right one
    among a row's replies by their scores: those of the choice head, or else their mean
    log-likelihoods a token, so that what is trained to choose is what writes.

    Args:
        model, batch: as `weigh` takes them.
        replies: of each row the right one first; a row of one has nothing to choose.
        weight: of the choice.

    Source: Wolf et al. 2019, arXiv 1901.08149, section 3.2, with a choice head.
    """
    found = weigh(model, batch, replies)
    sizes = tuple(map(len, replies))
    several = [row for row, size in enumerate(sizes) if size > 1]
    apart = found.scores.split(sizes)
    scores = torch.cat([found.scores[:0], *(apart[row] for row in several)])
    layout = Layout(tuple(sizes[row] for row in several), device=scores.device)
    first = torch.zeros(len(several), dtype=torch.long, device=scores.device)
    chosen = losses.choices(scores, layout, first) if several else scores
    return found.nats.sum(), weight * chosen.sum()
