"""Token classification: entities in a text, or a tag for each of its words.

Entities are learned and measured as spans of characters, whatever they were written as: tags of
words in any scheme (BIO, BILOU, IOB1, ...), or places in a text. A model says B, I or O of every
word, and sequences that cannot be (I-PER behind O) are never its answer.

Sources: tags, Ramshaw & Marcus 1995 (arXiv cmp-lg/9505040); word pieces, Devlin et al. 2018
(arXiv 1810.04805, section 5.3): the first piece of a word speaks for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headway.checkpoints import HeadPlan, new_head
from headway.data import Columns, Dataset, guess_columns
from headway.errors import ConfigError, DataError
from headway.model import Model
from headway.reading import HeadLogits
from headway.tasks.measured import Measured
from headway.tasks.stacks import need_one_stack
from headway.tasks.tags.baseline import in_words, usual_tags
from headway.tasks.tags.entities import Span, overlapping, wrong_spans
from headway.tasks.tags.paths import Tagged, best_tags
from headway.tasks.tags.scores import (
    compared_tags,
    measured_spans,
    measured_tags,
    named_span,
    score_spans,
    score_tags,
)
from headway.tasks.tags.sequences import WindowTags, collated_tags, tag_loss, tag_targets
from headway.tasks.tags.tables import (
    Spanned,
    WindowSpans,
    collated_spans,
    read_tables,
    span_targets,
    table_loss,
)
from headway.tasks.tags.truth import OUTSIDE, entity_names, output_numbers, right_spans, right_tags
from headway.tasks.tags.word_places import Placed, joined_places, place_words
from headway.tasks.task import Compared, Course, Meaning
from headway.training.collate import Batch, Ready
from headway.windows import window_texts

__all__ = ["TokenClassification", "Words"]

Words = list[str]
"""A text that comes in words."""

NESTED = "nested-entities"
PLACED = re.compile("O$|[BIELSUM](-|$)")
SPAN_NAMES = ("entities", "spans", "ents", "label", "labels")
WORD_NAMES = ("tokens", "words")
TAG_NAMES = ("tags", "ner_tags", "pos_tags", "upos", "labels", "label")
MANY = 500
"""Rows from which labels count as many."""

EXPECTED = {
    NESTED: 'a list of {"start", "end", "label"} in every row',
    "entities": 'a list of tags, one a word, or of {"start", "end", "label"} in every row',
    "tags": "a list of tags, one a word, in every row",
}


class TokenClassification:
    """The task; see `Task` for what its parts are."""

    about = "entities in a text, or a tag for each of its words"
    kinds: tuple[str, ...] = ("entities", NESTED, "tags")
    keeps_head = False
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
        if pair is not None:
            raise ConfigError(f"pair = {pair!r}", allowed="no second text: one text is tagged")
        names = (data if isinstance(data, Dataset) else next(iter(data.values()))).column_names
        known = {name.casefold(): name for name in names}
        in_words = [known[name] for name in WORD_NAMES if name in known]
        if text is None and in_words:
            text = in_words[0]
        if label is None:
            wanted = TAG_NAMES if text in in_words else SPAN_NAMES
            label = next((known[name] for name in wanted if name in known), None)
        found = guess_columns(data, text=text, label=label, labelled=labelled)
        return Columns(found.text, None, found.label, found.said)

    def inputs(self, data: Dataset, columns: Columns, *, before: int = 0) -> list[str | Words]:
        found: list[str | Words] = []
        for number, value in enumerate(data[columns.text], before):
            wordy = isinstance(value, list) and all(isinstance(word, str) for word in value)
            if not (wordy or isinstance(value, str) or value is None):
                raise DataError(
                    f"column {columns.text!r}, row {number + 1}: {value!r:.60} is no text",
                    allowed="a text, or a list of words",
                    next_step="name the column with --text",
                )
            found.append("" if value is None else value)
        return found

    def shown(self, given: str | Words) -> str:
        return given if isinstance(given, str) else " ".join(given)

    def kind_of(self, answers: Sequence[Any]) -> str:
        tags = [one for answer in answers if isinstance(answer, list) for one in answer]
        if tags and all(isinstance(tag, str) for tag in tags):
            return "entities" if all(map(PLACED.match, tags)) else "tags"
        return NESTED if any(map(overlapping, answers)) else "entities"

    def wrong(self, answer: Any, kind: str) -> str:
        if answer is None:
            return "there is no label"
        if isinstance(answer, list) and all(isinstance(tag, str) for tag in answer):
            odd = next((tag for tag in answer if not PLACED.match(tag)), None)
            return f"{odd!r} is no tag of an entity" if kind != "tags" and odd else ""
        return wrong_spans(answer) if kind != "tags" else f"{answer!r:.60} is no list of tags"

    def expected(self, kind: str) -> str:
        return EXPECTED[kind]

    def labels(self, answers: Sequence[Any], kind: str) -> tuple[str, ...]:
        if kind == "tags":
            return tuple(sorted({str(tag) for answer in answers for tag in answer}))
        names = sorted(set(entity_names(answers)))
        if kind == NESTED:
            return tuple(names)
        return (OUTSIDE, *(f"{place}-{name}" for name in names for place in "BI"))

    def label_counts(self, answers: Sequence[Any], meaning: Meaning) -> dict[str, int]:
        if meaning.kind == "tags":
            return dict(sorted(Counter(str(tag) for row in answers for tag in row).items()))
        return dict(sorted(Counter(entity_names(answers)).items()))

    def check(self, model: Model) -> None:
        need_one_stack(model)

    def fitted(self, model: Model) -> Model:
        return model

    def head(self, model: Model, meaning: Meaning, *, head: str, pooling: str | None) -> HeadPlan:
        of = "pairs" if meaning.kind == NESTED else "token"
        if of == "pairs" and head == "linear":  # what is taken where nothing is said
            head = "biaffine"
        return new_head(
            model.checkpoint.family,
            "token-classification",
            labels=meaning.labels,
            kind=meaning.kind,
            head=head,
            pooling=pooling,
            of=of,
        )

    def encode(
        self,
        model: Model,
        inputs: Sequence[str | Words],
        *,
        size: int | None,
        stride: int | None,
        first: int = 0,
    ) -> list[Placed]:
        joined = [self.shown(given) for given in inputs]
        windowed = window_texts(
            model.need_tokenizer(), joined, size=size, stride=stride, first=first, places=True
        )
        return [
            place_words(text, read, None if isinstance(given, str) else joined_places(given))
            for given, text, read in zip(inputs, joined, windowed, strict=True)
        ]

    def targets(
        self, model: Model, texts: Sequence[Placed], answers: Sequence[Any], meaning: Meaning
    ) -> list[list[WindowTags]] | list[list[WindowSpans]]:
        """Of each window of each text: the words that have their speaker there, and their tags."""
        if meaning.kind == NESTED:
            right = right_spans(texts, answers, nested=True)
            output_numbers([[span.label for span in row] for row in right], meaning.labels)
            return span_targets(texts, right, meaning.labels)
        return tag_targets(texts, right_tags(texts, answers, meaning.kind), meaning.labels)

    def course(self, rows: int, meaning: Meaning, right: float | None = None) -> Course:
        if rows > MANY:
            return Course(epochs=3, rate=1e-4, texts=8)
        return Course(epochs=16, rate=2e-4)

    def weights(self, answers: Sequence[Any], meaning: Meaning) -> Tensor:
        raise ConfigError(
            "class_weights with tags of words", allowed="text classification", next_step="leave it"
        )

    def collate(
        self,
        model: Model,
        batch: Batch,
        targets: Sequence[Sequence[Any]],
        meaning: Meaning,
        *,
        weights: Tensor | None = None,
        chance: torch.Generator | None = None,
    ) -> Ready:
        nested = meaning.kind == NESTED
        return (collated_spans if nested else collated_tags)(model, batch, targets)

    def loss(self, model: Model, ready: Ready, meaning: Meaning) -> tuple[Tensor, ...]:
        return ((table_loss if meaning.kind == NESTED else tag_loss)(model, ready),)

    def read(
        self,
        model: Model,
        texts: Sequence[Placed],
        meaning: Meaning,
        *,
        batch_tokens: int,
        what: str,
    ) -> list[Tagged] | list[Spanned]:
        """The tags of each text's words; a word that the tokenizer drops is outside."""
        if meaning.kind == NESTED:
            labels = meaning.labels
            return read_tables(model, texts, labels, batch_tokens=batch_tokens, what=what)
        logits = HeadLogits(model)
        found = model.read_each(texts, logits, batch_tokens=batch_tokens, what=what)
        assert model.head is not None
        return best_tags(model.head, texts, found, meaning)

    def tell(self, found: Tagged | Spanned, text: Placed, meaning: Meaning) -> dict[str, Any]:
        if isinstance(found, Spanned) or meaning.kind != "tags":
            told = found.spans(text)
        else:
            words = zip(text.words, found.labels, found.scores, strict=True)
            told = [(Span(*place, label), score) for place, label, score in words]
        return {
            "tags" if meaning.kind == "tags" else "entities": [
                {
                    "label": span.label,
                    "score": score,
                    "start": span.start,
                    "end": span.end,
                    "text": text.text[span.start : span.end],
                }
                for span, score in told
            ]
        }

    def score(
        self,
        found: Sequence[Any],
        texts: Sequence[Placed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Any]:
        if meaning.kind == "tags":
            return score_tags(*_tags(found, texts, answers), meaning.labels)
        return score_spans(*_spans(found, texts, answers, meaning))

    def metrics(
        self,
        found: Sequence[Any],
        texts: Sequence[Placed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Measured]:
        if meaning.kind == "tags":
            return measured_tags(*_tags(found, texts, answers), meaning.labels)
        return measured_spans(*_spans(found, texts, answers, meaning))

    def main(self, kind: str) -> str:
        return "accuracy" if kind == "tags" else "f1"

    def compare(
        self,
        found: Sequence[Any],
        texts: Sequence[Placed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> list[Compared]:
        if meaning.kind == "tags":
            rows = zip(found, texts, right_tags(texts, answers, "tags"), strict=True)
            return [compared_tags(one, text, right) for one, text, right in rows]
        truth = right_spans(texts, answers, nested=meaning.kind == NESTED)
        compared = []
        for one, text, right in zip(found, texts, truth, strict=True):
            told = one.spans(text)
            wrong = {span for span, _ in told} ^ set(right)
            compared.append(
                Compared(
                    [named_span(span, text) for span in right],
                    [named_span(span, text) for span, _ in told],
                    float(len(wrong)),
                    float(np.mean([score for _, score in told])) if told else None,
                )
            )
        return compared

    def baseline(
        self,
        train: tuple[Sequence[str | Words], Sequence[Any]],
        test: tuple[Sequence[str | Words], Sequence[Any]],
        meaning: Meaning,
        *,
        seed: int,
    ) -> dict[str, Any] | None:
        """What the most frequent tag of each word reaches; tags cannot say nested entities."""
        if meaning.kind == NESTED:
            return None
        learned, judged = (in_words(inputs) for inputs in (train[0], test[0]))
        tags = right_tags(learned, train[1], meaning.kind)
        found = usual_tags(learned, tags, judged, meaning.kind)
        scores = self.score(found, judged, test[1], meaning)
        kept = {name: value for name, value in scores.items() if name != "per_label"}
        return {"name": "most frequent tag of each word", **kept}


def _tags(
    found: Sequence[Tagged], texts: Sequence[Placed], answers: Sequence[Any]
) -> tuple[list[list[str]], list[list[str]]]:
    """The tags of each text's words: those said, and the true ones."""
    return [one.labels for one in found], right_tags(texts, answers, "tags")


def _spans(
    found: Sequence[Tagged | Spanned],
    texts: Sequence[Placed],
    answers: Sequence[Any],
    meaning: Meaning,
) -> tuple[list[list[Span]], list[list[Span]]]:
    """The entities of each text: those said, and the true ones."""
    said = [[span for span, _ in one.spans(text)] for one, text in zip(found, texts, strict=True)]
    return said, right_spans(texts, answers, nested=meaning.kind == NESTED)
