"""Texts made worse, for an encoder-decoder to mend: what it reads, and what it is to write.

A noise is a function: (ids of a text without special tokens, what stands in for what is gone,
random numbers) -> (what is read, what is to be written), both without special tokens around them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

__all__ = ["NOISES", "Marks", "Noise", "infilling", "spans"]

SHARE, LENGTH = 0.15, 3
"""Of `spans`: how much of a text is left out, and tokens of a span on average."""
FILLED, POISSON = 0.3, 3.0
"""Of `infilling`: how much of a text is masked, and tokens behind a mask on average."""


@dataclass(frozen=True)
class Marks:
    """What stands in for what is gone.

    Attributes:
        mask: for any of it, or None where the tokenizer has no such token.
        sentinels: for the first part, the second, and so on.
        ends: tokens that end a sentence.
    """

    mask: int | None = None
    sentinels: tuple[int, ...] = ()
    ends: frozenset[int] = frozenset()


Noise = Callable[[Sequence[int], Marks, torch.Generator | None], tuple[list[int], list[int]]]


def spans(
    ids: Sequence[int], marks: Marks, generator: torch.Generator | None
) -> tuple[list[int], list[int]]:
    """T5's: spans are left out, each for a sentinel, and the spans are written behind theirs.

    Spans and what lies between them have random lengths; their numbers are fixed: 15 in 100 tokens
    in spans of three on average.

    >>> marks = Marks(sentinels=(90, 91, 92))
    >>> spans(list(range(10)), marks, torch.Generator().manual_seed(1))
    ([0, 1, 2, 3, 4, 5, 6, 7, 90], [90, 8, 9])

    Source: Raffel et al. 2019, arXiv 1910.10683, section 3.1.4.
    """
    total = len(ids)
    gone = min(max(1, round(total * SHARE)), total - 1)
    if gone < 1:
        return list(ids), []
    count = min(max(1, round(gone / LENGTH)), total - gone, len(marks.sentinels))
    lost = _parted(gone, count, generator)
    kept = _parted(total - gone, count, generator)
    read, written, place = [], [], 0
    for sentinel, before, length in zip(marks.sentinels, kept, lost, strict=False):
        read += [*ids[place : place + before], sentinel]
        place += before
        written += [sentinel, *ids[place : place + length]]
        place += length
    return read, written


def infilling(
    ids: Sequence[int], marks: Marks, generator: torch.Generator | None
) -> tuple[list[int], list[int]]:
    """BART's: spans of any length, none among them, become one mask each; sentences are shuffled.
    The whole text is written.

    Source: Lewis et al. 2019, arXiv 1910.13461, section 2.2: text infilling of 30 in 100 tokens,
    span lengths of Poisson's distribution at 3, and sentence permutation.
    """
    assert marks.mask is not None
    shuffled = _shuffled(ids, marks.ends, generator)
    left = round(FILLED * len(ids))
    spans: dict[int, int] = {}
    free = torch.randperm(len(ids), generator=generator).tolist()
    lengths = torch.poisson(torch.full((len(ids),), POISSON), generator=generator).int().tolist()
    taken = [False] * len(ids)
    for start, length in zip(free, lengths, strict=True):
        if left <= 0:
            break
        length = min(length, left, len(ids) - start)
        if start in spans or any(taken[start : start + max(1, length)]):
            continue
        spans[start] = length
        taken[start : start + length] = [True] * length
        left -= length
    read, place = [], 0
    while place < len(ids):
        if place in spans:
            read.append(marks.mask)
            if spans[place]:
                place += spans[place]
                continue
        read.append(shuffled[place])
        place += 1
    return read, list(ids)


NOISES: dict[str, Noise] = {"spans": spans, "infilling": infilling}
"""Name -> noise."""


def _parted(total: int, count: int, generator: torch.Generator | None) -> list[int]:
    """So many numbers of 1 or more, of this sum; any such row of numbers is as likely."""
    cuts = sorted((torch.randperm(total - 1, generator=generator)[: count - 1] + 1).tolist())
    return [end - start for start, end in zip([0, *cuts], [*cuts, total], strict=True)]


def _shuffled(
    ids: Sequence[int], ends: frozenset[int], generator: torch.Generator | None
) -> list[int]:
    """The sentences of a text in an order by chance."""
    sentences: list[list[int]] = [[]]
    for token in ids:
        sentences[-1].append(token)
        if token in ends:
            sentences.append([])
    order = torch.randperm(len(sentences), generator=generator).tolist()
    return [token for number in order for token in sentences[number]]
