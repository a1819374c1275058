"""A label, several labels or a number for a text or a pair of texts, of any length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, overload

import numpy as np

from headway.data import Dataset, guess_columns
from headway.errors import ConfigError
from headway.model import Model
from headway.pipelines.inputs import is_pair, is_text, opened
from headway.pipelines.reader import Reader, need_head
from headway.tasks import known_meaning, task_named
from headway.tasks.inputs import each_text
from headway.tasks.labels.kinds import Floats
from headway.windows import TextOrPair, Windowed

__all__ = ["TextClassification"]

Many = list[str] | list[tuple[str, str]] | list[TextOrPair] | Dataset | Path


class TextClassification:
    """Classifies texts with a model that has a head for labels.

    Args:
        model: with such a head, and a tokenizer.
        window: most tokens read at once; None = as many as the model takes.
        stride: tokens that neighbouring windows share; None = an eighth of a window.
        batch_tokens: most tokens in one forward pass; None = as suits the device.
        precision: fp32, which is exact; bf16; or auto, which is the faster one on this machine.

    Raises:
        ConfigError: the model has no head for labels or no tokenizer; an option that cannot be.
    """

    READS = ("window", "stride")
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, **options: Any) -> None:
        plan = need_head(model, "text-classification", "labels of texts")
        task = task_named(plan.task)
        self.reader = Reader(task, model, known_meaning(model, task), **options)
        self.labels = plan.labels

    @overload
    def __call__(self, texts: TextOrPair, *, top: int | None = None) -> dict[str, Any]: ...
    @overload
    def __call__(
        self, texts: Iterator[TextOrPair], *, top: int | None = None
    ) -> Iterator[dict[str, Any]]: ...
    @overload
    def __call__(self, texts: Many, *, top: int | None = None) -> list[dict[str, Any]]: ...
    def __call__(
        self, texts: TextOrPair | Iterator[TextOrPair] | Many, *, top: int | None = None
    ) -> dict[str, Any] | Iterator[dict[str, Any]] | list[dict[str, Any]]:
        """Answers one text or many; long ones are read in overlapping windows and averaged.

        Args:
            texts: a text, a pair of texts as a tuple, or a list of either; an iterator, which is
                answered lazily, a few thousand texts at a time; a data set or the Path of a file
                of rows, whose text column is guessed as everywhere.
            top: tell the so many likeliest labels, whatever their scores.

        Returns:
            For each text `label`, `score` and `tokens` (used, total, windows). `label` and `score`
            are lists, likeliest first, where a text can have several labels or `top` is given. A
            head for numbers gives its number as `score`. A model with a label for texts of none of
            the others answers it where it is not sure enough; `top` is of the others.

        Raises:
            ConfigError: no texts, or a `top` that cannot be.
            TokenizerError: a text with half of a surrogate pair.
        """
        if top is not None and (top < 1 or len(self.labels) == 1):
            allowed = "1 or more" if len(self.labels) > 1 else "no top: this model gives a number"
            raise ConfigError(f"top = {top}", allowed=allowed)

        given = opened(
            texts,
            one=lambda one: is_text(one) or is_pair(one),
            rows=lambda data: each_text(data, guess_columns(data, labelled=False)),
            wanted="a text, a pair of texts",
        )
        if given.lazy:
            return given.lazily(self, top=top)
        answers: list[dict[str, Any]] = []
        reader = self.reader
        for read, ask in reader.asked(given, "Predicting"):
            with reader.precise():
                found = ask()
            if top is None:
                answers += reader.tell(read, found)
            else:
                answers += [self._likeliest(*pair, top) for pair in zip(read, found, strict=True)]
        return given.shaped(answers)

    def _likeliest(self, text: Windowed, row: Floats, top: int) -> dict[str, Any]:
        best = np.argsort(-row[: len(self.labels)], kind="stable")[:top]
        return {
            "label": [self.labels[n] for n in best],
            "score": [float(row[n]) for n in best],
            "tokens": text.report(),
        }
