"""The texts that a command was given: as arguments, on standard input, or in a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from headway.errors import ConfigError, DataError
from headway.logs import log

if TYPE_CHECKING:
    from headway.data import Dataset

__all__ = ["rows_in", "texts_in_file", "texts_or_lines"]


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


def rows_in(
    path: str,
    *,
    encoding: str | None,
    format: str | None,
    recipe: str | None,
    sample_by: str | None,
) -> Dataset | dict[str, Dataset]:
    """The rows of DATA, as the options of files say.

    Raises:
        DataError: it cannot be read.
        ConfigError: an option that its format does not have.
    """
    from headway.data import open_rows

    return open_rows(
        path, format=format, encoding=encoding or "utf-8", recipe=recipe, sample_by=sample_by
    )


def texts_in_file(path: str, *, text: str | None, pair: str | None, **files: Any) -> Iterator[Any]:
    """The texts of a data file, or its pairs of texts, one by one.

    Raises:
        DataError: it cannot be read, has several splits, or no such column.
    """
    from headway.adaptation.rows import each_text
    from headway.data import Dataset, guess_columns

    data = rows_in(path, **files)
    if not isinstance(data, Dataset):
        raise DataError(
            f"{path} holds several splits: {', '.join(data)}", next_step="name the file of one"
        )
    columns = guess_columns(data, text=text, pair=pair, labelled=False)
    log.info("%s", columns.said)
    return each_text(data, columns)
