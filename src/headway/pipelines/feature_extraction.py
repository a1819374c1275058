"""A vector for a text, of any length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from headway.model import Model

if TYPE_CHECKING:
    import numpy as np

__all__ = ["FeatureExtraction"]


class FeatureExtraction:
    """Embeds texts, pooled as the checkpoint says.

    Args:
        model: with a tokenizer; a head is not used.
        batch_tokens: most tokens in one forward pass.

    Raises:
        ConfigError: the model has no tokenizer.
    """

    READS = ()
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, *, batch_tokens: int = 8192) -> None:
        model.need_tokenizer()
        self.model = model
        self.batch_tokens = batch_tokens

    def __call__(self, texts: str | Iterable[str]) -> np.ndarray:
        """float32 [hidden] for one text, [texts, hidden] for several."""
        several = [texts] if isinstance(texts, str) else list(texts)
        vectors = self.model.embed(several, batch_tokens=self.batch_tokens)
        return vectors[0] if isinstance(texts, str) else vectors
