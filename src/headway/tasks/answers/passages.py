"""A question and its context as a model reads them: windows that know their places.

The question stands whole in every window; the context is cut, and neighbouring windows share a
quarter of the room that the question leaves, unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
import numpy.typing as npt

from headway.errors import TokenizerError
from headway.tokenizer import Tokenizer
from headway.windows import Windowed, window_texts

__all__ = ["Passage", "read_passage"]

Places = npt.NDArray[np.int32]
"""Where tokens lie, in characters: [tokens, 2], start and end."""


@dataclass(frozen=True, eq=False)
class Passage(Windowed):
    """One question and its context.

    Attributes:
        question: the whole text.
        context: the same; an answer is a stretch of it.
        firsts: of each window, which of its tokens is the context's first.
        offsets: of each window, where the tokens of its context lie in the context.
        holding: which windows hold an answer; nobody knows before there are targets.
    """

    question: str = ""
    context: str = ""
    firsts: list[int] = field(default_factory=list)
    offsets: list[Places] = field(default_factory=list)
    holding: list[int] = field(default_factory=list)

    def drawn(self, chance: Random, most: int | None) -> list[int]:
        """Half of them hold an answer, if so many do: of a long context hardly any does."""
        if most is None or len(self.ids) <= most or not self.holding:
            return Windowed.drawn(self, chance, most)
        telling = chance.sample(self.holding, min(len(self.holding), max(1, most // 2)))
        others = [number for number in range(len(self.ids)) if number not in telling]
        return sorted([*telling, *chance.sample(others, most - len(telling))])

    def span(self, start: int, end: int) -> list[tuple[int, int] | None]:
        """The first and the last token of characters start..end, in each window.

        They are counted in the whole window; None where it does not hold all of these characters.
        """
        last = len(self.offsets) - 1
        found: list[tuple[int, int] | None] = []
        for number, (first, places) in enumerate(zip(self.firsts, self.offsets, strict=True)):
            starts, ends = places[:, 0], places[:, 1]
            inside = np.flatnonzero((starts < end) & (ends > start))
            # What stands before the first token of all, or behind the last, no window holds.
            whole = len(inside) and (
                (number == 0 or starts[0] <= start) and (number == last or ends[-1] >= end)
            )
            found.append((first + int(inside[0]), first + int(inside[-1])) if whole else None)
        return found


def read_passage(
    tokenizer: Tokenizer,
    pair: tuple[str, str],
    *,
    size: int | None,
    stride: int | None = None,
    number: int = 0,
) -> Passage:
    """Encodes a question and its context, in as many windows as the context needs.

    Args:
        tokenizer: of the model.
        pair: the question and the context.
        size: most tokens of a window, special tokens included; None = no limit.
        stride: tokens of the context that neighbouring windows share; None = a quarter of the room.
        number: of the row, for messages.

    Raises:
        TokenizerError: the question leaves no room, or a text cannot be encoded.
        ConfigError: something is no text, or the two have no tokens at all.
    """
    question, context = pair
    try:
        (read,) = window_texts(
            tokenizer, [pair], size=size, stride=stride, first=number, places=True, cut=1
        )
    except TokenizerError as error:
        raise _no_room(tokenizer, question, size, number) or error from None
    firsts, offsets = [], []
    for window in read.places:
        whose: Sequence[int | None] = window.sequence_ids
        count = whose.count(1)
        first = whose.index(1) if count else len(whose)
        firsts.append(first)
        places = np.array(window.offsets[first : first + count], dtype=np.int32)
        offsets.append(places.reshape(-1, 2))
    return Passage(
        read.ids,
        read.segments,
        read.tokens,
        question=question,
        context=context,
        firsts=firsts,
        offsets=offsets,
    )


def _no_room(
    tokenizer: Tokenizer, question: str, size: int | None, number: int
) -> TokenizerError | None:
    """The error where a question leaves no token of its context in a window."""
    try:
        taken, own = tokenizer.count(question, ""), tokenizer.count(question, special=False)
    except TokenizerError:  # a text that is none, which was said already
        return None
    if size is None or taken < size:
        return None
    return TokenizerError(
        f"row {number}: the question has {own} tokens, and a window {size}, of which special "
        f"tokens take {taken - own}",
        allowed=f"a question of at most {size - 1 - (taken - own)} tokens",
        next_step=f"shorten {question!r:.60}, or read longer windows",
    )
