"""Word vectors in the files of GloVe, fastText and word2vec: a word, then its numbers.

Text has a word and its numbers with spaces between in each line; word2vec's and fastText's begin
with a line of how many words and numbers. In word2vec's binary form the numbers are 32 bits each.
Sources: https://nlp.stanford.edu/projects/glove, https://code.google.com/archive/p/word2vec.

Such a file says nothing of how texts are cut. Here: at white space and around each punctuation
mark, in small letters if no word of the file has a capital, unless it is asked otherwise. A word
that is not in the file has the vector of `<unk>` or `[UNK]` if the file has one, and zeros else,
which changes no direction.
"""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from headway.checkpoints.embedding import Embedding
from headway.checkpoints.source import Source
from headway.checkpoints.static import MODEL_TYPE
from headway.errors import CheckpointError
from headway.logs import log
from headway.tokenizer import Tokenizer

__all__ = ["has_counts", "read_binary_vectors", "read_text_vectors"]

UNKNOWN = ("<unk>", "[UNK]")
AT_ONCE = 4096
"""Lines read before their numbers are made."""
LONGEST = 1 << 16
"""Bytes that a word, or the file's first line, has at most."""

Floats = NDArray[np.float32]
Rows = Iterator[tuple[int, list[bytes], Floats]]
"""Number of the first row, words, numbers [words, size]."""


def read_text_vectors(path: Path, *, lowercase: bool | None = None) -> Source:
    """The parts of the vectors in a text file; one that ends with .gz is unpacked.

    Args:
        path: the file.
        lowercase: whether texts are read in small letters; None = if no word has a capital.

    Raises:
        CheckpointError: a line that has no word, another count of numbers, or what is no number;
            the message says which.
    """
    with _opened(path) as file:
        try:
            first = file.readline()
            second = file.readline()
            size = len(second.split()) - 1 if _counts(first) and second else 0
            if size > 0 and _counts(first) == (_counts(first)[0], size):
                rows = _lines(path, file, [second], 2, size)
                return _gathered(path, rows, _counts(first)[0], lowercase)
            size = len(first.split()) - 1
            if size < 1:
                raise _wrong(path, "line 1", f"it has no word and numbers: {first!r:.60}")
            rows = _lines(path, file, [first, second], 1, size)
            return _gathered(path, rows, None, lowercase)
        except (OSError, EOFError, zlib.error) as error:
            raise CheckpointError(f"{path} cannot be read: {error}") from error


def read_binary_vectors(path: Path, *, lowercase: bool | None = None) -> Source:
    """The parts of the vectors in word2vec's binary form; one that ends with .gz is unpacked.

    Args: as `read_text_vectors`.

    Raises:
        CheckpointError: the file ends too early, or goes on.
    """
    with _opened(path) as file:
        try:
            counts = _counts(file.readline(LONGEST))
            if not counts or min(counts) < 1 or max(counts) > 1 << 31:
                raise _wrong(path, "the first line", "it is not how many words and numbers")
            return _gathered(path, _records(path, file, *counts), counts[0], lowercase)
        except (OSError, EOFError, zlib.error) as error:
            raise CheckpointError(f"{path} cannot be read: {error}") from error


def has_counts(path: Path) -> bool:
    """Whether a file begins with how many words and numbers there are."""
    try:
        with _opened(path) as file:
            return bool(_counts(file.readline(64)))
    except (CheckpointError, OSError, EOFError, zlib.error):
        return False


def _opened(path: Path) -> BufferedIOBase:
    try:
        return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error


def _counts(line: bytes) -> tuple[int, ...]:
    """The two whole numbers in a first line, or nothing."""
    match = re.fullmatch(rb"(\d{1,10})[ \t](\d{1,6}) *\r?\n", line)
    return tuple(int(part) for part in match.groups()) if match else ()


def _lines(path: Path, file: BufferedIOBase, begun: list[bytes], start: int, size: int) -> Rows:
    """The lines of a text file, `begun` first; `start` is the number of the first."""
    lines = [line for line in begun if line]
    while lines:
        lines += [line for _, line in zip(range(AT_ONCE), file, strict=False)]
        parts = [line.rstrip(b" \r\n").rsplit(b" ", size) for line in lines]
        yield start, [part[0] for part in parts], _numbers(path, parts, start, size)
        start += len(lines)
        lines = [line for _, line in zip(range(AT_ONCE), file, strict=False)]


def _numbers(path: Path, parts: list[list[bytes]], start: int, size: int) -> Floats:
    """float32 [lines, size]."""
    for number, part in enumerate(parts, start):
        if len(part) != size + 1 or not part[0]:
            raise _wrong(
                path, f"line {number}", f"a word and {size} numbers do not make {part[-1]!r:.60}"
            )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what is left over is only warned of
            text = b" ".join(b" ".join(part[1:]) for part in parts)
            found = np.fromstring(text, np.float32, sep=" ")
        if len(found) == len(parts) * size and np.isfinite(found).all():
            return found.reshape(-1, size)
    except (DeprecationWarning, RuntimeWarning, ValueError):
        pass
    for number, part in enumerate(parts, start):
        for value in part[1:]:
            if not re.fullmatch(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", value):
                raise _wrong(path, f"line {number}", f"{value!r:.60} is no number")
    raise _wrong(path, f"lines {start} to {start + len(parts) - 1}", "a number beyond 32 bits")


def _records(path: Path, file: BufferedIOBase, count: int, size: int) -> Rows:
    """The records of a binary file."""
    rest = b""
    for number in range(1, count + 1):
        while (end := rest.find(b" ")) < 0 or len(rest) < end + 1 + 4 * size:
            more = file.read(1 << 20)
            if not more or (end < 0 and len(rest) > LONGEST):
                raise _wrong(path, f"word {number} of {count}", "the file ends, or has no space")
            rest += more
        word, values = rest[:end].lstrip(b"\n"), rest[end + 1 : end + 1 + 4 * size]
        rest = rest[end + 1 + 4 * size :]
        numbers = np.frombuffer(values, "<f4").astype(np.float32)
        if not word or not np.isfinite(numbers).all():
            raise _wrong(
                path, f"word {number} of {count}", f"{word!r:.60} and numbers that are none"
            )
        yield number, [word], numbers[None]
    if (rest + file.read(1 << 20)).strip(b"\n"):
        raise _wrong(path, "its end", f"it goes on behind {count} words")


def _gathered(path: Path, rows: Rows, count: int | None, lowercase: bool | None) -> Source:
    """Words and numbers of all rows; of a word that is there twice the first counts."""
    words: dict[str, int] = {}
    parts: list[Floats] = []
    read = again = 0
    for start, names, numbers in rows:
        kept = []
        for place, name in enumerate(names):
            try:
                word = name.decode()
            except UnicodeDecodeError:
                raise _wrong(path, f"row {start + place}", f"{name!r:.60} is not UTF-8") from None
            if word in words:
                again += 1
            else:
                words[word] = len(words)
                kept.append(place)
        read += len(names)
        parts.append(numbers if len(kept) == len(names) else numbers[kept])
    if count is not None and read != count:
        raise _wrong(
            path, "its end", f"the first line announces {count} words, and there are {read}"
        )
    if again:
        log.warning("%s: %d words are there again; the first of each counts", path, again)
    unknown = next((token for token in UNKNOWN if token in words), None)
    if unknown is None:
        unknown = UNKNOWN[-1]
        words[unknown] = len(words)
        parts.append(np.zeros((1, parts[0].shape[1]), np.float32))
    table = torch.from_numpy(np.concatenate(parts))
    if lowercase is None:
        lowercase = all(word == unknown or word == word.lower() for word in words)
    return Source(
        place=str(path),
        values={
            "model_type": MODEL_TYPE,
            "vocab_size": len(table),
            "hidden_dim": table.shape[1],
            "normalize": True,
        },
        tensors=lambda: {"embeddings": table},
        tokenizer=lambda: Tokenizer.from_document(_document(words, unknown, lowercase)),
        embedding=Embedding(declared=True, static=True),
    )


def _document(words: dict[str, int], unknown: str, lowercase: bool) -> dict[str, Any]:
    """The tokenizer.json of a vocabulary of whole words."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"} if lowercase else None,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": words, "unk_token": unknown},
    }


def _wrong(path: Path, place: str, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path}, {place}: {what}",
        allowed="a word and as many numbers in every line, with spaces between",
        next_step="mend or remove it, or get the file again",
    )
