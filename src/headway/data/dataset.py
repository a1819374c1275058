"""Rows of text with columns that have types: an Arrow table with the verbs of data preparation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headway.data.fingerprint import fingerprint
from headway.data.rowkeys import row_codes
from headway.data.rows import Rows, joined
from headway.data.sampling import choose_rows
from headway.data.tables import merged, stacked, table_of, transposed
from headway.errors import ConfigError, DataError, InputError, nearest

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas

__all__ = ["Dataset", "Encoder", "no_column"]

Row = dict[str, Any]
_ROWS_AT_ONCE = 1000
_TEXTS_AT_ONCE = 1 << 16


class Encoder(Protocol):
    """What `Dataset.tokenize` needs of a tokenizer."""

    def encode_arrow(self, array: pa.Array, /, *, special: bool = True) -> pa.RecordBatch:
        """A string array in; a record batch with `ids`, list<int32>, out."""


class Dataset:
    """An immutable Arrow table of at least one column, with a name.

    Every method that changes something returns a new data set; columns it does not touch are
    shared, not copied. What chooses or orders rows (`select`, `shuffle`, `filter`, `sort`, `split`,
    `deduplicate`) copies none: the data set holds their positions, and rows are gathered a block at
    a time when somebody looks at them. `column`, `to_arrow` and what needs them copy a column, or
    all, at the first call.

    Args:
        table: the rows.
        name: where they came from, for messages and reports.

    >>> data = Dataset.from_columns({"text": ["a b", "c", "d"], "label": [0, 1, 1]}, name="demo")
    >>> len(data), data.column_names, data[0]
    (3, ['text', 'label'], {'text': 'a b', 'label': 0})
    >>> data.filter(lambda row: row["label"] == 1)["text"]
    ['c', 'd']
    """

    __slots__ = ("_fingerprint", "_rows", "name")

    def __init__(self, table: pa.Table, *, name: str = "") -> None:
        if not table.num_columns:
            raise DataError("a data set without columns", allowed="at least one column")
        twice = sorted({n for n in table.column_names if table.column_names.count(n) > 1})
        if twice:
            raise DataError(
                f"column {', '.join(map(repr, twice))} stands in {name or 'the table'} more than "
                "once",
                allowed="every column named once",
            )
        self._rows = Rows(table.replace_schema_metadata(None))
        self._fingerprint: str | None = None
        self.name = name

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any], *, name: str = "") -> Dataset:
        """A data set from lists, numpy arrays or Arrow arrays of one length, by column name."""
        return cls(table_of(columns), name=name)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], *, name: str = "") -> Dataset:
        """A data set from dicts; a key that a row lacks is a missing value there."""
        rows = list(rows)
        names = list(dict.fromkeys(key for row in rows for key in row))
        return cls.from_columns({key: [row.get(key) for row in rows] for key in names}, name=name)

    # Looking

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return self._rows.dicts()

    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> Dataset: ...
    @overload
    def __getitem__(self, key: str) -> list[Any]: ...
    def __getitem__(self, key: int | slice | str) -> Row | Dataset | list[Any]:
        """`d[3]` is a row as a dict, `d[1:3]` a data set, `d["text"]` a list of Python values.

        `d.column("text")` gives the column without making Python objects.
        """
        if isinstance(key, str):
            values: list[Any] = self.column(key).to_pylist()
            return values
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1:
                return self._with(self._rows.cut(start, max(start, stop)))
            return self.select(np.arange(start, stop, step))
        row = int(key) + (len(self) if key < 0 else 0)
        if not 0 <= row < len(self):
            raise IndexError(f"row {key} of a data set with {len(self)} rows")
        return self._rows.row(row)

    def __repr__(self) -> str:
        columns = ", ".join(f"{field.name}: {field.type}" for field in self._rows.schema)
        return f"Dataset({self.name!r}, {len(self)} rows, {columns})"

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self._rows.schema.names)

    @property
    def fingerprint(self) -> str:
        """`sha256:...` of names, types, order and values; chunks and `name` do not count."""
        if self._fingerprint is None:
            self._fingerprint = fingerprint(self._rows)
        return self._fingerprint

    def column(self, name: str) -> pa.ChunkedArray:
        """One column as Arrow holds it, without a copy unless rows were chosen or ordered.

        Raises:
            DataError: no such column.
        """
        if name not in self._rows.schema.names:
            raise no_column(name, self)
        return self._rows.column(name)

    def to_arrow(self) -> pa.Table:
        """The Arrow table itself; rows that were chosen or ordered are copied once."""
        return self._rows.whole()

    def to_numpy(self, name: str) -> npt.NDArray[Any]:
        """One column as a numpy array; numbers in one chunk without a copy, text as objects."""
        values: npt.NDArray[Any] = self.column(name).to_numpy()
        return values

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a pandas DataFrame.

        Raises:
            InputError: pandas, which Headway does not depend on, is not installed.
        """
        try:
            import pandas  # noqa: F401 - heavy and optional: Arrow needs it, we only look
        except ImportError:
            raise InputError(
                "to_pandas() needs pandas, which is not installed",
                next_step="pip install pandas, or use to_arrow() or to_numpy(column)",
            ) from None
        return self.to_arrow().to_pandas()

    # Rows

    def select(self, indices: Iterable[int] | npt.NDArray[np.integer[Any]]) -> Dataset:
        """The rows at these positions, in this order; a position may come twice.

        Raises:
            IndexError: a position below 0 or past the last row.
        """
        if not isinstance(indices, np.ndarray):
            indices = np.fromiter(indices, dtype=np.int64)
        if indices.size and not (indices.min() >= 0 and indices.max() < len(self)):
            wrong = next(int(i) for i in indices if not 0 <= i < len(self))
            raise IndexError(f"row {wrong} of a data set with {len(self)} rows")
        return self._with(self._rows.take(indices.astype(np.int64)))

    def shuffle(self, *, seed: int = 0) -> Dataset:
        """The same rows in an order that only `seed` and the number of rows decide."""
        return self.select(np.random.default_rng(seed).permutation(len(self)))

    def sort(self, column: str, *, descending: bool = False) -> Dataset:
        """Rows ordered by one column, text by code point; equal rows keep their order.

        Missing values come last either way.
        """
        keys = [(column, "descending" if descending else "ascending")]
        try:
            order = pc.sort_indices(pa.table({column: self.column(column)}), sort_keys=keys)
        except (pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise DataError(f"column {column!r} has no order: {error}") from error
        return self._with(self._rows.take(order.to_numpy().astype(np.int64)))

    def filter(self, keep: Callable[[Row], object]) -> Dataset:
        """The rows for which `keep(row)` is true."""
        mask = np.fromiter((bool(keep(row)) for row in self), dtype=bool, count=len(self))
        return self.select(np.flatnonzero(mask))

    def split(
        self, part: float, *, seed: int = 0, stratify: str | None = None
    ) -> tuple[Dataset, Dataset]:
        """Cuts some rows off by chance: (rest, cut), both in the order the rows had.

        Args:
            part: the share to cut off, between 0 and 1, or a whole number of rows.
            seed: decides which rows; the same rows and seed give the same cut everywhere.
            stratify: a column whose values shall be as frequent in the cut as in the rest. A value
                that occurs once stays in the rest.

        Raises:
            ConfigError: a part that leaves one of the two without rows.
        """
        count = part if isinstance(part, int) else round(part * len(self))
        if isinstance(part, float) and 0 < part < 1 and len(self) >= 2:
            count = min(max(count, 1), len(self) - 1)
        if not 0 < count < len(self):
            raise ConfigError(
                f"split({part!r}) of {len(self)} rows leaves one part empty",
                allowed=f"a share between 0 and 1, or 1 to {len(self) - 1} rows",
            )
        strata = None
        if stratify is not None:
            strata = row_codes([pa.table({stratify: self.column(stratify)})], [stratify])[0]
        chosen = choose_rows(len(self), count, seed=seed, strata=strata)
        return self.select(np.flatnonzero(~chosen)), self.select(np.flatnonzero(chosen))

    def concatenate(self, *others: Dataset) -> Dataset:
        """These rows and then those of the others, which have the same columns in any order.

        Raises:
            DataError: other columns, or a column whose types have nothing in common.
        """
        for other in others:
            if set(other.column_names) != set(self.column_names):
                raise DataError(
                    f"{other.name or 'the other data set'} has the columns "
                    f"{', '.join(other.column_names)}",
                    allowed=f"the columns of {self.name or 'the first'}: "
                    f"{', '.join(self.column_names)}",
                    next_step="rename() or keep() columns first",
                )
        return self._with(joined([self._rows, *(other._rows for other in others)]))

    def deduplicate(self, columns: Sequence[str] | None = None) -> Dataset:
        """The first of every group of rows that are the same in `columns` (default: in all).

        `headway.data.rowkeys` says when two rows are the same.
        """
        columns = self.column_names if columns is None else columns
        table = pa.table({name: self.column(name) for name in columns})
        codes = row_codes([table], columns)[0]
        return self.select(np.sort(np.unique(codes, return_index=True)[1]))

    # Columns

    def rename(self, names: Mapping[str, str]) -> Dataset:
        """Columns under other names: `d.rename({"sentence": "text"})`."""
        self._need(names)
        return self._with(self._rows.rename(names))

    def keep(self, columns: Sequence[str]) -> Dataset:
        """Only these columns, in this order."""
        self._need(columns)
        return self._with(self._rows.keep(columns))

    def drop(self, columns: Sequence[str]) -> Dataset:
        """All columns but these."""
        self._need(columns)
        return self.keep([name for name in self.column_names if name not in columns])

    def map(
        self,
        f: Callable[[Any], Mapping[str, Any]],
        *,
        batched: bool = False,
        replace: bool = False,
    ) -> Dataset:
        """New columns from a function of each row, or of 1,000 rows at a time.

        Args:
            f: takes a row as a dict and returns a dict of new values. With `batched` it takes
                a dict of lists and returns a dict of lists or arrays.
            batched: whether `f` takes many rows.
            replace: keep only the columns that `f` returns; then `f` may return any number of rows
                for a batch. Otherwise they are added to the others, or replace the one of the name.

        Raises:
            DataError: a result that is no dict, has another number of rows than the batch without
                `replace`, or a column whose type changes on the way.
        """
        tables = []
        for batch in self._rows.blocks(_ROWS_AT_ONCE):
            if batched:
                made = f(batch.to_pydict())
            else:
                made = transposed([f(row) for row in batch.to_pylist()])
            tables.append(merged(batch, made, replace=replace))
        if not tables:
            return self
        return self._with(Rows(stacked(tables)))

    def tokenize(self, tokenizer: Encoder, *, column: str = "text") -> Dataset:
        """Adds `ids`, list<int32>: the token ids of a text column, special tokens included.

        Arrow buffers go in and come out; no Python object is made for a row.

        Raises:
            DataError: the column is absent, is not text, or has missing values.
        """
        texts = self.column(column)
        if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
            raise DataError(f"column {column!r} is {texts.type}", allowed="a column of text")
        if texts.null_count:
            row = texts.is_null().index(True).as_py()
            raise DataError(
                f"column {column!r} has no text in {texts.null_count} rows, the first is row {row}",
                allowed="a text in every row; it may be empty",
                next_step="filter() these rows out",
            )
        # Offsets of lists are 32 bits wide, so a long chunk is encoded in pieces.
        pieces = pa.table({column: texts}).to_batches(max_chunksize=_TEXTS_AT_ONCE)
        ids = [tokenizer.encode_arrow(p.column(0), special=True).column("ids") for p in pieces]
        made = pa.chunked_array(ids, type=pa.list_(pa.int32()))
        names = [name for name in self.column_names if name != "ids"]
        return self._with(Rows(self.to_arrow().select(names).append_column("ids", made)))

    def _need(self, columns: Iterable[str]) -> None:
        """Raises DataError for a column that is not there."""
        for name in columns:
            if name not in self._rows.schema.names:
                raise no_column(name, self)

    def _with(self, rows: Rows) -> Dataset:
        made = Dataset(rows.table, name=self.name)
        made._rows.order = rows.order
        return made


def no_column(name: str, data: Dataset, *, option: str = "") -> DataError:
    """The error for a column that is not there, with those that are."""
    hint = nearest(name, data.column_names)
    return DataError(
        f"no column {name!r} in {data.name or 'the data set'}" + (f" ({hint})" if hint else ""),
        allowed=", ".join(data.column_names),
        next_step=f"{option} COL" if option else "",
    )
