"""A task's loss on one batch, as a step of one part sees it."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from headway.model import Model
from headway.tasks import Meaning, Task
from headway.training.accumulate import mean_loss
from headway.training.collate import Batch


def mean_of(task: Task, model: Model, batch: Batch, targets: Any, meaning: Meaning) -> Tensor:
    """The sum of its terms' means."""
    ready = task.collate(model, batch, targets, meaning)
    return mean_loss(task.loss(model, ready, meaning), ready.counts)
