"""Which files of a folder hold rows, and which split each belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from headway.data.compression import without_compression
from headway.errors import DataError
from headway.logs import log

__all__ = ["SPLIT_NAMES", "by_split", "split_of", "visible"]

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
