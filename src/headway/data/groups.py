"""Groups of rows, and a number or a list for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from headway.data import compute as pc
from headway.data.rows import Rows
from headway.data.step import Step
from headway.errors import ConfigError, DataError, nearest

__all__ = ["AGGREGATES", "group_by"]

AGGREGATES: dict[str, tuple[str, str | None]] = {
    "rows": ("count", "all"),
    "count": ("count", None),
    "distinct": ("count_distinct", None),
    "sum": ("sum", None),
    "mean": ("mean", None),
    "min": ("min", None),
    "max": ("max", None),
    "variance": ("variance", None),
    "deviation": ("stddev", None),
    "any": ("any", None),
    "all": ("all", None),
    "list": ("list", None),
    "first": ("first", None),
    "last": ("last", None),
}
"""What can be told of the values in a group -> how Arrow calls it, and which values it counts.
Missing values count for "rows", "list" only."""


def group_by(rows: Rows, columns: Sequence[str], values: Mapping[str, tuple[str, str]]) -> Step:
    """A row for each group, in the order in which the groups begin."""
    for name, (_, kind) in values.items():
        if kind not in AGGREGATES:
            hint = nearest(kind, AGGREGATES)
            raise ConfigError(
                f"{name}: nothing called {kind!r} is told of a group"
                + (f" ({hint})" if hint else ""),
                allowed=", ".join(AGGREGATES),
            )
    twice = sorted(set(values) & set(columns))
    if twice or not columns:
        raise ConfigError(
            f"group_by() gives column {twice[0]!r} twice" if twice else "group_by() of no columns",
            allowed="at least one column, and other names for the values",
        )
    used = list(dict.fromkeys([*columns, *(column for column, _ in values.values())]))

    def make(start: int, stop: int) -> pa.Table:
        table = pa.table({name: rows.column(name) for name in used})
        asked = []
        for column, kind in values.values():
            function, counted = AGGREGATES[kind]
            asked.append((column, function, counted and pc.CountOptions(mode=counted)))
        try:
            # Threads would give the groups in an order of chance.
            found = pa.TableGroupBy(table, list(columns), use_threads=False).aggregate(asked)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
            said = " ".join(str(error).split())
            raise DataError(
                f"group_by(): {said}", allowed="aggregates that the types of the columns have"
            ) from error
        return found.rename_columns([*columns, *values])

    arguments = {"columns": list(columns), "values": dict(values)}
    return Step("group_by", make, (), arguments)
