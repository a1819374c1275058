"""A folder of rows: its splits by name, its class folders, or its files one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headway.data.dataset import Dataset
from headway.data.formats.folder import class_folders
from headway.data.formats.parallel import parallel_files, read_lines_together
from headway.data.formats.source import ReadOptions
from headway.data.reading.files import (
    FORMATS,
    SUFFIXES,
    format_of,
    read_files,
    readable,
    refuse_other,
    rows_of,
)
from headway.data.reading.layout import SPLIT_NAMES, by_split, refuse_missing_shards, visible
from headway.data.reading.together import together
from headway.errors import DataError

__all__ = ["read_folder", "read_split_files"]


def read_folder(
    path: Path, format: str | None, options: ReadOptions, name: str
) -> Dataset | dict[str, Dataset]:
    """One data set, or splits, where names of folders or files in it say so.

    Raises:
        DataError: nothing to read in it, several data sets, or a shard that is missing.
    """
    if format == "parallel":
        return _read_parallel(path, options, name)
    inside = visible(path.iterdir())
    folders = [one for one in inside if one.is_dir()]
    named = {one: SPLIT_NAMES.get(one.name.casefold()) for one in folders}
    splits: dict[str, Dataset] = {}
    for folder, split in named.items():
        if split in splits:
            raise DataError(f"{path} has two folders for {split}", next_step="rename one")
        if split is not None:
            splits[split] = _read_split_folder(folder, format, options, f"{name}/{folder.name}")
    if splits:
        return {
            split: splits[split] for split in ("train", "validation", "test") if split in splits
        }
    if _holds_classes(path, inside, format, least=2):
        return _read_classes(path, options, name)
    files = readable(inside, format)
    if files:
        refuse_missing_shards(files)
        return read_split_files(files, format, options, name)
    inner = [folder for folder in folders if any(readable(folder.rglob("*"), None))]
    if len(inner) == 1:
        return read_folder(inner[0], format, options, name)
    if inner:
        raise DataError(
            f"{path} holds several folders of rows: {', '.join(one.name for one in inner)}",
            allowed="one data set",
            next_step=f"name one of them, such as {inner[0]}",
        )
    raise _nothing_to_read(path)


def read_split_files(
    files: Sequence[Path], format: str | None, options: ReadOptions, name: str
) -> Dataset | dict[str, Dataset]:
    """Files as splits, where their names say so, else as one data set."""
    splits: dict[str, Dataset] = {}
    for split, group in by_split(files, where=name).items():
        if split is None:
            return read_files(group, format, options, name)
        splits[split] = read_files(group, format, options, f"{name} ({split})")
    return splits


def _read_split_folder(path: Path, format: str | None, options: ReadOptions, name: str) -> Dataset:
    """Everything in a folder that is a split by its own name, whatever its files are called."""
    inside = visible(path.iterdir())
    if _holds_classes(path, inside, format, least=1):
        return _read_classes(path, options, name)
    files = readable(inside, format)
    if not files:
        raise _nothing_to_read(path)
    refuse_missing_shards(files)
    return read_files(files, format, options, name)


def _holds_classes(path: Path, inside: Sequence[Path], format: str | None, *, least: int) -> bool:
    """Class folders win over loose .txt files, which are notes, but not over other rows."""
    if format is not None:
        return format == "folder"
    rows = any(format_of(one) != "txt" for one in readable(inside, None))
    return not rows and len(class_folders(path)) >= least


def _read_classes(path: Path, options: ReadOptions, name: str) -> Dataset:
    refuse_other("folder", options)
    return rows_of(path, FORMATS["folder"].read(path, options), options, name)


def _read_parallel(path: Path, options: ReadOptions, name: str) -> Dataset | dict[str, Dataset]:
    """Parallel files; what the stars stand for says the split."""
    refuse_other("parallel", options)
    groups = {Path(key): files for key, files in parallel_files(path, options.recipe).items()}
    splits: dict[str, Dataset] = {}
    for split, keys in by_split(groups, where=name).items():
        parts = [
            rows_of(path, read_lines_together(groups[key], options), options, f"{path}, * = {key}")
            for key in keys
        ]
        if split is None:
            return together(parts, name=name)
        splits[split] = together(parts, name=f"{name} ({split})")
    return splits


def _nothing_to_read(path: Path) -> DataError:
    return DataError(
        f"{path} holds nothing to read",
        allowed=f"files with {', '.join(SUFFIXES)}, or class folders with .txt files",
        next_step="format=NAME (--format NAME) if the files are called otherwise",
    )
