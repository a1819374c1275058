"""One pre-training on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headway.data import Dataset
from headway.model import Model
from headway.pretraining.corpus import Around, Corpus
from headway.pretraining.settings import Settings
from headway.training import History, Options
from headway.training.energy import Energy
from headway.training.objectives import Objective

__all__ = ["Run"]


@dataclass
class Run:
    """One pre-training on its way.

    Attributes:
        model: that learns.
        objective: what it is asked.
        corpus: the texts.
        put: what stands around a block.
        train, held: blocks that train and that measure; the second may be empty.
        earlier: name -> blocks of texts that it shall not forget.
        settings: what the user decided.
        options: everything decided.
        inputs: names of model and texts, and the command.
        history: of training.
        seconds: stage -> how long it took.
        measured: "before" and "after" -> name of the blocks -> what was found.
        energy: of training.
        notes: what was decided, one line each.
        texts: how many there were.
        failed: windows of the step whose loss or gradient was not finite.
        stored: numbers that the saved weights are in, of STORED.
        dropout: share of the numbers that is dropped while it trains; None = as the model has it.
    """

    model: Model
    objective: Objective
    corpus: Corpus
    put: Around
    train: Dataset
    held: Dataset
    earlier: dict[str, Dataset]
    settings: Settings
    options: Options
    inputs: Mapping[str, Any]
    history: History = field(default_factory=History)
    seconds: dict[str, float] = field(default_factory=dict)
    measured: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    energy: Energy = field(default_factory=Energy)
    notes: list[str] = field(default_factory=list)
    texts: int = 0
    failed: list[list[int]] = field(default_factory=list)
    stored: str = "fp32"
    dropout: float | None = None

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended training."""
        return self.history.interrupted
