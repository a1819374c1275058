"""How the learning rate moves over a run: from a step's number to a factor of the peak.

All rise from 0 to 1 over the first share `warmup` of the steps, and differ in what comes then.
"""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["SCHEDULES", "constant", "cosine", "inverse_square_root", "linear", "wsd"]

FALLING = 0.2
"""The last share of the steps in which `wsd` falls."""


def linear(step: int, total: int, warmup: float) -> float:
    """Falls to 0 by the same amount each step.

    Args:
        step: number of the step, from 0.
        total: how many steps there are.
        warmup: share of them that rises.

    >>> [linear(step, 4, 0.25) for step in range(4)]
    [1.0, 1.0, 0.6666666666666666, 0.3333333333333333]
    """
    rising = _rising(total, warmup)
    if step < rising:
        return (step + 1) / rising
    return (total - step) / max(1, total - rising)


def cosine(step: int, total: int, warmup: float) -> float:
    """Falls to 0 along half a cosine: slowly, fast, slowly.

    >>> [round(cosine(step, 5, 0.2), 2) for step in range(5)]
    [1.0, 1.0, 0.85, 0.5, 0.15]

    Source: Loshchilov & Hutter 2016, arXiv 1608.03983, without restarts.
    """
    rising = _rising(total, warmup)
    if step < rising:
        return (step + 1) / rising
    return 0.5 + 0.5 * math.cos(math.pi * (step - rising) / max(1, total - rising))


def wsd(step: int, total: int, warmup: float) -> float:
    """Stays, and falls to 0 in the last fifth, or in what the rise leaves of it: a run can be made
    longer before it falls.

    >>> [round(wsd(step, 10, 0.1), 2) for step in range(6, 10)]
    [1.0, 1.0, 1.0, 0.5]

    Source: warm-up, stable, decay; Hu et al. 2024, arXiv 2404.06395, section 4.
    """
    rising = _rising(total, warmup)
    if step < rising:
        return (step + 1) / rising
    falling = max(1, min(round(total * FALLING), total - rising))
    return min(1.0, (total - step) / falling)


def inverse_square_root(step: int, total: int, warmup: float) -> float:
    """Falls as the square root of the steps grows, and never ends.

    >>> [round(inverse_square_root(step, 8, 0.25), 2) for step in range(8)]
    [0.5, 1.0, 0.82, 0.71, 0.63, 0.58, 0.53, 0.5]

    Source: Vaswani et al. 2017, arXiv 1706.03762, section 5.3.
    """
    rising = _rising(total, warmup)
    if step < rising:
        return (step + 1) / rising
    return math.sqrt(rising / (step + 1))


def constant(step: int, total: int, warmup: float) -> float:
    """Stays.

    >>> [constant(step, 4, 0.5) for step in range(4)]
    [0.5, 1.0, 1.0, 1.0]
    """
    return min(1.0, (step + 1) / _rising(total, warmup))


def _rising(total: int, warmup: float) -> int:
    """How many steps rise: one at least, which has the whole rate."""
    return max(1, round(total * warmup))


SCHEDULES: dict[str, Callable[[int, int, float], float]] = {
    "linear": linear,
    "cosine": cosine,
    "wsd": wsd,
    "inverse-square-root": inverse_square_root,
    "constant": constant,
}
"""Name -> (step, steps, share that rises) -> factor of the peak."""
