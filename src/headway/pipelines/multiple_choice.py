"""Which of several choices fits a context, of any length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headway.errors import ConfigError
from headway.model import Model
from headway.pipelines.inputs import Chunk, opened
from headway.pipelines.reader import Reader, need_head
from headway.tasks import known_meaning, task_named
from headway.tasks.choices import Asked, each_asked

__all__ = ["MultipleChoice"]

WANTED = 'a context and its choices: ("...", ["...", "..."]), or {"context": ..., "choices": [...]}'


class MultipleChoice:
    """Chooses with a model that has a head for choices.

    Args:
        model: with such a head, and a tokenizer.
        window: most tokens read at once; None = as many as the model takes.
        stride: tokens that neighbouring windows share; None = a quarter of the room for them.
        batch_tokens: most tokens in one forward pass; None = as suits the device.
        precision: fp32, which is exact; bf16; or auto, which is the faster one on this machine.

    Raises:
        ConfigError: the model has no head for choices or no tokenizer; an option that cannot be.
    """

    READS = ("window", "stride")
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, **options: Any) -> None:
        plan = need_head(model, "multiple-choice", "choices")
        task = task_named(plan.task)
        self.reader = Reader(task, model, known_meaning(model, task), **options)

    def __call__(
        self, context: Any, choices: Sequence[str] | None = None, *, beginning: str = ""
    ) -> Any:
        """Chooses once or often; each choice is read beside its context, in windows if long.

        Args:
            context: a text, with `choices`; or without them: a tuple or a dict of both, or a list
                of these; an iterator, which is answered lazily, a few thousand at a time; a data
                set or the Path of a file of rows, whose columns are guessed as everywhere.
            choices: texts, one or more.
            beginning: what each choice goes on from, such as the question about a context.

        Returns:
            For each row `label` (the text of the best choice), `index`, `score`, `scores` (of all
            choices; they add up to 1) and `tokens` (used, total, windows).

        Raises:
            ConfigError: no context with choices.
            TokenizerError: a text with half of a surrogate pair, or no room beside it.
        """
        given = opened(
            _as_asked(context) if choices is None else _asked(context, choices, beginning),
            one=lambda one: isinstance(one, Asked),
            rows=each_asked,
            wanted=WANTED,
        )
        if given.lazy:
            return given.lazily(self)
        answers: list[dict[str, Any]] = []
        reader = self.reader
        for read, ask in reader.asked(given, "Choosing"):
            with reader.precise():
                found = ask()
            answers += reader.tell(read, found)
        return given.shaped(answers)


def _as_asked(given: Any) -> Any:
    """Tuples and dicts in the form in which the task takes them, wherever they are."""
    if isinstance(given, Iterator):
        return map(_one, given)
    if isinstance(given, list) and not isinstance(given, Chunk):
        return [_one(one) for one in given]
    return _one(given) if isinstance(given, (tuple, Mapping)) else given


def _one(given: Any) -> Asked:
    if isinstance(given, Asked):
        return given
    if isinstance(given, Mapping) and {"context", "choices"} <= given.keys():
        return _asked(given["context"], given["choices"], given.get("beginning", ""))
    if isinstance(given, tuple) and len(given) == 2:
        return _asked(*given, "")
    raise ConfigError(f"{given!r:.60} is a {type(given).__name__}", allowed=WANTED)


def _asked(context: Any, choices: Any, beginning: Any) -> Asked:
    fine = isinstance(choices, Sequence) and not isinstance(choices, str) and len(choices) > 0
    if not fine or not all(isinstance(one, str) for one in (context, beginning, *choices)):
        raise ConfigError(f"{(context, choices)!r:.80} is asked", allowed=WANTED)
    return Asked(context, tuple(choices), beginning)
