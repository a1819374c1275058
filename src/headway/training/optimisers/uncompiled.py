"""torch's optimisers without torch's compiler.

torch marks what its compiler has to leave alone in an optimiser, and imports the compiler to say
so: a second of a training's start, whether anything is compiled or not. Behind the marks is the
method itself.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import unwrap
from typing import Any

import torch

__all__ = ["Uncompiled"]


class Uncompiled(torch.optim.Optimizer):
    """A first base of optimisers, torch's own or others, whose methods go to those of the next one.

    >>> class Plain(Uncompiled, torch.optim.SGD): ...
    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> weight.grad = torch.ones(1)
    >>> Plain([weight], lr=0.25).step()
    >>> weight.item()
    0.75
    """

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """A group more."""
        unwrap(super().add_param_group)(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """No gradient is left, or all are zero."""
        unwrap(super().zero_grad)(self, set_to_none)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Moves every parameter that has a gradient; the loss, where a closure tells it."""
        return unwrap(super().step)(self, closure)

    def state_dict(self) -> dict[str, Any]:
        """What it keeps, by the number of the parameter."""
        state: dict[str, Any] = unwrap(super().state_dict)(self)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        unwrap(super().load_state_dict)(self, state_dict)
