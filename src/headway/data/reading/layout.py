"""Which files of a folder hold rows, and which split each belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from headway.data.formats.compression import without_compression
from headway.errors import DataError
from headway.logs import log

__all__ = ["SPLIT_NAMES", "by_split", "refuse_missing_shards", "split_of", "visible"]

# A word in a file or folder name | the split
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}
# `train-00000-of-00003.parquet`: one of the files into which a split was cut.
_SHARD = re.compile(r"(.*)-([0-9]{5,})-of-([0-9]{5,})([-.].*)")
# Files beside the rows that are written as rows could be.
_NOT_ROWS = {
    "readme",
    "license",
    "licence",
    "source",
    "citation",
    "requirements",
    "dataset_dict",
    "dataset_info",
    "dataset_infos",
    "state",
}


def split_of(name: str) -> str | None:
    """The split that a file or folder name says, or None.

    Raises:
        DataError: the name says two.

    >>> split_of("snli_1.0_dev.jsonl"), split_of("wnut17train.conll"), split_of("latest.csv")
    ('validation', 'train', None)
    """
    words = re.findall("[a-z]+", name.casefold())
    found = list(dict.fromkeys(SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES))
    if len(found) > 1:
        raise DataError(
            f"the name {name!r} says two splits: {', '.join(found)}",
            allowed="one of train, validation, test in a name",
            next_step="read the file alone, or rename it",
        )
    return found[0] if found else None


def visible(paths: Iterable[Path]) -> list[Path]:
    """Sorted, without hidden files, notes such as README.txt and what a package says of itself."""
    return sorted(
        path
        for path in paths
        if not path.name.startswith((".", "_"))
        and (without_compression(path).stem.casefold() not in _NOT_ROWS or path.is_dir())
        and not path.name.endswith((".dist-info", ".egg-info"))
    )


def by_split(files: Iterable[Path], *, where: str) -> Mapping[str | None, list[Path]]:
    """Files by the split their names say; or all under None, where no name says one.

    Where some names say a split and others do not, the others are left out, and a line in the log
    says so.
    """
    groups: dict[str | None, list[Path]] = {}
    for file in files:
        groups.setdefault(split_of(file.name), []).append(file)
    if None in groups and len(groups) > 1:
        left_out = groups.pop(None)
        log.warning(
            "%s: not read, since the name says no split: %s",
            where,
            ", ".join(file.name for file in left_out),
        )
    order = ("train", "validation", "test", None)
    return {split: groups[split] for split in order if split in groups}


def refuse_missing_shards(files: Iterable[Path]) -> None:
    """Raises DataError where files are called `NAME-00000-of-00003` and one of them is not there.

    >>> refuse_missing_shards([Path("test-00000-of-00002.csv"), Path("test-00001-of-00002.csv")])
    """
    shards: dict[tuple[str, ...], set[int]] = {}
    for file in files:
        if found := _SHARD.fullmatch(file.name):
            name, number, count, ending = found.groups()
            shards.setdefault((str(file.parent), name, count, ending), set()).add(int(number))
    for (folder, name, count, ending), there in shards.items():
        missing = next((n for n in range(int(count)) if n not in there), None)
        if missing is not None:
            raise DataError(
                f"{folder}/{name}-*-of-{count}{ending}: {len(there)} of {int(count)} files are "
                f"there; the first that is missing is number {missing:0{len(count)}}",
                allowed="all files into which the rows were cut",
                next_step="download the rest, or name the files that are there one by one",
            )
