"""Keeps the best state of a run, and says when waiting longer is in vain."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Best"]


class Best:
    """The parameters of the epoch with the best validation score.

    Args:
        module: what is trained.
        patience: epochs without a better score before it is time to stop.
    """

    def __init__(self, module: nn.Module, patience: int) -> None:
        self.module, self.patience = module, patience
        self.score = float("-inf")
        self.waited = 0
        self.state: list[Tensor] = []

    def see(self, score: float) -> bool:
        """Notes an epoch's score (higher is better); True when it is time to stop."""
        if score > self.score:
            self.score, self.waited = score, 0
            self.state = [p.detach().clone() for p in self.module.parameters()]
        else:
            self.waited += 1
        return self.waited >= self.patience

    def restore(self) -> None:
        """Puts the best parameters back."""
        for parameter, best in zip(self.module.parameters(), self.state, strict=False):
            parameter.data.copy_(best)
