"""What an objective is: what is asked of a model about raw text, and how its answer is judged."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from headway.model import Model
from headway.training.collate import Batch, Ready

__all__ = ["ComparesTexts", "Learns", "Objective"]


class Objective(Protocol):
    """One objective."""

    @property
    def about(self) -> str:
        """One line for people."""

    @property
    def head(self) -> str:
        """The head that it trains, a name in the family's HEADS; "" = the body alone."""

    @property
    def terms(self) -> tuple[str, ...]:
        """What the parts of its loss are called; the first is what a model is judged by."""

    @property
    def rate(self) -> float:
        """The peak learning rate where nothing else is said, of a model of 256 dimensions."""

    @property
    def joins(self) -> bool:
        """Whether texts are laid end to end and cut into blocks; else each is read by itself."""

    def check(self, model: Model) -> None:
        """Raises ConfigError where the model's stacks or tokenizer cannot be asked this."""

    def collate(self, model: Model, batch: Batch, chance: torch.Generator | None) -> Ready:
        """A batch of raw texts as it is read, with what is to be told of it.

        Args:
            model: it is not asked what it makes of the batch.
            batch: windows of ids, the special tokens around them included.
            chance: of what is drawn; None = torch's own.
        """

    def loss(self, model: Model, ready: Ready) -> tuple[Tensor, ...]:
        """The sum of each term; divided by `ready.counts` these are means."""


@runtime_checkable
class Learns(Protocol):
    """An objective with parameters beside the model's."""

    def begun(self, model: Model) -> nn.Module:
        """Makes the part that learns beside a model, once before it is trained."""


@runtime_checkable
class ComparesTexts(Protocol):
    """An objective whose loss compares each text of a step with all the others."""

    def vectors(self, model: Model, ready: Ready) -> tuple[Tensor, Tensor]:
        """Two vectors of each text, each [texts, hidden]."""

    def compare(self, first: Tensor, second: Tensor) -> tuple[Tensor, ...]:
        """The sum of each term of the loss, of all texts of a step."""
