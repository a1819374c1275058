"""Text generation: a decoder learns to write texts like those of the rows.

Measured by how surprised it is: bits a byte, which compares models whatever their tokens, and
perplexity a token. Every token of a text counts once, behind all that its window shows before it.
Where a tokenizer puts nothing behind texts, the token that ends one stands there, so that ending is
learned; where it puts nothing before them, their first token is not told, nor its bytes counted.

Source: Radford et al. 2018 and 2019.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from headway.checkpoints import HeadPlan
from headway.data import Columns, Dataset
from headway.errors import ConfigError
from headway.metrics import confidence_interval, metric
from headway.model import Model
from headway.tasks.inputs import shown_text, strings_of, texts_alone
from headway.tasks.measured import Measured
from headway.tasks.stacks import with_language_head
from headway.tasks.task import Compared, Course, Meaning
from headway.tokenizer.around import special_around
from headway.training.collate import Batch, Ready
from headway.training.likelihood import surprises
from headway.training.objectives.causal import Causal
from headway.windows import Windowed, default_stride, window_texts

__all__ = ["Surprise", "TextGeneration"]

KIND = "language"
CAUSAL = Causal()


@dataclass(frozen=True)
class Passage(Windowed):
    """A text in windows, and which of their tokens count.

    Attributes:
        counted: of each window, the first token that no window before it has shown.
        bytes: of what is told, in UTF-8.
        text: itself.
    """

    counted: tuple[int, ...] = ()
    bytes: int = 0
    text: str = ""


@dataclass(frozen=True)
class Surprise:
    """How surprising a text is.

    Attributes:
        nats: summed -log p of its tokens.
        tokens: how many were predicted.
        bytes: of what they write in UTF-8.
    """

    nats: float
    tokens: int
    bytes: int


class TextGeneration:
    """The task; see `Task` for what its parts are."""

    about = "texts like those of the rows"
    kinds: tuple[str, ...] = (KIND,)
    keeps_head = True
    start = None

    def units(self, model: Model, targets: Any, kind: str) -> AbstractContextManager[Any]:
        return nullcontext(targets)

    def columns(
        self,
        data: Dataset | Mapping[str, Dataset],
        *,
        text: str | None,
        pair: str | None,
        label: str | None,
        labelled: bool = True,
    ) -> Columns:
        return texts_alone(
            data,
            "text-generation",
            text=text,
            pair=pair,
            label=label,
            next_step="--task text2text-generation learns answers to texts",
        )

    def inputs(self, data: Dataset, columns: Columns, *, before: int = 0) -> list[str]:
        return strings_of(data, columns.text, before=before)

    def shown(self, given: str) -> str:
        return shown_text(given)

    def kind_of(self, answers: Sequence[Any]) -> str:
        return KIND

    def wrong(self, answer: Any, kind: str) -> str:
        return ""

    def expected(self, kind: str) -> str:
        return "nothing: the texts themselves are learned"

    def labels(self, answers: Sequence[Any], kind: str) -> tuple[str, ...]:
        return ()

    def label_counts(self, answers: Sequence[Any], meaning: Meaning) -> dict[str, int]:
        return {}

    def check(self, model: Model) -> None:
        CAUSAL.check(model)

    def fitted(self, model: Model) -> Model:
        """A decoder without its head gets a new one, around its word table where the two are
        tied."""
        return with_language_head(model, "text-generation")

    def head(
        self, model: Model, meaning: Meaning, *, head: str, pooling: str | None
    ) -> HeadPlan | None:
        return model.checkpoint.plan

    def encode(
        self,
        model: Model,
        inputs: Sequence[str],
        *,
        size: int | None,
        stride: int | None,
        first: int = 0,
    ) -> list[Passage]:
        tokenizer, end = model.need_tokenizer(), _end_behind(model)
        shared = stride if stride is not None or size is None else default_stride(size)
        room = None if size is None else size - len(end)
        windowed = window_texts(
            tokenizer, inputs, size=room, stride=shared, first=first, places=True
        )
        found = []
        for text, read in zip(inputs, windowed, strict=True):
            counted = []
            for number, window in enumerate(read.places):
                marks = [place for place, mark in enumerate(window.special_mask) if not mark]
                seen = shared or 0 if number else 0
                counted.append(marks[seen] if seen < len(marks) else len(window))
            told = text if counted[0] else text[read.places[0].offsets[0][1] :]
            found.append(
                Passage(
                    [*read.ids[:-1], [*read.ids[-1], *end]],
                    [*read.segments[:-1], [*read.segments[-1], *[0] * len(end)]],
                    read.tokens,
                    counted=tuple(counted),
                    bytes=len(told.encode("utf-8", "surrogatepass")),
                    text=text,
                )
            )
        return found

    def targets(
        self, model: Model, texts: Sequence[Passage], answers: Sequence[Any], meaning: Meaning
    ) -> None:
        return None

    def course(self, rows: int, meaning: Meaning, right: float | None = None) -> Course:
        return Course(epochs=3, rate=1e-4)

    def weights(self, answers: Sequence[Any], meaning: Meaning) -> Tensor:
        raise ConfigError("class_weights with texts to write", allowed="text classification")

    def collate(
        self,
        model: Model,
        batch: Batch,
        targets: None,
        meaning: Meaning,
        *,
        weights: Tensor | None = None,
        chance: torch.Generator | None = None,
    ) -> Ready:
        return CAUSAL.collate(model, batch, chance)

    def loss(self, model: Model, ready: Ready, meaning: Meaning) -> tuple[Tensor, ...]:
        return CAUSAL.loss(model, ready)

    def read(
        self,
        model: Model,
        texts: Sequence[Passage],
        meaning: Meaning,
        *,
        batch_tokens: int,
        what: str,
    ) -> list[Surprise]:
        windows = [window for text in texts for window in text.ids]
        losses = iter(surprises(model, windows, batch_tokens=batch_tokens, what=what))
        found = []
        for text in texts:
            nats, tokens = 0.0, 0
            for counted in text.counted:
                told = next(losses)[max(0, counted - 1) :]
                nats += float(told.double().sum())
                tokens += len(told)
            found.append(Surprise(nats, tokens, text.bytes))
        return found

    def tell(self, found: Surprise, text: Passage, meaning: Meaning) -> dict[str, Any]:
        bits = found.nats / math.log(2) / max(1, found.bytes)
        return {
            "perplexity": math.exp(min(700.0, found.nats / max(1, found.tokens))),
            "bits_per_byte": bits,
        }

    def score(
        self,
        found: Sequence[Surprise],
        texts: Sequence[Passage],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Any]:
        measured = self.metrics(found, texts, answers, meaning)
        return {
            "n": len(found),
            "tokens": sum(one.tokens for one in found),
            **{name: one.value() for name, one in measured.items()},
            "confidence_interval_95": list(measured["bits_per_byte"].interval()),
        }

    def metrics(
        self,
        found: Sequence[Surprise],
        texts: Sequence[Passage],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Measured]:
        nats = [one.nats for one in found]
        return {
            "bits_per_byte": Measured("bits_per_byte", nats, [one.bytes for one in found]),
            "perplexity": Measured("token_perplexity", nats, [one.tokens for one in found]),
        }

    def main(self, kind: str) -> str:
        return "bits_per_byte"

    def compare(
        self,
        found: Sequence[Surprise],
        texts: Sequence[Passage],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> list[Compared]:
        """The most surprising texts, by bits a byte."""
        told = [self.tell(one, text, meaning) for one, text in zip(found, texts, strict=True)]
        return [
            Compared("", f"{one['bits_per_byte']:.2f} bits a byte", one["bits_per_byte"])
            for one in told
        ]

    def baseline(
        self,
        train: tuple[Sequence[str], Sequence[Any]],
        test: tuple[Sequence[str], Sequence[Any]],
        meaning: Meaning,
        *,
        seed: int,
    ) -> dict[str, Any]:
        """What the frequencies of single bytes say."""
        counts = [1] * 256
        for text in train[0]:
            for byte in text.encode("utf-8", "surrogatepass"):
                counts[byte] += 1
        nats = [math.log(sum(counts) / count) for count in counts]
        read = [text.encode("utf-8", "surrogatepass") for text in test[0]]
        sums = [sum(nats[byte] for byte in text) for text in read]
        sizes = list(map(len, read))
        return {
            "name": "frequencies of bytes",
            "bits_per_byte": metric("bits_per_byte", sums, sizes)["bits_per_byte"],
            "confidence_interval_95": list(confidence_interval("bits_per_byte", sums, sizes)),
        }


def _end_behind(model: Model) -> list[int]:
    """The token that ends a text, where the tokenizer puts none."""
    _, behind = special_around(model.need_tokenizer())
    return [] if behind or not model.parts.ends else [min(model.parts.ends)]
