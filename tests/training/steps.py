"""A task's loss on one batch, as a step of one part sees it."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from headway.model import Model
from headway.tasks import Meaning, Task
from headway.training.accumulate import mean_loss
from headway.training.collate import Batch, epoch_batches
from headway.windows import window_texts


def mean_of(task: Task, model: Model, batch: Batch, targets: Any, meaning: Meaning) -> Tensor:
    """The sum of its terms' means."""
    ready = task.collate(model, batch, targets, meaning)
    return mean_loss(task.loss(model, ready, meaning), ready.counts)


def one_batch(model: Model, texts: list[str]) -> Batch:
    """All texts in one."""
    read = window_texts(model.need_tokenizer(), texts, size=model.longest)
    (batch,) = epoch_batches(read, batch_tokens=10**6, seed=0, most_windows=None)
    return batch
