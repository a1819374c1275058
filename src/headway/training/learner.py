"""A model and what is asked of it, as one module: the part that a step runs."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from headway.model import Model
from headway.training.collate import Ready

__all__ = ["Learner"]


class Learner(nn.Module):
    """Makes of a part of a step what its loss needs.

    Args:
        model: what is trained.
        asked: (model, part) -> tensors: the sum of each term of the loss, or vectors.
        beside: what learns with it, or None.
    """

    def __init__(
        self,
        model: Model,
        asked: Callable[[Model, Ready], tuple[Tensor, ...]],
        beside: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.model, self.beside = model, beside
        self.asked = asked

    def forward(self, part: Ready) -> tuple[Tensor, ...]:
        """A part of a step -> tensors."""
        return self.asked(self.model, part)
