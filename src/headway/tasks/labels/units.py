"""Numbers to predict, in a unit that training can cope with.

A step of Adam moves a weight by about the learning rate, whatever the labels' unit: prices in
thousands would take a head ten thousands of steps to reach. So the targets are brought to mean 0
and deviation 1, and when training ends the head's last layer learns the true unit by arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from headway.heads import Classifier
from headway.model import Model

__all__ = ["training_units"]


@contextmanager
def training_units(model: Model, targets: Tensor, kind: str) -> Iterator[Tensor]:
    """Yields the targets to train on; when it closes, the head's outputs are in the labels' unit.

    Args:
        model: with a fresh head.
        targets: as the kind makes them; of other kinds than regression they stay as they are.
        kind: single-label, multi-label or regression.
    """
    if kind != "regression":
        yield targets
        return
    assert isinstance(model.head, Classifier)
    output = model.head.output
    centre = targets.mean() if output.bias is not None else torch.zeros(())
    unit = (targets - centre).square().mean().sqrt()
    unit = unit if unit > 0 else torch.ones(())
    try:
        yield (targets - centre) / unit
    finally:
        with torch.no_grad():
            output.weight *= unit
            if output.bias is not None:
                output.bias.mul_(unit).add_(centre)
