"""Which learning rate: the loss of each step while the rate rises from next to nothing.

Where it is too low the loss stays; then it falls, the faster the better the rate; then it explodes.

Source: Smith 2015, arXiv 1506.01186, section 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import TypeVar

import torch
from torch import nn

from headway.logs import progress
from headway.training.accumulate import Backward
from headway.training.chance import generator_for
from headway.training.collate import Ready

__all__ = ["rate_range", "steepest"]

B = TypeVar("B")

EXPLODED = 3.0
"""The smoothed loss as a multiple of its least, from which on higher rates are not tried."""

SMOOTHING = 0.7
"""What a step leaves of the mean before it."""

Tried = list[tuple[float, float]]
"""(rate, loss of the step at it), the rates rising."""


def rate_range(
    learner: nn.Module,
    optimiser: torch.optim.Optimizer,
    batches: Sequence[B],
    parts_of: Callable[[B, torch.Generator], Sequence[Ready]],
    backward: Backward,
    *,
    precision: str,
    clip: float,
    seed: int,
    low: float = 1e-7,
    high: float = 1.0,
    steps: int = 80,
) -> Tried:
    """Tries rates from low to high, one a step; the parameters are as before in the end.

    Args:
        learner, parts_of, backward, precision: as `train` takes them.
        optimiser: a fresh one, which is not used again; its groups keep their rates' proportions.
        batches: one a step; begun anew where there are fewer.
        clip: largest norm of a gradient.
        seed: of what is drawn.
        low, high: the ends of the rates.
        steps: how many lie between them, evenly by their logarithms.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    before = [p.detach().clone() for p in parameters]
    highest = max(group["peak"] for group in optimiser.param_groups)
    tried: Tried = []
    learner.train()
    for step, batch in enumerate(progress(list(islice(cycle(batches), steps)), "Trying rates")):
        rate = low * (high / low) ** (step / max(1, steps - 1))
        place = seed, step
        loss = backward(learner, parts_of(batch, generator_for(*place)), place, precision)
        norm = nn.utils.clip_grad_norm_(parameters, clip, foreach=True)
        if not (math.isfinite(loss) and norm.isfinite()):
            break
        tried.append((rate, loss))
        if smoothed(tried)[-1] > EXPLODED * min(smoothed(tried)):
            break
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] / highest * rate
        optimiser.step()
        optimiser.zero_grad()
    optimiser.zero_grad()
    with torch.no_grad():
        for parameter, old in zip(parameters, before, strict=True):
            parameter.copy_(old)
    learner.eval()
    return tried


def smoothed(tried: Tried) -> list[float]:
    """The running mean of the losses, each step leaving SMOOTHING of the mean before it.

    >>> smoothed([(1e-3, 2.0), (1e-2, 2.0)])
    [2.0, 2.0]
    """
    found, mean = [], 0.0
    for number, (_, loss) in enumerate(tried, start=1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        found.append(mean / (1 - SMOOTHING**number))
    return found


def steepest(tried: Tried) -> float | None:
    """The rate at which the smoothed loss falls fastest before it is least; None where it never
    falls.

    >>> steepest([(1e-5, 2.0), (1e-4, 2.0), (1e-3, 1.8), (1e-2, 0.5), (1e-1, 0.4), (1.0, 9.0)])
    0.01
    """
    losses = smoothed(tried)
    if len(losses) < 3:
        return None
    end = losses.index(min(losses))
    slopes = {n: losses[n] - losses[n - 1] for n in range(1, end + 1)}
    best = min(slopes, key=slopes.__getitem__, default=0)
    return tried[best][0] if slopes and slopes[best] < 0 else None
