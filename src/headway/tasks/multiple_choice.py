"""Multiple choice: which of a row's choices, of any number, fits its context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headway.checkpoints import HeadPlan, new_head
from headway.core.layout import Layout
from headway.core.pooling import mean
from headway.core.stacks import Decoder
from headway.data import Columns, Dataset
from headway.errors import ConfigError
from headway.heads import losses
from headway.metrics import confidence_interval, tfidf_nearest
from headway.model import Model
from headway.reading import HeadLogits
from headway.tasks.choices import Asked, asked_of, choice_columns
from headway.tasks.measured import Measured
from headway.tasks.stacks import need_one_stack
from headway.tasks.task import Compared, Course, Meaning
from headway.training.collate import Batch, Ready, window_logits
from headway.windows import Windowed, window_texts

__all__ = ["Choices", "MultipleChoice"]

Floats = npt.NDArray[np.float64]

MANY_ROWS = 5000
"""From so many training rows on, fewer epochs do."""


@dataclass(frozen=True)
class Choices(Windowed):
    """All choices of a row as the model reads them, each beside the context.

    Attributes:
        choices: their texts.
        counts: how many windows each has; they lie one choice after the other.
        lengths: how many tokens each has, with the context.
    """

    choices: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    lengths: tuple[int, ...] = ()

    @property
    def longest(self) -> int:
        return max(self.lengths)

    @property
    def most_windows(self) -> int:
        return max(self.counts)

    def drawn(self, chance: Random, most: int | None) -> list[int]:
        """At most so many windows of each choice: none of them may be absent."""
        found, start = [], 0
        for count in self.counts:
            some = chance.sample(range(count), min(most or count, count))
            found += [start + number for number in sorted(some)]
            start += count
        return found


class MultipleChoice:
    """The task; see `Task` for what its parts are."""

    about = "which of several choices fits a context"
    kinds: tuple[str, ...] = ("choice",)
    keeps_head = False
    start = None

    def units(self, model: Model, targets: Any, kind: str) -> AbstractContextManager[Any]:
        return nullcontext(targets)

    def columns(
        self,
        data: Dataset | Mapping[str, Dataset],
        *,
        text: str | None,
        pair: str | None,
        label: str | None,
        labelled: bool = True,
    ) -> Columns:
        return choice_columns(data, text=text, pair=pair, label=label, labelled=labelled)

    def inputs(self, data: Dataset, columns: Columns, *, before: int = 0) -> list[Any]:
        return list(asked_of(data, columns, before=before))

    def shown(self, given: Asked) -> str:
        asked = " ".join(filter(None, (given.context, given.beginning)))
        return f"{asked} ⏐ {' ⏐ '.join(given.choices)}"

    def kind_of(self, answers: Sequence[Any]) -> str:
        return "choice"

    def wrong(self, answer: Any, kind: str) -> str:
        if answer is None:
            return "there is no label"
        return "" if isinstance(answer, int) else f"{answer!r:.60} is none of the row's choices"

    def expected(self, kind: str) -> str:
        return "the text, the letter or the index of one of the row's choices"

    def labels(self, answers: Sequence[Any], kind: str) -> tuple[str, ...]:
        return ()

    def label_counts(self, answers: Sequence[Any], meaning: Meaning) -> dict[str, int]:
        return {}

    def check(self, model: Model) -> None:
        need_one_stack(model, "which has no one vector a text")

    def fitted(self, model: Model) -> Model:
        return model

    def head(self, model: Model, meaning: Meaning, *, head: str, pooling: str | None) -> HeadPlan:
        embedding = model.checkpoint.embedding
        usual = "last" if isinstance(model.body, Decoder) else "mean"
        return new_head(
            model.checkpoint.family,
            "multiple-choice",
            labels=() if head == "family" else ("score",),
            kind=meaning.kind,
            head=head,
            pooling=pooling or (embedding.pooling if embedding.declared else usual),
        )

    def encode(
        self,
        model: Model,
        inputs: Sequence[Asked],
        *,
        size: int | None,
        stride: int | None,
        first: int = 0,
    ) -> list[Choices]:
        tokenizer = model.need_tokenizer()
        found = []
        for number, asked in enumerate(inputs, first):
            read = [
                window_texts(tokenizer, [pair], size=size, stride=stride, first=number)[0]
                for pair in asked.pairs
            ]
            found.append(
                Choices(
                    [ids for one in read for ids in one.ids],
                    [segments for one in read for segments in one.segments],
                    sum(one.tokens for one in read),
                    choices=asked.choices,
                    counts=tuple(len(one.ids) for one in read),
                    lengths=tuple(one.tokens for one in read),
                )
            )
        return found

    def targets(
        self, model: Model, texts: Sequence[Any], answers: Sequence[Any], meaning: Meaning
    ) -> list[tuple[int, list[int]]]:
        """For each row the right choice, and which choice each window is of."""
        return [
            (answer, [n for n, count in enumerate(text.counts) for _ in range(count)])
            for text, answer in zip(texts, answers, strict=True)
        ]

    def course(self, rows: int, meaning: Meaning, right: float | None = None) -> Course:
        return Course(epochs=3 if rows >= MANY_ROWS else 6, rate=1e-4)

    def weights(self, answers: Sequence[Any], meaning: Meaning) -> Tensor:
        raise ConfigError("class_weights with choices", allowed="rows with labels")

    def collate(
        self,
        model: Model,
        batch: Batch,
        targets: list[tuple[int, list[int]]],
        meaning: Meaning,
        *,
        weights: Tensor | None = None,
        chance: torch.Generator | None = None,
    ) -> Ready:
        windows: list[int] = []  # of each choice, row after row
        choices: list[int] = []  # of each row
        for row, numbers in zip(batch.rows, batch.numbers, strict=True):
            owners = [targets[row][1][number] for number in numbers]
            choices.append(owners[-1] + 1)
            windows += [owners.count(choice) for choice in range(choices[-1])]
        right = torch.tensor([targets[row][0] for row in batch.rows])
        wanted = tuple(windows), tuple(choices), right
        return Ready(batch, wanted, (float(len(batch.rows)),))

    def loss(self, model: Model, ready: Ready, meaning: Meaning) -> tuple[Tensor, ...]:
        windows, choices, right = ready.wanted
        logits, _ = window_logits(model, ready.batch)  # [windows, 1]
        scores = mean(logits, Layout(windows, device=logits.device)).squeeze(1)
        layout = Layout(choices, device=logits.device)
        return (losses.choices(scores, layout, right.to(logits.device)).sum(),)

    def read(
        self,
        model: Model,
        texts: Sequence[Any],
        meaning: Meaning,
        *,
        batch_tokens: int,
        what: str,
    ) -> list[Floats]:
        """Probabilities of each row's choices, float64 [choices]."""
        logits = HeadLogits(model)
        found = model.read_each(texts, logits, batch_tokens=batch_tokens, what=what)
        return [
            mean(torch.stack(windows), Layout(text.counts)).squeeze(1).double().softmax(0).numpy()
            for text, windows in zip(texts, found, strict=True)
        ]

    def tell(self, found: Floats, text: Any, meaning: Meaning) -> dict[str, Any]:
        best = int(found.argmax())
        return {
            "label": text.choices[best],
            "index": best,
            "score": float(found[best]),
            "scores": found.tolist(),
        }

    def score(
        self,
        found: Sequence[Floats],
        texts: Sequence[Any],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Any]:
        chances = [float(row[answer]) for row, answer in zip(found, answers, strict=True)]
        floor = np.finfo(np.float64).tiny
        return {
            **_accuracy([int(row.argmax()) for row in found], answers),
            "loss": float(-np.log(np.maximum(chances, floor)).mean()),
        }

    def metrics(
        self,
        found: Sequence[Floats],
        texts: Sequence[Any],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Measured]:
        right = [int(row.argmax() == answer) for row, answer in zip(found, answers, strict=True)]
        return {"accuracy": Measured("accuracy", right, [1] * len(right))}

    def main(self, kind: str) -> str:
        return "accuracy"

    def compare(
        self,
        found: Sequence[Floats],
        texts: Sequence[Any],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> list[Compared]:
        return [
            Compared(
                text.choices[answer],
                text.choices[int(row.argmax())],
                float(row.argmax() != answer),
                float(row.max()),
            )
            for row, text, answer in zip(found, texts, answers, strict=True)
        ]

    def baseline(
        self,
        train: tuple[Sequence[Any], Sequence[Any]],
        test: tuple[Sequence[Any], Sequence[Any]],
        meaning: Meaning,
        *,
        seed: int,
    ) -> dict[str, Any]:
        """The choice that shares most with what it is chosen for."""
        asked = [f"{one.context} {one.beginning}" for one in test[0]]
        known = [text for one in train[0] for text in (one.context, *one.choices)]
        chosen = tfidf_nearest(asked, [one.choices for one in test[0]], known=known)
        name = "the choice most like its context (TF-IDF)"
        return {"name": name, **_accuracy(chosen, test[1])}


def _accuracy(chosen: Sequence[int], answers: Sequence[int]) -> dict[str, Any]:
    right = [int(one == answer) for one, answer in zip(chosen, answers, strict=True)]
    interval = confidence_interval("accuracy", right, [1] * len(right))
    return {
        "n": len(right),
        "accuracy": sum(right) / max(1, len(right)),
        "confidence_interval_95": list(interval),
    }
