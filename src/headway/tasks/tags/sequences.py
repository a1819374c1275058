"""A tag for each word: what is to be learned of the words that a window speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.heads import CrfHead
from headway.heads.losses import single_label
from headway.model import Model
from headway.tasks.tags.truth import output_numbers
from headway.tasks.tags.word_places import Placed
from headway.training.collate import Batch, window_logits

__all__ = ["WindowTags", "tag_loss", "tag_targets"]


@dataclass(frozen=True)
class WindowTags:
    """What is to be learned of a window.

    Attributes:
        tokens: the tokens that speak for words.
        labels: the right output for each.
    """

    tokens: list[int]
    labels: list[int]


def tag_targets(
    texts: Sequence[Placed], tags: Sequence[Sequence[str]], labels: Sequence[str]
) -> list[list[WindowTags]]:
    """Of each window of each text, the words that have their speaker there, and their tags.

    Args:
        texts: as they are read.
        tags: of their words.
        labels: the head's outputs.

    Raises:
        DataError: a tag is none of the labels.
    """
    numbers = output_numbers(tags, labels)
    found = []
    for text, row in zip(texts, tags, strict=True):
        windows = [WindowTags([], []) for _ in text.ids]
        for tag, place in zip(row, text.speakers, strict=True):
            if place is not None:
                windows[place[0]].tokens.append(place[1])
                windows[place[0]].labels.append(numbers[tag])
        found.append(windows)
    return found


def tag_loss(model: Model, batch: Batch, targets: Sequence[Sequence[WindowTags]]) -> Tensor:
    """Cross-entropy of the words' tags; under a CRF, of the whole sequence of them."""
    logits, layout = window_logits(model, batch)
    chosen = [
        targets[row][number]
        for row, numbers in zip(batch.rows, batch.numbers, strict=True)
        for number in numbers
    ]
    starts = layout.boundaries.tolist()
    places = [
        start + token
        for start, window in zip(starts, chosen, strict=False)
        for token in window.tokens
    ]
    labels = torch.tensor(
        [label for window in chosen for label in window.labels], device=logits.device
    )
    words = logits[torch.tensor(places, device=logits.device, dtype=torch.int64)]
    if isinstance(model.head, CrfHead):
        counts = Layout(tuple(len(window.labels) for window in chosen), device=logits.device)
        return model.head.crf.loss(words, labels, counts)
    # A batch of empty texts has no words, and nothing to learn.
    return single_label(words, labels) if places else logits.sum() * 0.0
