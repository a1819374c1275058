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
    """

    def __init__(self, model: Model, asked: Callable[[Model, Ready], tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.model = model
        self.asked = asked

    def forward(self, part: Ready) -> tuple[Tensor, ...]:
        """A part of a step -> tensors."""
        return self.asked(self.model, part)
