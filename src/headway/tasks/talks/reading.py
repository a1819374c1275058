"""What is said in rows of dialogues as a model reads it, and how well it finds replies to fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from headway.core.stacks import EncoderDecoder
from headway.errors import ConfigError
from headway.logs import log, progress
from headway.model import Model
from headway.tasks.talks.columns import MARKS, OTHER, SELF, Said, marked
from headway.training.collate import Batch
from headway.training.replies import weigh
from headway.training.targets import ids_to_write
from headway.windows import Windowed, window_texts

__all__ = ["Talk", "read_as_one", "read_in_windows", "weighed"]

ROOM = 40
"""Tokens that are kept free for a reply behind one text, or a quarter of a small model."""

Weight = tuple[float | None, tuple[float, ...]]
"""The summed -log p of the right reply's tokens, if it is known, and the candidates' scores."""


@dataclass(frozen=True)
class Talk(Windowed):
    """Persona and history as the model reads them.

    Attributes:
        used: how many of the tokens are read, where the oldest utterances leave no room.
        choices: the candidates' texts.
        candidates: their tokens, the end token last.
        reply: those of the right reply, or None.
    """

    used: int = 0
    choices: tuple[str, ...] = ()
    candidates: tuple[list[int], ...] = ()
    reply: list[int] | None = None

    def report(self) -> dict[str, int]:
        return {"used": self.used, "total": self.tokens, "windows": len(self.ids)}


def read_in_windows(
    model: Model, inputs: Sequence[Said], *, size: int | None, stride: int | None, first: int
) -> list[Talk]:
    """For an encoder: all of it, in overlapping windows if it is long."""
    texts = [marked(said) for said in inputs]
    windows = window_texts(model.need_tokenizer(), texts, size=size, stride=stride, first=first)
    return [
        _talk(model, said, text.ids, text.segments, text.tokens, text.tokens)
        for said, text in zip(inputs, windows, strict=True)
    ]


def read_as_one(
    model: Model, inputs: Sequence[Said], *, size: int | None, first: int
) -> list[Talk]:
    """For a decoder: one window that leaves room for a reply.

    The oldest utterances are left out where all would not fit, as people forget them first;
    `report` says how much was read.

    Raises:
        ConfigError: persona and last utterance alone are too long.
    """
    tokenizer = model.need_tokenizer()
    speakers = {tokenizer.vocabulary[OTHER], tokenizer.vocabulary[SELF]}
    marks = {tokenizer.vocabulary[mark] for mark in MARKS}
    found = []
    for number, said in enumerate(inputs, first):
        ids = list(tokenizer.encode(marked(said)).ids)
        while ids[-1] != tokenizer.vocabulary[SELF]:
            ids.pop()  # what the tokenizer puts behind a text
        turns = [place for place, token in enumerate(ids) if token in speakers]
        talk = _talk(model, said, [ids], [[0] * len(ids)], 0, 0)
        skipped = 0
        if size is not None:
            room = max([min(ROOM, size // 4), *map(len, talk.candidates), len(talk.reply or ())])
            while len(ids) - (turns[skipped] - turns[0]) > size - room:
                skipped += 1
                if skipped > len(turns) - 2:
                    raise ConfigError(
                        f"text {number}: its persona and its last utterance have "
                        f"{len(ids) - (turns[skipped - 1] - turns[0])} tokens",
                        allowed=f"{size - room}, so that there is room for a reply",
                        next_step="shorten them, or take a model that reads longer texts",
                    )
        kept = ids[: turns[0]] + ids[turns[skipped] :]
        segments = _speakers(kept, marks) if model.checkpoint.speakers else [0] * len(kept)
        total, used = (sum(token not in marks for token in part) for part in (ids, kept))
        found.append(_talk(model, said, [kept], [segments], total, used, talk))
    if short := sum(talk.used < talk.tokens for talk in found):
        log.info(
            "%d of the dialogues leave no room for a reply: their oldest utterances are not read",
            short,
        )
    return found


def _speakers(ids: Sequence[int], marks: Collection[int]) -> list[int]:
    """The mark that each token stands behind; what comes before the first belongs to it."""
    found, speaker = [], next(token for token in ids if token in marks)
    for token in ids:
        speaker = token if token in marks else speaker
        found.append(speaker)
    return found


def _talk(
    model: Model,
    said: Said,
    ids: list[list[int]],
    segments: list[list[int]],
    tokens: int,
    used: int,
    known: Talk | None = None,
) -> Talk:
    """With the replies as the model would write them, unless they are known."""
    if known is not None:
        candidates, reply = known.candidates, known.reply
    else:
        candidates = tuple(ids_to_write(model, text) for text in said.candidates)
        reply = None if said.reply is None else ids_to_write(model, said.reply)
    return Talk(ids, segments, tokens, [], used, said.candidates, candidates, reply)


def weighed(model: Model, texts: Sequence[Talk], *, batch_tokens: int, what: str) -> list[Weight]:
    """How unlikely the right reply is to the model, and how well each candidate fits.

    Args:
        model: that writes.
        texts: as it reads them.
        batch_tokens: most tokens in a forward pass; the replies to one text are read at once.
        what: shown beside the progress bar.
    """
    found: list[Weight] = [(None, ()) for _ in texts]
    every = [_distinct(talk) for talk in texts]
    asked = sorted((n for n, replies in enumerate(every) if replies), key=lambda n: texts[n].length)
    chunks: list[list[int]] = []
    filled = 0
    for number in asked:
        cost = _cost(model, texts[number], every[number])
        if not chunks or filled + cost > batch_tokens:
            chunks.append([])
            filled = 0
        chunks[-1].append(number)
        filled += cost
    with model.parts.predicting():
        for rows in progress(chunks, what):
            batch = Batch(
                rows,
                [window for row in rows for window in texts[row].ids],
                [marks for row in rows for marks in texts[row].segments],
                [list(range(len(texts[row].ids))) for row in rows],
            )
            read = weigh(model, batch, [every[row] for row in rows])
            values = iter(read.scores.tolist())
            for row, nats in zip(rows, read.nats.tolist(), strict=True):
                scores = {reply: next(values) for reply in every[row]}
                known = nats if texts[row].reply is not None else None
                found[row] = known, tuple(scores[tuple(ids)] for ids in texts[row].candidates)
    return found


def _distinct(talk: Talk) -> list[tuple[int, ...]]:
    """Each reply once, the right one first if it is known."""
    own = [] if talk.reply is None else [talk.reply]
    return list(dict.fromkeys(map(tuple, [*own, *talk.candidates])))


def _cost(model: Model, talk: Talk, replies: Sequence[Sequence[int]]) -> int:
    """Tokens whose states are held for them: a decoder's reply has keys and values of its own for
    the prompt, which is read once."""
    times = 1 if isinstance(model.body, EncoderDecoder) else len(replies)
    return times * talk.length + sum(map(len, replies))
