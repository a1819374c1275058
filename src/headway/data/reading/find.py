"""From what the user names (a file, a list, a folder, a pattern, a hub's name) to its sources."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from headway.data.formats.source import ReadOptions, unreadable
from headway.data.reading.files import chosen_format
from headway.data.reading.folders import Sources, find_in_folder, split_files
from headway.data.reading.layout import visible
from headway.data.reading.sources import Piece, Source, joined
from headway.errors import DataError, nearest

__all__ = ["Place", "Sources", "find_sources"]

Place = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A file, a folder, a pattern or a name; or a list of them that are one data set together."""


def find_sources(place: Place, format: str | None, options: ReadOptions) -> Sources:
    """One data set, or splits, where the names of files say so. Nothing is read.

    Raises:
        DataError: a place that is not there or holds nothing to read.
        ConfigError: an option that the format does not have.
    """
    if isinstance(place, (str, os.PathLike)):
        return _find(place, format, options)
    if not place:
        raise DataError("an empty list of files", allowed="at least one file")
    sources = [_unsplit(one, format, options) for one in place]
    more = f" and {len(place) - 1} more" if len(place) > 1 else ""
    return joined(sources, f"{os.fspath(place[0])}{more}")


def _unsplit(place: str | os.PathLike[str], format: str | None, options: ReadOptions) -> Source:
    found = _find(place, format, options)
    if isinstance(found, Mapping):
        raise DataError(
            f"{os.fspath(place)} in a list of files holds the splits {', '.join(found)}",
            allowed="what is one data set: files, or folders whose names say no split",
            next_step="name the files of one split",
        )
    return found


def _find(place: str | os.PathLike[str], format: str | None, options: ReadOptions) -> Sources:
    name = os.fspath(place)
    if name.startswith(("pkg:", "hf://")):
        # A plain file needs nothing of the hub.
        from headway.hub import resolve_data

        return _at(Path(resolve_data(name)), format, options, name)
    if "://" in name or not name or "\0" in name:
        raise DataError(
            f"{name!r} is no place on this machine",
            allowed="a file or folder on this machine, pkg:NAME or hf://datasets/ORG/NAME",
            next_step="give a path; download what lies elsewhere first",
        )
    try:
        return _at(Path(name), format, options, name)
    except OSError as error:
        raise unreadable(Path(name), error) from error


def _at(path: Path, format: str | None, options: ReadOptions, name: str) -> Sources:
    if path.is_dir():
        return find_in_folder(path, format, options, name)
    if path.exists():
        return Source(name, (Piece(path, chosen_format(path, format, options), (path,)),))
    if any(character in str(path) for character in "*?["):
        return split_files(_matching(path), format, options, name)
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = nearest(path.name, beside)
    raise DataError(
        f"no file or folder {path}" + (f" ({hint})" if hint else ""),
        next_step="check the path",
    )


def _matching(pattern: Path) -> list[Path]:
    """The files whose paths match a pattern, sorted."""
    try:
        found = Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
        files = [file for file in visible(found) if file.is_file()]
    except ValueError as error:
        raise DataError(f"{pattern} is no pattern: {error}", allowed="such as data/*.csv") from None
    if not files:
        raise DataError(f"no file matches {pattern}", next_step="check the pattern")
    return files
