"""What all tasks of one plan know, wherever they run, and the verbs that they apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headway.data.badrows import BadRow, BadRows
from headway.data.dataset import Dataset
from headway.data.formats.source import ReadOptions, unreadable
from headway.data.shards.facts import writing
from headway.data.shards.stretches import Input, numbered
from headway.errors import DataError, HeadwayError

__all__ = ["Job", "Verb", "reading"]

_MOST_TRIES = 4


@dataclass(frozen=True)
class Verb:
    """A verb of `Dataset` with its arguments.

    Attributes:
        name: of the method.
        arguments: by name.
    """

    name: str
    arguments: Mapping[str, Any]

    def __call__(self, data: Dataset) -> Dataset:
        """The data set that the verb makes of one."""
        made: Dataset = getattr(data, self.name)(**self.arguments)
        return made


@dataclass(frozen=True)
class Job:
    """What every task is handed.

    Attributes:
        inputs: what each task reads.
        options: how; `bad_row` is told of by each task anew.
        keep: how many of the bad rows a task tells, or None where the first is an error.
        verbs: what is done to the rows.
        format: of the shards, one of `headway.data.shards.writer.FORMATS`.
        folder: where tasks leave what they have made.
    """

    inputs: tuple[Input, ...]
    options: ReadOptions
    keep: int | None
    verbs: tuple[Verb, ...]
    format: str
    folder: Path

    def begin(self, number: int, what: str) -> None:
        """Counts how often a task was begun: an engine may begin it anew for ever.

        Raises:
            HeadwayError: its process was lost each time before.
        """
        tries = self.folder / f".{what}-{number:05d}.tries"
        with writing(tries), tries.open("ab") as file:
            file.write(b".")
            count = file.tell()
        if count > _MOST_TRIES:
            raise HeadwayError(
                f"{self.inputs[number]}: the process that works on it was ended {_MOST_TRIES} "
                "times; was the memory full? Try fewer workers"
            )

    def counted(self, number: int) -> tuple[ReadOptions, BadRows | None]:
        """The options for the input of a task, and who counts its bad rows."""
        options = replace(self.options, stretch=self.inputs[number].stretch)
        if self.keep is None:
            return options, None
        bad = BadRows(self.keep)
        return replace(options, bad_row=bad), bad

    def at_lines_of_the_file(self, number: int, bad: BadRows | None) -> Callable[[BadRow], BadRow]:
        """What gives a bad row of a stretch the number that its line has in the whole file."""
        begin = numbered(self.inputs[number]) if bad is not None and bad.first else None
        if begin is None:
            return lambda row: row
        more = begin.line - 1
        return lambda row: replace(row, line=row.line + more) if row.unit == "line" else row


@contextmanager
def reading(
    given: Input, options: ReadOptions, again: Callable[[ReadOptions], Iterable[object]]
) -> Iterator[None]:
    """Errors about a stretch of text are those of the whole file, with its lines.

    A task does not know on which line its stretch begins, nor what stands above. Where something
    is wrong, the file is read from its beginning to the end of the stretch.

    Args:
        given: what is read.
        options: how.
        again: reads it with other options.

    Raises:
        DataError: a file that cannot be read, or has changed since the plan was made.
    """
    try:
        if given.path.stat().st_size != given.bytes:
            raise DataError(
                f"{given.path} has no longer the {given.bytes} bytes that were planned for",
                allowed="files that nobody writes meanwhile, the same on all machines",
            )
        yield
    except OSError as error:
        raise unreadable(given.path, error) from error
    except DataError:
        if options.stretch is not None and options.stretch.start:
            for _ in again(replace(options, stretch=replace(options.stretch, start=0))):
                pass
        raise
