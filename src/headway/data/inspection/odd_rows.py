"""Rows that somebody should look at: texts that went wrong on their way into the file.

>>> texts = pa.chunked_array([["fine", "  ", "cafÃ©", "a<br>b", "noooooooooooo"]])
>>> found = {what: rows.tolist() for what, rows in odd_rows(texts).items()}
>>> found["only white space"], found["UTF-8 read as Latin-1"], found["remains of HTML"]
([1], [2], [3])
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from headway.data import compute as pc
from headway.data.duplicates.shingles import codepoints

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ODD", "odd_rows"]

ODD = {
    # The white space of `str.split`, and nothing else.
    "only white space": r"^[\p{Z}\x{9}-\x{d}\x{1c}-\x{1f}\x{85}]+$",
    # What no text needs; tab and line breaks are not among them.
    "control characters": r"[\x{0}-\x{8}\x{b}\x{c}\x{e}-\x{1f}\x{7f}]",
    "replacement characters (U+FFFD)": r"\x{fffd}",
    "remains of HTML": (
        r"(?i)</?(?:p|br|div|span|a|b|i|u|img|li|ul|ol|td|th|tr|table|h[1-6]|script|style|em|strong)"
        r"(?:\s+[\w-]+\s*=[^<>]*)?\s*/?>|&(?:amp|lt|gt|quot|nbsp|apos|#[0-9]{1,6}|#x[0-9a-f]{1,6});"
    ),
}
_REPEATS = 10  # of one character in a row
_LONG = 20  # times the median length
_LONG_AT_LEAST = 1000  # characters
# A byte that begins a UTF-8 sequence and those that go on with it, as Windows-1252 shows them.
_TRAIL = "\x80-\xbf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d"
_TRAIL += "\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178"
_MOJIBAKE = f"[\xc2-\xf4][{_TRAIL}]{{1,3}}"
_ROWS_AT_ONCE = 1 << 14


def odd_rows(texts: pa.ChunkedArray) -> dict[str, npt.NDArray[np.int64]]:
    """Row numbers from 0 by what is odd about them; only what occurs, int64 arrays.

    `texts` is a column of text without missing values; an empty text is not odd here.
    """
    found = {what: _matching(texts, pattern) for what, pattern in ODD.items()}
    found["very long"] = _very_long(texts)
    found["UTF-8 read as Latin-1"] = _mojibake(texts)
    found["one character repeated"] = _repeated(texts)
    order = [*list(ODD)[:3], "UTF-8 read as Latin-1", "remains of HTML", "very long"]
    return {what: found[what] for what in [*order, "one character repeated"] if len(found[what])}


def _matching(texts: pa.ChunkedArray, pattern: str) -> npt.NDArray[np.int64]:
    return np.flatnonzero(pc.match_substring_regex(texts, pattern).to_numpy())


def _very_long(texts: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    if not len(texts):
        return np.empty(0, np.int64)
    lengths = pc.utf8_length(texts).to_numpy()
    return np.flatnonzero(lengths > max(_LONG_AT_LEAST, _LONG * float(np.median(lengths))))


def _mojibake(texts: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Rows with letters that are valid UTF-8 once written as the bytes they came from."""
    rows = _matching(texts, _MOJIBAKE)
    sure = [row for row in rows.tolist() if _was_utf8(texts[row].as_py())]
    return np.array(sure, np.int64)


def _was_utf8(text: str) -> bool:
    for found in re.findall(_MOJIBAKE, text):
        for encoding in ("cp1252", "latin-1"):
            for end in range(len(found), 1, -1):
                try:
                    found[:end].encode(encoding).decode("utf-8")
                except UnicodeError:
                    continue
                return True
    return False


def _repeated(texts: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    rows = []
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        block = texts.slice(start, _ROWS_AT_ONCE).combine_chunks().cast(pa.large_string())
        ends = np.cumsum(pc.utf8_length(block).to_numpy())
        codes = codepoints(block)
        # Where the character is that of the place before, nine times in a row.
        changes = np.flatnonzero(np.diff(codes, prepend=-1, append=-1))
        long = np.flatnonzero(np.diff(changes) >= _REPEATS)
        for a, b in zip(changes[long].tolist(), changes[long + 1].tolist(), strict=True):
            if not chr(codes[a]).isspace():
                rows += _rows_within(ends, a, b, start)
    return np.unique(np.array(rows, np.int64))


def _rows_within(ends: npt.NDArray[np.int64], a: int, b: int, first: int) -> list[int]:
    """Rows that hold ten of the characters a to b: a run may go on from text to text."""
    rows = []
    row = int(np.searchsorted(ends, a, side="right"))
    while a < b:
        until = min(b, int(ends[row]))
        if until - a >= _REPEATS:
            rows.append(first + row)
        a, row = max(a, until), row + 1
    return rows
