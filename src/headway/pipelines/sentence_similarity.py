"""How alike two texts are, of any length: the cosine of their vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from headway.data import Dataset
from headway.errors import ConfigError
from headway.model import Model
from headway.pipelines.inputs import is_pair, opened
from headway.pipelines.reader import Reader
from headway.tasks import Meaning, task_named

__all__ = ["SentenceSimilarity"]

WANTED = "a pair of texts, ('a', 'b')"


class SentenceSimilarity:
    """Compares texts by vectors, pooled as the checkpoint says.

    Args:
        model: with a tokenizer; a head is not used.
        options: window, stride, batch_tokens and precision, as `Reader` takes them.

    Raises:
        ConfigError: an encoder-decoder, or a model without a tokenizer; an option that cannot be.
    """

    READS = ("window", "stride")
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, **options: Any) -> None:
        task = task_named("sentence-similarity")
        task.check(model)
        self.reader = Reader(task, model, Meaning("similarity"), **options)

    def __call__(
        self,
        pairs: str
        | tuple[str, str]
        | list[tuple[str, str]]
        | Dataset
        | Path
        | Iterator[tuple[str, str]],
        others: Sequence[str] | None = None,
    ) -> Any:
        """Compares the two texts of one pair or of many, or one text with many others.

        Args:
            pairs: a pair as a tuple; a list of them; a data set or the Path of a file of rows,
                whose columns are guessed as everywhere; or an iterator, which is answered lazily.
                With `others`, one text.
            others: what that text is compared with; it is read once.

        Returns:
            For each pair, or each of the others, `score`, the cosine from -1 to 1, and `tokens`
            (used, total, windows) of both texts.

        Raises:
            ConfigError: no pairs.
            TokenizerError: a text with half of a surrogate pair.
        """
        if others is not None:
            if not isinstance(pairs, str) or isinstance(others, str):
                raise ConfigError("others beside something else than a text", allowed=WANTED)
            pairs = [(pairs, other) for other in others]
        reader = self.reader
        given = opened(pairs, one=is_pair, rows=reader.rows, wanted=WANTED)
        if given.lazy:
            return given.lazily(self)
        answers: list[dict[str, Any]] = []
        for read, ask in reader.asked(given.checked(is_pair, WANTED), "Comparing"):
            with reader.precise():
                found = ask()
            answers += reader.tell(read, found)
        return given.shaped(answers)
