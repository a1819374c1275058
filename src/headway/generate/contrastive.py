"""Contrastive search: a likely token whose state is unlike those of what was written before.

Source: Su et al. 2022, arXiv 2202.06417.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from headway.generate.ends import Ends
from headway.generate.loop import still_open
from headway.generate.reader import Reader
from headway.generate.record import Record
from headway.generate.rules import Rules
from headway.generate.text import Text

__all__ = ["contrast"]


def contrast(
    reader: Reader,
    texts: Sequence[Text],
    *,
    weight: float,
    candidates: int,
    rules: Rules,
    ends: Ends,
    record: Record | None = None,
) -> Iterator[None]:
    """Writes texts, a token of each a step.

    Among the likeliest tokens the one is taken with the largest
    (1 - weight) * probability - weight * (greatest cosine to an earlier state).

    Args:
        reader: with a place for each text.
        texts: one a prompt; they grow in place.
        weight: 0 to 1; 0 is greedy.
        candidates: likely tokens compared at each place.
        rules, ends, record: as for `one_by_one`.

    Yields:
        After each step.
    """
    active = list(texts)
    states, layout = reader.states([text.prompt for text in active])
    past = [normalize(part.float(), dim=-1) for part in layout.split(states)]
    logits = reader.logits(states[layout.boundaries[1:] - 1])
    while active:
        scores = rules(logits, active)
        count = min(candidates, scores.shape[1])
        best = scores.softmax(-1).topk(count)  # [texts, count]
        reader.select([row for row in range(len(active)) for _ in range(count)])
        states, _ = reader.states([[token] for token in best.indices.flatten().tolist()])
        looks = normalize(states.float(), dim=-1).unflatten(0, (-1, count))
        takes = [
            int(_value(weight, *each).argmax())
            for each in zip(best.values, looks, past, strict=True)
        ]
        tokens = [int(row[take]) for row, take in zip(best.indices, takes, strict=True)]
        if record is not None:
            record(logits, active, tokens)
        reader.select([row * count + take for row, take in enumerate(takes)])
        states = states.unflatten(0, (-1, count))[torch.arange(len(active)), torch.tensor(takes)]
        past = [
            torch.cat([old, look[take : take + 1]])
            for old, look, take in zip(past, looks, takes, strict=True)
        ]
        for text, token in zip(active, tokens, strict=True):
            ends.add(text, token)
        kept = [row for row, text in enumerate(active) if text.stopped_by is None]
        past, states = [past[row] for row in kept], states[kept]
        active = still_open(reader, active)
        yield
        if active:
            logits = reader.logits(states)


def _value(weight: float, probabilities: Tensor, looks: Tensor, past: Tensor) -> Tensor:
    """Of each candidate: probabilities [count], looks [count, hidden], past [tokens, hidden]."""
    alike = (looks @ past.T).amax(-1)
    value = (1 - weight) * probabilities - weight * alike
    return value.masked_fill(probabilities == 0, -torch.inf)
