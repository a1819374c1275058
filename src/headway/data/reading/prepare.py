"""A file of any size as a cached data set: parsed once, then opened in milliseconds."""

from __future__ import annotations

from pathlib import Path

from headway.data.cache import Store, key_of, reached
from headway.data.cache.code import own_version
from headway.data.cache.files import file_digest
from headway.data.cache.parts import open_parts, part_path
from headway.data.dataset import Dataset
from headway.data.formats.source import ReadOptions
from headway.data.reading.stream import write_arrow
from headway.errors import ConfigError, DataError

__all__ = ["prepare"]

_OPTIONS = ReadOptions()


def prepare(
    path: str | Path,
    *,
    format: str | None = None,
    options: ReadOptions = _OPTIONS,
    store: Store | None = None,
) -> Dataset:
    """The rows of a file as a data set whose steps are kept, like `read(path).cached()`.

    The file is parsed in parts, in memory that does not grow with it, and its rows are kept as
    Arrow files. While it has the same content it is not parsed again; while its size and times are
    the same it is not even read.

    Args:
        path: a file.
        format: as in `read`.
        options: the other options of `read`.
        store: where results are kept; the folder `steps` of the cache if it is not said.

    Raises:
        DataError: what `read` refuses.
        ConfigError: options that leave bad rows out.
        OutputError: the store cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tickets.csv"
    ...     _ = file.write_text("text,label\\nwhere is it?,1\\n")
    ...     list(prepare(file, store=Store(Path(folder) / "steps")))
    [{'text': 'where is it?', 'label': 1}]
    """
    path, store = Path(path), store or Store()
    if not path.is_file():
        raise DataError(f"{path} is no file", allowed="one file on this machine")
    if options.bad_row is not _OPTIONS.bad_row:
        raise ConfigError(
            "prepare() with bad rows that are left out",
            allowed="files without any, since nobody could count them at the next call",
            next_step="read(..., bad_rows=...) and write() what is left",
        )
    content = file_digest(path, store.folder)
    # Most calls have no options, and to look at these takes longer than all else here.
    told = reached(options=options) if options != _OPTIONS else {"Headway": own_version()}
    kind = format or "".join(path.suffixes)
    parts = {"step": "prepare", "data": content, "format": kind, **told}

    def make(folder: Path) -> int:
        write_arrow(path, part_path(folder, 0), format=format, options=options)
        return open_parts(folder).num_rows

    found = open_parts(store.result(parts, make))
    data = Dataset(found, name=str(path))
    return data.cached(store, identity=f"step:{key_of(parts)}")
