"""Labels that a model was never trained on: what it says of a sentence that names each of them.

A model of inference is asked whether the text entails "This text is about sport."; a model that
embeds is asked how near the two are.

Sources: by inference, Yin et al. 2019 (arXiv 1909.00161); by nearness, Veeranna et al. 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headway.core.ragged import window_means
from headway.data import Dataset, guess_columns
from headway.errors import ConfigError
from headway.model import Model
from headway.pipelines.inputs import Chunk, is_text, opened
from headway.pipelines.reader import Reader
from headway.reading import HeadLogits
from headway.tasks import meaning_of, task_named
from headway.tasks.inputs import each_text
from headway.tokenizer import Encoding
from headway.windows import window_beside

__all__ = ["ZeroShotClassification"]

Floats = npt.NDArray[np.float64]

TEMPLATE = "This text is about {}."
PLACE = "{}"
TEMPERATURE = 0.05
"""What cosines are divided by: the scale at which models are usually trained to embed."""
MOST_PAIRS = 16384
"""Texts times labels that are encoded at once: enough to sort them by length."""
MOST_KEPT = 10_000
"""Hypotheses that are remembered from call to call."""


class ZeroShotClassification:
    """Sorts texts under labels that are given with them.

    Args:
        model: a classifier of inference, one of whose labels is called entailment, or a model
            without a head, whose vectors are compared; with a tokenizer.
        temperature: of a model without a head: what cosines are divided by before they become
            probabilities. The lower, the surer.
        options: window, stride, batch_tokens and precision, as `Reader` takes them.

    Raises:
        ConfigError: a model with another head or no tokenizer; an option that cannot be.
    """

    READS = ("window", "stride")
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, *, temperature: float = TEMPERATURE, **options: Any) -> None:
        task = task_named("text-classification")
        task.check(model)
        if temperature <= 0:
            raise ConfigError(f"temperature = {temperature}", allowed="a number above 0")
        reader = Reader(task, model, meaning_of(model), **options)
        self.engine: Inference | Nearness
        if model.checkpoint.plan is None:
            self.engine = Nearness(reader, temperature)
        else:
            self.engine = Inference(reader, *_outputs(model))

    def __call__(
        self,
        texts: str | list[str] | Dataset | Path | Iterator[str],
        labels: Sequence[str],
        *,
        template: str = TEMPLATE,
        several: bool = False,
        top: int | None = None,
    ) -> Any:
        """Sorts one text or many; of a long one every window is read, and the mean counts.

        Args:
            texts: a text; a list of them; a data set or the Path of a file of rows, whose text
                column is guessed as everywhere; or an iterator, which is answered lazily.
            labels: names to choose from, as people would say them.
            template: the sentence that says a label; it stands where `{}` is.
            several: whether each label holds or not, whatever the others do; else they share a
                probability of 1. It needs a model of inference.
            top: tell the so many likeliest labels, whatever their scores.

        Returns:
            For each text `label`, `score` and `tokens` (used, total, windows). `label` and `score`
            are lists, likeliest first, where `top` is given, or for `several`: there those labels
            whose score is at least 0.5.

        Raises:
            ConfigError: no texts, no labels or one twice, a template without a place for them, or
                options that cannot be.
            TokenizerError: a label that fills a window, or a text with half of a surrogate pair.
        """
        hypotheses = _hypotheses(labels, template)
        if top is not None and top < 1:
            raise ConfigError(f"top = {top}", allowed="1 or more")
        if several and isinstance(self.engine, Nearness):
            raise ConfigError(
                "several = True with a model that embeds: it says which label is nearest, and not "
                "which ones hold",
                allowed="a model of inference",
                next_step="ask for the nearest ones: top=3",
            )
        given = opened(
            texts,
            one=is_text,
            rows=lambda data: each_text(data, guess_columns(data, labelled=False)),
            wanted="a text",
        )
        options: dict[str, Any] = {"template": template, "several": several, "top": top}
        if given.lazy:
            return given.lazily(self, labels=labels, **options)
        answers: list[dict[str, Any]] = []
        for chunk in given.chunks:
            with self.engine.reader.precise():
                found, reports = self.engine(chunk, hypotheses, several=several)
            for row, report in zip(found, reports, strict=True):
                answers.append({**_told(row, labels, several=several, top=top), "tokens": report})
        return given.shaped(answers)


@dataclass
class Inference:
    """Whether each text entails each hypothesis.

    Attributes:
        reader: of the model.
        entailment, contradiction: outputs of its head.
        known: hypothesis -> its tokens.
    """

    reader: Reader
    entailment: int
    contradiction: int
    known: dict[str, Encoding] = field(default_factory=dict)

    def __call__(
        self, chunk: Chunk, hypotheses: Sequence[str], *, several: bool
    ) -> tuple[Floats, list[dict[str, int]]]:
        """Probabilities [texts, labels], and the tokens read of each text."""
        reader, model = self.reader, self.reader.model
        tokenizer = model.need_tokenizer()
        sides = _remembered(
            self.known, hypotheses, lambda new: [tokenizer.side(one, 1) for one in new]
        )
        rows: list[Floats] = []
        reports: list[dict[str, int]] = []
        at_once = max(1, MOST_PAIRS // len(sides))
        for start in range(0, len(chunk), at_once):
            pairs = window_beside(
                tokenizer,
                chunk[start : start + at_once],
                sides,
                size=reader.window,
                stride=reader.stride,
                first=chunk.first + start,
            )
            found = model.read_each(
                [pair for row in pairs for pair in row],
                HeadLogits(model),
                batch_tokens=reader.batch_tokens,
                what="Predicting",
            )
            logits = window_means(found).double().unflatten(0, (-1, len(sides)))
            rows.append(self._probabilities(logits, several=several))
            for row in pairs:
                windows = max(len(pair.ids) for pair in row)
                reports.append({**row[0].report(), "windows": windows})
        return np.concatenate(rows) if rows else np.empty((0, len(sides))), reports

    def _probabilities(self, logits: Tensor, *, several: bool) -> Floats:
        """From logits [texts, labels, outputs]; a single label has no others to share with."""
        if several or logits.shape[1] == 1:
            sides = logits[..., [self.contradiction, self.entailment]]
            found: Floats = sides.softmax(dim=-1)[..., 1].numpy()
        else:
            found = logits[..., self.entailment].softmax(dim=-1).numpy()
        return found


@dataclass
class Nearness:
    """How near the vector of each text is to that of each hypothesis.

    Attributes:
        reader: of the model.
        temperature: what cosines are divided by.
        known: hypothesis -> its vector, float64 [hidden], of length 1.
    """

    reader: Reader
    temperature: float
    known: dict[str, Tensor] = field(default_factory=dict)

    def __call__(
        self, chunk: Chunk, hypotheses: Sequence[str], *, several: bool
    ) -> tuple[Floats, list[dict[str, int]]]:
        """Probabilities [texts, labels], and the tokens read of each text."""
        kept = _remembered(self.known, hypotheses, lambda new: list(self._vectors(Chunk(new))[0]))
        vectors, reports = self._vectors(chunk)
        cosines = vectors @ torch.stack(kept).T  # [texts, labels]
        found: Floats = (cosines / self.temperature).softmax(dim=-1).numpy()
        return found, reports

    def _vectors(self, texts: Chunk) -> tuple[Tensor, list[dict[str, int]]]:
        """Vectors of length 1, float64 [texts, hidden], and the tokens read."""
        model = self.reader.model
        prompted = Chunk(model.checkpoint.embedding.prompted(texts))
        prompted.first = texts.first
        read = self.reader.encode(prompted)
        vectors = model.embed_windows(read, batch_tokens=self.reader.batch_tokens)
        unit = torch.nn.functional.normalize(vectors.double(), dim=-1)
        return unit, [one.report() for one in read]


def _outputs(model: Model) -> tuple[int, int]:
    """The outputs for entailment, and for its opposite: contradiction, or what else there is."""
    names = [label.casefold() for label in model.labels]
    entailing = [n for n, name in enumerate(names) if name.startswith("entail")]
    if model.task != "text-classification" or len(entailing) != 1 or len(names) < 2:
        raise ConfigError(
            f"{model.source or 'this model'} has a {model.checkpoint.plan}, and no label of it is "
            "called entailment",
            allowed="a model adapted to inference (SNLI, MNLI, ...), or one that embeds",
            next_step="headway.load(name, keep_head=False) takes the body to embed",
        )
    others = [n for n in range(len(names)) if n != entailing[0]]
    contrary = [n for n in others if names[n].startswith("contra")]
    return entailing[0], (contrary or [n for n in others if names[n] != "neutral"] or others)[0]


def _hypotheses(labels: Sequence[str], template: str) -> list[str]:
    """A sentence for each label."""
    if isinstance(labels, str) or not all(isinstance(one, str) and one.strip() for one in labels):
        raise ConfigError(f"labels = {labels!r:.60}", allowed="a list of names, none of them blank")
    if not labels:
        raise ConfigError("no labels to choose from", next_step='labels=["sport", "politics"]')
    twice = next((one for n, one in enumerate(labels) if one in labels[:n]), None)
    if twice is not None:
        raise ConfigError(f"label {twice!r} is there twice", allowed="each label once")
    if template.count(PLACE) != 1:
        raise ConfigError(
            f"template = {template!r}",
            allowed=f"a sentence with one {PLACE}, where the label stands",
            next_step=f"template={TEMPLATE!r}",
        )
    return [template.replace(PLACE, label) for label in labels]


def _remembered(
    known: dict[str, Any], asked: Sequence[str], make: Callable[[list[str]], list[Any]]
) -> list[Any]:
    """What is known of each text; only what is new is made."""
    if len(known) + len(asked) > MOST_KEPT:
        known.clear()
    new = [one for one in asked if one not in known]
    if new:
        known.update(zip(new, make(new), strict=True))
    return [known[one] for one in asked]


def _told(row: Floats, labels: Sequence[str], *, several: bool, top: int | None) -> dict[str, Any]:
    best = np.argsort(-row, kind="stable")
    if top is None and not several:
        return {"label": labels[best[0]], "score": float(row[best[0]])}
    kept = best[:top] if top is not None else [n for n in best if row[n] >= 0.5]
    return {"label": [labels[n] for n in kept], "score": [float(row[n]) for n in kept]}
