"""The training of one adaptation: batches, best epoch, word rows in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from headway.adaptation.plan import Plan
from headway.adaptation.rows import Rows
from headway.adaptation.scoring import score_texts
from headway.core.stacks import EncoderDecoder
from headway.model import Model
from headway.training import History, train
from headway.training.best import Best
from headway.training.collate import Batch, epoch_batches, text_logits
from headway.training.interrupt import StopFlag
from headway.training.kinds import KINDS
from headway.training.optimiser import adamw
from headway.training.vocabulary import used_rows_only
from headway.windows import Windowed

__all__ = ["fit"]


def fit(
    model: Model,
    texts: Mapping[str, Sequence[Windowed]],
    targets: Tensor,
    rows: Rows,
    plan: Plan,
    stop: StopFlag,
    history: History,
) -> None:
    """Trains body and head; where validation rows choose, the best epoch's state is kept.

    That holds for every end: behind the last epoch, early, interrupted, or by an error.

    Args:
        model: with its fresh head.
        texts: `train` and `validation`.
        targets: of the training texts, in the unit to train in.
        rows: the labels.
        plan: every number decided.
        stop: asked to end, training ends behind the current step.
        history: where it is noted what happens.

    Raises:
        ConfigError: the loss became infinite or undefined.
    """
    assert model.head is not None and not isinstance(model.body, EncoderDecoder)
    options, kind = plan.options, KINDS[rows.kind]
    targets = targets.to(model.device)
    weights = None if plan.class_weights is None else plan.class_weights.to(model.device)
    best = Best(model, options.patience) if texts["validation"] else None

    def loss_of(batch: Batch) -> tuple[Tensor, int]:
        logits = text_logits(model, batch)
        return kind.loss(logits, targets[batch.rows], weights), sum(map(len, batch.windows))

    def after_epoch(number: int, history: History) -> bool:
        if best is None:
            return False
        answers = rows.answers(rows.validation)
        scored = score_texts(
            model,
            texts["validation"],
            answers,
            precision=plan.precision,
            batch_tokens=plan.read_tokens,
            what="Validating",
        )
        score = scored.scores[kind.main]
        history.validation.append({"step": len(history.train), "epoch": number, kind.main: score})
        return best.see(score)

    epochs = [
        epoch_batches(
            texts["train"],
            batch_tokens=options.batch_tokens,
            seed=options.seed * 10_000 + epoch,
            most_windows=plan.most_windows,
        )
        for epoch in range(options.epochs)
    ]
    seen = (ids for part in ("train", "validation") for text in texts[part] for ids in text.ids)
    head_rate = options.head_learning_rate or options.learning_rate
    with used_rows_only(model.body.embeddings, seen):
        optimiser = adamw(
            [
                (options.learning_rate, model.body.parameters()),
                (head_rate, model.head.parameters()),
            ],
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
