"""Rows that cannot be read: each with its place, refused at once or skipped and counted."""

from __future__ import annotations

from dataclasses import dataclass

from headway.errors import DataError

__all__ = ["BadRow", "BadRows", "refuse_row", "shown"]

_MOST_SHOWN = 40  # characters of a value


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that cannot be read.

    file: its file.
    line: its first line there, from 1, or the number of the row where a file has no lines.
    column: the column at fault, or empty where the whole row is.
    value: what stands there, shortened.
    problem: what is wrong with it.
    allowed: what would have been right.
    next_step: what to do now.
    unit: what `line` counts: line or row.
    """

    file: str
    line: int
    column: str
    value: str
    problem: str
    allowed: str = ""
    next_step: str = ""
    unit: str = "line"

    def __str__(self) -> str:
        column = f", column {self.column!r}" if self.column else ""
        return f"{self.file} {self.unit} {self.line}{column}: {self.problem}"


def refuse_row(row: BadRow) -> None:
    """The strict way, which is the default: raises DataError about the first bad row."""
    raise DataError(str(row), allowed=row.allowed, next_step=row.next_step)


class BadRows:
    """The lenient way: rows that cannot be read are left out, counted, and the first few are kept.

    Args:
        keep: how many are kept to be looked at.

    Attributes:
        count: how many were left out.
        first: the first of them.

    >>> bad = BadRows()
    >>> bad(BadRow("a.csv", 3, "", "x", "1 columns, expected 2 as in the first line"))
    >>> print(bad)
    1 row left out: a.csv line 3: 1 columns, expected 2 as in the first line
    """

    def __init__(self, keep: int = 10) -> None:
        self.keep, self.count = keep, 0
        self.first: list[BadRow] = []

    def __call__(self, row: BadRow) -> None:
        """Counts a row, and keeps it if it is one of the first."""
        self.count += 1
        if len(self.first) < self.keep:
            self.first.append(row)

    def __str__(self) -> str:
        said = f"{self.count} row{'' if self.count == 1 else 's'} left out"
        if self.first:
            said += ": " + "; ".join(map(str, self.first))
        return said + ("; ..." if self.count > len(self.first) > 0 else "")


def shown(value: object) -> str:
    """A value as a message quotes it: ASCII, at most 40 characters.

    >>> shown("a" * 100)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."
    """
    said = ascii(value)
    return said if len(said) <= _MOST_SHOWN else said[: _MOST_SHOWN - 3] + "..."
