"""The longest common subsequence of two token lists, many tokens a machine operation.

Row i of the usual table grows by 0 or 1 from left to right. Its bits, 0 where it grows, follow from
those of row i - 1 by an addition over the whole row (Hyyrö, "Bit-parallel LCS-length computation
revisited", 2004), which Python's integers do for rows of any length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["common_places", "common_tokens"]

Tokens = Sequence[str]


def common_tokens(first: Tokens, second: Tokens) -> int:
    """How long the longest common subsequence is.

    >>> common_tokens("a b c d".split(), "b x d a".split())
    2
    """
    row = (1 << len(second)) - 1
    for row in _rows(first, second):  # noqa: B007  the last one counts
        pass
    return len(second) - row.bit_count()


def common_places(first: Tokens, second: Tokens) -> list[int]:
    """The places in `first` of one longest common subsequence, from the last to the first.

    Of several it is the one that the readers of the table walk to: from the end, up (in `first`)
    unless only the way left keeps the length.

    >>> common_places("a b c d".split(), "b x d a".split())
    [3, 1]
    """
    rows = [(1 << len(second)) - 1, *_rows(first, second)]
    i, j, places = len(first), len(second), []
    while i and j:
        if first[i - 1] == second[j - 1]:
            i, j = i - 1, j - 1
            places.append(i)
        elif _length(rows[i], j - 1) > _length(rows[i - 1], j):
            j -= 1
        else:
            i -= 1
    return places


def _rows(first: Tokens, second: Tokens) -> Iterator[int]:
    full = (1 << len(second)) - 1
    places: dict[str, int] = {}
    for place, token in enumerate(second):
        places[token] = places.get(token, 0) | 1 << place
    row = full
    for token in first:
        matches = row & places.get(token, 0)
        row = (row + matches | row - matches) & full
        yield row


def _length(row: int, n: int) -> int:
    """The table's entry in column `n` of a row."""
    return n - (row & (1 << n) - 1).bit_count()
