"""Entities as spans: a row of logits for each first word and each last word near it.

A table [words, width, labels + 1] holds a sequence's logits: cell (i, w) is about the words i to
i + w, both included, and counts where there are so many. Number 0 says that they are no entity;
labels are 1, 2, ...

Sources: Yu, Bohnet & Poesio 2020 (arXiv 2005.07150); the product, Dozat & Manning 2017 (arXiv
1611.01734).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headway.core.dropout import Dropout
from headway.core.feedforward import activation
from headway.core.layout import Layout
from headway.errors import DataError

__all__ = ["BiaffineHead", "biaffine_loss", "decode"]

Span = tuple[int, int, int]
"""(first word, last word, label): the words count from 0, labels from 1."""


class BiaffineHead(nn.Module):
    """Scores each span of words by its first word, its last word, and the two together.

    Two small layers say what a state is worth as the first and as the last word; the score of a
    label is start' U end + start' u + end' v + b, with U, u, v and b of that label.

    Each span is judged on its own, so entities may lie in each other. Spans wider than `widest` are
    not scored: work grows with the length, not with its square.

    Args:
        hidden: size of a hidden state.
        labels: how many kinds of entities there are.
        size: of the two layers.
        dropout: rate behind each.
        widest: most words of an entity; wider spans are none for sure.

    >>> [tuple(table.shape) for table in BiaffineHead(4, 2)(torch.ones(5, 4), Layout((3, 2)))]
    [(3, 3, 3), (2, 2, 3)]
    """

    per_token = False

    def __init__(
        self, hidden: int, labels: int, *, size: int = 128, dropout: float = 0.0, widest: int = 32
    ) -> None:
        super().__init__()
        self.labels = labels
        self.widest = widest
        self.start = nn.Sequential(nn.Linear(hidden, size), activation("gelu"), Dropout(dropout))
        self.end = nn.Sequential(nn.Linear(hidden, size), activation("gelu"), Dropout(dropout))
        # Of a first word, for each label: what each number of a last word is worth, and a constant.
        self.pair = nn.Linear(size, (labels + 1) * (size + 1))

    def forward(self, hidden: Tensor, layout: Layout) -> list[Tensor]:
        """[words, hidden] -> a table [n, width, labels + 1] for each sequence of n words.

        The width is `widest`, or n where that is less. Cells that do not count are 0 for no entity
        and -inf for each label.
        """
        starts, ends = self.start(hidden), self.end(hidden)  # [words, size]
        pairs = zip(layout.split(starts), layout.split(ends), strict=True)
        return [self._table(start, end) for start, end in pairs]

    def spans_of(self, words: int) -> int:
        """How many spans of a sequence of so many words it scores.

        >>> BiaffineHead(4, 2).spans_of(3), BiaffineHead(4, 2, widest=2).spans_of(3)
        (6, 5)
        """
        width = min(words, self.widest)
        return words * width - width * (width - 1) // 2

    def _table(self, start: Tensor, end: Tensor) -> Tensor:
        """[n, size] of first and of last words -> [n, width, labels + 1]."""
        words, outputs = len(start), self.labels + 1
        width = min(words, self.widest)
        worth = self.pair(start).view(words, outputs, end.shape[1] + 1)
        if not words:
            return worth.reshape(0, 0, outputs)
        lasts = F.pad(end, (0, 0, 0, width - 1)).unfold(0, width, 1)  # [n, size, width]
        logits = worth[:, :, :-1] @ lasts + worth[:, :, -1:]  # [n, outputs, width]
        none = logits.new_full((outputs,), -torch.inf)
        none[0] = 0.0
        table = logits.transpose(1, 2)  # [n, width, outputs]
        return torch.where(_counted(table)[:, :, None], table, none)


def biaffine_loss(tables: Sequence[Tensor], spans: Sequence[Iterable[Span]]) -> Tensor:
    """Cross-entropy of the right label of each span, or none: float32 [cells that count].

    An entity that is wider than what the head scores cannot be learned, and takes no part. Of two
    with the same words the last one counts.

    Args:
        tables: as the head makes them.
        spans: the entities of each sequence.

    Raises:
        DataError: an entity of words or a label that are not there.
        ValueError: there are not as many tables as lists of entities.

    >>> biaffine_loss([torch.zeros(2, 2, 3)], [[(0, 1, 2)]])  # log 3: nothing is known
    tensor([1.0986, 1.0986, 1.0986])
    """
    logits, targets = [], []
    for table, entities in zip(tables, spans, strict=True):
        right = torch.zeros(table.shape[:2], dtype=torch.int64)
        for first, last, label in entities:
            if not (0 <= first <= last < len(table) and 0 < label < table.shape[2]):
                raise DataError(
                    f"entity {(first, last, label)} in {len(table)} words",
                    allowed=f"(first word, last word, label from 1 to {table.shape[2] - 1})",
                )
            if last - first < table.shape[1]:
                right[first, last - first] = label
        counted = _counted(table)
        logits.append(table[counted])
        targets.append(right.to(table.device)[counted])
    if not logits:
        return torch.zeros(0)
    return F.cross_entropy(torch.cat(logits).float(), torch.cat(targets), reduction="none")


@torch.no_grad()
def decode(table: Tensor, *, nested: bool = False) -> list[tuple[int, int, int, float]]:
    """The entities that a table speaks of, the surest first, as long as they fit together.

    Args:
        table: of one sequence, [words, width, labels + 1].
        nested: whether an entity may lie in another one. Two that overlap in part never stand
            beside each other.

    Returns:
        (first word, last word, label from 1, probability), in the order of the text; of those that
        begin with the same word the longest comes first.

    >>> table = torch.zeros(3, 3, 2)
    >>> table[0, 1, 1], table[1, 0, 1], table[1, 1, 1] = 4.0, 3.0, 2.0
    >>> [span[:3] for span in decode(table)], [span[:3] for span in decode(table, nested=True)]
    ([(0, 1, 1)], [(0, 1, 1), (1, 1, 1)])
    """
    first, further = (_counted(table) & (table.argmax(dim=-1) > 0)).nonzero(as_tuple=True)
    last, logits = first + further, table[first, further].float()  # [spans], [spans, labels + 1]
    best, label = logits.max(dim=-1, keepdim=True)  # [spans, 1]
    others = logits.scatter(1, label, -torch.inf).logsumexp(dim=-1)
    odds = best.squeeze(1) - others  # of which many differ whose probability rounds to 1
    order = odds.argsort(descending=True, stable=True)
    columns = (first[order], last[order], label[order, 0], odds[order].sigmoid())
    found = zip(*(column.tolist() for column in columns), strict=True)
    fits = _Nested(len(table)) if nested else _Flat(len(table))
    chosen = [span for span in found if fits.take(span[0], span[1])]
    return sorted(chosen, key=lambda span: (span[0], -span[1]))


def _counted(table: Tensor) -> Tensor:
    """The cells whose last word is there, bool [words, width]."""
    words, width, _ = table.shape
    first = torch.arange(words, device=table.device)[:, None]
    return first + torch.arange(width, device=table.device) < words


class _Flat:
    """Spans that share no word."""

    def __init__(self, words: int) -> None:
        self.taken = bytearray(words)

    def take(self, first: int, last: int) -> bool:
        """Takes a span if it can stand beside those taken; says whether it could."""
        if any(self.taken[first : last + 1]):
            return False
        self.taken[first : last + 1] = b"\1" * (last + 1 - first)
        return True


class _Nested:
    """Spans that share no word, or of which one lies in the other."""

    def __init__(self, words: int) -> None:
        self.last = list(range(words))  # of the widest span taken that begins at each word
        self.first = list(range(words))  # of the widest span taken that ends at each word

    def take(self, first: int, last: int) -> bool:
        """Takes a span if it can stand beside those taken; says whether it could."""
        if max(self.last[first + 1 : last + 1], default=last) > last:
            return False
        if min(self.first[first:last], default=first) < first:
            return False
        self.last[first] = max(self.last[first], last)
        self.first[last] = min(self.first[last], first)
        return True
