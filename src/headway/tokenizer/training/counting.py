"""The words of the texts that a tokenizer is trained on, counted by the native engine.

A text is a line of a file with its end, a row of a column, or what an iterator gives.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from headway.errors import ConfigError, DataError, OutputError
from headway.tokenizer import _native

__all__ = ["Counted", "Texts", "count_words", "size_of"]

Texts = Any
"""Files, an Arrow column or numpy array of strings, or an iterator of strings."""

_BLOCK = 1 << 22  # bytes of a file, or characters of an iterator, that are counted at a time

Progress = Callable[[str, int, int], None]


class Counted(NamedTuple):
    """What was counted.

    Attributes:
        words: each word with its count.
        summary: how much there was, and what of it was left out.
    """

    words: _native.WordList
    summary: dict[str, int]


def count_words(
    texts: Texts, cutter: _native.WordCutter, *, threads: int, memory: int, progress: Progress
) -> Counted:
    """Counts the words of all texts.

    Args:
        texts: see `Texts`.
        cutter: what cuts a text into words.
        threads: how many to use.
        memory: bytes for counts; where they do not do, counts go through a temporary file.
        progress: told now and then how far this is.

    Raises:
        DataError: a file cannot be read, is not UTF-8, or there is no word.
        OutputError: there is no room for the temporary file.
    """
    with tempfile.TemporaryFile() as one, tempfile.TemporaryFile() as two:
        counter = _native.WordCounter(
            cutter, threads=threads, budget=memory, files=(one.fileno(), two.fileno())
        )
        files = files_of(texts)
        if files is not None:
            for path in files:
                _count_file(path, counter, progress)
        elif _is_column(texts):
            _count_column(texts, counter, progress)
        else:
            _count_iterator(texts, counter, progress)
        words = counter.finish(progress)
    if words is None:
        raise _no_room()
    if not len(words):
        raise DataError(
            "the texts hold no word to learn from", next_step="give files or rows with some text"
        )
    return Counted(words, counter.summary())


def files_of(texts: Texts) -> list[Path] | None:
    """The paths, where texts are given as files."""
    if isinstance(texts, str | PathLike):
        return [Path(texts)]
    if not isinstance(texts, list | tuple):
        return None
    for path in texts:
        if not isinstance(path, str | PathLike):
            raise ConfigError(
                f"{path!r:.60} among the files is a {type(path).__name__}", allowed="paths"
            )
    return [Path(path) for path in texts]


def size_of(texts: Texts) -> int | None:
    """How many bytes there are to read, where that is known before."""
    try:
        files = files_of(texts)
        return None if files is None else sum(path.stat().st_size for path in files)
    except OSError:
        return None  # which is said where the file is read


def _count_file(path: Path, counter: _native.WordCounter, progress: Progress) -> None:
    done = line = 0
    rest = b""
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if not done and not rest:
                    mark = len(block) - len(block.removeprefix(b"\xef\xbb\xbf"))
                    block, done = block[mark:], mark
                end = block.rfind(b"\n") + 1
                lines, rest = (rest + block[:end], block[end:]) if end else (b"", rest + block)
                _count_lines(path, lines, counter, progress, done=done, line=line)
                done += len(lines)
                line += lines.count(b"\n")
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}",
            next_step="give text files; if these are texts themselves, give an iterator of them",
        ) from None
    _count_lines(path, rest, counter, progress, done=done, line=line)


def _count_lines(
    path: Path,
    lines: bytes,
    counter: _native.WordCounter,
    progress: Progress,
    *,
    done: int,
    line: int,
) -> None:
    failure = counter.add_lines(lines, progress)
    if failure is None:
        return
    what, number, place = failure
    if what != "not UTF-8":
        raise _cannot_count(what, f"{path}, line {line + number + 1}")
    before = 0
    for _ in range(number):
        before = lines.index(b"\n", before) + 1
    wrong = lines[before + place]
    raise DataError(
        f"{path}, line {line + number + 1}: byte {done + before + place} of the file is "
        f"{wrong:#04x}, which is not UTF-8",
        next_step=f"iconv -f latin1 -t utf-8 {path}, if that is its encoding",
    )


def _is_column(texts: Any) -> bool:
    return any(
        hasattr(texts, name)
        for name in ("__arrow_c_array__", "__arrow_c_stream__", "__array_interface__")
    )


def _count_column(column: Any, counter: _native.WordCounter, progress: Progress) -> None:
    from headway.tokenizer.arrow import text_chunks

    chunks = [chunk.__arrow_c_array__() for chunk in text_chunks(column)]
    failure = counter.add_chunks(chunks, progress)
    if failure is not None:
        what, row, place = failure
        if what != "not UTF-8":
            raise _cannot_count(what, f"row {row}")
        raise DataError(
            f"row {row}: byte {place} is not UTF-8", next_step="make it a column of strings"
        )


def _count_iterator(texts: Iterable[str], counter: _native.WordCounter, progress: Progress) -> None:
    import pyarrow as pa

    if not isinstance(texts, Iterable):
        raise ConfigError(
            f"{texts!r:.60} is a {type(texts).__name__}",
            allowed="files, a column of strings, or an iterator of strings",
        )
    for batch in _batches(texts):
        column = pa.array(batch, pa.large_string())
        failure = counter.add_chunks([column.__arrow_c_array__()], progress)
        if failure is not None:
            raise _cannot_count(failure[0], f"text {failure[1]} of a batch")


def _batches(texts: Iterable[str]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(
                f"text {number} is {text!r:.60}, a {type(text).__name__}", allowed="strings"
            )
        try:
            batch.append(text.encode())
        except UnicodeEncodeError as error:
            raise DataError(
                f"character {error.start} of text {number} is half of a surrogate pair, which is "
                "no character",
                next_step="read the texts with errors='replace'",
            ) from None
        size += len(batch[-1])
        if size >= _BLOCK:
            yield batch
            batch, size = [], 0
    yield batch


def _cannot_count(what: str, where: str) -> DataError | OutputError:
    if what == "too long":
        return DataError(f"{where} has 4 GB or more", next_step="cut it into several texts")
    return _no_room()


def _no_room() -> OutputError:
    return OutputError(
        f"the temporary file for counts in {tempfile.gettempdir()} cannot be written",
        next_step="make room there, set TMPDIR to another folder, or allow more memory",
    )
