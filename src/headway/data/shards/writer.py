"""One shard as a file: rows come in portions, and types may grow while they come."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from headway.data.shards.facts import writing
from headway.data.tables import stacked

__all__ = ["FORMATS", "Format", "ShardWriter", "digest_of"]


class _Open(Protocol):
    """A file that is being written."""

    def write_table(self, table: pa.Table) -> None: ...
    def close(self) -> None: ...


class Format(Protocol):
    """How shards are written, and read again where their types must change."""

    def write(self, path: Path, schema: pa.Schema) -> _Open:
        """Begins a file."""

    def tables(self, path: Path) -> Iterator[pa.Table]:
        """What was written, table by table."""


class _Parquet:
    def write(self, path: Path, schema: pa.Schema) -> _Open:
        import pyarrow.parquet as parquet

        made: _Open = parquet.ParquetWriter(os.fspath(path), schema)
        return made

    def tables(self, path: Path) -> Iterator[pa.Table]:
        import pyarrow.parquet as parquet

        with parquet.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group)


class _Arrow:
    def write(self, path: Path, schema: pa.Schema) -> _Open:
        made: _Open = pa.ipc.new_file(os.fspath(path), schema)
        return made

    def tables(self, path: Path) -> Iterator[pa.Table]:
        with pa.memory_map(os.fspath(path)) as source:
            file = pa.ipc.open_file(source)
            for number in range(file.num_record_batches):
                yield pa.Table.from_batches([file.get_batch(number)])


FORMATS: dict[str, Format] = {"parquet": _Parquet(), "arrow": _Arrow()}
"""What shards may be: the suffix of their names -> how they are written."""


class ShardWriter:
    """Writes tables under each other into one file, which nobody else writes.

    A table in memory is a row group of Parquet or a record batch of Arrow.

    Args:
        path: of the file.
        format: one of `FORMATS`.
        schema: names and types, if all that will come are known.

    Attributes:
        schema: names and types of what has come, or None.
        rows: how many have come.
    """

    def __init__(self, path: Path, format: str, schema: pa.Schema | None = None) -> None:
        self.path, self.schema, self.rows = path, schema, 0
        self._format = FORMATS[format]
        self._file: _Open | None = None

    def write(self, table: pa.Table) -> None:
        """Adds rows; where they need wider types, what is there is written once more.

        Raises:
            DataError: a column whose types have nothing in common.
        """
        schema = table.schema if self.schema is None else self.schema
        if table.schema != schema:
            schema = stacked([schema.empty_table(), table.slice(0, 0)]).schema
            table = stacked([schema.empty_table(), table])
        with writing(self.path):
            if self._file is None:
                self._file = self._format.write(self.path, schema)
            elif schema != self.schema:
                self._file = self._again(self._file, schema)
            self._file.write_table(table.combine_chunks())
        self.schema = schema
        self.rows += table.num_rows

    def close(self) -> None:
        """Ends the file."""
        if self._file is not None:
            file, self._file = self._file, None
            with writing(self.path):
                file.close()

    def _again(self, file: _Open, schema: pa.Schema) -> _Open:
        """A file with the rows of another one as other types, which takes its place."""
        file.close()
        before = self.path.with_name(f"{self.path.name}.before")
        self.path.replace(before)
        try:
            made = self._format.write(self.path, schema)
            for table in self._format.tables(before):
                made.write_table(stacked([schema.empty_table(), table]).combine_chunks())
        finally:
            before.unlink()
        return made


def digest_of(path: Path) -> str:
    """`sha256:...` of the bytes of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
