"""What a way to adapt has."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from torch.nn import Parameter

from headway.checkpoints.lora import Adapter
from headway.model import Model
from headway.training.depth import depths

__all__ = ["Method", "Plain", "fresh_parameters", "hold_body", "learn_levels"]


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


def learn_levels(model: Model, learning: Collection[int]) -> None:
    """Lets these levels of `depths` learn, by number. The others are held as they are, and drop
    nothing; what both have, such as a table that is also a head, is held. What knows nothing yet
    learns in any case."""
    levels = depths(model)
    for number, level in enumerate(levels):
        for module in level:
            module.requires_grad_(number in learning)
    for number, level in enumerate(levels):
        for module in () if number in learning else level:
            module.eval().requires_grad_(False)
    for parameter in fresh_parameters(model):
        parameter.requires_grad_(True)


def hold_body(model: Model) -> None:
    """Holds the body, all but what knows nothing yet; the head learns."""
    model.requires_grad_(True)
    model.body.requires_grad_(False)
    for parameter in fresh_parameters(model):
        parameter.requires_grad_(True)


def fresh_parameters(model: Model) -> list[Parameter]:
    """Those of the body that know nothing yet, such as a new cross-attention's."""
    return [model.body.get_parameter(name) for name in sorted(model.checkpoint.fresh)]
