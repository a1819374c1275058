"""The entities of a text with their places, or a tag for each of its words; texts of any length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headway.data import Dataset
from headway.errors import ConfigError
from headway.model import Model
from headway.pipelines.inputs import is_text, opened
from headway.pipelines.reader import Reader
from headway.tasks import meaning_of, task_named

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
        plan = model.checkpoint.plan
        if plan is None or plan.task != "token-classification":
            raise ConfigError(
                f"{model.source or 'this model'} has no head for labels of tokens"
                + (f", it is for {plan.task}" if plan is not None else ""),
                next_step="headway adapt --task token-classification puts one on",
            )
        self.reader = Reader(task_named(plan.task), model, meaning_of(model), **options)
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
        given = opened(texts, one=is_text, rows=self._rows, wanted="a text, a text in words")
        if given.lazy:
            return given.lazily(self)
        answers: list[dict[str, Any]] = []
        for chunk in given.chunks:
            read = reader.encode(chunk)
            with reader.precise():
                found = reader.task.read(
                    reader.model,
                    read,
                    reader.meaning,
                    batch_tokens=reader.batch_tokens,
                    what="Predicting",
                )
            answers += reader.tell(read, found)
        return given.shaped(answers)

    def _rows(self, data: Dataset) -> list[Any]:
        columns = self.reader.task.columns(data, text=None, pair=None, label=None, labelled=False)
        return self.reader.task.inputs(data, columns)
