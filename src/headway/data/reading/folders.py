"""A folder of rows: its splits by name, its class folders, or its files one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headway.data.formats.folder import class_folders, texts_in
from headway.data.formats.parallel import parallel_files
from headway.data.formats.source import ReadOptions
from headway.data.reading.files import (
    SUFFIXES,
    chosen_format,
    format_of,
    readable,
    refuse_other,
)
from headway.data.reading.layout import SPLIT_NAMES, by_split, refuse_missing_shards, visible
from headway.data.reading.sources import Piece, Source, joined
from headway.errors import DataError

__all__ = ["Sources", "find_in_folder", "split_files"]

Sources = Source | dict[str, Source]
"""One data set, or train, validation and test."""


def find_in_folder(path: Path, format: str | None, options: ReadOptions, name: str) -> Sources:
    """One data set, or splits, where names of folders or files in it say so.

    Raises:
        DataError: nothing to read in it, several data sets, or a shard that is missing.
    """
    if format == "parallel":
        return _parallel(path, options, name)
    inside = visible(path.iterdir())
    folders = [one for one in inside if one.is_dir()]
    named = {one: SPLIT_NAMES.get(one.name.casefold()) for one in folders}
    splits: dict[str, Source] = {}
    for folder, split in named.items():
        if split in splits:
            raise DataError(f"{path} has two folders for {split}", next_step="rename one")
        if split is not None:
            splits[split] = _split_folder(folder, format, options, f"{name}/{folder.name}")
    if splits:
        return {
            split: splits[split] for split in ("train", "validation", "test") if split in splits
        }
    if _holds_classes(path, inside, format, least=2):
        return _classes(path, options, name)
    files = readable(_without_notes_of_steps(path, inside), format)
    if files:
        refuse_missing_shards(files)
        return split_files(files, format, options, name)
    inner = [folder for folder in folders if any(readable(folder.rglob("*"), None))]
    if len(inner) == 1:
        return find_in_folder(inner[0], format, options, name)
    if inner:
        raise DataError(
            f"{path} holds several folders of rows: {', '.join(one.name for one in inner)}",
            allowed="one data set",
            next_step=f"name one of them, such as {inner[0]}",
        )
    raise _nothing_to_read(path)


def _without_notes_of_steps(path: Path, inside: Sequence[Path]) -> list[Path]:
    """Without what stands beside the rows that a step of a data set has kept."""
    kept = all((path / name).is_file() for name in ("step.json", "part-00000.arrow"))
    return [one for one in inside if not (kept and one.suffix == ".json")]


def split_files(
    files: Sequence[Path], format: str | None, options: ReadOptions, name: str
) -> Sources:
    """Files as splits, where their names say so, else as one data set."""
    splits: dict[str, Source] = {}
    for split, group in by_split(files, where=name).items():
        if split is None:
            return _of_files(group, format, options, name)
        splits[split] = _of_files(group, format, options, f"{name} ({split})")
    return splits


def _of_files(files: Sequence[Path], format: str | None, options: ReadOptions, name: str) -> Source:
    pieces = [Piece(file, chosen_format(file, format, options), (file,)) for file in files]
    return joined([Source(name, tuple(pieces))], name)


def _split_folder(path: Path, format: str | None, options: ReadOptions, name: str) -> Source:
    """Everything in a folder that is a split by its own name, whatever its files are called."""
    inside = visible(path.iterdir())
    if _holds_classes(path, inside, format, least=1):
        return _classes(path, options, name)
    files = readable(inside, format)
    if not files:
        raise _nothing_to_read(path)
    refuse_missing_shards(files)
    return _of_files(files, format, options, name)


def _holds_classes(path: Path, inside: Sequence[Path], format: str | None, *, least: int) -> bool:
    """Class folders win over loose .txt files, which are notes, but not over other rows."""
    if format is not None:
        return format == "folder"
    rows = any(format_of(one) != "txt" for one in readable(inside, None))
    return not rows and len(class_folders(path)) >= least


def _classes(path: Path, options: ReadOptions, name: str) -> Source:
    refuse_other("folder", options)
    files = tuple(file for folder in class_folders(path) for file in texts_in(folder))
    return Source(name, (Piece(path, "folder", files),))


def _parallel(path: Path, options: ReadOptions, name: str) -> Sources:
    """Parallel files; what the stars stand for says the split."""
    refuse_other("parallel", options)
    groups = {Path(key): files for key, files in parallel_files(path, options.recipe).items()}
    splits: dict[str, Source] = {}
    for split, keys in by_split(groups, where=name).items():
        pieces = tuple(
            Piece(path, "parallel", tuple(groups[key].values()), tuple(groups[key]), str(key))
            for key in keys
        )
        if split is None:
            return Source(name, pieces)
        splits[split] = Source(f"{name} ({split})", pieces)
    return splits


def _nothing_to_read(path: Path) -> DataError:
    return DataError(
        f"{path} holds nothing to read",
        allowed=f"files with {', '.join(SUFFIXES)}, or class folders with .txt files",
        next_step="format=NAME (--format NAME) if the files are called otherwise",
    )
