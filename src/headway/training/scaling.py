"""Losses of half-precision runs are made larger, so that small gradients do not become 0.

The range of fp16 ends at 6e-8 below and 65,504 above. So gradients are made that many times larger,
and divided again before anything sees them; where one became infinite the step is left out, and the
next ones are enlarged less.

Source: Micikevicius et al. 2017, "Mixed Precision Training", arXiv 1710.03740, section 3.2; the
numbers are those of torch's GradScaler.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from headway.training.learner import Learner

__all__ = ["LossScale", "scale_for"]

FIRST = 2.0**16
GROWS = 2000
"""Steps without an infinite gradient, behind which it is twice as large."""


class LossScale:
    """How many times as large a learner's gradients are made.

    Args:
        learner: is told.
        factor: to begin with; None = FIRST.
        grows: behind so many sound steps it doubles; None = GROWS.
    """

    def __init__(
        self, learner: Learner, factor: float | None = None, grows: int | None = None
    ) -> None:
        self.learner, self.grows = learner, GROWS if grows is None else grows
        self.sound = 0
        self._set(FIRST if factor is None else factor)

    def undo(self, parameters: Iterable[nn.Parameter]) -> None:
        """Divides the gradients of a step."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        torch._foreach_mul_(gradients, 1 / self.factor)

    def fits(self, norm: float) -> bool:
        """Whether a step of this gradient's norm is to be taken; what the next ones are is decided.

        One that is not finite at a factor of 1 is the run's own, and no matter of range.
        """
        if math.isfinite(norm):
            self.sound += 1
            if self.sound % self.grows == 0:
                self._set(2 * self.factor)
            return True
        if self.factor <= 1:
            return True
        self.sound = 0
        self._set(self.factor / 2)
        return False

    def tensors(self) -> dict[str, Tensor]:
        """What is kept of it on disk: nothing."""
        return {}

    def numbers(self) -> dict[str, Any]:
        """The same, as JSON can hold it."""
        return {"factor": self.factor, "sound": self.sound}

    def take(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """The inverse of both."""
        self.sound = int(numbers["sound"])
        self._set(float(numbers["factor"]))

    def _set(self, factor: float) -> None:
        self.factor = self.learner.gradient_scale = factor


def scale_for(precision: str, learner: Learner) -> LossScale | None:
    """One for fp16; all other numbers have the range of fp32.

    >>> scale_for("bf16", Learner(None, lambda model, part: ()))
    """
    return LossScale(learner) if precision == "fp16" else None
