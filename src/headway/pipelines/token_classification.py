"""The entities of a text with their places, or a tag for each of its words; texts of any length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headway.data import Dataset
from headway.model import Model
from headway.pipelines.inputs import is_text, opened
from headway.pipelines.reader import Reader, need_head
from headway.tasks import known_meaning, task_named

__all__ = ["TokenClassification"]


class TokenClassification:
    """Tags texts with a model that has a head for labels of tokens.

    Args:
        model: with such a head, and a tokenizer.
        options: window, stride, batch_tokens and precision, as `Reader` takes them.

    Raises:
        ConfigError: the model has no such head or no tokenizer; an option that cannot be.
    """

    READS = ("window", "stride")
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, **options: Any) -> None:
        plan = need_head(model, "token-classification", "labels of tokens")
        task = task_named(plan.task)
        self.reader = Reader(task, model, known_meaning(model, task), **options)
        self.labels = plan.labels

    def __call__(
        self, texts: str | list[str] | list[list[str]] | Dataset | Path | Iterator[Any]
    ) -> Any:
        """Tags one text or many.

        Args:
            texts: a text; a list of them, or of texts in words; a data set or the Path of a file of
                rows; or an iterator, which is answered lazily.

        Returns:
            For each text a dict with `entities` or `tags`, a list of `label`, `score`, `start` and
            `end` (in characters; of a text in words, of these joined by spaces) and `text`; and
            `tokens` (used, total, windows).

        Raises:
            ConfigError: no texts.
        """
        reader = self.reader
        given = opened(texts, one=is_text, rows=reader.rows, wanted="a text, a text in words")
        if given.lazy:
            return given.lazily(self)
        answers: list[dict[str, Any]] = []
        for read, ask in reader.asked(given, "Predicting"):
            with reader.precise():
                found = ask()
            answers += reader.tell(read, found)
        return given.shaped(answers)
