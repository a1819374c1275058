"""Rows of text with columns that have types: an Arrow table with the verbs of data preparation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow as pa

from headway.data import compute as pc
from headway.data import transforms
from headway.data.check_whole import check_whole
from headway.data.duplicates.rowkeys import row_codes
from headway.data.fingerprint import fingerprint
from headway.data.groups import group_by
from headway.data.no_column import no_column
from headway.data.rows import Rows, joined
from headway.data.sampling import choose_rows, rows_of_part
from headway.data.step import Step
from headway.data.steps import run, run_new_columns
from headway.data.tables import refuse_other_columns, table_of
from headway.data.transforms import Batched, Encoder
from headway.data.views import Views
from headway.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from headway.data.cache import Store
    from headway.data.cache.origin import Origin
    from headway.data.features import Feature

__all__ = ["Dataset", "Encoder"]

Row = dict[str, Any]


class Dataset(Views):
    """An immutable Arrow table of at least one column, with a name.

    Every method that changes something returns a new data set; columns it does not touch are
    shared, not copied. What chooses or orders rows (`select`, `shuffle`, `filter`, `sort`, `split`,
    `deduplicate`) copies none: the data set holds their positions, and rows are gathered a block at
    a time when somebody looks at them. `column`, `to_arrow` and what needs them copy a column, or
    all, at the first call. Columns as numpy, torch and others are `headway.data.views`.

    Args:
        table: the rows.
        name: where they came from, for messages and reports.

    Attributes:
        rows: the table underneath, and which of its rows in which order.

    >>> data = Dataset.from_columns({"text": ["a b", "c", "d"], "label": [0, 1, 1]}, name="demo")
    >>> len(data), data.column_names, data[0]
    (3, ['text', 'label'], {'text': 'a b', 'label': 0})
    >>> data.filter(lambda row: row["label"] == 1)["text"]
    ['c', 'd']
    """

    __slots__ = ("_fingerprint", "_origin", "name", "rows")

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
        self.rows = Rows(table.replace_schema_metadata(None))
        self._fingerprint: str | None = None
        self._origin: Origin | None = None
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
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return self.rows.dicts()

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
                rows = self.rows.cut(start, max(start, stop))
                return self._with(rows, self._after("slice", start=start, stop=stop))
            return self.select(np.arange(start, stop, step))
        row = int(key) + (len(self) if key < 0 else 0)
        if not 0 <= row < len(self):
            raise IndexError(f"row {key} of a data set with {len(self)} rows")
        return self.rows.row(row)

    def __repr__(self) -> str:
        columns = ", ".join(f"{field.name}: {field.type}" for field in self.rows.schema)
        return f"Dataset({self.name!r}, {len(self)} rows, {columns})"

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self.rows.schema.names)

    @property
    def fingerprint(self) -> str:
        """`sha256:...` of names, types, order and values; chunks and `name` do not count."""
        if self._fingerprint is None:
            self._fingerprint = fingerprint(self.rows)
        return self._fingerprint

    def column(self, name: str) -> pa.ChunkedArray:
        """One column as Arrow holds it, without a copy unless rows were chosen or ordered.

        Raises:
            DataError: no such column.
        """
        self._need([name])
        return self.rows.column(name)

    def to_arrow(self) -> pa.Table:
        """The Arrow table itself; rows that were chosen or ordered are copied once."""
        return self.rows.whole()

    def to_batches(self, rows: int | None = None) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow record batches; those that were chosen or ordered gathered one by one.

        Args:
            rows: the most that a batch has; None = as they lie, or a handy number of gathered ones.
        """
        if rows is not None:
            check_whole("to_batches(rows=", rows)
        return self.rows.batches(rows)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The rows for whatever reads Arrow's C stream: `polars.DataFrame(d)`, `pa.table(d)`."""
        reader = pa.RecordBatchReader.from_batches(self.rows.schema, self.to_batches())
        return reader.__arrow_c_stream__(requested_schema)

    # Rows

    def select(self, indices: Iterable[int] | npt.NDArray[np.integer[Any]]) -> Dataset:
        """The rows at these positions, in this order; a position may come twice.

        Raises:
            IndexError: a position below 0 or past the last row.
        """
        if isinstance(indices, range):
            indices = np.arange(indices.start, indices.stop, indices.step)
        elif not isinstance(indices, np.ndarray):
            indices = np.fromiter(indices, dtype=np.int64)
        if indices.size and not (indices.min() >= 0 and indices.max() < len(self)):
            wrong = next(int(i) for i in indices if not 0 <= i < len(self))
            raise IndexError(f"row {wrong} of a data set with {len(self)} rows")
        positions = indices.astype(np.int64)
        return self._with(self.rows.take(positions), self._after("select", rows=positions))

    def shuffle(self, *, seed: int = 0) -> Dataset:
        """The same rows in an order that only `seed` and the number of rows decide."""
        return self.select(np.random.default_rng(seed).permutation(len(self)))

    def sort(self, column: str, *, descending: bool = False) -> Dataset:
        """Rows ordered by one column, text by code point; equal rows keep their order.

        Missing values come last either way.
        """
        self._need([column])
        return self._chosen(transforms.sort(self.rows, column, descending=descending))

    def filter(self, keep: Callable[[Row], object] | pc.Expression, *, workers: int = 1) -> Dataset:
        """The rows for which a function, or an Arrow expression, is true.

        Args:
            keep: takes a row as a dict; or an expression such as `pc.field("label") == 1`, which
                needs no Python for a row. Where an expression is missing a value, the row is not
                kept.
            workers: processes that call the function; the result does not depend on it.

        Raises:
            DataError: an expression that these columns do not have.
        """
        return self._chosen(transforms.filter_(self.rows, keep, workers=workers))

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
        count = rows_of_part(len(self), part)
        self._need([] if stratify is None else [stratify])
        strata = None if stratify is None else row_codes([self.rows], [stratify])[0]
        chosen = choose_rows(len(self), count, seed=seed, strata=strata)
        return self.select(np.flatnonzero(~chosen)), self.select(np.flatnonzero(chosen))

    def concatenate(self, *others: Dataset) -> Dataset:
        """These rows and then those of the others, which have the same columns in any order.

        Raises:
            DataError: other columns, or a column whose types have nothing in common.
        """
        for other in others:
            refuse_other_columns(self.name, self.column_names, other.name, other.column_names)
        rows = joined([self.rows, *(other.rows for other in others)])
        return self._with(rows, self._after("concatenate", others=others))

    def deduplicate(self, columns: Sequence[str] | None = None) -> Dataset:
        """The first of every group of rows that are the same in `columns` (default: in all).

        `headway.data.duplicates.rowkeys` says when two rows are the same.
        """
        columns = self.column_names if columns is None else columns
        self._need(columns)
        return self._chosen(transforms.deduplicate(self.rows, columns))

    # Columns

    def group_by(self, *columns: str, **values: tuple[str, str]) -> Dataset:
        """A row for every group of rows that agree in some columns; groups as they first come.

        Args:
            columns: whose values make a group.
            values: name of a new column -> (column, what is told of its values in a group), one of
                `headway.data.groups.AGGREGATES`.

        Raises:
            DataError: no such column, or a column whose type has no such aggregate.
            ConfigError: another aggregate, or a name that is taken.

        >>> data = Dataset.from_columns({"label": ["b", "a", "b"], "n": [1, 2, 5]})
        >>> list(data.group_by("label", rows=("n", "rows"), most=("n", "max")))
        [{'label': 'b', 'rows': 2, 'most': 5}, {'label': 'a', 'rows': 1, 'most': 2}]
        """
        self._need([*columns, *(column for column, _ in values.values())])
        table, origin = run(group_by(self.rows, columns, values), self.rows, self._origin)
        return self._with(Rows(table), origin)

    def rename(self, names: Mapping[str, str]) -> Dataset:
        """Columns under other names: `d.rename({"sentence": "text"})`."""
        self._need(names)
        return self._with(self.rows.rename(names), self._after("rename", names=dict(names)))

    def keep(self, columns: Sequence[str]) -> Dataset:
        """Only these columns, in this order."""
        self._need(columns)
        return self._with(self.rows.keep(columns), self._after("keep", columns=list(columns)))

    def drop(self, columns: Sequence[str]) -> Dataset:
        """All columns but these."""
        self._need(columns)
        return self.keep([name for name in self.column_names if name not in columns])

    def map(
        self,
        f: Callable[[Any], Any],
        *,
        batched: Batched = False,
        replace: bool = False,
        workers: int = 1,
    ) -> Dataset:
        """New columns from a function of each row, or of 1,000 rows at a time.

        Args:
            f: takes a row as a dict and returns a dict of new values. With `batched` it takes many
                rows and returns a dict of lists or arrays, an Arrow table or a record batch.
            batched: False, or what `f` takes: True for a dict of lists, "numpy" for a dict of
                arrays, "arrow" for a table. Batches begin at multiples of 1,000 rows.
            replace: keep only the columns that `f` returns; then `f` may return any number of rows
                for a batch. Otherwise they are added to the others, or replace the one of the name.
            workers: processes that call the function; the result does not depend on it.

        Raises:
            DataError: a result that is no dict, has another number of rows than the batch without
                `replace`, or a column whose type changes on the way.
            ConfigError: another value of `batched`.
        """
        step = transforms.map_(self.rows, f, batched, replace=replace, workers=workers)
        if not len(self):
            return self
        if replace:
            table, origin = run(step, self.rows, self._origin)
            return self._with(Rows(table), origin)
        return self._with(*run_new_columns(step, self.rows, self._origin))

    def cast(self, types: Mapping[str, pa.DataType | str | Feature]) -> Dataset:
        """Columns as other types: `d.cast({"n": "int64", "label": Label(("no", "yes"))})`.

        Args:
            types: for some columns an Arrow type, its name, or a feature.

        Raises:
            DataError: a value that the type or the feature does not have; the message says which.
            ConfigError: no type of this name.
        """
        self._need(types)
        step = transforms.cast(self.rows, types, self.name or "the data set")
        return self._with(*run_new_columns(step, self.rows, self._origin))

    def tokenize(
        self, tokenizer: Encoder, *, column: str = "text", threads: int | None = None
    ) -> Dataset:
        """Adds `ids`, list<int32>: the token ids of a text column, special tokens included.

        Arrow buffers go in and come out; no Python object is made for a row.

        Args:
            tokenizer: a `headway.tokenizer.Tokenizer`, or what has its `encode_arrow`.
            column: of texts.
            threads: how many the tokenizer uses, if not as many as it does by itself.

        Raises:
            DataError: the column is absent, is not text, or has missing values.
        """
        self._need([column])
        step = transforms.tokenize(self.rows, tokenizer, column, threads=threads)
        return self._with(*run_new_columns(step, self.rows, self._origin))

    # Results on disk

    def cached(self, store: Store | None = None, *, identity: str | None = None) -> Dataset:
        """The same rows; from here on the results of heavy steps are kept on disk.

        `map`, `filter`, `sort`, `deduplicate`, `tokenize`, `cast` and `group_by` are looked up by
        the content of the data, their arguments and the code that they reach, helpers in imported
        files included. What is not there is computed in parts of about 64 MB; a run that was killed
        goes on from the parts that it had finished. Results are memory-mapped.

        Args:
            store: where they are kept; the folder `steps` of the cache if it is not said.
            identity: what is known to change whenever the rows do, where reading them all for
                `fingerprint` is not needed.

        >>> import tempfile
        >>> from headway.data.cache import Store
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     data = Dataset.from_columns({"n": [1, 2]}).cached(Store(folder))
        ...     data.map(lambda row: {"twice": 2 * row["n"]})["twice"]
        [2, 4]
        """
        from headway.data.cache import Store
        from headway.data.cache.origin import Origin

        return self._with(self.rows, Origin(store or Store(), identity or self.fingerprint))

    def _need(self, columns: Iterable[str]) -> None:
        """Raises DataError for a column that is not there."""
        for name in columns:
            if name not in self.rows.schema.names:
                raise no_column(name, self.column_names, self.name)

    def _chosen(self, step: Step) -> Dataset:
        """The rows at the positions that a step gives."""
        table, origin = run(step, self.rows, self._origin)
        return self._with(self.rows.take(table.column(0).to_numpy()), origin)

    def _after(self, step: str, **arguments: Any) -> Origin | None:
        return self._origin and self._origin.after(step, **arguments)

    def _with(self, rows: Rows, origin: Origin | None) -> Dataset:
        made = Dataset(rows.table, name=self.name)
        made.rows.order, made._origin = rows.order, origin
        return made
