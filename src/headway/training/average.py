"""An average over the last steps' parameters, which is often better than those of the last step.

Source: Polyak & Juditsky 1992; with a decay that begins low, as in Tan & Le 2019, arXiv 1905.11946.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Average"]


class Average:
    """The exponential moving average of a module's parameters.

    Args:
        module: what is trained.
        decay: how much of the average a step leaves, below 1; the average is over about
            1 / (1 - decay) steps. The first steps leave less, (1 + n) / (10 + n), so that where the
            run began is soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module, self.decay = module, decay
        self.steps = 0
        self.values = [p.detach().clone() for p in module.parameters()]

    @torch.no_grad()
    def see(self) -> None:
        """Takes a step's parameters in."""
        self.steps += 1
        left = min(self.decay, (1 + self.steps) / (10 + self.steps))
        parameters = [p.detach() for p in self.module.parameters()]
        torch._foreach_lerp_(self.values, parameters, 1 - left)

    @contextmanager
    def used(self) -> Iterator[None]:
        """While open, the module has the average's parameters."""
        own = [p.detach().clone() for p in self.module.parameters()]
        self.put()
        try:
            yield
        finally:
            _copy(self.module, own)

    def put(self) -> None:
        """Gives the module the average's parameters."""
        _copy(self.module, self.values)

    def tensors(self) -> dict[str, Tensor]:
        """What is kept of it on disk."""
        return {str(number): value for number, value in enumerate(self.values)}

    def numbers(self) -> dict[str, Any]:
        """The same, as JSON can hold it."""
        return {"steps": self.steps}

    def take(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """The inverse of both."""
        self.steps = int(numbers["steps"])
        for number, value in enumerate(self.values):
            value.copy_(tensors[str(number)])


@torch.no_grad()
def _copy(module: nn.Module, values: list[Tensor]) -> None:
    for parameter, value in zip(module.parameters(), values, strict=True):
        parameter.copy_(value)
