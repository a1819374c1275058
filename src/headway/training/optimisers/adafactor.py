"""Adafactor: Adam's second moment of a matrix as one number a row and one a column.

Next to no state: for models whose moments would not fit. Steps are relative to the size of what
they move, so its rates are higher than Adam's, 1e-3 to 1e-2.

Source: Shazeer & Stern 2018, arXiv 1804.04235.
"""

from __future__ import annotations

import torch

from headway.training.optimisers.groups import Groups
from headway.training.optimisers.uncompiled import Uncompiled

__all__ = ["adafactor"]


def adafactor(groups: Groups) -> torch.optim.Optimizer:
    """Adafactor over groups, without a first moment."""
    return Adafactor(groups)


class Adafactor(Uncompiled, torch.optim.Adafactor):
    """torch's, without its compiler."""
