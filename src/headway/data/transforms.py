"""What `map`, `filter`, `sort`, `deduplicate`, `tokenize` and `cast` do to a run of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa

from headway.data import compute as pc
from headway.data.duplicates.rowkeys import row_codes
from headway.data.features import Feature, apply_features
from headway.data.rows import Rows
from headway.data.step import Step
from headway.data.steps import ranges_of
from headway.data.tables import attached, is_text, new_columns, stacked, transposed
from headway.errors import ConfigError, DataError

__all__ = ["BATCHES", "Encoder", "cast", "deduplicate", "filter_", "map_", "sort", "tokenize"]

Row = dict[str, Any]
Batched = bool | Literal["arrow", "numpy"]

_ROWS_AT_ONCE = 1000
_TEXTS_AT_ONCE = 1 << 16


class Encoder(Protocol):
    """What `Dataset.tokenize` needs of a tokenizer."""

    def encode_arrow(self, array: pa.Array, /, *, special: bool = True) -> pa.RecordBatch:
        """A string array in; a record batch with `ids`, list<int32>, out."""


def _by_row(f: Callable[[Any], Any], block: pa.Table) -> Any:
    return transposed([f(row) for row in block.to_pylist()])


def _by_lists(f: Callable[[Any], Any], block: pa.Table) -> Any:
    return f(block.to_pydict())


def _by_arrays(f: Callable[[Any], Any], block: pa.Table) -> Any:
    return f({name: block.column(name).to_numpy() for name in block.column_names})


def _by_table(f: Callable[[Any], Any], block: pa.Table) -> Any:
    return f(block.combine_chunks())


BATCHES: dict[Batched, Callable[[Callable[[Any], Any], pa.Table], Any]] = {
    False: _by_row,
    True: _by_lists,
    "numpy": _by_arrays,
    "arrow": _by_table,
}
"""What `map(batched=...)` hands to its function."""


def map_(
    rows: Rows, f: Callable[[Any], Any], batched: Batched, *, replace: bool, workers: int
) -> Step:
    """New columns for each row; with `replace` new rows."""
    if batched not in BATCHES:
        raise ConfigError(
            f"map(batched={batched!r})", allowed=", ".join(repr(name) for name in BATCHES)
        )
    call = BATCHES[batched]

    def make(start: int, stop: int) -> pa.Table:
        tables: list[pa.Table] = []
        names: dict[str, None] = {}
        for block in _blocks(rows, start, stop, _ROWS_AT_ONCE):
            new = new_columns(block.num_rows, call(f, block), replace=replace)
            names.update(dict.fromkeys(new.column_names))
            tables.append(new if replace else attached(block, new))
        whole = stacked(tables)
        return whole if replace else whole.select(list(names))

    arguments = {"batched": batched, "replace": replace}
    return Step("map", make, [f], arguments, _ROWS_AT_ONCE, workers)


def filter_(rows: Rows, keep: Callable[[Row], object] | pc.Expression, *, workers: int) -> Step:
    """The positions of the rows for which a function, or an expression, is true."""

    def by_function(start: int, stop: int) -> pa.Table:
        given = rows.cut(start, stop).dicts()
        mask = np.fromiter((bool(keep(row)) for row in given), dtype=bool, count=stop - start)
        return _positions(np.flatnonzero(mask) + start)

    def by_expression(start: int, stop: int) -> pa.Table:
        block = rows.block(start, stop)
        name = "row"
        while name in block.column_names:
            name += "_"
        numbered = block.append_column(name, pa.array(np.arange(start, stop)))
        try:
            kept = numbered.filter(keep).column(name)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            said = str(error).partition(" in ")[0]  # then the schema, in lines
            raise DataError(
                f"filter() cannot use the expression {keep}: {said}",
                allowed=f"true or false, from the columns {', '.join(block.column_names)}",
            ) from error
        return _positions(np.sort(kept.to_numpy()))

    if isinstance(keep, pc.Expression):
        return Step("filter", by_expression, (), {"keep": keep}, 1, workers)
    return Step("filter", by_function, [keep], {}, 1, workers)


def sort(rows: Rows, column: str, *, descending: bool) -> Step:
    """The positions of the rows in the order of a column."""

    def make(start: int, stop: int) -> pa.Table:
        keys = [(column, "descending" if descending else "ascending")]
        try:
            order = pc.sort_indices(pa.table({column: rows.column(column)}), sort_keys=keys)
        except (pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise DataError(f"column {column!r} has no order: {error}") from error
        return _positions(order.to_numpy())

    return Step("sort", make, (), {"column": column, "descending": descending})


def deduplicate(rows: Rows, columns: Sequence[str]) -> Step:
    """The positions of the first rows of their kind."""

    def make(start: int, stop: int) -> pa.Table:
        codes = row_codes([rows], columns)[0]
        return _positions(np.sort(np.unique(codes, return_index=True)[1]))

    return Step("deduplicate", make, (), {"columns": list(columns)})


def tokenize(rows: Rows, tokenizer: Encoder, column: str, *, threads: int | None) -> Step:
    """`ids`: the token ids of a text column."""
    texts = rows.table.column(column)
    if not is_text(texts.type):
        raise DataError(f"column {column!r} is {texts.type}", allowed="a column of text")
    if texts.null_count and (texts := rows.column(column)).null_count:
        row = texts.is_null().index(True).as_py()
        raise DataError(
            f"column {column!r} has no text in {texts.null_count} rows, the first is row {row}",
            allowed="a text in every row; it may be empty",
            next_step="filter() these rows out",
        )
    given = rows.keep([column])
    options = {} if threads is None else {"threads": threads}

    def make(start: int, stop: int) -> pa.Table:
        # Offsets of lists are 32 bits wide, so a long run is encoded in pieces.
        ids = [
            tokenizer.encode_arrow(chunk, special=True, **options).column("ids")
            for block in _blocks(given, start, stop, _TEXTS_AT_ONCE)
            for chunk in block.column(0).chunks
        ]
        return pa.table({"ids": pa.chunked_array(ids, type=pa.list_(pa.int32()))})

    return Step("tokenize", make, (), {"tokenizer": tokenizer, "column": column}, 1)


def cast(rows: Rows, types: Mapping[str, pa.DataType | str | Feature], name: str) -> Step:
    """Columns as other types, or as what features say."""
    given = rows.keep(list(types))
    features: dict[str, Feature] = {}
    plain: dict[str, pa.DataType] = {}
    for column, wanted in types.items():
        if isinstance(wanted, pa.DataType):
            plain[column] = wanted
        elif isinstance(wanted, str):
            plain[column] = _type_of(wanted)
        else:
            features[column] = wanted

    def make(start: int, stop: int) -> pa.Table:
        block = given.block(start, stop)
        for column, kind in plain.items():
            place = block.column_names.index(column)
            block = block.set_column(place, column, _as_type(block.column(column), kind, start))
        return apply_features(block, features, file=name) if features else block

    said = {column: str(kind) for column, kind in plain.items()}
    arguments = {"types": said, "features": features}
    return Step("cast", make, (), arguments, 1)


def _as_type(column: pa.ChunkedArray, kind: pa.DataType, start: int) -> pa.ChunkedArray:
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        for row, value in enumerate(column):
            try:
                value.cast(kind)
            except pa.ArrowInvalid:
                raise DataError(
                    f"row {start + row} holds {str(value)[:60]!r}, which is no {kind}",
                    allowed=f"values that are {kind}",
                    next_step="filter() or map() it first",
                ) from None
            except pa.ArrowNotImplementedError:
                break
        raise DataError(f"a column of {column.type} cannot become {kind}: {error}") from error


def _type_of(name: str) -> pa.DataType:
    try:
        return pa.type_for_alias(name)
    except ValueError:
        raise ConfigError(
            f"no type {name!r}", allowed="int64, double, string and other names of Arrow types"
        ) from None


def _blocks(rows: Rows, start: int, stop: int, size: int) -> Iterator[pa.Table]:
    for a, b in ranges_of(start, stop, size):
        yield rows.block(a, b)


def _positions(positions: Any) -> pa.Table:
    return pa.table({"row": pa.array(positions, pa.int64())})
