"""A reply to what was said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headway.errors import ConfigError
from headway.model import Model
from headway.pipelines.inputs import Chunk, opened
from headway.pipelines.reader import Reader
from headway.pipelines.writer import need_writer
from headway.tasks import Meaning, task_named
from headway.tasks.dialogue import Dialogue as Task
from headway.tasks.dialogue import Reply
from headway.tasks.talks.columns import Said, each_said, texts_in
from headway.tasks.talks.reading import weighed

__all__ = ["Dialogue"]

WANTED = 'what was said: {"history": ["Hi!"], "persona": ["I love snow."]}'


class Dialogue:
    """Replies with a model that was adapted to dialogues.

    Args:
        model: with a language-model head and a tokenizer that knows the marks of speakers.
        window: most tokens read at once; None = as many as the model takes.
        stride: tokens that an encoder's windows share; None = an eighth of a window.
        batch_tokens: most tokens in one forward pass; None = as suits the device.
        precision: fp32, which is exact; bf16; or auto, which is the faster one on this machine.

    Raises:
        ConfigError: the model writes no text; an option that cannot be.
    """

    READS = ("window", "stride")
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, **options: Any) -> None:
        need_writer(model, "dialogue")
        task = task_named("dialogue")
        assert isinstance(task, Task)
        self.task = task
        self.reader = Reader(task, model, Meaning(task.kinds[0]), **options)

    def __call__(
        self,
        talks: Any = None,
        *,
        history: Sequence[str] | str | None = None,
        persona: Sequence[str] | str = (),
        candidates: Sequence[str] = (),
        **decoding: Any,
    ) -> Any:
        """Replies once or often.

        Args:
            talks: {"history": ..., "persona": ..., "candidates": ...}, of which only the first is
                needed, or a text, which is all that was said; a list of these; an iterator, which
                is answered lazily; a data set or the Path of a file of rows, whose columns are
                guessed as everywhere.
            history: instead of these, the utterances so far; the last is the one to reply to.
            persona: what is known of who replies.
            candidates: replies to choose from.
            decoding: fields of `headway.generate.Decoding`, such as beams=4 or temperature=0.7.

        Returns:
            For each `text` and `tokens` (used, total, windows); with candidates also `choice`, the
            best of them, and `scores`: what the choice head says, or without one their mean
            log-likelihoods a token. A decoder that has no room for all utterances leaves out the
            oldest: `used` is then below `total`.

        Raises:
            ConfigError: nothing to reply to, an option that cannot be.
        """
        if history is not None:
            if talks is not None:
                raise ConfigError("a history beside other talks", allowed=WANTED)
            talks = {"history": history, "persona": persona, "candidates": candidates}
        given = opened(
            _as_said(talks), one=lambda one: isinstance(one, Said), rows=each_said, wanted=WANTED
        )
        if given.lazy:
            return given.lazily(self, **decoding)
        answers: list[dict[str, Any]] = []
        reader = self.reader
        for chunk in given.chunks:
            read = self.task.encode(
                reader.model, chunk, size=reader.window, stride=reader.stride, first=chunk.first
            )
            with reader.precise():
                texts = self.task.written(reader.model, read, **decoding)
                told = weighed(
                    reader.model, read, batch_tokens=reader.batch_tokens, what="Choosing"
                )
            found = [
                Reply(text.strip(), scores=scores)
                for text, (_, scores) in zip(texts, told, strict=True)
            ]
            answers += reader.tell(read, found)
        return given.shaped(answers)


def _as_said(given: Any) -> Any:
    """Dicts in the form in which the task takes them, wherever they are."""
    if isinstance(given, Iterator):
        return map(_one, given)
    if isinstance(given, list) and not isinstance(given, Chunk):
        return [_one(one) for one in given]
    return _one(given) if isinstance(given, (Mapping, str)) else given


def _one(given: Any) -> Said:
    if isinstance(given, Said):
        return given
    if isinstance(given, str):
        return Said((given,))
    names = ("history", "persona", "candidates")
    if isinstance(given, Mapping) and "history" in given and given.keys() <= set(names):
        history, persona, candidates = (texts_in(given.get(name)) for name in names)
        if history and persona is not None and candidates is not None:
            return Said(history, persona, candidates)
    raise ConfigError(f"{given!r:.60} is no dialogue", allowed=WANTED)
