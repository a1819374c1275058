"""Bytes of text files looked at; headway.data.formats is the way in."""

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

def strictly_quoted(text: object, delimiter: str) -> bool:
    """
    Whether every double quote opens a cell, closes one or is doubled inside one.
    """

class JsonRows:
    """Rows of JSON; any Arrow library takes them over."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple: ...

def read_json_lines(lines: object) -> object:
    """The rows of lines that are plain objects, or None."""
