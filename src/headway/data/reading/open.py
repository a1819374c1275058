"""Rows for all who work with them: read, or prepared and mapped where they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headway.data.dataset import Dataset
from headway.data.reading.find import Place, find_sources
from headway.data.reading.options import read_options
from headway.data.reading.sources import Source, read_source
from headway.logs import log

if TYPE_CHECKING:
    from typing import Unpack

    from headway.data.cache import Store
    from headway.data.reading.options import Reading

__all__ = ["BIG", "open_rows"]

BIG = 64 << 20
"""Bytes of files from which rows are prepared: what is read in a second is not worth keeping."""


def open_rows(
    path: Place,
    *,
    format: str | None = None,
    store: Store | None = None,
    **how: Unpack[Reading],
) -> Dataset | dict[str, Dataset]:
    """What `read` gives: of small files in memory, of large ones as `prepare` keeps them.

    Files of more than 64 MB together are parsed once and mapped from the cache from then on, in
    private memory that does not grow with them; `headway data why` tells of it. Arrow files are
    mapped where they lie, and where bad rows are left out all files are read, since these are to be
    counted each time.

    Args:
        path: as in `read`.
        format: as in `read`.
        store: where prepared rows are kept; the folder `steps` of the cache if it is not said.
        **how: the other options of `read`.

    Raises:
        DataError: what `read` refuses.
        ConfigError: an option that the format does not have.
        OutputError: large files, and a cache that cannot be written.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tickets.csv"
    ...     _ = file.write_text("text,label\\nwhere is it?,delivery\\n")
    ...     open_rows(file)[0]
    {'text': 'where is it?', 'label': 'delivery'}
    """
    format, options = read_options(format, how)
    found = find_sources(path, format, options)
    sources = {"": found} if isinstance(found, Source) else found
    bad_rows = how.get("bad_rows")
    if bad_rows is None and sum(map(_worth_keeping, sources.values())) > BIG:
        from headway.data.cache import Store
        from headway.data.reading.prepare import prepare_sources

        return prepare_sources(found, options, store or Store())
    rows = {split: read_source(source, options) for split, source in sources.items()}
    if bad_rows is not None and bad_rows.count:
        log.warning("%s: %s", path, bad_rows)
    return rows[""] if isinstance(found, Source) else rows


def _worth_keeping(source: Source) -> int:
    """The bytes that would have to be parsed again."""
    return 0 if source.pieces[0].format == "arrow" else source.bytes
