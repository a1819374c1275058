"""Speculative decoding: a small model drafts some tokens, the large one reads them all at once.

What is written is what the large model alone would write: its likeliest tokens, or draws from its
own distribution. Source: Leviathan et al. 2022, arXiv 2211.17192.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from headway.generate.choosing import distribution, pick
from headway.generate.ends import Ends
from headway.generate.filters import Filter
from headway.generate.loop import still_open
from headway.generate.reader import Reader
from headway.generate.record import Record
from headway.generate.rules import Rules
from headway.generate.text import Text

__all__ = ["Spread", "speculate"]


@dataclass(frozen=True)
class Spread:
    """Logits as the distribution that tokens come from, behind the rules.

    Attributes:
        rules: what may be written.
        filters: what is drawn among; None takes the likeliest token.
    """

    rules: Rules
    filters: Sequence[Filter] | None

    def __call__(self, logits: Tensor, texts: Sequence[Text]) -> Tensor:
        """[n, vocabulary] -> probabilities, float64 [n, vocabulary]."""
        scores = self.rules(logits, texts)
        if self.filters is not None:
            return distribution(scores, self.filters).nan_to_num()  # 0 everywhere: nothing is left
        likeliest = scores.max(-1, keepdim=True)
        sure = likeliest.values.isfinite().double()
        return torch.zeros_like(scores, dtype=torch.float64).scatter_(1, likeliest.indices, sure)


def speculate(
    reader: Reader,
    draft: Reader,
    texts: Sequence[Text],
    *,
    ahead: int,
    longest: int | None = None,
    spread: Spread,
    ends: Ends,
    record: Record | None = None,
) -> Iterator[None]:
    """Writes texts, some tokens of each a step.

    Args:
        reader: of the large model, with a place for each text.
        draft: of the small one, likewise.
        texts: they grow in place, without guides; `drafted` and `accepted` count.
        ahead: most tokens drafted a step.
        longest: most tokens the small model reads; behind them nothing is drafted.
        spread: what both models' tokens come from.
        ends, record: as for `one_by_one`.

    Yields:
        After each step.
    """

    def room(text: Text) -> int:
        """How many tokens may be drafted for a text; the large model adds one."""
        left = text.limit - len(text.ids) - 1
        return left if longest is None else min(left, longest - len(text.prompt) - len(text.ids))

    active = list(texts)
    unread = {reader: [list(text.prompt) for text in active]}
    unread[draft] = [list(chunk) for chunk in unread[reader]]
    while active:
        counts = [max(0, min(ahead, room(text))) for text in active]
        drafts = _draft(draft, active, unread[draft], counts, spread)
        chunks = [
            [*chunk, *made.tokens] for chunk, made in zip(unread[reader], drafts, strict=True)
        ]
        states, layout = reader.states(chunks)
        wanted = [
            end - back
            for end, made in zip(layout.boundaries[1:].tolist(), drafts, strict=True)
            for back in range(len(made.tokens) + 1, 0, -1)
        ]
        logits = reader.logits(states[wanted]).split([len(made.tokens) + 1 for made in drafts])
        for text, made, rows in zip(active, drafts, logits, strict=True):
            _judge(text, made, rows, spread, ends, record)
        lengths = [len(text.prompt) + len(text.ids) for text in active]
        for each in (reader, draft):
            # Drafts that are kept were read; the large model's own token behind them was not.
            read = [min(old, new - 1) for old, new in zip(each.lengths, lengths, strict=True)]
            each.rewind(read)
            pairs = zip(active, read, strict=True)
            unread[each] = [
                text.all_ids[start:] for text, start in pairs if text.stopped_by is None
            ]
            still_open(each, active)
        active = [text for text in active if text.stopped_by is None]
        yield


@dataclass
class _Draft:
    """What the small model proposes for a text: tokens, and the distribution each came from."""

    tokens: list[int]
    spreads: list[Tensor]


def _draft(
    draft: Reader,
    texts: Sequence[Text],
    unread: Sequence[Sequence[int]],
    counts: Sequence[int],
    spread: Spread,
) -> list[_Draft]:
    """So many tokens of each text, one by one."""
    made = [_Draft([], []) for _ in texts]
    chunks = [list(chunk) for chunk in unread]
    for done in range(max(counts)):
        going = [number for number, count in enumerate(counts) if count > done]
        waiting = [chunk if counts[n] > done else [] for n, chunk in enumerate(chunks)]
        states, layout = draft.states(waiting)
        rows = layout.boundaries[1:][layout.counts > 0] - 1
        beginnings = []
        for number in going:
            beginning = texts[number].fork()
            beginning.ids += made[number].tokens
            beginnings.append(beginning)
        spreads = spread(draft.logits(states[rows]), beginnings)
        tokens = pick(spreads, [text.draw.random() for text in beginnings]).tolist()
        for number, token, row in zip(going, tokens, spreads, strict=True):
            made[number].tokens.append(token)
            made[number].spreads.append(row)
            chunks[number] = [token]
    return made


def _judge(
    text: Text,
    made: _Draft,
    logits: Tensor,
    spread: Spread,
    ends: Ends,
    record: Record | None,
) -> None:
    """Keeps drafted tokens as long as they may be, and adds one of the large model."""
    text.drafted += len(made.tokens)
    for place, row in enumerate(logits.split(1)):
        target = spread(row, [text])[0]
        if not target.any():
            text.stopped_by = "nothing_left"
            return
        drafted = made.tokens[place] if place < len(made.tokens) else None
        if drafted is None:
            kept, token = False, int(pick(target[None], [text.draw.random()]))
        else:
            kept, token = _keep_or_draw(text, drafted, made.spreads[place], target)
        text.accepted += kept
        if record is not None:
            record(row, [text], [token])
        ends.add(text, token)
        if text.stopped_by is not None or not kept:
            return


def _keep_or_draw(text: Text, token: int, small: Tensor, large: Tensor) -> tuple[bool, int]:
    """The drafted token with probability min(1, large / small), or one drawn from what is left."""
    if text.draw.random() * float(small[token]) < float(large[token]):
        return True, token
    rest = (large - small).clamp(min=0.0)
    return False, int(pick(rest[None], [text.draw.random()]))
