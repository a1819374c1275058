"""The training of one adaptation: batches, best epoch, word rows in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from headway.adaptation.plan import Plan
from headway.adaptation.rows import Rows
from headway.adaptation.scoring import score_texts
from headway.core.stacks import EncoderDecoder
from headway.heads import LanguageModelHead
from headway.model import Model
from headway.reports.sheets import LOWER_IS_BETTER
from headway.training import History, train
from headway.training.best import Best
from headway.training.collate import Batch, epoch_batches
from headway.training.interrupt import StopFlag
from headway.training.optimiser import adamw
from headway.training.vocabulary import used_rows_only
from headway.windows import Windowed

__all__ = ["fit"]


def fit(
    model: Model,
    texts: Mapping[str, Sequence[Windowed]],
    targets: Any,
    rows: Rows,
    plan: Plan,
    stop: StopFlag,
    history: History,
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

    Raises:
        ConfigError: the loss became infinite or undefined.
    """
    task, options = rows.task, plan.options
    best = Best(model, options.patience) if texts["validation"] else None

    def loss_of(batch: Batch) -> tuple[Tensor, int]:
        loss = task.loss(model, batch, targets, rows.meaning, plan.class_weights)
        beside = sum(plan.beside[row] for row in batch.rows) if plan.beside else 0
        return loss, sum(map(len, batch.windows)) + beside

    def after_epoch(number: int, history: History) -> bool:
        if best is None:
            return False
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
        if main in LOWER_IS_BETTER:
            score = -score
        return best.see(score)

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
        head_rate = options.head_learning_rate or options.learning_rate
        optimiser = adamw(
            [(options.learning_rate, model.body.parameters()), (head_rate, model.parameters())],
            weight_decay=options.weight_decay,
        )
        try:
            train(
                model,
                optimiser,
                epochs,
                loss_of,
                options=options,
                precision=plan.precision,
                stop=stop,
                after_epoch=after_epoch,
                history=history,
            )
        finally:
            model.eval()
            if best is not None:
                best.restore()
                history.kept = best.epoch


@contextmanager
def _rows_in_use(model: Model, texts: Mapping[str, Sequence[Windowed]]) -> Iterator[None]:
    """The word table without rows that no text has, where nothing but texts reads it."""
    if isinstance(model.body, EncoderDecoder) or isinstance(model.head, LanguageModelHead):
        yield
        return
    seen = (ids for part in ("train", "validation") for text in texts[part] for ids in text.ids)
    with used_rows_only(model.body.embeddings, seen):
        yield
