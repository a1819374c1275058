"""Keeps the best state of a run, and says when waiting longer is in vain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

__all__ = ["Best"]


class Best:
    """The parameters of the epoch with the best validation score; of equal ones, the earliest.

    Args:
        module: what is trained.
        patience: epochs without a better score before it is time to stop.

    Attributes:
        epoch: the best one, counted from 1; 0 as long as none was seen.
        score: its score.
    """

    def __init__(self, module: nn.Module, patience: int) -> None:
        self.module, self.patience = module, patience
        self.epoch, self.score = 0, float("-inf")
        self.seen = 0
        self.state: list[Tensor] = []

    def see(self, score: float) -> bool:
        """Notes an epoch's score (higher is better); True when it is time to stop."""
        self.seen += 1
        if score > self.score:
            self.epoch, self.score = self.seen, score
            self.state = [p.detach().clone() for p in self.module.parameters()]
        return self.seen - self.epoch >= self.patience

    def tensors(self) -> dict[str, Tensor]:
        """What is kept of it on disk."""
        return {str(number): value for number, value in enumerate(self.state)}

    def numbers(self) -> dict[str, Any]:
        """The same, as JSON can hold it."""
        return {"epoch": self.epoch, "score": self.score, "seen": self.seen}

    def take(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """The inverse of both."""
        for name in self.numbers():
            setattr(self, name, numbers[name])
        device = next(self.module.parameters()).device
        self.state = [tensors[str(number)].to(device) for number in range(len(tensors))]

    def restore(self) -> None:
        """Puts the best parameters back, if an epoch was seen."""
        if self.state:
            for parameter, best in zip(self.module.parameters(), self.state, strict=True):
                parameter.data.copy_(best)
