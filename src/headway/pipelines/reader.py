"""How pipelines read with an adapted model: encoded, batched by length, in windows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from headway.adaptation import Settings
from headway.model import Model
from headway.pipelines.inputs import Chunk
from headway.tasks import Meaning, Task
from headway.training.precision import chosen_precision, precision_context
from headway.windows import Windowed

__all__ = ["BATCH_TOKENS", "BATCH_TOKENS_ELSEWHERE", "Reader"]

BATCH_TOKENS = {"cpu": 2048}
"""Most tokens in one forward pass, by device, where nothing else is said: on a CPU as many as its
caches hold."""

BATCH_TOKENS_ELSEWHERE = 16384


class Reader:
    """Asks a model about inputs of any length.

    Args:
        task: what is asked.
        model: adapted to it.
        meaning: of its numbers.
        window: most tokens read at once; None = as many as the model takes.
        stride: tokens that neighbouring windows share; None = as the task has it.
        batch_tokens: most tokens in one forward pass; None = as suits the device.
        precision: fp32, which is exact; bf16; or auto, which is the faster one on this machine.

    Raises:
        ConfigError: an option that cannot be.
    """

    def __init__(
        self,
        task: Task,
        model: Model,
        meaning: Meaning,
        *,
        window: int | None = None,
        stride: int | None = None,
        batch_tokens: int | None = None,
        precision: str = "fp32",
    ) -> None:
        Settings(window=window, stride=stride, batch_tokens=batch_tokens, precision=precision)
        model.need_tokenizer()
        self.task, self.model, self.meaning = task, model, meaning
        self.window = window or model.longest
        self.stride = stride
        usual = BATCH_TOKENS.get(model.device.type, BATCH_TOKENS_ELSEWHERE)
        self.batch_tokens = batch_tokens or usual
        self.precision = chosen_precision(precision, model.device)

    def encode(self, chunk: Chunk) -> Sequence[Windowed]:
        """Inputs as the model reads them."""
        return self.task.encode(
            self.model, chunk, size=self.window, stride=self.stride, first=chunk.first
        )

    def precise(self) -> AbstractContextManager[Any]:
        """The precision to read in, as long as the context is open."""
        return precision_context(self.precision, self.model.device)

    def tell(self, texts: Sequence[Windowed], found: Sequence[Any]) -> list[dict[str, Any]]:
        """Raw answers as users get them, with the tokens read."""
        return [
            {**self.task.tell(one, text, self.meaning), "tokens": text.report()}
            for text, one in zip(texts, found, strict=True)
        ]
