"""The texts that a command was given: as arguments, on standard input, or in a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headway.errors import ConfigError, DataError
from headway.logs import log

if TYPE_CHECKING:
    from headway.data import Dataset

__all__ = ["lines_or_column", "one_in", "rows_in", "texts_in_file", "texts_or_lines"]


def texts_or_lines(
    texts: Sequence[str], *, encoding: str | None = None, otherwise: str = ""
) -> Iterable[str]:
    """The texts themselves; or the lines of standard input, where there are none, or only `-`.

    Args:
        texts: as typed.
        encoding: of standard input; None = UTF-8.
        otherwise: what else could have been given, for the message.

    Raises:
        UsageError: nothing was given, and standard input is a terminal.
    """
    if texts and list(texts) != ["-"]:
        return texts
    if sys.stdin is None or (not texts and sys.stdin.isatty()):
        raise click.UsageError(
            f"no text was given. Next: write it behind the command{otherwise}, or pipe lines in.",
            click.get_current_context(),
        )
    return _lines(encoding or "utf-8")


def _lines(encoding: str) -> Iterator[str]:
    number = 0
    try:
        for line in sys.stdin.buffer:
            number += 1
            yield line.decode(encoding).removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise DataError(
            f"standard input, line {number}: byte {error.start} is {error.object[error.start]:#04x}"
            f", which is not {encoding}",
            next_step="--encoding NAME, such as latin-1",
        ) from None
    except LookupError:
        raise ConfigError(
            f"no text encoding {encoding!r}", allowed="such as utf-8, latin-1, cp1252"
        ) from None
    except OSError as error:
        raise DataError(f"standard input cannot be read: {error.strerror or error}") from None
    if not number:
        log.info("standard input was empty")


def rows_in(path: str | list[str], **files: Any) -> Dataset | dict[str, Dataset]:
    """The rows of DATA, as the options of files say.

    Raises:
        DataError: it cannot be read.
        ConfigError: an option that its format does not have.
    """
    from headway.data import open_rows

    return open_rows(path, **how_to_read(**files))


def one_in(path: str, **files: Any) -> Dataset:
    """The same, of one split.

    Raises:
        DataError: there are several.
    """
    from headway.data import Dataset

    data = rows_in(path, **files)
    if not isinstance(data, Dataset):
        raise DataError(
            f"{path} holds several splits: {', '.join(data)}", next_step="name the file of one"
        )
    return data


def how_to_read(*, encoding: str | None, **files: Any) -> dict[str, Any]:
    """The options of files as `headway.read` takes them."""
    return {"encoding": encoding or "utf-8", **files}


def lines_or_column(files: Sequence[str], *, text: str | None, **how: Any) -> Any:
    """What a tokenizer learns from: files of plain lines as they are, else a column of their rows.

    Raises:
        DataError: rows that cannot be read, are splits without `train`, or have no such column.
    """
    if text is None and all(value is None for value in how.values()) and all(map(_is_lines, files)):
        return list(files)
    import pyarrow as pa

    from headway.data import Dataset, guess_columns

    found = rows_in(list(files) if len(files) > 1 else files[0], **how)
    if not isinstance(found, Dataset):
        if "train" not in found:
            raise DataError(
                f"{', '.join(files)} holds several splits: {', '.join(found)}",
                next_step="name the files of one",
            )
        log.info("of the splits %s only train is learnt from", ", ".join(found))
        found = found["train"]
    columns = guess_columns(found, text=text, labelled=False)
    log.info("%s", columns.said)
    first, *others = (found.column(name) for name in columns.texts)
    chunks = [
        *first.chunks,
        *(chunk for other in others for chunk in other.cast(first.type).chunks),
    ]
    return pa.chunked_array(chunks, first.type)


def _is_lines(file: str) -> bool:
    """Whether a file is read as lines, which takes no table of them."""
    from headway.data.formats.compression import COMPRESSIONS
    from headway.data.reading.files import format_of

    path = Path(file)
    pattern = not path.exists() and any(sign in file for sign in "*?[")
    if pattern or path.is_dir() or file.startswith(("pkg:", "hf://")):
        return False
    return format_of(path) in (None, "txt") and path.suffix.lower() not in COMPRESSIONS


def texts_in_file(path: str, *, text: str | None, pair: str | None, **files: Any) -> Iterator[Any]:
    """The texts of a data file, or its pairs of texts, one by one.

    Raises:
        DataError: it cannot be read, has several splits, or no such column.
    """
    from headway.data import guess_columns
    from headway.tasks.inputs import each_text

    data = one_in(path, **files)
    columns = guess_columns(data, text=text, pair=pair, labelled=False)
    log.info("%s", columns.said)
    return each_text(data, columns)
