"""From characters of a text to bytes of its UTF-8, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headway.errors import TokenizerError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ByteOffsets", "refuse_surrogates_in"]


class ByteOffsets:
    """Where each character of a text begins in its UTF-8.

    Made once for a text, in a walk over it; then each question takes the time of a bisection at
    most. `Encoding`, which does not keep its text, is asked in characters:

    >>> offsets = ByteOffsets("né!")
    >>> offsets.span(1, 3), offsets.char_at(2), offsets.chars(1, 4)
    ((1, 4), 1, (1, 3))

    Args:
        text: any text.

    Raises:
        TokenizerError: the text has half of a surrogate pair, which has no UTF-8.
    """

    __slots__ = ("_begins", "_chars")

    def __init__(self, text: str) -> None:
        import numpy as np

        refuse_surrogates_in(text)
        self._chars = len(text)
        self._begins: np.ndarray | None = None  # an ASCII text has a byte a character
        if not text.isascii():
            codes = np.frombuffer(text.encode("utf-32-le"), "<u4")
            self._begins = np.zeros(len(text) + 1, np.int64)
            sizes = sum((codes > most for most in (0x7F, 0x7FF, 0xFFFF)), np.int8(1))
            np.cumsum(sizes, out=self._begins[1:])

    def __len__(self) -> int:
        """How many bytes the text has."""
        return self.byte(self._chars)

    def byte(self, char: int) -> int:
        """Where a character begins; for the number of characters, where the text ends.

        Raises:
            TokenizerError: the text is shorter.
        """
        if not 0 <= char <= self._chars:
            raise TokenizerError(f"{char} is no character", allowed=f"0 to {self._chars}")
        return char if self._begins is None else int(self._begins[char])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The bytes of characters start..end."""
        return self.byte(start), self.byte(end)

    def char_at(self, byte: int) -> int:
        """The character that a byte is part of; for the number of bytes, where the text ends.

        Raises:
            TokenizerError: the text is shorter.
        """
        if not 0 <= byte <= len(self):
            raise TokenizerError(f"{byte} is no byte", allowed=f"0 to {len(self)}")
        if self._begins is None:
            return byte
        return int(self._begins.searchsorted(byte, "right")) - 1

    def chars(self, start: int, end: int) -> tuple[int, int]:
        """The fewest characters that hold bytes start..end."""
        first, last = self.char_at(start), self.char_at(end)
        return first, last if end <= start or self.byte(last) == end else last + 1


def refuse_surrogates_in(text: str) -> None:
    """Raises a TokenizerError where a text has half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TokenizerError(
            f"character {error.start} of the text is {text[error.start]!r}, half of a "
            "surrogate pair, which is no character",
            next_step="read the text with errors='replace', or remove that character",
        ) from error
