"""The files that a stage reads: there before any stage is run, and hashed when one begins."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from headway.data.formats.source import ReadOptions
from headway.data.reading.find import find_sources
from headway.data.reading.options import Reading, read_options
from headway.data.reading.sources import Source
from headway.families import FAMILIES

__all__ = ["digest_of", "digest_of_all", "files_of"]

READING = ("encoding", "recipe", "features", "sample_by")


def files_of(
    source: str | list[str], model: str | None, given: Mapping[str, Any], *, alone: bool
) -> dict[str, list[Path]]:
    """Name -> the files on this machine that it means; names of packages and hubs mean none.

    Args:
        source: the texts, or the data.
        model: that is begun with, or None.
        given: settings of the stage.
        alone: whether a list of one means what its one name does, splits too.

    Raises:
        DataError: a file is not there, or is of no known format.
        ConfigError: an option that the format does not have.
    """
    how = {key: given[key] for key in READING if key in given}
    format, options = read_options(given.get("format"), cast("Reading", how))
    found: dict[str, list[Path]] = {}
    for place in (source, given.get("test")):
        names = _here([place] if isinstance(place, str) else place or [])
        if isinstance(place, list) and len(names) > alone:
            find_sources(names, format, options)
        found |= {name: _read_of(name, format, options) for name in names}
    began = None if model in FAMILIES else model
    others = (began, *(given.get(key) for key in ("tokenizer", "recipe", "features")))
    return found | {name: _below(Path(name)) for name in others if isinstance(name, str)}


def digest_of(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def digest_of_all(files: Sequence[Path]) -> str:
    """The hash of a file, or one of several and their names."""
    if len(files) == 1:
        return digest_of(files[0])
    told = hashlib.sha256()
    for path in files:
        told.update(f"{path} {digest_of(path)}\n".encode(errors="surrogateescape"))
    return f"sha256:{told.hexdigest()}"


def _here(places: Sequence[str]) -> list[str]:
    return [place for place in places if not place.startswith(("pkg:", "hf://"))]


def _read_of(name: str, format: str | None, options: ReadOptions) -> list[Path]:
    """The files of rows of one name, in the order in which they are read."""
    found = find_sources(name, format, options)
    sources = [found] if isinstance(found, Source) else found.values()
    return [file for source in sources for piece in source.pieces for file in piece.files]


def _below(place: Path) -> list[Path]:
    """The file, or all in the folder that are not hidden; none where nothing is of that name."""
    place = place.expanduser()
    if place.is_file():
        return [place]
    below = sorted(path for path in place.rglob("*") if path.is_file())
    return [path for path in below
            if not any(part.startswith(".") for part in path.relative_to(place).parts)]  # fmt: skip
