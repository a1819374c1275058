"""A vector for a text, of any length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from headway.data import Dataset, guess_columns
from headway.model import Model
from headway.pipelines.inputs import Chunk, is_text, opened
from headway.pipelines.reader import precise
from headway.tasks.inputs import each_text
from headway.windows import window_texts

if TYPE_CHECKING:
    import numpy as np

__all__ = ["FeatureExtraction"]


class FeatureExtraction:
    """Embeds texts, pooled as the checkpoint says.

    Args:
        model: with a tokenizer; a head is not used.
        batch_tokens: most tokens in one forward pass; None = as suits the device.
        precision: fp32, which is exact; bf16; or auto, which is the faster one on this machine.

    Raises:
        ConfigError: the model has no tokenizer; an option that cannot be.
    """

    READS = ()
    """Settings of a saved run that hold here too."""

    def __init__(
        self, model: Model, *, batch_tokens: int | None = None, precision: str = "fp32"
    ) -> None:
        model.need_tokenizer()
        self.model = model
        self.precise = precise(precision, model)
        self.batch_tokens = batch_tokens

    @overload
    def __call__(self, texts: Iterator[str]) -> Iterator[np.ndarray]: ...
    @overload
    def __call__(self, texts: str | list[str] | Dataset | Path) -> np.ndarray: ...
    def __call__(self, texts: Any) -> Any:
        """Embeds one text or many; of a long one the vectors of its windows are averaged.

        Args:
            texts: a text; a list of them; a data set or the Path of a file of rows, whose text
                column is guessed as everywhere; or an iterator, which is answered lazily.

        Returns:
            float32 [hidden] for one text, [texts, hidden] for several; of an iterator one by one.

        Raises:
            ConfigError: no texts.
            TokenizerError: a text with half of a surrogate pair.
        """
        import numpy as np

        given = opened(
            texts,
            one=is_text,
            rows=lambda data: each_text(data, guess_columns(data, labelled=False)),
            wanted="a text",
        )
        if given.lazy:
            return given.lazily(lambda chunk: list(self._vectors(chunk)))
        parts = [self._vectors(chunk) for chunk in given.chunks]
        vectors = np.concatenate(parts) if parts else self._vectors(Chunk())
        return vectors[0] if given.one else vectors

    def _vectors(self, chunk: Chunk) -> np.ndarray:
        model = self.model
        prompted = model.checkpoint.embedding.prompted(chunk)
        read = window_texts(model.need_tokenizer(), prompted, size=model.longest, first=chunk.first)
        with self.precise():
            return model.embed_windows(read, batch_tokens=self.batch_tokens).numpy()
