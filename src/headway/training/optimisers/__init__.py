"""Optimisers: one file each, over groups of parameters with rates of their own.

groups.py      which parameter is in which group    together.py   two optimisers as one
uncompiled.py  torch's, without its compiler
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from headway.training.optimisers.adafactor import adafactor
from headway.training.optimisers.adamw import adamw
from headway.training.optimisers.adamw8bit import adamw8bit
from headway.training.optimisers.groups import Groups, parameter_groups, set_rates
from headway.training.optimisers.lion import lion
from headway.training.optimisers.muon import muon

__all__ = ["OPTIMISERS", "Groups", "Optimiser", "parameter_groups", "set_rates"]


@dataclass(frozen=True)
class Optimiser:
    """One way of moving parameters.

    Attributes:
        over: makes one over `parameter_groups`.
        rate: its learning rate where nothing else is said, as a multiple of AdamW's.
        by_number: whether it moves each number by itself, so that processes that hold a share of a
            matrix each can move it; else by others of its row, column, matrix or block.
    """

    over: Callable[[Groups], torch.optim.Optimizer]
    rate: float
    by_number: bool


OPTIMISERS: dict[str, Optimiser] = {
    "adamw": Optimiser(adamw, rate=1.0, by_number=True),
    "adamw8bit": Optimiser(adamw8bit, rate=1.0, by_number=False),
    "adafactor": Optimiser(adafactor, rate=10.0, by_number=False),
    "lion": Optimiser(lion, rate=0.2, by_number=True),
    "muon": Optimiser(muon, rate=1.0, by_number=False),
}
"""Name -> optimiser."""
