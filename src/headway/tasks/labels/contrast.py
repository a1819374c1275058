"""A body that learns labels by contrast, before there is a head: few labels make many pairs.

Of n labelled texts, n (n - 1) / 2 pairs are alike or not. The body learns to bring texts of one
label together and others apart; a linear probe of such vectors is then a better head than any that
the same few texts could teach it step by step.

Source: Tunstall et al. 2022, "Efficient Few-Shot Learning Without Prompts" (SetFit), arXiv
2209.11055, which reads both texts of each pair; here a text is read once and compared with all the
others of its step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.core.pooling import mean
from headway.core.stacks import EncoderDecoder
from headway.heads import Classifier
from headway.heads.losses import label_cosines
from headway.model import Model
from headway.training import Options, train
from headway.training.accumulate import vectors_backward
from headway.training.collate import Batch, Ready, window_states
from headway.training.interrupt import StopFlag
from headway.training.learner import Learner
from headway.training.optimisers import OPTIMISERS, parameter_groups
from headway.training.scaling import scale_for
from headway.training.vocabulary import used_rows_only
from headway.windows import Windowed

__all__ = ["contrast_body"]

STEPS, FEWEST = 240, 60
"""And the fewest, where texts are long."""
READ = 250_000
"""Tokens of all steps, about."""
RATE = 5e-5
"""Peak learning rate of a model of USUAL_HIDDEN dimensions."""
USUAL_HIDDEN = 384
"""The size of hidden states that the rate is meant for."""
TEXTS, LABELS = 18, 12
"""Of a step, about: texts, and the most labels that they have; at least two texts of each."""
TOKENS = 4096
"""Of a step, about: where texts are longer, it has fewer of them, and not all of their windows."""


def contrast_body(
    model: Model,
    texts: Sequence[Windowed],
    targets: Tensor,
    *,
    precision: str,
    hidden: int,
    micro_batch_tokens: int | None,
    seed: int,
    stop: StopFlag,
) -> tuple[float, float]:
    """Trains the body of a classifier; its head stays as it is.

    Args:
        model: with a Classifier, whose pooled states are meant.
        texts: the training texts.
        targets: int64 [texts], the class of each; below 0 = of none, and left out.
        precision: fp32, bf16 or fp16.
        hidden: size of its hidden states: wider ones learn at a lower rate.
        micro_batch_tokens: most tokens of a step that are read at once; None = all.
        seed: of what is drawn.
        stop: asked to end, it ends behind the current step.

    Returns:
        The loss of the first step and of the last; NaN where it was asked to end before the first.

    Raises:
        ConfigError: the loss became infinite or undefined.
    """
    rate = RATE * min(1.0, USUAL_HIDDEN / hidden)
    steps = _steps(texts, targets, seed)
    options = Options(
        epochs=1, max_steps=len(steps), learning_rate=rate, seed=seed, precision=precision,
        micro_batch_tokens=micro_batch_tokens,
    )  # fmt: skip

    def parts_of(batch: Batch, chance: torch.Generator) -> list[Ready]:
        return [
            Ready(part, targets[part.rows], (float(len(part.rows)),))
            for part in batch.cut(micro_batch_tokens)
        ]

    def compare(vectors: Sequence[Tensor], parts: Sequence[Ready]) -> Sequence[Tensor]:
        labels = torch.cat([part.wanted for part in parts]).to(vectors[0].device)
        return (label_cosines(vectors[0], labels).sum(),)

    body, learner = model.body, Learner(model, _vectors)
    assert not isinstance(body, EncoderDecoder)  # which the task refuses
    with used_rows_only(body.embeddings, (ids for step in steps for ids in step.windows)):
        optimiser = OPTIMISERS[options.optimiser].over(
            parameter_groups([(rate, body.parameters())], weight_decay=options.weight_decay)
        )
        history = train(
            learner,
            optimiser,
            [steps],
            parts_of,
            options=options,
            precision=precision,
            stop=stop,
            cost_of=lambda batch: (batch.tokens, 0.0),
            backward=vectors_backward(compare),
            scale=scale_for(precision, learner),
        )
    losses = [row["loss"] for row in history.train] or [math.nan]
    return losses[0], losses[-1]


def _vectors(model: Model, ready: Ready) -> tuple[Tensor]:
    """The pooled states of each text, the mean over its windows, float32 [texts, hidden]."""
    assert isinstance(model.head, Classifier)
    hidden, layout = window_states(model, ready.batch)
    pooled = model.head.pooled(hidden, layout).float()
    return (mean(pooled, Layout(ready.batch.counts, device=model.device)),)


def _steps(texts: Sequence[Windowed], targets: Tensor, seed: int) -> list[Batch]:
    """As many texts of each label in every step; of many labels, some."""
    chance = np.random.default_rng(seed)
    labels = targets.cpu().numpy()
    classes = np.unique(labels[labels >= 0])
    rows_of = [np.flatnonzero(labels == one) for one in classes]
    labels_a_step = min(LABELS, len(classes))
    window = np.mean([len(ids) for text in texts for ids in text.ids])
    room = max(2, int(TOKENS / window / labels_a_step))  # windows a label
    texts_a_label = max(2, TEXTS // labels_a_step)
    most = max(1, room // texts_a_label)
    steps: list[Batch] = []
    for _ in range(STEPS):
        rows = [
            int(row)
            for n in chance.permutation(len(classes))[:LABELS]
            for row in chance.permutation(rows_of[n])[: min(texts_a_label, room)]
        ]
        numbers = [sorted(chance.permutation(len(texts[row].ids))[:most].tolist()) for row in rows]
        pairs = list(zip(rows, numbers, strict=True))
        steps.append(
            Batch(
                rows,
                [texts[row].ids[n] for row, own in pairs for n in own],
                [texts[row].segments[n] for row, own in pairs for n in own],
                numbers,
            )
        )
    tokens = np.mean([step.tokens for step in steps])
    return steps[: max(FEWEST, int(READ / tokens))]
