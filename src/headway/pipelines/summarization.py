"""A summary of a text, of any length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headway.data import Dataset
from headway.model import Model
from headway.pipelines.writer import Writer

__all__ = ["Summarization"]


class Summarization:
    """Summarises texts with a model that writes, such as one adapted to it.

    Args:
        model: with a language-model head and a tokenizer.
        options: window, stride, batch_tokens and precision, as `Reader` takes them.

    Raises:
        ConfigError: the model writes no text; an option that cannot be.
    """

    READS = ("window", "stride")
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, **options: Any) -> None:
        self.writer = Writer("summarization", model, **options)

    def __call__(
        self, texts: str | list[str] | Dataset | Path | Iterator[str], **decoding: Any
    ) -> Any:
        """Answers one text or many; a dict with `text` and `tokens` for each.

        Args:
            texts: a text, a list of them, a data set or the Path of a file of rows, or an iterator,
                which is answered lazily.
            decoding: fields of `headway.generate.Decoding`, such as beams=4 or max_new_tokens=60.

        Raises:
            ConfigError: no texts, an option that cannot be.
        """
        return self.writer(texts, **decoding)
