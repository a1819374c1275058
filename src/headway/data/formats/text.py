"""Text files where a line is a row, and lines that begin with their label."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from headway.data.formats.source import ReadOptions, text_buffer
from headway.errors import DataError

__all__ = ["lines_of", "read_labelled_lines", "read_text"]


def read_text(path: Path, options: ReadOptions) -> pa.Table:
    r"""Every line is a row of the column `text`, blank lines too.

    Lines end with `\n` or `\r\n` and nothing else: U+2028, U+0085 and form feeds stay inside.
    """
    return pa.table({"text": lines_of(text_buffer(path, options))})


def read_labelled_lines(path: Path, options: ReadOptions) -> pa.Table:
    """Columns `label` and `text`: the first word of a line is its label, the rest its text.

    Blank lines are skipped. This is how the TREC question set is written, as `NUM:dist How far
    is it from Denver to Aspen ?`, with encoding="latin-1".
    """
    lines = lines_of(text_buffer(path, options))
    lines = pc.utf8_trim(lines, " \t")
    lines = lines.filter(pc.not_equal(lines, ""))
    if not len(lines):
        raise DataError(f"{path} holds only blank lines", allowed="`label text` on every line")
    parts = pc.extract_regex(lines, r"^(?P<label>[^ \t]+)[ \t]*(?P<text>(?s:.*))$")
    return pa.table({name: pc.struct_field(parts, [name]) for name in ("label", "text")})


def lines_of(buffer: pa.Buffer) -> pa.ChunkedArray:
    """The lines of UTF-8 bytes, without their ends; the last line may lack its end."""
    offsets = pa.array([0, buffer.size], type=pa.int64()).buffers()[1]
    whole = pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, buffer])
    lines = pc.split_pattern(whole, "\n").flatten()
    if len(lines) and lines[len(lines) - 1].as_py() == "":
        lines = lines.slice(0, len(lines) - 1)
    lines = pc.replace_substring_regex(lines, r"\r$", "", max_replacements=1)
    return _small_strings(lines)


def _small_strings(lines: pa.Array) -> pa.ChunkedArray:
    """`string` chunks: their offsets are 32 bits wide, so none may pass 2 GB."""
    pieces, start, count = [], 0, 1 << 20
    while start < len(lines):
        piece = lines.slice(start, count)
        try:
            pieces.append(piece.cast(pa.string()))
        except pa.ArrowInvalid:
            if count == 1:
                raise
            count //= 2
            continue
        start += count
    return pa.chunked_array(pieces, type=pa.string())
