"""The training of one adaptation: batches, best epoch, word rows in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import Parameter

from headway.adaptation.plan import Plan
from headway.adaptation.rows import Rows
from headway.adaptation.scoring import score_texts
from headway.core.stacks import EncoderDecoder
from headway.errors import ConfigError
from headway.heads import LanguageModelHead
from headway.model import Model
from headway.reports.sheets import LOWER_IS_BETTER
from headway.tasks import Meaning, Task
from headway.tasks.pairs.vectors import ComparesVectors
from headway.training import History, Options, train
from headway.training.accumulate import Backward, backward, vectors_backward
from headway.training.average import Average
from headway.training.best import Best
from headway.training.collate import Batch, Ready, epoch_batches
from headway.training.depth import depths
from headway.training.interrupt import StopFlag
from headway.training.keeper import Keeper
from headway.training.learner import Learner
from headway.training.optimisers import OPTIMISERS, parameter_groups
from headway.training.utilisation import learning_flops
from headway.training.vocabulary import used_rows_only
from headway.windows import Windowed

__all__ = ["fit", "learning"]


def fit(
    model: Model,
    texts: Mapping[str, Sequence[Windowed]],
    targets: Any,
    rows: Rows,
    plan: Plan,
    stop: StopFlag,
    history: History,
    keeper: Keeper | None = None,
) -> None:
    """Trains body and head; where validation rows choose, the best epoch's state is kept.

    That holds for every end: behind the last epoch, early, interrupted, or by an error.

    Args:
        model: with its head.
        texts: `train` and `validation`.
        targets: of the training texts, in the unit to train in.
        rows: the task and the answers.
        plan: every number decided.
        stop: asked to end, training ends behind the current step.
        history: where it is noted what happens.
        keeper: keeps the run on its way, and goes on with one; None = it is not kept.

    Raises:
        ConfigError: the loss became infinite or undefined, or what is kept is another run.
    """
    task, options = rows.task, plan.options
    best = Best(model, options.patience) if texts["validation"] else None
    average: Average | None = None  # made when the parameters that learn are there

    def parts_of(batch: Batch, chance: Generator) -> list[Ready]:
        weights = plan.class_weights
        return [
            task.collate(model, part, targets, rows.meaning, weights=weights, chance=chance)
            for part in batch.cut(options.micro_batch_tokens, plan.beside)
        ]

    def cost_of(batch: Batch) -> tuple[int, float]:
        beside = sum(plan.beside[row] for row in batch.rows) if plan.beside else 0
        return batch.tokens + beside, learning_flops(model, map(len, batch.windows), beside)

    def after_epoch(number: int, history: History) -> bool:
        if best is None:
            return False
        with average.used() if average is not None else nullcontext():
            return best.see(validated(number, history))

    def validated(number: int, history: History) -> float:
        scored = score_texts(
            task,
            model,
            texts["validation"],
            rows.answers(rows.validation),
            rows.meaning,
            precision=plan.precision,
            batch_tokens=plan.read_tokens,
            what="Validating",
        )
        main = task.main(rows.meaning.kind)
        score = scored.scores[main]
        history.validation.append({"step": len(history.train), "epoch": number, main: score})
        return -score if main in LOWER_IS_BETTER else score

    def after_step(history: History) -> None:
        if average is not None and history.step > average.steps:
            average.see()
        if keeper is not None:
            keeper.after_step(history)

    epochs = [
        epoch_batches(
            texts["train"],
            batch_tokens=options.batch_tokens,
            seed=options.seed * 10_000 + epoch,
            most_windows=plan.most_windows,
            beside=plan.beside,
        )
        for epoch in range(options.epochs)
    ]
    with _rows_in_use(model, texts):
        method = plan.method
        method.begin(model)
        groups = parameter_groups(
            _rates(model, options, plan.layer_decay),
            weight_decay=options.weight_decay,
            outer=_ends(model),
        )
        if not groups:
            raise ConfigError(
                "there is nothing to learn where " + method.about,
                allowed="another way to adapt",
            )
        optimiser = OPTIMISERS[options.optimiser].over(groups)
        learner, backward = learning(task, model, rows.meaning)
        if options.average is not None:
            average = Average(model, options.average)
        if keeper is not None:
            states = {"best": best, "average": average}
            others = {name: state for name, state in states.items() if state is not None}
            keeper.begin(learner, optimiser, history, others)
        try:
            train(
                learner,
                optimiser,
                epochs,
                parts_of,
                options=options,
                precision=plan.precision,
                stop=stop,
                cost_of=cost_of,
                backward=backward,
                before_epoch=lambda number: method.begin_epoch(model, number, options.epochs),
                after_epoch=after_epoch,
                after_step=after_step,
                history=history,
            )
            if stop.asked and keeper is not None:
                keeper.keep()
        except ConfigError:
            if history.stopped:  # the last step's loss or gradient was not finite
                steps = [batch for batches in epochs for batch in batches]
                history.failed_rows = sorted(steps[history.step - 1].rows)
            raise
        finally:
            model.eval().requires_grad_(True)
            if average is not None:
                average.put()
            if best is not None:
                best.restore()
                history.kept = best.epoch


def _rates(
    model: Model, options: Options, layer_decay: float
) -> list[tuple[float, Iterator[Parameter]]]:
    """The peak rate of each part: those of lower levels are smaller where the rate decays."""
    head_rate = options.head_learning_rate or options.learning_rate
    if layer_decay == 1:
        return [(options.learning_rate, model.body.parameters()), (head_rate, model.parameters())]
    parts = []
    for below, level in enumerate(reversed(depths(model))):
        rate = options.learning_rate * layer_decay**below
        for module in level:
            parts.append((head_rate if module is model.head else rate, module.parameters()))
    return parts


def _ends(model: Model) -> list[Parameter]:
    """The parameters at the ends of the stack: of embeddings and of the head."""
    body = [p for name, p in model.body.named_parameters() if "embeddings" in name.split(".")]
    return body + ([] if model.head is None else list(model.head.parameters()))


def learning(task: Task, model: Model, meaning: Meaning) -> tuple[Learner, Backward]:
    """What a step runs, and how its parts come together."""
    if not isinstance(task, ComparesVectors):
        return Learner(model, lambda model, part: task.loss(model, part, meaning)), backward

    def compare(first: Tensor, second: Tensor, parts: Sequence[Ready]) -> Sequence[Tensor]:
        values = torch.cat([part.wanted.values for part in parts])
        return task.compare_vectors(first, second, values, meaning)

    return Learner(model, task.vectors), vectors_backward(compare)


@contextmanager
def _rows_in_use(model: Model, texts: Mapping[str, Sequence[Windowed]]) -> Iterator[None]:
    """The word table without rows that no text has, where nothing but texts reads it."""
    if isinstance(model.body, EncoderDecoder) or isinstance(model.head, LanguageModelHead):
        yield
        return
    seen = (ids for part in ("train", "validation") for text in texts[part] for ids in text.ids)
    with used_rows_only(model.body.embeddings, seen):
        yield
