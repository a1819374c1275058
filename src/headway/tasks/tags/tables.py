"""Entities that may lie in each other: every span of words is judged on its own.

The head sees the words of a window, each by its first token, and gives a table of logits for each
first word and each last word near it. An entity is told by the window that speaks for its first
word.

Source: Yu, Bohnet & Poesio 2020, arXiv 2005.07150.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.heads.biaffine import BiaffineHead, biaffine_loss, decode
from headway.model import Model
from headway.tasks.tags.entities import Span
from headway.tasks.tags.word_places import Placed
from headway.training.collate import Batch, Ready, chosen_windows, window_states

__all__ = [
    "Spanned",
    "WindowSpans",
    "collated_spans",
    "read_tables",
    "span_targets",
    "table_loss",
]

AT_ONCE = 256
"""Texts whose hidden states are held at once."""


@dataclass(frozen=True)
class Spanned:
    """What a model says of a text.

    Attributes:
        found: the entities, with their scores from 0 to 1.
    """

    found: list[tuple[Span, float]]

    def spans(self, text: Placed) -> list[tuple[Span, float]]:
        """The entities, in the order of the text."""
        return self.found


@dataclass(frozen=True)
class WindowSpans:
    """What is to be learned of a window.

    Attributes:
        tokens: the first token of each word that it shows.
        spans: (first word, last word, label from 1), words counted among those.
    """

    tokens: list[int]
    spans: list[tuple[int, int, int]]


def span_targets(
    texts: Sequence[Placed], right: Sequence[Sequence[Span]], labels: Sequence[str]
) -> list[list[WindowSpans]]:
    """Of each window of each text, its words and the entities that lie in it as a whole.

    Args:
        texts: as they are read.
        right: the entities of each.
        labels: the kinds of entities; all of `right` are among them.
    """
    numbers = {label: number for number, label in enumerate(labels, 1)}
    found = []
    for text, spans in zip(texts, right, strict=True):
        windows = []
        for shown in text.shown:
            order = {word: n for n, (word, _) in enumerate(shown)}
            inside = []
            for span in spans:
                words = _words_of(span, text)
                if words and words[0] in order and words[-1] in order:
                    inside.append((order[words[0]], order[words[-1]], numbers[span.label]))
            windows.append(WindowSpans([token for _, token in shown], inside))
        found.append(windows)
    return found


def _words_of(span: Span, text: Placed) -> list[int]:
    """The words that an entity touches."""
    return [
        number
        for number, (start, end) in enumerate(text.words)
        if start < span.end and end > span.start
    ]


def collated_spans(model: Model, batch: Batch, targets: Sequence[Sequence[WindowSpans]]) -> Ready:
    """A batch with its windows' entities; counted are the spans that the head scores."""
    assert isinstance(model.head, BiaffineHead)
    windows = chosen_windows(batch, targets)
    spans = sum(model.head.spans_of(len(window.tokens)) for window in windows)
    return Ready(batch, windows, (float(spans),))


def table_loss(model: Model, ready: Ready) -> Tensor:
    """The sum over the spans of all windows of a batch."""
    head, windows = model.head, ready.wanted
    assert isinstance(head, BiaffineHead)
    hidden, layout = window_states(model, ready.batch)
    parts = [
        states[torch.tensor(window.tokens, dtype=torch.int64, device=states.device)]
        for states, window in zip(layout.split(hidden), windows, strict=True)
    ]
    words = Layout(tuple(map(len, parts)), device=hidden.device)
    tables = head(torch.cat(parts), words)
    return biaffine_loss(tables, [window.spans for window in windows]).sum()


def read_tables(
    model: Model,
    texts: Sequence[Placed],
    labels: Sequence[str],
    *,
    batch_tokens: int,
    what: str,
) -> list[Spanned]:
    """The entities of each text, in windows; several may lie in each other."""
    head = model.head
    assert isinstance(head, BiaffineHead)
    spanned = []
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        states = model.read_each(
            some,
            lambda hidden, layout: layout.split(hidden.float()),
            batch_tokens=batch_tokens,
            what=what,
        )
        with torch.inference_mode():
            spanned += [
                _entities(head, text, windows, labels)
                for text, windows in zip(some, states, strict=True)
            ]
    return spanned


def _entities(
    head: BiaffineHead, text: Placed, windows: Sequence[Tensor], labels: Sequence[str]
) -> Spanned:
    found = []
    for number, (states, shown) in enumerate(zip(windows, text.shown, strict=True)):
        tokens = torch.tensor([token for _, token in shown], dtype=torch.int64)
        rows = states[tokens.to(states.device)].to(next(head.parameters()).dtype)
        (table,) = head(rows, Layout((len(rows),), device=rows.device))
        for first, last, label, score in decode(table, nested=True):
            begin, end = shown[first][0], shown[last][0]
            speaker = text.speakers[begin]
            if speaker is not None and speaker[0] == number:
                place = (text.words[begin][0], text.words[end][1])
                found.append((Span(*place, labels[label - 1]), score))
    return Spanned(sorted(found, key=lambda one: (one[0].start, -one[0].end)))
