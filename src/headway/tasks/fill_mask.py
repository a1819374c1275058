"""Masked words: an encoder learns to tell hidden tokens of texts from what stands around them.

Measured on tokens that are hidden once and for all: how many are told, and how surprising they are.

Source: Devlin et al. 2018, arXiv 1810.04805; masks drawn anew each time, Liu et al. 2019,
arXiv 1907.11692.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from headway.checkpoints import HeadPlan
from headway.core.layout import Layout
from headway.data import Columns, Dataset
from headway.data.batches.budget import sorted_batches
from headway.errors import ConfigError
from headway.logs import progress
from headway.model import Model
from headway.tasks.inputs import shown_text, strings_of, texts_alone
from headway.tasks.measured import Measured
from headway.tasks.stacks import with_language_head
from headway.tasks.task import Compared, Course, Meaning
from headway.training.collate import Batch, Ready
from headway.training.masking import hidden_logits, hide
from headway.training.objectives.masked import Masked
from headway.windows import Windowed, window_texts

__all__ = ["FillMask"]

KIND = "masked-words"
MASKED = Masked()


@dataclass(frozen=True)
class Told:
    """What became of a text's hidden tokens.

    Attributes:
        said: the likeliest token in the place of each.
        hidden: themselves.
        nats: summed -log p of them.
    """

    said: list[int]
    hidden: list[int]
    nats: float

    @property
    def right(self) -> int:
        """How many were told."""
        return sum(one == other for one, other in zip(self.said, self.hidden, strict=True))


class FillMask:
    """The task; see `Task` for what its parts are."""

    about = "hidden words of a text"
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
        return texts_alone(data, "fill-mask", text=text, pair=pair, label=label)

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
        MASKED.check(model)

    def fitted(self, model: Model) -> Model:
        """An encoder without its head gets a new one."""
        return with_language_head(model, "fill-mask")

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
    ) -> list[Windowed]:
        return window_texts(model.need_tokenizer(), inputs, size=size, stride=stride, first=first)

    def targets(
        self, model: Model, texts: Sequence[Windowed], answers: Sequence[Any], meaning: Meaning
    ) -> None:
        return None

    def course(self, rows: int, meaning: Meaning, right: float | None = None) -> Course:
        return Course(epochs=3, rate=1e-4)

    def weights(self, answers: Sequence[Any], meaning: Meaning) -> Tensor:
        raise ConfigError("class_weights with hidden words", allowed="text classification")

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
        """Tokens are hidden anew each time."""
        return MASKED.collate(model, batch, chance)

    def loss(self, model: Model, ready: Ready, meaning: Meaning) -> tuple[Tensor, ...]:
        """Of the hidden tokens; only their logits are made."""
        return MASKED.loss(model, ready)

    def read(
        self,
        model: Model,
        texts: Sequence[Windowed],
        meaning: Meaning,
        *,
        batch_tokens: int,
        what: str,
    ) -> list[Told]:
        """The same tokens are hidden each time that the same texts are read."""
        windows = [window for text in texts for window in text.ids]
        of_windows = [Told([], [], 0.0)] * len(windows)
        with model.parts.predicting():
            lengths = [len(window) for window in windows]
            for batch in progress(sorted_batches(lengths, batch_tokens), what):
                chance = [torch.Generator().manual_seed(number) for number in batch]
                hidden = hide(model, [windows[number] for number in batch], chance)
                logits, right = hidden_logits(model, hidden)
                lies = Layout(hidden.counts)
                losses = F.cross_entropy(logits, right, reduction="none")
                parts = (lies.split(each) for each in (logits.argmax(dim=-1), right, losses))
                for number, said, hidden, lost in zip(batch, *parts, strict=True):
                    of_windows[number] = Told(said.tolist(), hidden.tolist(), float(lost.sum()))
        each = iter(of_windows)
        return [_joined([next(each) for _ in text.ids]) for text in texts]

    def tell(self, found: Told, text: Windowed, meaning: Meaning) -> dict[str, Any]:
        return {"right": found.right, "hidden": len(found.hidden), "nats": found.nats}

    def score(
        self,
        found: Sequence[Told],
        texts: Sequence[Windowed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Any]:
        measured = self.metrics(found, texts, answers, meaning)
        return {
            "n": len(found),
            "hidden": sum(len(one.hidden) for one in found),
            **{name: one.value() for name, one in measured.items()},
            "confidence_interval_95": list(measured["accuracy"].interval()),
        }

    def metrics(
        self,
        found: Sequence[Told],
        texts: Sequence[Windowed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Measured]:
        nats, counts = [one.nats for one in found], [len(one.hidden) for one in found]
        said, hidden = [one.said for one in found], [one.hidden for one in found]
        return {
            "accuracy": Measured("token_accuracy", said, hidden),
            "perplexity": Measured("token_perplexity", nats, counts),
        }

    def main(self, kind: str) -> str:
        return "accuracy"

    def compare(
        self,
        found: Sequence[Told],
        texts: Sequence[Windowed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> list[Compared]:
        return [
            Compared(
                f"{len(one.hidden)} hidden",
                f"{one.right} told",
                float(len(one.hidden) - one.right),
                one.right / len(one.hidden) if one.hidden else None,
            )
            for one in found
        ]

    def baseline(
        self,
        train: tuple[Sequence[str], Sequence[Any]],
        test: tuple[Sequence[str], Sequence[Any]],
        meaning: Meaning,
        *,
        seed: int,
    ) -> dict[str, Any] | None:
        """What the most frequent word would get right, if words were tokens."""
        counts = Counter(word for text in train[0] for word in text.casefold().split())
        if not counts:
            return None
        best, _ = counts.most_common(1)[0]
        words = [text.casefold().split() for text in test[0]]
        right, hidden = [row.count(best) for row in words], [len(row) for row in words]
        return {
            "name": f"always {best!r}",
            "accuracy": sum(right) / max(1, sum(hidden)),
        }


def _joined(windows: Sequence[Told]) -> Told:
    """What became of a text whose windows these are."""
    said = [token for one in windows for token in one.said]
    hidden = [token for one in windows for token in one.hidden]
    return Told(said, hidden, sum(one.nats for one in windows))
