"""How pipelines read with an adapted model: encoded, batched by length, in windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from headway.adaptation import Settings
from headway.checkpoints import HeadPlan
from headway.core.ragged import usual_tokens
from headway.data import Dataset
from headway.errors import ConfigError
from headway.model import Model
from headway.pipelines.inputs import Chunk, Given
from headway.tasks import Meaning, Task
from headway.training.precision import chosen_precision, precision_context
from headway.windows import Windowed

__all__ = ["Reader", "need_head", "precise"]


Ask = Callable[[], Sequence[Any]]
"""What gives the raw answers to a chunk."""


def need_head(model: Model, task: str, what: str) -> HeadPlan:
    """The head of a model that was adapted to a task.

    Args:
        model: any.
        task: that the head has to be for.
        what: its answers are called, in the message.

    Raises:
        ConfigError: it has none, or one for another task.
    """
    plan = model.checkpoint.plan
    if plan is None or plan.task != task:
        raise ConfigError(
            f"{model.source or 'this model'} has no head for {what}"
            + (f", it is for {plan.task}" if plan is not None else ""),
            next_step=f"headway adapt --task {task} puts one on",
        )
    return plan


def precise(precision: str, model: Model) -> Callable[[], AbstractContextManager[Any]]:
    """What opens the precision that a pipeline reads or writes in.

    Args:
        precision: fp32, which is exact; bf16; or auto, which is the faster one on this machine.
        model: that reads.

    Raises:
        ConfigError: another precision.
    """
    Settings(precision=precision)
    return partial(precision_context, chosen_precision(precision, model.device), model.device)


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
        Settings(window=window, stride=stride, batch_tokens=batch_tokens)
        model.need_tokenizer()
        self.task, self.model, self.meaning = task, model, meaning
        self.window = window or model.longest
        self.stride = stride
        self.batch_tokens = batch_tokens or usual_tokens(model.device)
        self.precise = precise(precision, model)

    def rows(self, data: Dataset) -> list[Any]:
        """The inputs of a data set, whose columns are guessed as everywhere."""
        columns = self.task.columns(data, text=None, pair=None, label=None, labelled=False)
        return self.task.inputs(data, columns)

    def asked(self, given: Given, what: str) -> Iterator[tuple[Sequence[Windowed], Ask]]:
        """Each chunk as the model reads it, and what asks the model about it.

        The pipeline calls that itself, inside `precise`: no call of ours lies between it and the
        task.

        Args:
            given: the inputs.
            what: shown beside the progress bar.
        """
        for chunk in given.chunks:
            read = self.encode(chunk)
            yield (
                read,
                partial(
                    self.task.read,
                    self.model,
                    read,
                    self.meaning,
                    batch_tokens=self.batch_tokens,
                    what=what,
                ),
            )

    def encode(self, chunk: Chunk) -> Sequence[Windowed]:
        """Inputs as the model reads them."""
        return self.task.encode(
            self.model, chunk, size=self.window, stride=self.stride, first=chunk.first
        )

    def tell(self, texts: Sequence[Windowed], found: Sequence[Any]) -> list[dict[str, Any]]:
        """Raw answers as users get them, with the tokens read."""
        return [
            {**self.task.tell(one, text, self.meaning), "tokens": text.report()}
            for text, one in zip(texts, found, strict=True)
        ]
