"""A text while it is written, and when it is."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from headway.generate.guides import Guide

__all__ = ["Text", "Written", "draw_for"]


@dataclass(eq=False)
class Text:
    """A text that is being written, or one of several beginnings of it.

    Attributes:
        prompt: what the decoder was fed first.
        number: of the prompt.
        limit: most new tokens.
        limit_says: what a text that reaches it was stopped by.
        draw: random numbers of this text alone.
        guide: what it may go on with, or None.
        ids: written so far.
        log_probabilities: of each of them by the model, where they are asked for.
        alternatives: token -> log-probability, the likeliest at each place, where asked for.
        stopped_by: why it ended; None while it has not.
        score: of its beam, or None.
        drafted: tokens that a draft model proposed.
        accepted: how many of them were kept.
    """

    prompt: Sequence[int]
    number: int = 0
    limit: int = 20
    limit_says: str = "max_new_tokens"
    draw: random.Random = field(default_factory=lambda: random.Random(0))
    guide: Guide | None = None
    ids: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)
    alternatives: list[dict[int, float]] = field(default_factory=list)
    stopped_by: str | None = None
    score: float | None = None
    drafted: int = 0
    accepted: int = 0

    @property
    def all_ids(self) -> list[int]:
        """Prompt and what was written."""
        return [*self.prompt, *self.ids]

    def fork(self) -> Text:
        """A second text with the same beginning."""
        made = Text(self.prompt, self.number, self.limit, self.limit_says, self.draw)
        made.guide = self.guide.fork() if self.guide is not None else None
        made.ids = self.ids.copy()
        made.log_probabilities = self.log_probabilities.copy()
        made.alternatives = self.alternatives.copy()
        return made


@dataclass(frozen=True)
class Written:
    """What was written for one prompt.

    Attributes:
        text: without the end token, and without a stop text and what follows it.
        ids: tokens of the text, the end token left out; the last ones may hold a stop text.
        log_probabilities: of each id by the model, natural logarithms, before any penalty,
            temperature or constraint.
        stopped_by: "end" (an end token), "stop" (a stop text), "max_new_tokens" (that or
            max_length), "context" (the model takes no more), "constraint" (the text is whole), or
            "nothing_left" (every token was forbidden).
        tokens: how many the prompt had ("prompt") and how many ids there are ("new").
        prompt: number of the prompt.
        score: of a beam, log-probability / length ** length_penalty; None otherwise.
        alternatives: at each place the likeliest tokens: id -> log-probability.
        acceptance: share of the draft model's tokens that were kept; None without one.
    """

    text: str
    ids: list[int]
    log_probabilities: list[float]
    stopped_by: str
    tokens: dict[str, int]
    prompt: int = 0
    score: float | None = None
    alternatives: list[dict[int, float]] = field(default_factory=list)
    acceptance: float | None = None


def draw_for(seed: int, prompt: Sequence[int], sequence: int) -> random.Random:
    """Random numbers that depend on what is asked, not on the batch it is asked in.

    >>> draw_for(0, [1, 2], 0).random() == draw_for(0, [1, 2], 0).random()
    True
    """
    told = f"{seed} {sequence} {' '.join(map(str, prompt))}".encode()
    digest = hashlib.blake2b(told, digest_size=16).digest()
    return random.Random(int.from_bytes(digest, "little"))
