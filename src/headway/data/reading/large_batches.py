"""Rows on their way into an Arrow file, in batches that grow with the file.

To open a file costs some microseconds for every batch in it, and a parser gives a batch for every
megabyte. Batches of 4 MB, and larger ones once there are many, keep the cost small for any size.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

__all__ = ["LargeBatches"]

_LEAST, _MOST = 4 << 20, 32 << 20  # bytes
_BATCHES = 64  # of the least size; from there on batches grow


class LargeBatches:
    """Puts tables of the same types together before they are written.

    Args:
        file: takes the batches.
        written: told of how many bytes were written, each time.
    """

    def __init__(self, file: pa.RecordBatchFileWriter, written: Callable[[int], None]) -> None:
        self._file, self._tell = file, written
        self._waiting: list[pa.Table] = []
        self._bytes = self._written = 0

    def write(self, table: pa.Table) -> None:
        """Takes rows, which are written at the latest by `flush`."""
        self._waiting.append(table)
        self._bytes += table.nbytes
        if self._bytes >= min(_MOST, max(_LEAST, self._written // _BATCHES)):
            self.flush()

    def flush(self) -> None:
        """Writes what waits."""
        if self._waiting:
            # Columns of text that are too large for one batch stay in several.
            self._file.write_table(pa.concat_tables(self._waiting).combine_chunks())
            self._tell(self._bytes)
        self._written += self._bytes
        self._waiting, self._bytes = [], 0
