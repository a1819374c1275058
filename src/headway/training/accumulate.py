"""The gradient of a step, part by part: the same as that of all of it at once, in less memory.

Each term of a loss is a mean over things that the parts have in different numbers. So a part's sums
are divided by what the whole step has, which is known before the first one is read; a mean of the
parts' means would be another number wherever texts differ in length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from headway.training.chance import seed_for
from headway.training.collate import Ready
from headway.training.precision import precision_context
from headway.training.processes import crew

__all__ = ["Backward", "Place", "backward", "mean_loss", "vectors_backward"]

Place = tuple[int, int]
"""(seed of the run, step)."""

Backward = Callable[[nn.Module, Sequence[Ready], Place, str], float]
"""(learner, parts of a step, place, precision) -> the step's loss; gradients are added to."""


def mean_loss(sums: Sequence[Tensor], counts: Sequence[float]) -> Tensor:
    """The loss of which these are the terms: each sum over its count; nothing counted is nothing.

    >>> mean_loss([torch.tensor(6.0), torch.tensor(0.0)], [4.0, 0.0])
    tensor(1.5000)
    """
    assert len(sums) == len(counts)
    means = [total / (count or 1.0) for total, count in zip(sums, counts, strict=True)]
    return torch.stack(means).sum()


def step_counts(parts: Sequence[Ready]) -> list[float]:
    """Of each term of the loss, what all parts count together."""
    return [sum(column) for column in zip(*(part.counts for part in parts), strict=True)]


def backward(learner: nn.Module, parts: Sequence[Ready], place: Place, precision: str) -> float:
    """Adds the gradient of a step's loss to that of the parameters.

    Args:
        learner: a part -> the sum of each term of its loss.
        parts: of the step.
        place: decides what dropout draws.
        precision: fp32, bf16 or fp16.

    Returns:
        The step's loss. Of several processes each reads some parts, and all have the sums.
    """
    counts, team = step_counts(parts), crew(learner)
    whole = 0.0
    for number, part in team.share(parts):
        loss = mean_loss(_read(learner, part, (*place, number), precision), counts)
        loss = loss if number < len(parts) else 0 * loss
        loss.backward()
        whole += loss.item()
    team.add_gradients(learner.parameters())
    return team.sum(whole)


def vectors_backward(
    compare: Callable[[Sequence[Tensor], Sequence[Ready]], Sequence[Tensor]],
) -> Backward:
    """A `backward` for a loss that compares each text of a step with all the others.

    Such a loss is no sum over parts. So all vectors are made first, without gradients; then the
    loss and what it asks of each vector; then each part is read again, with gradients, and told
    that. Dropout draws the same both times.

    Args:
        compare: (vectors, parts) -> the sum of each term; its learner makes of a part one kind of
            vectors, or several, such as those of first and of second texts, [rows, hidden] each.

    Source: Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited
    Setup", arXiv 2101.06983.
    """

    def through_vectors(
        learner: nn.Module, parts: Sequence[Ready], place: Place, precision: str
    ) -> float:
        counts, team = step_counts(parts), crew(learner)
        if len(parts) == 1 and team.size == 1:
            vectors = _read(learner, parts[0], (*place, 0), precision)
            loss = mean_loss(compare(vectors, parts), counts)
            loss.backward()
            return loss.item()
        own = list(team.share(parts))
        with torch.no_grad():
            read = [_read(learner, part, (*place, number), precision) for number, part in own]
        made = team.collect(read, len(parts))
        sides = [torch.cat(side).requires_grad_() for side in zip(*made, strict=True)]
        loss = mean_loss(compare(sides, parts), counts)
        sizes = [len(first) for first, *_ in made]
        asked = [side.split(sizes) for side in torch.autograd.grad(loss, sides)]
        for number, part in own:
            vectors = _read(learner, part, (*place, number), precision)
            if number < len(parts):
                wanted = [side[number] for side in asked]
            else:
                wanted = [torch.zeros_like(side) for side in vectors]
            torch.autograd.backward(list(vectors), wanted)
        team.add_gradients(learner.parameters())
        return loss.item()

    return through_vectors


def _read(
    learner: nn.Module, part: Ready, place: tuple[int, ...], precision: str
) -> tuple[Tensor, ...]:
    """What the learner makes of a part."""
    torch.manual_seed(seed_for(*place))
    device = next(learner.parameters()).device
    with precision_context(precision, device):
        found: tuple[Tensor, ...] = learner(part)
    return found
