"""Columns of texts to columns of tokens, for pyarrow."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

from headway.errors import TokenizerError
from headway.tokenizer.encoding import Encoding

if TYPE_CHECKING:
    from headway.tokenizer.tokenizer import Tokenizer

__all__ = ["encode_column"]

# Which numbers of an encoding go into which column.
_COLUMNS: dict[str, Callable[[Encoding], list[int]]] = {
    "ids": lambda encoding: encoding.ids,
    "starts": lambda encoding: [start for start, _ in encoding.offsets],
    "ends": lambda encoding: [end for _, end in encoding.offsets],
}


def encode_column(
    tokenizer: Tokenizer,
    column: pa.Array | pa.ChunkedArray,
    *,
    special: bool,
    offsets: bool,
) -> pa.RecordBatch:
    """The tokens of a column of strings as a record batch: ids, and starts and ends if asked."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise TokenizerError(
            f"a column of {column.type} has no text", allowed="a column of strings"
        )
    names = [*_COLUMNS] if offsets else ["ids"]
    values = {name: array("i") for name in names}
    borders: list[int | None] = []
    for text in column:
        borders.append(len(values["ids"]) if text.is_valid else None)
        if text.is_valid:
            encoding = tokenizer.encode(text.as_py(), None, special)
            for name in names:
                values[name].extend(_COLUMNS[name](encoding))
    borders.append(len(values["ids"]))
    lists = [
        pa.ListArray.from_arrays(
            pa.array(borders, pa.int32()), pa.array(memoryview(values[name]), pa.int32())
        )
        for name in names
    ]
    return pa.RecordBatch.from_arrays(lists, names=names)
