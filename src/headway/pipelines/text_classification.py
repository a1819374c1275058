"""A label, several labels or a number for a text or a pair of texts, of any length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, overload

import numpy as np

from headway.adaptation import Settings
from headway.adaptation.rows import texts_of
from headway.data import Dataset, guess_columns
from headway.errors import ConfigError
from headway.model import Model
from headway.training.kinds import KINDS, Floats
from headway.training.precision import chosen_precision, precision_context
from headway.windows import TextOrPair, Windowed, window_texts

__all__ = ["TextClassification"]

BATCH_TOKENS = {"cpu": 2048}
"""Most tokens in one forward pass, by device, where nothing else is said: on a CPU as many as its
caches hold."""

BATCH_TOKENS_ELSEWHERE = 16384

CHUNK = 4096
"""Texts read at once: enough to sort them by length, few enough for an endless stream."""

Many = list[str] | list[tuple[str, str]] | list[TextOrPair] | Dataset


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

    def __init__(
        self,
        model: Model,
        *,
        window: int | None = None,
        stride: int | None = None,
        batch_tokens: int | None = None,
        precision: str = "fp32",
    ) -> None:
        plan, head = model.checkpoint.plan, model.head
        if plan is None or head is None or not plan.labels or head.per_token:
            raise ConfigError(
                f"{model.source or 'this model'} has no head for labels"
                + (f", it is for {plan.task}" if plan is not None else ""),
                next_step="headway adapt puts one on",
            )
        Settings(window=window, stride=stride, batch_tokens=batch_tokens, precision=precision)
        self.model = model
        self.head = head
        self.tokenizer = model.need_tokenizer()
        self.labels = plan.labels
        self.kind = KINDS[plan.kind]
        self.window = window or model.longest
        self.stride = stride
        self.batch_tokens = batch_tokens or BATCH_TOKENS.get(
            model.device.type, BATCH_TOKENS_ELSEWHERE
        )
        self.precision = chosen_precision(precision, model.device)

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
                answered lazily, a few thousand texts at a time; or a data set, whose text column
                is guessed as everywhere.
            top: tell the so many likeliest labels, whatever their scores.

        Returns:
            For each text `label`, `score` and `tokens` (used, total, windows). `label` and `score`
            are lists, likeliest first, where a text can have several labels or `top` is given. A
            head for numbers gives its number as `score`.

        Raises:
            ConfigError: no texts, or a `top` that cannot be.
            TokenizerError: a text with half of a surrogate pair.
        """
        if top is not None and (top < 1 or len(self.labels) == 1):
            allowed = "1 or more" if len(self.labels) > 1 else "no top: this model gives a number"
            raise ConfigError(f"top = {top}", allowed=allowed)
        if isinstance(texts, str) or _is_pair(texts):
            return self._answer([texts], top)[0]
        if isinstance(texts, Iterator):
            return self._answer_lazily(texts, top)
        found: list[dict[str, Any]] = []
        for chunk in _chunks(_listed(texts)):
            found += self._answer(chunk, top, first=len(found))
        return found

    def _answer_lazily(
        self, texts: Iterator[TextOrPair], top: int | None
    ) -> Iterator[dict[str, Any]]:
        for number, chunk in enumerate(_chunks(texts)):
            yield from self._answer(chunk, top, first=number * CHUNK)

    def _answer(self, texts: list[Any], top: int | None, *, first: int = 0) -> list[dict[str, Any]]:
        windowed = window_texts(
            self.tokenizer, texts, size=self.window, stride=self.stride, first=first
        )
        with precision_context(self.precision, self.model.device):
            logits = self.model.read_windows(
                windowed, self.head, batch_tokens=self.batch_tokens, what="Predicting"
            )
        rows = zip(windowed, self.kind.predict(logits), strict=True)
        return [self._told(text, row, top) for text, row in rows]

    def _told(self, text: Windowed, row: Floats, top: int | None) -> dict[str, Any]:
        if top is None:
            answer = self.kind.answer(row, self.labels)
        else:
            best = np.argsort(-row, kind="stable")[:top]
            answer = {
                "label": [self.labels[n] for n in best],
                "score": [float(row[n]) for n in best],
            }
        return {**answer, "tokens": text.report()}


def _is_pair(texts: object) -> bool:
    return (
        isinstance(texts, tuple)
        and len(texts) == 2
        and all(isinstance(text, str) for text in texts)
    )


def _listed(texts: Any) -> Iterable[TextOrPair]:
    """The texts of a data set, or of anything iterable."""
    if isinstance(texts, Dataset):
        return texts_of(texts, guess_columns(texts, labelled=False))
    if not isinstance(texts, Iterable):
        raise ConfigError(
            f"{texts!r:.60} is a {type(texts).__name__}",
            allowed="a text, a pair of texts, many of them, or a data set",
        )
    return texts


def _chunks(texts: Iterable[TextOrPair]) -> Iterator[list[TextOrPair]]:
    rest = iter(texts)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
