"""What a model writes after a prompt, or in answer to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from headway.errors import ConfigError
from headway.generate import Written
from headway.model import Model
from headway.pipelines.reader import precise
from headway.pipelines.writer import need_writer

__all__ = ["TextGeneration"]

CHUNK = 256
"""Prompts of an iterator that are written at once: enough to sort them by length."""


class TextGeneration:
    """Continues prompts (decoders) or answers them (encoder-decoders).

    Args:
        model: with a language-model head and a tokenizer.
        precision: fp32, which is exact; bf16; or auto, which is the faster one on this machine.
        options: of every call, see `headway.generate.Decoding`; a call's own go before them.

    Raises:
        ConfigError: the model writes no text; an option that cannot be.
    """

    READS = ()
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, *, precision: str = "fp32", **options: Any) -> None:
        need_writer(model, "text-generation")
        model.need_tokenizer()
        self.model = model
        self.precise = precise(precision, model)
        self.options = options

    def __call__(
        self,
        prompts: str | Iterable[str],
        *,
        max_new_tokens: int | None = None,
        details: bool = False,
        **options: Any,
    ) -> Any:
        """The new text for each prompt, without the prompt itself.

        Args:
            prompts: a text, several of any lengths, or an iterator, which is answered lazily.
            max_new_tokens: most tokens added to each; an end token stops earlier. None: as the
                checkpoint says, else 20.
            details: tell more than the text.
            options: as `Model.generate`: beams=4, temperature=0.7, draft=small, ...

        Returns:
            For each prompt its text; with `sequences` above 1, a list of texts. With `details`, a
            dict in each one's place: `text`, `ids`, `log_probabilities`, `stopped_by`, `score`,
            `alternatives`, `acceptance` (see `headway.generate.Written`) and `tokens` (used, total
            and windows of the prompt, and how many are new).

        Raises:
            ConfigError: an option that cannot be, a prompt that leaves no room.
        """
        asked = {**self.options, **options}
        if max_new_tokens is not None:
            asked["max_new_tokens"] = max_new_tokens
        if isinstance(prompts, str):
            return self._answer([prompts], details, asked)[0]
        if isinstance(prompts, Iterator):
            return self._answer_lazily(prompts, details, asked)
        if not isinstance(prompts, Iterable):
            raise ConfigError(
                f"{prompts!r:.60} is a {type(prompts).__name__}",
                allowed="a text, or many of them",
            )
        return self._answer(list(prompts), details, asked)

    def _answer_lazily(
        self, prompts: Iterator[str], details: bool, options: dict[str, Any]
    ) -> Iterator[Any]:
        while chunk := list(islice(prompts, CHUNK)):
            yield from self._answer(chunk, details, options)

    def _answer(self, prompts: list[str], details: bool, options: dict[str, Any]) -> list[Any]:
        told: list[list[Any]] = [[] for _ in prompts]
        with self.precise():
            found = self.model.generate_details(prompts, record=details, **options)
        for written in found:
            told[written.prompt].append(_told(written) if details else written.text)
        return told if any(len(row) > 1 for row in told) else [row[0] for row in told]


def _told(written: Written) -> dict[str, Any]:
    prompt = written.tokens["prompt"]
    return {
        "text": written.text,
        "ids": written.ids,
        "log_probabilities": written.log_probabilities,
        "stopped_by": written.stopped_by,
        "score": written.score,
        "alternatives": written.alternatives,
        "acceptance": written.acceptance,
        "tokens": {"used": prompt, "total": prompt, "windows": 1, "new": written.tokens["new"]},
    }
