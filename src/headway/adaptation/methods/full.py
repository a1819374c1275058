"""All weights learn."""

from __future__ import annotations

from dataclasses import dataclass

from headway.adaptation.methods.method import Plain
from headway.model import Model

__all__ = ["Full"]


@dataclass(frozen=True)
class Full(Plain):
    """See `Method`."""

    about: str = "all weights learn"
    rate: float = 1.0

    def begin(self, model: Model) -> None:
        model.requires_grad_(True)

    def begin_epoch(self, model: Model, number: int, epochs: int) -> None:
        """Nothing changes."""
