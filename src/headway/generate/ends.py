"""When a text ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from headway.generate.text import Text
from headway.tokenizer import Tokenizer

__all__ = ["Ends", "before_stop"]

SLACK = 8
"""Tokens looked at beyond a stop text's own: the first ones may decode differently alone."""


class Ends:
    """Adds tokens to texts, and ends them.

    Args:
        tokens: end tokens.
        stop: stop texts.
        tokenizer: decodes; None where there are no stop texts.
        forced: whether a text's last token is an end token whatever the model says.
    """

    def __init__(
        self,
        tokens: Collection[int],
        stop: Sequence[str] = (),
        tokenizer: Tokenizer | None = None,
        *,
        forced: bool = False,
    ) -> None:
        self.tokens = frozenset(tokens)
        self.stop = stop
        self.tokenizer = tokenizer
        self.forced = forced
        self.window = max((len(text.encode()) for text in stop), default=0) + SLACK

    def add(self, text: Text, token: int) -> None:
        """Writes a token: a text's `ids` and `stopped_by` say what became of it."""
        if token in self.tokens:
            at_limit = self.forced and len(text.ids) == text.limit - 1
            text.stopped_by = text.limit_says if at_limit else "end"
            return
        text.ids.append(token)
        if text.guide is not None:
            text.guide.take(token)
        if self._stops(text):
            text.stopped_by = "stop"
        elif text.guide is not None and (text.guide.done or (text.guide.whole and not self.tokens)):
            text.stopped_by = "constraint"
        elif len(text.ids) >= text.limit:
            text.stopped_by = text.limit_says

    def _stops(self, text: Text) -> bool:
        if not self.stop or self.tokenizer is None:
            return False
        end = self.tokenizer.decode(text.ids[-self.window :])
        if not any(stop in end for stop in self.stop):
            return False
        whole = self.tokenizer.decode(text.ids)
        return any(stop in whole for stop in self.stop)


def before_stop(text: str, stop: Sequence[str]) -> str:
    """What stands before the stop text that is whole first, read character by character.

    >>> before_stop("one. two! three.", [".", "!"])
    'one'
    """
    places = [(place + len(each), place) for each in stop if (place := text.find(each)) >= 0]
    return text[: min(places)[1]] if places else text
