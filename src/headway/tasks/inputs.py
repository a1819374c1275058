"""The texts of rows, as tasks read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from headway.data import Columns, Dataset, guess_columns
from headway.errors import ConfigError, DataError
from headway.windows import TextOrPair

__all__ = ["each_text", "shown_text", "strings_of", "texts_alone", "texts_of"]

_AT_ONCE = 4096


def texts_alone(
    data: Dataset | Mapping[str, Dataset],
    task: str,
    *,
    text: str | None,
    pair: str | None,
    label: str | None,
    next_step: str = "",
) -> Columns:
    """The column of a task that learns from texts, and from nothing beside them.

    Args:
        data: the rows.
        task: its name, for messages.
        text, pair, label: as `Task.columns` takes them.
        next_step: for who names another column.

    Raises:
        ConfigError: another column is named.
        DataError: there is no column of texts.
    """
    for name, given in (("pair", pair), ("label", label)):
        if given is not None:
            raise ConfigError(
                f"{name} = {given!r} with {task}, which learns from texts alone",
                allowed="a column of texts alone",
                next_step=next_step,
            )
    found = guess_columns(data, text=text, labelled=False)
    return Columns(found.text, None, None, f"text column {found.text!r}")


def texts_of(data: Dataset, columns: Columns, *, before: int = 0) -> list[TextOrPair]:
    """Strings, or pairs of them; an absent text is an empty one.

    Args:
        data: the rows.
        columns: which hold the texts.
        before: how many rows come before these, to number them in messages.

    Raises:
        DataError: a column holds something else than texts.
    """
    first = strings_of(data, columns.text, before=before)
    if columns.pair is None:
        return list(first)
    return list(zip(first, strings_of(data, columns.pair, before=before), strict=True))


def each_text(data: Dataset, columns: Columns) -> Iterator[TextOrPair]:
    """The same one by one, in memory that does not grow with the rows."""
    for start in range(0, len(data), _AT_ONCE):
        yield from texts_of(data[start : start + _AT_ONCE], columns, before=start)


def strings_of(data: Dataset, name: str, *, before: int = 0) -> list[str]:
    """The texts of one column; errors as `texts_of`."""
    values = data[name]
    for number, value in enumerate(values, before):
        if isinstance(value, (list, dict, bytes)):
            raise DataError(
                f"column {name!r}, row {number + 1}: {value!r:.60} is no text",
                allowed="a column of texts",
                next_step="name the text column with --text",
            )
    return ["" if value is None else str(value) for value in values]


def shown_text(text: TextOrPair) -> str:
    """A text or a pair as people read it.

    >>> shown_text(("a question", "a passage"))
    'a question ⏐ a passage'
    """
    return text if isinstance(text, str) else " ⏐ ".join(text)
