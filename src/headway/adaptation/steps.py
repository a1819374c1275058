"""What a step of one adaptation reads, learns from and moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from headway.adaptation.plan import Plan
from headway.core.stacks import EncoderDecoder
from headway.errors import ConfigError
from headway.heads import LanguageModelHead
from headway.model import Model
from headway.tasks import Meaning, Task
from headway.tasks.pairs.vectors import ComparesVectors
from headway.training import Options
from headway.training.accumulate import Backward, backward, vectors_backward
from headway.training.collate import Batch, Ready, epoch_batches, equal_epochs
from headway.training.depth import depths, ends
from headway.training.learner import Learner
from headway.training.loop import Epochs, counted
from headway.training.optimisers import OPTIMISERS, parameter_groups
from headway.training.processes import crew
from headway.training.utilisation import Products
from headway.training.vocabulary import used_rows_only
from headway.windows import Windowed

__all__ = ["Steps", "learning", "rows_in_use"]


@dataclass(frozen=True)
class Steps:
    """The steps of one adaptation.

    Attributes:
        model: with its head.
        texts: that train.
        targets: of them, in the unit to train in.
        task: what is learned.
        meaning: of the answers.
        plan: every number decided.
    """

    model: Model
    texts: Sequence[Windowed]
    targets: Any
    task: Task
    meaning: Meaning
    plan: Plan

    def epochs(self) -> Epochs[Batch]:
        """The batches of each epoch, one a step.

        Raises:
            ConfigError: the epochs differ in their steps, and are too many to be counted.
        """
        options, texts = self.plan.options, self.texts
        how: dict[str, Any] = {
            "batch_tokens": options.batch_tokens,
            "most_windows": self.plan.most_windows,
            "beside": self.plan.beside,
        }

        def made(epoch: int) -> list[Batch]:
            return epoch_batches(texts, seed=options.seed * 10_000 + epoch, **how)

        if equal_epochs(texts, **how):
            return Epochs(made, options.epochs, options.epochs * len(made(0)))
        steps = counted(lambda epoch: len(made(epoch)), options.epochs, options.max_steps)
        return Epochs(made, options.epochs, sum(steps))

    def parts_of(self, batch: Batch, chance: Generator) -> list[Ready]:
        """A step's parts, each small enough for the memory."""
        plan = self.plan
        return [
            self.task.collate(
                self.model,
                part,
                self.targets,
                self.meaning,
                weights=plan.class_weights,
                chance=chance,
            )
            for part in batch.cut(self._most_tokens(batch), plan.beside)
        ]

    def _most_tokens(self, batch: Batch) -> int | None:
        """Of a part; of several processes, each gets one at least."""
        beside = sum(self.plan.beside[row] for row in batch.rows) if self.plan.beside else 0
        return crew().part_tokens(batch.tokens + beside, self.plan.options.micro_batch_tokens)

    def cost_of(self, batch: Batch) -> tuple[int, float]:
        """Tokens of a step, and the operations that it asks for."""
        beside = sum(self.plan.beside[row] for row in batch.rows) if self.plan.beside else 0
        flops = self.products.learning_flops(map(len, batch.windows), beside)
        return batch.tokens + beside, flops

    @cached_property
    def products(self) -> Products:
        """What the model multiplies for a token."""
        return Products.of(self.model)

    def optimiser(self) -> Optimizer:
        """A fresh one, over all that learns.

        Raises:
            ConfigError: nothing does.
        """
        options, method = self.plan.options, self.plan.method
        groups = parameter_groups(
            _rates(self.model, options, self.plan.layer_decay),
            weight_decay=options.weight_decay,
            outer=ends(self.model),
        )
        if not groups:
            raise ConfigError(
                "there is nothing to learn where " + method.about, allowed="another way to adapt"
            )
        return OPTIMISERS[options.optimiser].over(groups)


def learning(task: Task, model: Model, meaning: Meaning) -> tuple[Learner, Backward]:
    """What a step runs, and how its parts come together."""
    if not isinstance(task, ComparesVectors):
        return Learner(model, lambda model, part: task.loss(model, part, meaning)), backward

    def compare(vectors: Sequence[Tensor], parts: Sequence[Ready]) -> Sequence[Tensor]:
        first, second = vectors
        values = torch.cat([part.wanted.values for part in parts])
        return task.compare_vectors(first, second, values, meaning)

    return Learner(model, task.vectors), vectors_backward(compare)


@contextmanager
def rows_in_use(model: Model, texts: Mapping[str, Sequence[Windowed]]) -> Iterator[None]:
    """The word table without rows that no text has, where nothing but texts reads it."""
    if isinstance(model.body, EncoderDecoder) or isinstance(model.head, LanguageModelHead):
        yield
        return
    seen = (ids for part in ("train", "validation") for text in texts[part] for ids in text.ids)
    with used_rows_only(model.body.embeddings, seen):
        yield


def _rates(
    model: Model, options: Options, layer_decay: float
) -> list[tuple[float, Iterator[Parameter]]]:
    """The peak rate of each part, from below: lower ones are smaller where the rate decays. What is
    in two levels counts to the lower one."""
    head_rate = options.head_learning_rate or options.learning_rate
    if layer_decay == 1:
        return [(options.learning_rate, model.body.parameters()), (head_rate, model.parameters())]
    parts, levels = [], depths(model)
    for number, level in enumerate(levels, start=1):
        rate = options.learning_rate * layer_decay ** (len(levels) - number)
        for module in level:
            parts.append((head_rate if module is model.head else rate, module.parameters()))
    return parts
