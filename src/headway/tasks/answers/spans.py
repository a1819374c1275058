"""From the starts and ends that a head found in windows to answers in a text.

In each window, start and end are probabilities over the tokens of the context and the null place,
the window's first token, which says that the answer is not there. The score of a stretch is
P(start) P(end) in its window. Within one window that gives the order of BERT's run_squad.py, which
adds up logits; over several it is the sounder one, since each window's logits may be shifted by
a number of their own that training never sees. As there, a question has no answer as far as the
least sure of its windows says so.

Source: Devlin et al. 2018, arXiv 1810.04805, section 4.3; windows as in Clark & Gardner 2018,
arXiv 1710.10723 (its "no-answer option").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from headway.tasks.answers.passages import Passage, Places

__all__ = ["MOST_TOKENS", "Found", "Span", "best_spans", "spans_in", "without_answer"]

MOST_TOKENS = 30
"""Tokens of the longest answer, as in run_squad.py."""

Floats = npt.NDArray[np.float64]

Found = Sequence[Floats]
"""What a model says of a passage: for each window log-probabilities [1 + tokens of the context, 2]
of start and end; the first row is the null place."""


@dataclass(frozen=True)
class Span:
    """A stretch of a context.

    Attributes:
        start, end: in characters.
        score: log-probability of the stretch in the window that is surest of it.
    """

    start: int
    end: int
    score: float


def spans_in(
    passage: Passage, found: Found, *, top: int = 1, most_tokens: int = MOST_TOKENS
) -> list[Span]:
    """The best stretches of a context, best first, none of which touches another.

    Args:
        passage: as it was read.
        found: what the model says of it.
        top: how many at most.
        most_tokens: of a stretch.
    """
    spans = [
        span
        for places, scores in zip(passage.offsets, found, strict=True)
        for span in _first_spans(passage.context, places, scores, top, most_tokens)
    ]
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: -span.score):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
        if len(kept) == top:
            break
    return kept


def without_answer(found: Found) -> float:
    """Log-probability that there is no answer, in the window that is least sure of it."""
    return min(float(scores[0].sum()) for scores in found)


def best_spans(scores: Floats, most_tokens: int) -> Iterator[tuple[int, int, float]]:
    """First token, last token and score of the best stretches of a window, best first.

    None shares a token with another. Tokens are counted from the context's first.

    >>> scores = np.log([[0.1, 0.1], [0.6, 0.2], [0.1, 0.5], [0.2, 0.2]])
    >>> [(first, last) for first, last, _ in best_spans(scores, 2)]
    [(0, 1), (2, 2)]
    """
    starts, ends = scores[1:].T
    if not len(starts):
        return
    width = min(most_tokens, len(starts))
    behind = np.concatenate([ends, np.full(width - 1, -np.inf)])
    # [tokens, width]: a stretch from each token that is 1, 2, ... tokens long
    sums = starts[:, None] + sliding_window_view(behind, width)
    while np.isfinite(best := sums.max()):
        first, longer = divmod(int(sums.argmax()), width)
        last = first + longer
        yield first, last, float(best)
        for before in range(max(0, first - width + 1), first):
            sums[before, first - before :] = -np.inf  # those that reach into it
        sums[first : last + 1] = -np.inf


def _first_spans(
    context: str, places: Places, scores: Floats, top: int, most_tokens: int
) -> list[Span]:
    """The best stretches of one window, as characters without white space around them."""
    spans: list[Span] = []
    for first, last, score in best_spans(scores, most_tokens):
        covered = places[first : last + 1]
        covered = covered[covered[:, 0] < covered[:, 1]]
        if not len(covered):
            continue
        start, end = int(covered[:, 0].min()), int(covered[:, 1].max())
        text = context[start:end]
        start += len(text) - len(text.lstrip())
        end = start + len(text.strip())
        if start < end:
            spans.append(Span(start, end, score))
        if len(spans) == top:
            break
    return spans
