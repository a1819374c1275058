"""The error for a column that is not there."""

from __future__ import annotations

from collections.abc import Sequence

from headway.errors import DataError, nearest

__all__ = ["no_column"]


def no_column(name: str, names: Sequence[str], where: str, *, option: str = "") -> DataError:
    """The error for a column that is not there, with those that are.

    Args:
        name: of the column.
        names: of those that are there.
        where: what has them; "the data set" if it has no name.
        option: of a command line, with which another column is named.
    """
    hint = nearest(name, names)
    return DataError(
        f"no column {name!r} in {where or 'the data set'}" + (f" ({hint})" if hint else ""),
        allowed=", ".join(names),
        next_step=f"{option} COL" if option else "",
    )
