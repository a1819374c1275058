"""Texts of any length as windows that a model can take: nothing is cut off, and it is said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headway.errors import ConfigError
from headway.tokenizer import Encoding, Tokenizer

__all__ = ["Windowed", "default_stride", "window_texts"]

TextOrPair = str | tuple[str, str]


@dataclass(frozen=True)
class Windowed:
    """One text (or pair of texts) as the model reads it.

    Attributes:
        ids: token ids of each window, special tokens included.
        segments: 0 or 1 for each of them (first text, second text).
        tokens: how many tokens the text has, special tokens not counted.
    """

    ids: list[list[int]]
    segments: list[list[int]]
    tokens: int

    @property
    def length(self) -> int:
        """Tokens of all windows together: what it costs to read."""
        return sum(map(len, self.ids))

    def report(self) -> dict[str, int]:
        """What a prediction says of its input: every token is used, in so many windows."""
        return {"used": self.tokens, "total": self.tokens, "windows": len(self.ids)}


def default_stride(size: int) -> int:
    """How many tokens neighbouring windows share: an eighth of a window."""
    return size // 8


def window_texts(
    tokenizer: Tokenizer,
    texts: Iterable[TextOrPair],
    *,
    size: int | None,
    stride: int | None = None,
    allow: bool = True,
) -> list[Windowed]:
    """Encodes texts, each in as many overlapping windows as it needs.

    Args:
        tokenizer: of the model.
        texts: texts, or (text, second text) pairs.
        size: most tokens of a window, special tokens included; None = no limit.
        stride: tokens that neighbouring windows share; None = an eighth of a window.
        allow: whether a text may take more than one window; else it is an error.

    Raises:
        TokenizerError: a text that cannot be encoded, a pair whose shorter side fills a window.
        ConfigError: a text is too long and windows are not allowed.
    """
    if stride is None:
        stride = default_stride(size or 0)
    found = []
    for number, item in enumerate(texts):
        text, pair = (item, None) if isinstance(item, str) else item
        if size is None:
            encodings = [tokenizer.encode(text, pair=pair)]
        else:
            encodings = tokenizer.windows(text, size, pair=pair, stride=stride)
        if len(encodings) > 1 and not allow:
            raise ConfigError(
                f"text {number} needs {len(encodings)} windows",
                allowed=f"at most {size} tokens",
                next_step="allow windows, or shorten it",
            )
        ids = [list(encoding.ids) for encoding in encodings]
        segments = [list(encoding.type_ids) for encoding in encodings]
        found.append(Windowed(ids, segments, _distinct_tokens(encodings)))
    return found


def _distinct_tokens(encodings: Sequence[Encoding]) -> int:
    """Tokens of the text itself, those that windows share counted once."""
    seen: set[tuple[int | None, tuple[int, int], int]] = set()
    for encoding in encodings:
        parts = zip(
            encoding.sequence_ids,
            encoding.offsets,
            encoding.ids,
            encoding.special_mask,
            strict=True,
        )
        seen.update((side, span, token) for side, span, token, special in parts if not special)
    return len(seen)
