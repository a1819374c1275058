"""How likely a model finds several replies to each of its inputs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from headway.core.layout import Layout
from headway.core.stacks import EncoderDecoder
from headway.heads import losses
from headway.model import Model
from headway.training.collate import Batch
from headway.training.targets import continued_logits, target_logits

__all__ = ["double_head_loss", "reply_losses"]

Replies = Sequence[Sequence[Sequence[int]]]
"""For each row its replies, each of one token or more."""


def reply_losses(model: Model, batch: Batch, replies: Replies) -> tuple[Tensor, Tensor]:
    """-log p of every reply, in nats, and how many tokens it has.

    An encoder reads a row's input once for all its replies; a decoder reads it with each.

    Args:
        model: with a head over the vocabulary.
        batch: the inputs; for a decoder, each of one window.
        replies: of each of its rows, one or more.

    Returns:
        float32 [replies] twice, row after row.
    """
    flat = [list(reply) for row in replies for reply in row]
    owners = [place for place, row in enumerate(replies) for _ in row]
    if isinstance(model.body, EncoderDecoder):
        logits = target_logits(model, batch, flat, owners)
    else:
        marks = batch.segments if model.checkpoint.speakers else None
        logits = continued_logits(model, batch, flat, owners, segments=marks)
    wanted = torch.tensor([token for reply in flat for token in reply], device=logits.device)
    nats = F.cross_entropy(logits, wanted, reduction="none")
    counts = torch.tensor(list(map(len, flat)), device=logits.device)
    whose = torch.repeat_interleave(torch.arange(len(flat), device=logits.device), counts)
    return nats.new_zeros(len(flat)).index_add(0, whose, nats), counts.float()


def double_head_loss(model: Model, batch: Batch, replies: Replies, weight: float = 1.0) -> Tensor:
    """Language modelling of the right replies, plus the choice of each among its row's.

    The first is the mean over the right replies' tokens. The second is the cross-entropy of the
    right one among a row's replies, whose scores are their mean log-likelihoods a token: there is
    no second head to be stored, and what is trained to choose is what writes.

    Args:
        model, batch: as `reply_losses` takes them.
        replies: of each row the right one first; a row of one has nothing to choose.
        weight: of the choice.

    Source: Wolf et al. 2019, arXiv 1901.08149, section 3.2, where a linear head scores the choice.
    """
    nats, counts = reply_losses(model, batch, replies)
    sizes = tuple(map(len, replies))
    starts = [sum(sizes[:row]) for row in range(len(sizes))]
    right = torch.tensor(starts, device=nats.device)
    language = nats[right].sum() / counts[right].sum()
    several = [row for row, size in enumerate(sizes) if size > 1]
    if not several:
        return language
    places = [starts[row] + n for row in several for n in range(sizes[row])]
    scores = (-nats / counts)[torch.tensor(places, device=nats.device)]
    layout = Layout(tuple(sizes[row] for row in several), device=nats.device)
    first = torch.zeros(len(several), dtype=torch.long, device=nats.device)
    return language + weight * losses.choices(scores, layout, first)
