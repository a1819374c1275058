"""A column for a part that it plays: named by the caller, or known by what people call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headway.data.dataset import Dataset
from headway.data.no_column import no_column
from headway.errors import DataError

__all__ = ["named_column", "one_of_splits"]


def named_column(
    data: Dataset | Mapping[str, Dataset],
    given: str | None,
    known: Sequence[str],
    *,
    what: str,
    option: str,
) -> str:
    """The column that plays a part.

    Args:
        data: one data set, or splits, of which train (or else the first) is looked at.
        given: the name, where the caller says it.
        known: how people call such a column, the most telling first; their case does not count.
        what: the part, for messages.
        option: of the command line, that names the column.

    Raises:
        DataError: there is no column of that name, or of any of those that are known.

    >>> data = Dataset.from_columns({"Question": ["who?"], "passage": ["it was her"]})
    >>> named_column(data, None, ("context", "passage"), what="context", option="--pair")
    'passage'
    """
    first = one_of_splits(data)
    if given is not None:
        if given not in first.column_names:
            raise no_column(given, first.column_names, first.name, option=option)
        return given
    names = {name.casefold().strip(): name for name in reversed(first.column_names)}
    for name in known:
        if name in names:
            return names[name]
    raise DataError(
        f"{first.name or 'the data set'} has no column that is called like a {what}",
        allowed=f"one of {', '.join(first.column_names)}",
        next_step=f"{option} COL",
    )


def one_of_splits(data: Dataset | Mapping[str, Dataset]) -> Dataset:
    """The split that speaks for all: train, or else the first.

    Raises:
        DataError: there is none.
    """
    if isinstance(data, Dataset):
        return data
    if not data:
        raise DataError("no splits at all", allowed="at least one data set")
    return data["train"] if "train" in data else next(iter(data.values()))
