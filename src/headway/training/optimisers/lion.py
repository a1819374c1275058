"""Lion: the sign of a momentum. One number of state a parameter.

Every number moves by the rate itself, so its rates are 3 to 10 times lower than Adam's, and its
decay as much higher.

Source: Chen et al. 2023, arXiv 2302.06675, program 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from headway.training.optimisers.groups import Groups
from headway.training.optimisers.uncompiled import Uncompiled

__all__ = ["Lion", "lion"]


def lion(groups: Groups) -> torch.optim.Optimizer:
    """Lion over groups, with the paper's betas."""
    return Lion(groups)


class Lion(Uncompiled):
    """See above.

    Args:
        groups: of parameters.
        lr: the rate, where a group has none.
        betas: of what is moved by, and of the momentum that is kept.
        weight_decay: where a group has none.
    """

    def __init__(
        self,
        groups: Any,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Moves every parameter that has a gradient."""
        for group in self.param_groups:
            rate, decay, (first, second) = group["lr"], group["weight_decay"], group["betas"]
            moved = [p for p in group["params"] if p.grad is not None]
            if not moved:
                continue
            gradients = [p.grad for p in moved]
            momenta = [self._momentum(p) for p in moved]
            steps = torch._foreach_lerp(momenta, gradients, 1 - first)
            torch._foreach_sign_(steps)
            torch._foreach_mul_(moved, 1 - rate * decay)
            torch._foreach_add_(moved, steps, alpha=-rate)
            torch._foreach_lerp_(momenta, gradients, 1 - second)

    def _momentum(self, parameter: Tensor) -> Tensor:
        """That of a parameter; it begins with zeros."""
        state: dict[str, Tensor] = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        return state["momentum"]
