"""Text to text: summaries, translations, answers in words of one's own.

An encoder-decoder reads the source and writes the target. A decoder reads source and target as one
text and learns to write the second part. An encoder is made into an encoder-decoder first, both
halves from its one checkpoint. A source longer than the encoder is read in windows, and the decoder
looks at all of them.

Sources: Sutskever et al. 2014 (arXiv 1409.3215); one text for decoders, Radford et al. 2019; two
halves from one checkpoint, Rothe et al. 2019 (arXiv 1907.12461).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from headway.checkpoints import HeadPlan, encoder_decoder_of
from headway.core.stacks import Decoder, Encoder
from headway.data import Columns, Dataset, guess_columns
from headway.errors import ConfigError, DataError
from headway.generate.prompt import WindowedPrompt
from headway.generate.writing import Writing
from headway.heads import LanguageModelHead
from headway.metrics import METRICS, confidence_interval, metric
from headway.model import Model
from headway.tasks.inputs import shown_text
from headway.tasks.measured import Measured
from headway.tasks.task import Compared, Course, Meaning
from headway.training.collate import Batch, Ready
from headway.training.targets import ids_to_write, written_loss
from headway.windows import TextOrPair, Windowed, window_texts

__all__ = ["SEPARATOR", "TextToText"]

SEPARATOR = "\n"
"""Between source and target, for models that read both as one text."""

LONGEST = 128
"""Most tokens written where the checkpoint does not say how many."""

ROUGES = ("rouge1", "rouge2", "rougeL")

MEASURES: dict[str, tuple[str, ...]] = {
    "summaries": (*ROUGES, "distinct_n"),
    "translations": ("chrf", "bleu"),
    "texts": (*ROUGES, "squad_f1", "squad_exact_match"),
}
"""Kind -> the metrics that its texts are measured by."""

MAIN = {"summaries": "rougeL", "translations": "chrf", "texts": "rougeL"}
SHARES = {"chrf": 100, "bleu": 100, "squad_f1": 100, "squad_exact_match": 100}
"""Metrics that their field writes from 0 to 100."""

SOURCES = ("source", "document", "article", "text", "question", "dialogue", "en", "src", "input")
TARGETS = ("target", "summary", "highlights", "translation", "answer", "answers", "tgt", "output")

Baseline = Callable[[str], str]
"""Source -> what a simple method would write."""


def first_sentence(source: str) -> str:
    """The lead, which summaries of news are hard to beat by.

    >>> first_sentence("Rates rise. The bank said so.")
    'Rates rise.'
    """
    for place, letter in enumerate(source):
        if letter in ".!?" and (place + 1 == len(source) or source[place + 1].isspace()):
            return source[: place + 1].strip()
    return source.strip()


@dataclass(frozen=True)
class TextToText:
    """The task; see `Task` for what its parts are.

    Args:
        kind: key of MEASURES: what the written texts are.
        about: one line for people.
        baseline_name: of `simple`.
        simple: what a simple method writes.
    """

    kind: str
    about: str
    baseline_name: str
    simple: Baseline
    keeps_head: bool = True
    start: None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        return (self.kind,)

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
        names = (data if isinstance(data, Dataset) else next(iter(data.values()))).column_names
        known = {name.casefold(): name for name in names}
        if text is None:
            text = next((known[name] for name in SOURCES if name in known), None)
        if label is None:
            named = (known[name] for name in TARGETS if name in known)
            label = next((name for name in named if name not in (text, pair)), None)
        return guess_columns(data, text=text, pair=pair, label=label, labelled=labelled)

    def inputs(self, data: Dataset, columns: Columns, *, before: int = 0) -> list[TextOrPair]:
        first = _joined(data, columns.text, before)
        if columns.pair is None:
            return list(first)
        return list(zip(first, _joined(data, columns.pair, before), strict=True))

    def shown(self, given: TextOrPair) -> str:
        return shown_text(given)

    def kind_of(self, answers: Sequence[Any]) -> str:
        return self.kind

    def wrong(self, answer: Any, kind: str) -> str:
        texts = _texts(answer)
        if texts is None:
            return f"{answer!r:.60} is no text"
        return "" if any(text.strip() for text in texts) else "there is no text to learn"

    def expected(self, kind: str) -> str:
        return "a text, or a list of texts of which the first is learned"

    def labels(self, answers: Sequence[Any], kind: str) -> tuple[str, ...]:
        return ()

    def label_counts(self, answers: Sequence[Any], meaning: Meaning) -> dict[str, int]:
        return {}

    def check(self, model: Model) -> None:
        if isinstance(model.body, Encoder):  # raises where it cannot be made into two stacks
            return
        if not isinstance(model.head, LanguageModelHead):
            raise ConfigError(
                f"{model.source or 'this model'} has no head that writes",
                allowed="a model for text-generation or text2text-generation, or an encoder",
            )

    def fitted(self, model: Model) -> Model:
        """An encoder becomes an encoder-decoder, both halves from its one checkpoint."""
        if not isinstance(model.body, Encoder):
            return model
        made = Model(encoder_decoder_of(model.checkpoint), source=model.source)
        return made.train(model.training)

    def head(
        self, model: Model, meaning: Meaning, *, head: str, pooling: str | None
    ) -> HeadPlan | None:
        return model.checkpoint.plan

    def encode(
        self,
        model: Model,
        inputs: Sequence[TextOrPair],
        *,
        size: int | None,
        stride: int | None,
        first: int = 0,
    ) -> list[Windowed]:
        tokenizer = model.need_tokenizer()
        if isinstance(model.body, Decoder):
            joined = [SEPARATOR.join((*_sides(given), "")) for given in inputs]
            return window_texts(tokenizer, joined, size=None, first=first)
        return window_texts(tokenizer, inputs, size=size, stride=stride, first=first)

    def targets(
        self, model: Model, texts: Sequence[Windowed], answers: Sequence[Any], meaning: Meaning
    ) -> list[list[int]]:
        """The tokens to be written, the end token last."""
        if isinstance(model.body, Encoder):
            model = self.fitted(model)
        found = []
        for number, answer in enumerate(answers):
            (text, *_) = _texts(answer) or ("",)
            ids = ids_to_write(model, text)
            prompt = texts[number].length if isinstance(model.body, Decoder) else 1
            if model.longest is not None and prompt + len(ids) > model.longest:
                what = f"its source of {prompt} and its" if prompt > 1 else "its"
                raise DataError(
                    f"row {number + 1}: {what} target of {len(ids)} tokens",
                    allowed=f"{model.longest} tokens together",
                    next_step="shorten the row, or take a model that reads longer texts",
                )
            found.append(ids)
        return found

    def beside(self, targets: Sequence[Sequence[int]]) -> list[int]:
        """What is to be written is read too, by the decoder."""
        return list(map(len, targets))

    def course(self, rows: int, meaning: Meaning, right: float | None = None) -> Course:
        return Course(epochs=5 if rows >= 1000 else 10, rate=3e-4)

    def weights(self, answers: Sequence[Any], meaning: Meaning) -> Tensor:
        raise ConfigError("class_weights with texts to write", allowed="text classification")

    def collate(
        self,
        model: Model,
        batch: Batch,
        targets: Sequence[Sequence[int]],
        meaning: Meaning,
        *,
        weights: Tensor | None = None,
        chance: torch.Generator | None = None,
    ) -> Ready:
        wanted = [targets[row] for row in batch.rows]
        return Ready(batch, wanted, (float(sum(map(len, wanted))),))

    def loss(self, model: Model, ready: Ready, meaning: Meaning) -> tuple[Tensor, ...]:
        """Of the targets' tokens, the end token among them."""
        return (written_loss(model, ready.batch, ready.wanted),)

    def read(
        self,
        model: Model,
        texts: Sequence[Windowed],
        meaning: Meaning,
        *,
        batch_tokens: int,
        what: str,
    ) -> list[str]:
        """What the model writes, the likeliest token each time unless its files say otherwise."""
        prompts = [WindowedPrompt(text.ids) for text in texts]
        decoding = model.decoding
        if decoding.max_new_tokens is None and decoding.max_length is None:
            usual = 16 + 2 * max((text.length for text in texts), default=0)
            decoding = dataclasses.replace(decoding, max_new_tokens=min(LONGEST, usual))
        written = Writing(model.parts, decoding, given=False).write(prompts)
        tokenizer = model.need_tokenizer()
        return [tokenizer.decode(text.ids).strip() for text in written]

    def tell(self, found: str, text: Windowed, meaning: Meaning) -> dict[str, Any]:
        return {"text": found}

    def score(
        self,
        found: Sequence[str],
        texts: Sequence[Windowed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Any]:
        references = [_texts(answer) or [""] for answer in answers]
        scores: dict[str, Any] = {"n": len(references)}
        for name in MEASURES[meaning.kind]:
            if name == "distinct_n":
                scores["words"] = sum(len(text.split()) for text in found) / max(1, len(found))
            else:
                value = metric(name, list(found), references)[name]
                scores[name] = value / SHARES.get(name, 1)
        main = self.main(meaning.kind)
        interval = confidence_interval(main, list(found), references)
        scores["confidence_interval_95"] = [end / SHARES.get(main, 1) for end in interval]
        return scores

    def metrics(
        self,
        found: Sequence[str],
        texts: Sequence[Windowed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Measured]:
        references = [_texts(answer) or [""] for answer in answers]
        return {
            name: Measured(name, list(found), references, SHARES.get(name, 1))
            for name in MEASURES[meaning.kind]
            if name != "distinct_n"
        }

    def main(self, kind: str) -> str:
        return MAIN[kind]

    def compare(
        self,
        found: Sequence[str],
        texts: Sequence[Windowed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> list[Compared]:
        """How far each is off, by its main measure."""
        measure, scale = METRICS[self.main(meaning.kind)], SHARES.get(self.main(meaning.kind), 1)
        compared = []
        for text, answer in zip(found, answers, strict=True):
            right = _texts(answer) or [""]
            error = 1.0 - measure([text], [right]) / scale
            compared.append(Compared(right[0], text, 0.0 if text in right else max(error, 1e-9)))
        return compared

    def baseline(
        self,
        train: tuple[Sequence[TextOrPair], Sequence[Any]],
        test: tuple[Sequence[TextOrPair], Sequence[Any]],
        meaning: Meaning,
        *,
        seed: int,
    ) -> dict[str, Any]:
        found = [self.simple(given if isinstance(given, str) else given[-1]) for given in test[0]]
        return {"name": self.baseline_name, **self.score(found, (), test[1], meaning)}


def _joined(data: Dataset, name: str, before: int) -> list[str]:
    """The texts of a column; a list of sentences is one text."""
    found = []
    for number, value in enumerate(data[name], before):
        texts = [] if value is None else _texts(value)
        if texts is None:
            raise DataError(
                f"column {name!r}, row {number + 1}: {value!r:.60} is no text",
                allowed="a text, or a list of its sentences",
                next_step="name the text column with --text",
            )
        found.append(" ".join(texts))
    return found


def _texts(value: Any) -> list[str] | None:
    """One text or several, or None for what is neither."""
    if isinstance(value, Mapping) and isinstance(value.get("text"), list):
        value = value["text"]  # as SQuAD has answers
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, (list, tuple)) or not all(isinstance(one, str) for one in several):
        return None
    return list(several)


def _sides(given: TextOrPair) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given
