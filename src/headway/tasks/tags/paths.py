"""From what a head says of tokens to the likeliest tags of words, and the entities they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from headway.core.layout import Layout
from headway.heads import CrfHead, viterbi
from headway.tasks.tags.entities import Span, spans_of_tags
from headway.tasks.tags.truth import OUTSIDE
from headway.tasks.tags.word_places import Placed
from headway.tasks.task import Meaning

__all__ = ["Tagged", "best_tags"]


@dataclass(frozen=True)
class Tagged:
    """What a model says of a text.

    Attributes:
        labels: one a word.
        scores: how likely each is, 0 to 1.
    """

    labels: list[str]
    scores: list[float]

    def spans(self, text: Placed) -> list[tuple[Span, float]]:
        """The entities, each with the mean of its words' scores."""
        found = spans_of_tags(self.labels, text.words, "IOB2")
        starts = {start: number for number, (start, _) in enumerate(text.words)}
        ends = {end: number for number, (_, end) in enumerate(text.words)}
        return [
            (span, float(np.mean(self.scores[starts[span.start] : ends[span.end] + 1])))
            for span in found
        ]


def best_tags(
    head: nn.Module,
    texts: Sequence[Placed],
    found: Sequence[Sequence[Tensor]],
    meaning: Meaning,
) -> list[Tagged]:
    """The best tags of each text's words; a word that the tokenizer drops is outside.

    Args:
        head: whose CRF, if it has one, knows what neighbouring tags are worth.
        texts: as they were read.
        found: logits [tokens, labels] of each window of each text.
        meaning: of the labels; entities' tags follow each other as IOB2 allows.
    """
    if not texts:
        return []
    emissions, counts = _emissions(texts, found, len(meaning.labels))
    paths = viterbi(emissions, Layout(counts), *_rules(head, meaning))
    flat = torch.tensor([label for path in paths for label in path], dtype=torch.int64)
    scores = iter(emissions.softmax(dim=-1).gather(1, flat[:, None]).squeeze(1).tolist())
    usual = OUTSIDE if OUTSIDE in meaning.labels else meaning.labels[0]
    tagged = []
    for text, path in zip(texts, paths, strict=True):
        told = iter(path)
        spoken = [
            (usual, 0.0) if place is None else (meaning.labels[next(told)], next(scores))
            for place in text.speakers
        ]
        tagged.append(Tagged([label for label, _ in spoken], [score for _, score in spoken]))
    return tagged


def _emissions(
    texts: Sequence[Placed], found: Sequence[Sequence[Tensor]], labels: int
) -> tuple[Tensor, tuple[int, ...]]:
    """What the head says of each word's speaker, float32 [words, labels], and words a text."""
    rows, counts = [], []
    for text, windows in zip(texts, found, strict=True):
        starts = np.cumsum([0, *(len(window) for window in windows)])
        places = [int(starts[place[0]]) + place[1] for place in text.speakers if place is not None]
        rows.append(torch.cat(list(windows))[places] if places else torch.empty(0, labels))
        counts.append(len(places))
    return torch.cat(rows), tuple(counts)


def _rules(head: nn.Module, meaning: Meaning) -> tuple[Tensor, Tensor, Tensor]:
    """Scores of a first label, of neighbours and of a last one; -inf for what cannot be."""
    count = len(meaning.labels)
    start, transitions, end = torch.zeros(count), torch.zeros(count, count), torch.zeros(count)
    if isinstance(head, CrfHead):
        learned = (head.crf.start, head.crf.transitions, head.crf.end)
        start, transitions, end = (one.detach().float().cpu().clone() for one in learned)
    if meaning.kind == "entities":
        for number, label in enumerate(meaning.labels):
            if label.startswith("I-"):
                start[number] = -torch.inf
                before = [other in (f"B-{label[2:]}", label) for other in meaning.labels]
                transitions[~torch.tensor(before), number] = -torch.inf
    return start, transitions, end
