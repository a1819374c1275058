"""What every format of models comes down to: config.json, named tensors, a tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from headway.checkpoints.embedding import Embedding
from headway.checkpoints.generation import Generation
from headway.images import Preprocessing
from headway.tokenizer import Tokenizer

__all__ = ["Source"]


@dataclass(frozen=True)
class Source:
    """A model as its files say it, before anything is built.

    Attributes:
        place: the folder or file, for messages.
        values: what config.json holds, or would.
        tensors: reads them all, under the ecosystem's names.
        tokenizer: reads it, or gives None where there is none.
        embedding: how a text's vector is made.
        generation: how text is written.
        images: reads how images are prepared, or gives None where no file says so.
        notes: what people should know of the files.
    """

    place: str
    values: Mapping[str, Any]
    tensors: Callable[[], Mapping[str, Tensor]]
    tokenizer: Callable[[], Tokenizer | None]
    embedding: Embedding = field(default_factory=Embedding)
    generation: Generation = field(default_factory=Generation)
    images: Callable[[], Preprocessing | None] = lambda: None
    notes: list[str] = field(default_factory=list)
