"""How the learning rate moves over a run."""

from __future__ import annotations

__all__ = ["linear"]


def linear(step: int, total: int, warmup: float) -> float:
    """Rises from 0 to 1 over the first share `warmup` of the steps, then falls to 0.

    Args:
        step: number of the step, from 0.
        total: how many steps there are.
        warmup: share of them that rises.

    >>> [linear(step, 4, 0.25) for step in range(4)]
    [1.0, 1.0, 0.6666666666666666, 0.3333333333333333]
    """
    rising = max(1, round(total * warmup))
    if step < rising:
        return (step + 1) / rising
    return (total - step) / max(1, total - rising)
