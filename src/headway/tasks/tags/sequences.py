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
from headway.training.collate import Batch, Ready, chosen_windows, window_logits

__all__ = ["WindowTags", "collated_tags", "tag_loss", "tag_targets"]


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


def collated_tags(model: Model, batch: Batch, targets: Sequence[Sequence[WindowTags]]) -> Ready:
    """A batch with its windows' tags; counted are words, under a CRF sequences of them."""
    windows = chosen_windows(batch, targets)
    sizes = [len(window.labels) for window in windows]
    paths = isinstance(model.head, CrfHead)
    return Ready(batch, windows, (float(sum(map(bool, sizes)) if paths else sum(sizes)),))


def tag_loss(model: Model, ready: Ready) -> Tensor:
    """Cross-entropy of the words' tags; under a CRF, of the whole sequence of them: the sum."""
    logits, layout = window_logits(model, ready.batch)
    windows: list[WindowTags] = ready.wanted
    starts = layout.boundaries.tolist()
    places = [
        start + token
        for start, window in zip(starts, windows, strict=False)
        for token in window.tokens
    ]
    labels = torch.tensor(
        [label for window in windows for label in window.labels],
        device=logits.device,
        dtype=torch.int64,
    )
    words = logits[torch.tensor(places, device=logits.device, dtype=torch.int64)]
    if isinstance(model.head, CrfHead):
        counts = Layout(tuple(len(window.labels) for window in windows), device=logits.device)
        return model.head.crf.loss(words, labels, counts).sum()
    return single_label(words, labels).sum()
