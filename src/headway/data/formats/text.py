"""Plain text cut into rows by lines, paragraphs or files, and lines that begin with their label."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from headway.data import compute as pc
from headway.data.formats.parts import Part, Parts, TextBlocks, whole
from headway.data.formats.source import ReadOptions, text_buffer
from headway.errors import ConfigError, DataError

__all__ = ["LINES", "lines_of", "read_labelled_lines", "read_text"]

_MOST_BYTES = 2**31 - 1  # of one `string` array
# Lines with more than white space in them, one after the other.
_PARAGRAPH = re.compile(rb"(?:[ \t\r]*+[^ \t\r\n][^\n]*+(?:\n|\Z))+")


def read_text(path: Path, options: ReadOptions) -> pa.Table:
    r"""Column `text`. What makes a row is said by `sample_by`: line, paragraph or document.

    A line ends with `\n` or `\r\n` and nothing else: U+2028, U+0085 and form feeds stay inside, and
    a blank line is an empty text. Paragraphs are separated by lines of white space and keep their
    line breaks and indentation. A document is the file as it is. `\r\n` becomes `\n`.

    Raises:
        ConfigError: another `sample_by`.
        DataError: no paragraph in the file.
    """
    if options.sample_by in (None, "line"):
        return whole(path, options, LINES)
    cut = _SAMPLES.get(options.sample_by)
    if cut is None:
        known = ", ".join(["line", *_SAMPLES])
        raise ConfigError(f"sample_by={options.sample_by!r}", allowed=known)
    texts = cut(text_buffer(path, options))
    if not len(texts):
        raise DataError(f"{path} holds only blank lines", allowed="at least one text")
    return pa.table({"text": texts})


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


def _paragraphs_of(buffer: pa.Buffer) -> pa.ChunkedArray:
    found = (match.group() for match in _PARAGRAPH.finditer(memoryview(buffer)))
    return _texts([text.replace(b"\r\n", b"\n").removesuffix(b"\n") for text in found])


def _document_of(buffer: pa.Buffer) -> pa.ChunkedArray:
    return _texts([buffer.to_pybytes().replace(b"\r\n", b"\n")])


def _texts(texts: list[bytes]) -> pa.ChunkedArray:
    return _small_strings(pa.array(texts, pa.large_binary()).cast(pa.large_string()))


def _small_strings(texts: pa.Array) -> pa.ChunkedArray:
    """`string` chunks, whose offsets are 32 bits wide; `large_string` if one text needs more."""
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if longest > _MOST_BYTES:
        return pa.chunked_array([texts])
    pieces, start, count = [], 0, 1 << 20
    while start < len(texts):
        piece = texts.slice(start, count)
        try:
            pieces.append(piece.cast(pa.string()))
        except pa.ArrowInvalid:
            count //= 2
            continue
        start += count
    return pa.chunked_array(pieces, type=pa.string())


def _line_parts(path: Path, options: ReadOptions, known: pa.Schema | None) -> Iterator[Part]:
    for block in TextBlocks(path, options):
        table = pa.table({"text": lines_of(pa.py_buffer(block.view))})
        yield Part(table, table.num_rows)


LINES = Parts(_line_parts, lambda a, b: a)
_SAMPLES: dict[str, Callable[[pa.Buffer], pa.ChunkedArray]] = {
    "paragraph": _paragraphs_of,
    "document": _document_of,
}
