"""Bytes of text files looked at; headway.data.formats is the way in."""

from collections.abc import Sequence

def is_text(text: object) -> bool:
    """Whether bytes are UTF-8 without NUL."""

def last_feed(text: object) -> int:
    """The place behind the last line feed, or 0."""

def count_line_ends(text: object) -> int:
    """The number of line ends: \\n, \\r\\n, and \\r alone."""

def last_line_end(text: object) -> int:
    """The place behind the last line end of any kind, or 0."""

def last_record_end(text: object, delimiter: str) -> tuple[int, bool]:
    """
    The place behind the last line end outside of quotes, or 0; whether all quotes are strict.
    """

def count_feeds(text: object) -> int:
    """The number of line feeds."""

class Taken:
    """Rows or values; any Arrow library takes them over."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple: ...

def read_json_lines(lines: object) -> Taken | None:
    """The rows of lines that are plain objects, or None."""

def read_cells(text: object, delimiter: str, *, quoting: bool, columns: int) -> Taken | None:
    """
    The cells of whole records as texts f0, f1, ..., or None where one is not as it should be.
    """

class Visits:
    """Rows that are wanted, in the order in which they are visited."""

def visits_of(wanted: object, rows: int) -> Visits:
    """
    Visits of the rows at these numbers, int64, of a column that has so many rows.
    """

class RowReader:
    """Reads single rows of columns in place."""

    def __init__(self, columns: Sequence[tuple[str, Column]]) -> None: ...
    def __call__(self, row: int) -> dict:
        """
        One row as a dict of Python values; None for columns that were given as None.
        """

class Column:
    """A column in chunks, of which rows are gathered."""

    def gather(self, visits: Visits, most: int = 2147483647) -> Taken | None:
        """
        A copy of the rows as they were wanted; None where offsets of 32 bits would exceed most.
        """

    @property
    def has_cells(self) -> bool:
        """Whether single values are read as Python objects."""

    def lengths(self, visits: Visits, into: object) -> None:
        """Writes how long the list or text of each row is, as int64."""

    def copy_parts(self, visits: Visits, starts: object, lengths: object, into: object) -> None:
        """
        Copies values starts to starts + lengths of each row, end to end, into memory.
        """

def column_of(capsules: Sequence[tuple[object, object]]) -> Column | None:
    """
    The column in these chunks of Arrow, or None where it has another type.
    """
