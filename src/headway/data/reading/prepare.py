"""Files of any size as a cached data set: parsed once, then opened in milliseconds."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from headway.data.cache import Store, key_of, reached
from headway.data.cache.code import own_version
from headway.data.cache.files import file_digests
from headway.data.cache.parts import open_parts, part_path
from headway.data.dataset import Dataset
from headway.data.formats.compression import COMPRESSIONS
from headway.data.formats.source import ReadOptions, unreadable
from headway.data.reading.find import Place, Sources, find_sources
from headway.data.reading.options import read_options
from headway.data.reading.sources import Piece, Source
from headway.data.reading.stream import write_rows
from headway.errors import ConfigError
from headway.logs import log

if TYPE_CHECKING:
    from typing import Unpack

    from headway.data.reading.options import Reading

__all__ = ["prepare", "prepare_sources"]

_OPTIONS = ReadOptions()


def prepare(
    path: Place,
    *,
    format: str | None = None,
    store: Store | None = None,
    **how: Unpack[Reading],
) -> Dataset | dict[str, Dataset]:
    """What `read` gives, as data sets whose steps are kept, like `read(path).cached()`.

    Files are parsed in parts, in memory that does not grow with them, and their rows are kept as
    Arrow files. While the files of a data set have the same content they are not parsed again;
    while their size and times are the same they are not even read.

    Args:
        path: a file, a folder, a pattern or a name, or a list of files, as in `read`.
        format: as in `read`.
        store: where results are kept; the folder `steps` of the cache if it is not said.
        **how: the other options of `read`, but for `bad_rows`.

    Returns:
        One data set; or a dict with train, validation and test, where the names of files say so.

    Raises:
        DataError: what `read` refuses.
        ConfigError: bad rows that are left out.
        OutputError: the store cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tickets.csv"
    ...     _ = file.write_text("text,label\\nwhere is it?,1\\n")
    ...     list(prepare(file, store=Store(Path(folder) / "steps")))
    [{'text': 'where is it?', 'label': 1}]
    """
    format, options = read_options(format, how)
    if options.bad_row is not _OPTIONS.bad_row:
        raise ConfigError(
            "prepare() with bad rows that are left out",
            allowed="files without any, since nobody could count them at the next call",
            next_step="read(..., bad_rows=...) and write() what is left",
        )
    return prepare_sources(find_sources(path, format, options), options, store or Store())


def prepare_sources(
    found: Sources, options: ReadOptions, store: Store
) -> Dataset | dict[str, Dataset]:
    """What `prepare` does, of sources that were found."""
    if isinstance(found, Source):
        return _prepared(found, options, store)
    return {split: _prepared(source, options, store) for split, source in found.items()}


def _prepared(source: Source, options: ReadOptions, store: Store) -> Dataset:
    # Most calls have no options, and to look at these takes longer than all else here.
    told = reached(options=options) if options != _OPTIONS else {"Headway": own_version()}
    data = _content(source, store)
    parts = {"step": "prepare", "data": data, "format": _kinds(source.pieces), **told}

    def make(folder: Path) -> int:
        if len(source.pieces) > 1:
            log.info("%s: %d files one after the other", source.name, len(source.pieces))
        for left in folder.glob(".*"):  # by a process that was killed
            left.unlink()
        write_rows(source, options, part_path(folder, 0))
        return open_parts(folder).num_rows

    rows = open_parts(store.result(parts, make))
    return Dataset(rows, name=source.name).cached(store, identity=f"step:{key_of(parts)}")


def _content(source: Source, store: Store) -> str:
    """A hash of all files: of their bytes, and of names where these become values or columns."""
    files = [file for piece in source.pieces for file in piece.files]
    try:
        digests = file_digests(files, store.folder)
    except OSError as error:
        raise unreadable(Path(error.filename or files[0]), error) from error
    names = [name for piece in source.pieces for name in _telling_names(piece)]
    if len(digests) == 1 and not any(names):
        return digests[0]
    told = "\n".join(f"{digest} {name}" for digest, name in zip(digests, names, strict=True))
    return f"sha256:{hashlib.sha256(told.encode(errors='surrogateescape')).hexdigest()}"


def _telling_names(piece: Piece) -> list[str]:
    """What the name of each file says of its rows."""
    if piece.columns:
        return list(piece.columns)
    if piece.format == "folder":
        return [file.relative_to(piece.path).as_posix() for file in piece.files]
    return [""] * len(piece.files)


def _kinds(pieces: tuple[Piece, ...]) -> str:
    """The format, and how each file is compressed."""
    suffixes = [file.suffix.lower() for piece in pieces for file in piece.files]
    packed = [suffix if suffix in COMPRESSIONS else "" for suffix in suffixes]
    if len(set(packed)) == 1:
        packed = packed[:1]
    return " ".join([pieces[0].format, *filter(None, [",".join(packed)])])
