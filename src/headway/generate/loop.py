"""One token a step, all texts in one ragged batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from headway.generate.choosing import Choose
from headway.generate.ends import Ends
from headway.generate.reader import Reader
from headway.generate.record import Record
from headway.generate.rules import Rules
from headway.generate.text import Text

__all__ = ["one_by_one", "read_prompts", "still_open"]


def one_by_one(
    reader: Reader,
    texts: Sequence[Text],
    *,
    rules: Rules,
    choose: Choose,
    ends: Ends,
    record: Record | None = None,
) -> Iterator[None]:
    """Writes texts, a token of each a step.

    Args:
        reader: with a place for each different prompt, in the order of `texts`.
        texts: several of one prompt stand together; they grow in place.
        rules: what may be written.
        choose: picks the next token from the logits.
        ends: adds tokens and ends texts.
        record: notes log-probabilities, or None.

    Yields:
        After each step.
    """
    active = list(texts)
    logits = read_prompts(reader, active)
    while active:
        scores = rules(logits, active)
        tokens = choose(scores, active).tolist()
        if record is not None:
            record(logits, active, tokens)
        left = (
            scores.amax(-1).isneginf().tolist() if scores is not logits else [False] * len(active)
        )
        for text, token, nothing in zip(active, tokens, left, strict=True):
            if nothing:
                text.stopped_by = "nothing_left"
            else:
                ends.add(text, token)
        active = still_open(reader, active)
        yield
        if active:
            logits = reader.last([text.ids[-1:] for text in active])


def read_prompts(reader: Reader, texts: Sequence[Text]) -> Tensor:
    """Reads each prompt once: logits behind it for each text, float32 [texts, vocabulary]."""
    firsts = {text.number: text for text in reversed(texts)}
    prompts = [firsts[number].prompt for number in dict.fromkeys(text.number for text in texts)]
    places = {number: place for place, number in enumerate(dict.fromkeys(t.number for t in texts))}
    rows = [places[text.number] for text in texts]
    logits = reader.last(prompts)
    reader.select(rows)
    return logits if rows == list(range(len(prompts))) else logits[torch.tensor(rows)]


def still_open(reader: Reader, texts: Sequence[Text]) -> list[Text]:
    """The texts that go on; the reader forgets the others."""
    open_ = [number for number, text in enumerate(texts) if text.stopped_by is None]
    if open_:
        reader.select(open_)
    return [texts[number] for number in open_]
