"""Keeps the best state of a run, and says when waiting longer is in vain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

__all__ = ["Best"]


class Best:
    """The parameters behind the validation with the best score; of equal ones, the earliest.

    Args:
        module: what is trained; None = no parameters are kept, only the scores are minded.
        patience: validations without a better score before it is time to stop.

    Attributes:
        number: of the best validation, counted from 1; 0 as long as none was seen.
        score: its score.
    """

    def __init__(self, module: nn.Module | None, patience: int) -> None:
        self.module, self.patience = module, patience
        self.number, self.score = 0, float("-inf")
        self.seen = 0
        self.state: list[Tensor] = []

    @property
    def over(self) -> bool:
        """Whether it is time to stop."""
        return self.seen - self.number >= self.patience

    def see(self, score: float) -> bool:
        """Notes a validation's score (higher is better); True when it is time to stop."""
        self.seen += 1
        if score > self.score:
            self.number, self.score = self.seen, score
            if self.module is not None:
                self.state = [p.detach().clone() for p in self.module.parameters()]
        return self.over

    def tensors(self) -> dict[str, Tensor]:
        """What is kept of it on disk."""
        return {str(number): value for number, value in enumerate(self.state)}

    def numbers(self) -> dict[str, Any]:
        """The same, as JSON can hold it."""
        return {"number": self.number, "score": self.score, "seen": self.seen}

    def take(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """The inverse of both."""
        for name in self.numbers():
            setattr(self, name, numbers[name])
        if self.module is not None:
            device = next(self.module.parameters()).device
            self.state = [tensors[str(number)].to(device) for number in range(len(tensors))]

    def restore(self) -> None:
        """Puts the best parameters back, if there was a validation."""
        if self.module is not None and self.state:
            for parameter, best in zip(self.module.parameters(), self.state, strict=True):
                parameter.data.copy_(best)
