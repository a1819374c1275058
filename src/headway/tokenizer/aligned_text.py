"""A piece of text that knows, character by character, where in the original text it comes from.

Everything that changes a text before it is cut into tokens goes through the few operations here,
so that a token can always be traced back. The conventions are those of the `tokenizers` package:

- a character that replaces another stands for what the other stood for;
- a character that is inserted stands for what its left neighbour stands for, and for what its
  right neighbour stands for at the beginning of the text;
- a character that is deleted is covered by no token;
- a composed character (e + accent -> é) stands for its first part.

An alignment of None means that character i stands for original character shift + i. Most text
stays that way through the whole pipeline, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["AlignedText"]


class AlignedText:
    """A text with alignments; never changed in place.

    >>> piece = AlignedText("Straße").expand(["s", "t", "r", "a", "ss", "e"])
    >>> piece.text, piece.span(4, 6)
    ('strasse', (4, 5))
    """

    __slots__ = ("_ends", "_starts", "shift", "text")

    def __init__(
        self,
        text: str,
        shift: int = 0,
        starts: list[int] | None = None,
        ends: list[int] | None = None,
    ) -> None:
        self.text, self.shift, self._starts, self._ends = text, shift, starts, ends

    @property
    def origin(self) -> int:
        """Where in the original text this piece begins."""
        return self._starts[0] if self._starts else self.shift

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original characters that characters start..end stand for, as a half-open span."""
        if self._starts is None or self._ends is None:
            return self.shift + start, self.shift + end
        if start == end:
            place = self._starts[start] if start < len(self._starts) else self.shift
            return place, place
        return self._starts[start], self._ends[end - 1]

    def slice(self, start: int, end: int) -> AlignedText:
        """Characters start..end as a piece of their own."""
        if self._starts is None or self._ends is None:
            return AlignedText(self.text[start:end], self.shift + start)
        starts = self._starts[start:end]
        shift = starts[0] if starts else self.shift
        return AlignedText(self.text[start:end], shift, starts, self._ends[start:end])

    def with_text(self, text: str) -> AlignedText:
        """The same alignments under a text of the same length."""
        return AlignedText(text, self.shift, self._starts, self._ends)

    def expand(self, pieces: Sequence[str]) -> AlignedText:
        """Replaces each character by a string (empty deletes it), one string a character."""
        text = "".join(pieces)
        if len(text) == len(pieces) and "" not in pieces:
            return self.with_text(text)
        starts, ends = self._lists()
        lengths = [len(piece) for piece in pieces]
        return AlignedText(
            text,
            self.shift,
            [start for start, n in zip(starts, lengths, strict=True) for _ in range(n)],
            [end for end, n in zip(ends, lengths, strict=True) for _ in range(n)],
        )

    def regroup(self, groups: Iterable[tuple[str, int]]) -> AlignedText:
        """Replaces runs of characters: each group is a string and how many characters it replaces.

        Character i of the string stands for character i of its run; where the string is longer,
        the rest of it stands for the last character of the run.
        """
        parts: list[str] = []
        sources: list[int] = []
        place = 0
        for string, count in groups:
            parts.append(string)
            sources.extend(place + min(i, count - 1) for i in range(len(string)))
            place += count
        return self._gather("".join(parts), sources)

    def transform(self, edits: Sequence[tuple[str, int]]) -> AlignedText:
        """Rebuilds the text from edits (character, change), read from left to right.

        Change 0 takes the place of the next character, -n takes the place of the next one and
        swallows n more, 1 is inserted.
        """
        sources: list[int] = []
        place = 0
        for _, change in edits:
            if change > 0:
                sources.append(max(place - 1, 0))
            else:
                sources.append(place)
                place += 1 - change
        return self._gather("".join(character for character, _ in edits), sources)

    def substitute(self, spans: Iterable[tuple[int, int]], content: str) -> AlignedText:
        """Replaces each of the spans, which are in order, by a content.

        All of the content stands for the last character of what it replaces.
        """
        parts: list[str] = []
        sources: list[int] = []
        place = 0
        for start, end in spans:
            parts += (self.text[place:start], content)
            sources += range(place, start)
            sources += [max(end - 1, 0)] * len(content)
            place = end
        parts.append(self.text[place:])
        sources += range(place, len(self.text))
        return self._gather("".join(parts), sources)

    def prepend(self, content: str) -> AlignedText:
        """Puts a content before a text that is not empty."""
        if not self.text:
            return self
        return self._gather(content + self.text, [0] * len(content) + [*range(len(self.text))])

    def _lists(self) -> tuple[list[int], list[int]]:
        if self._starts is None or self._ends is None:
            count = len(self.text)
            starts = [*range(self.shift, self.shift + count)]
            return starts, [*range(self.shift + 1, self.shift + count + 1)]
        return self._starts, self._ends

    def _gather(self, text: str, sources: list[int]) -> AlignedText:
        if len(text) == len(self.text) and sources == [*range(len(text))]:
            return self.with_text(text)
        starts, ends = self._lists()
        return AlignedText(
            text, self.shift, [starts[i] for i in sources], [ends[i] for i in sources]
        )
