"""What a way to adapt has."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from torch import nn

from headway.checkpoints.lora import Adapter
from headway.model import Model

__all__ = ["Method", "Plain", "learn_from"]


class Method(Protocol):
    """One way."""

    @property
    def about(self) -> str:
        """One line for people."""

    @property
    def rate(self) -> float:
        """Its learning rate where nothing else is said, as a multiple of that of full training."""

    def begin(self, model: Model) -> None:
        """Sets `requires_grad` of every parameter that learns at any time, of these alone.

        Raises:
            ConfigError: the model has nothing of what this way would train.
        """

    def whole(self, model: Model) -> AbstractContextManager[None]:
        """While open, the model's weights are all that it has learned: for reading."""

    def end(self, model: Model) -> Adapter | None:
        """The model is a plain one from now on; what it has learned by itself, where it can be."""

    def begin_epoch(self, model: Model, number: int, epochs: int) -> None:
        """Called when all modules are in training mode, with the epoch's number from 1."""


class Plain:
    """What a way has whose weights are the model's own at any time."""

    def whole(self, model: Model) -> AbstractContextManager[None]:
        """They are already."""
        return nullcontext()

    def end(self, model: Model) -> None:
        """It is a plain one already."""


def learn_from(levels: Sequence[Sequence[nn.Module]], first: int) -> None:
    """Lets the levels learn from number `first` on. Those below are held as they are, and drop
    nothing; what both hold, such as a table that is also a head, is held."""
    for number, level in enumerate(levels):
        for module in level:
            module.requires_grad_(number >= first)
    for level in levels[:first]:
        for module in level:
            module.eval().requires_grad_(False)
