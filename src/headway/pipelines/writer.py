"""How pipelines write a text in answer to a text, of any length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headway.core.stacks import Encoder
from headway.data import Dataset
from headway.errors import ConfigError
from headway.generate.prompt import WindowedPrompt
from headway.heads import LanguageModelHead
from headway.model import Model
from headway.pipelines.inputs import is_pair, is_text, opened
from headway.pipelines.reader import Reader
from headway.tasks import Meaning, task_named

__all__ = ["Writer", "need_writer"]


def need_writer(model: Model, task: str) -> None:
    """Refuses a model that writes no text.

    Raises:
        ConfigError: an encoder, or a model without a language-model head.
    """
    if isinstance(model.body, Encoder) or not isinstance(model.head, LanguageModelHead):
        raise ConfigError(
            f"{model.source or 'this model'} writes no text",
            allowed="a model for text-generation or text2text-generation",
            next_step=f"headway adapt --task {task} makes one",
        )


class Writer:
    """Writes a text in answer to a text, or to a pair of them.

    Args:
        name: of the task.
        model: with a language-model head and a tokenizer.
        options: window, stride, batch_tokens and precision, as `Reader` takes them.

    Raises:
        ConfigError: the model writes no text; an option that cannot be.
    """

    def __init__(self, name: str, model: Model, **options: Any) -> None:
        need_writer(model, name)
        task = task_named(name)
        self.reader = Reader(task, model, Meaning(task.kinds[0]), **options)

    def __call__(
        self,
        texts: str | tuple[str, str] | list[Any] | Dataset | Path | Iterator[Any],
        **decoding: Any,
    ) -> Any:
        """Writes for one text or many; the encoder reads a long one in windows.

        Args:
            texts: a text, a pair of texts as a tuple, a list of either, a data set or the Path of a
                file of rows, or an iterator, which is answered lazily.
            decoding: fields of `headway.generate.Decoding`, such as beams=4 or max_new_tokens=60.

        Returns:
            For each text a dict with `text` and `tokens` (used, total, windows).

        Raises:
            ConfigError: no texts, an option that cannot be.
        """
        given = opened(
            texts,
            one=lambda one: is_text(one) or is_pair(one),
            rows=self.reader.rows,
            wanted="a text, a pair of texts",
        )
        if given.lazy:
            return given.lazily(self, **decoding)
        reader, answers = self.reader, []
        for read, ask in reader.asked(given, "Writing"):
            with reader.precise():
                if decoding:
                    prompts = [WindowedPrompt(text.ids) for text in read]
                    tokenizer = reader.model.need_tokenizer()
                    ids = reader.model.generate_ids(prompts, **decoding)
                    found = [tokenizer.decode(row).strip() for row in ids]
                else:
                    found = list(ask())
            answers += reader.tell(read, found)
        return given.shaped(answers)
