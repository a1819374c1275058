"""Columns of texts to columns of tokens, for pyarrow."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from headway.errors import TokenizerError
from headway.tokenizer.encoding import Encoding
from headway.tokenizer.engine import NativePipeline

__all__ = ["encode_column", "text_chunks"]


def encode_column(
    pipeline: NativePipeline,
    column: Any,
    *,
    special: bool,
    offsets: bool,
    words: bool,
    threads: int,
) -> pa.RecordBatch:
    """The tokens of a column of strings as a record batch; see `Tokenizer.encode_arrow`."""
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        raise TokenizerError(f"threads is {threads!r}", allowed="a whole number, 1 or more")
    chunks = text_chunks(column)
    if special and pipeline.around is None:
        return _row_by_row(pipeline, chunks, offsets=offsets, words=words)
    columns = pipeline.encode_chunks(
        chunks, special=special, offsets=offsets, words=words, threads=threads
    )
    return pa.record_batch(columns)


def text_chunks(column: Any) -> list[pa.Array]:
    """The pieces of a column that the engine can read."""
    if not isinstance(column, pa.Array | pa.ChunkedArray):
        try:
            column = pa.array(column, pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError) as error:
            raise TokenizerError(
                f"a {type(column).__name__} is no column of texts: {error}",
                allowed="an Arrow array, a numpy array or a list of strings",
            ) from error
    kinds = pa.types
    if kinds.is_dictionary(column.type) or kinds.is_string_view(column.type):
        column = column.cast(pa.large_string())
    readable = (kinds.is_string, kinds.is_large_string, kinds.is_binary, kinds.is_large_binary)
    if not any(is_kind(column.type) for is_kind in readable):
        raise TokenizerError(
            f"a column of {column.type} has no text", allowed="a column of strings"
        )
    return list(column.chunks) if isinstance(column, pa.ChunkedArray) else [column]


def _row_by_row(
    pipeline: NativePipeline, chunks: list[pa.Array], *, offsets: bool, words: bool
) -> pa.RecordBatch:
    """For templates that hold a text twice or not at all, which no fast way is worth."""
    rows = [
        None if text is None else pipeline.wrap([pipeline.encode_text(text, 0)], True)
        for chunk in chunks
        for text in chunk.cast(pa.large_string()).to_pylist()
    ]

    def listed(values: Any) -> pa.Array:
        lists = [None if row is None else values(row) for row in rows]
        return pa.array(lists, pa.list_(pa.int32()))

    columns = {"ids": listed(lambda row: row.ids)}
    if offsets:
        columns["starts"] = listed(lambda row: [start for start, _ in row.offsets])
        columns["ends"] = listed(lambda row: [end for _, end in row.offsets])
    if words:
        columns["words"] = listed(_words)
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _words(row: Encoding) -> list[int]:
    return [-1 if word is None else word for word in row.word_ids]
