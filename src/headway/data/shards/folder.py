"""The folder that shards are written into: one plan's, whole or not there at all.

    DIR/part-00000-of-00012.parquet   the shards that have rows, once all of them are made
    DIR/.shards.json                  what they were made of and what they hold
    DIR/.lock                         held by whoever writes here
    DIR/.unfinished/plan.json         of a run that goes on or was killed: what it makes
    DIR/.unfinished/00003.parquet     a shard that is finished, and 00003.json that tells of it
    DIR/.unfinished/.00003.parquet.*  one that is being written

`headway.data.read` and others that read folders leave out names that begin with a dot.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headway.data.cache.flush import flush
from headway.data.cache.lock import alone
from headway.data.cache.store import key_of
from headway.data.cache.why import changes
from headway.data.shards.facts import (
    Facts,
    not_writable,
    read_facts,
    write_facts,
    writing,
)
from headway.errors import OutputError

__all__ = ["Shards", "begin", "complete", "finish", "held", "opened", "publish"]

_MANIFEST = ".shards.json"
_UNFINISHED = ".unfinished"
_LOCK = ".lock"
_PLAN, _ALL = "plan.json", "all.json"
_MOST_SAID = 3


@dataclass(frozen=True)
class Shards:
    """What was written.

    Attributes:
        folder: where it is.
        files: the shards, in order.
        rows: in all of them.
        bytes: of all files.
        made: how many tasks this call has done; those of an earlier one are not done again.
    """

    folder: Path
    files: tuple[Path, ...]
    rows: int
    bytes: int
    made: int


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Makes a folder, and holds its lock.

    Raises:
        OutputError: it cannot be made or written.
    """
    lock = folder / _LOCK
    with writing(lock):
        folder.mkdir(parents=True, exist_ok=True)
    with alone(lock, not_writable(lock)):
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def complete(folder: Path, parts: Mapping[str, str]) -> Facts | None:
    """The manifest of a plan's shards, if they are there.

    Raises:
        OutputError: other shards are, or one is missing.
    """
    facts = read_facts(folder / _MANIFEST)
    if facts is None:
        return None
    if facts["key"] != key_of(parts):
        raise OutputError(
            f"{folder} holds the shards of another plan: {_difference(facts['parts'], parts)}",
            allowed="a folder of this plan, or a new one",
            next_step=f"name another folder, or remove {folder}",
        )
    for shard in facts["shards"]:
        path = folder / shard["file"]
        if not path.is_file() or path.stat().st_size != shard["bytes"]:
            raise OutputError(
                f"{path} is missing or not as it was written",
                next_step=f"remove {folder} and write the shards again",
            )
    return facts


def begin(folder: Path, parts: Mapping[str, str]) -> tuple[Path, Facts | None]:
    """The folder for unfinished shards of a plan, and the manifest if only names are missing.

    Raises:
        OutputError: files that are no shards, or finished shards of another plan, are there.
    """
    place = folder / _UNFINISHED
    with writing(place):
        facts = read_facts(place / _PLAN)
        if facts is not None and facts["key"] != key_of(parts):
            if any(place.glob("[0-9]*.json")):
                raise OutputError(
                    f"{folder} holds unfinished shards of another plan: "
                    f"{_difference(facts['parts'], parts)}",
                    allowed="a folder of this plan, or a new one",
                    next_step=f"name another folder, or remove {place} to begin anew",
                )
            facts = None
        if facts is None:
            ours = (_UNFINISHED, _LOCK)
            others = [one.name for one in sorted(folder.iterdir()) if one.name not in ours]
            if others:
                raise OutputError(
                    f"{folder} holds {', '.join(others[:_MOST_SAID])}"
                    + (" and others" if len(others) > _MOST_SAID else ""),
                    allowed="a new folder, an empty one, or one with shards of this plan",
                )
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            write_facts(place / _PLAN, {"key": key_of(parts), "parts": dict(parts)})
        for left in place.glob(".*"):
            left.unlink()
    return place, read_facts(place / _ALL)


def finish(
    folder: Path,
    parts: Mapping[str, str],
    names: Sequence[str],
    told: Sequence[Facts],
    about: Facts,
) -> Facts:
    """Notes what the folder is going to hold, before the shards get their names.

    Args:
        folder: of the shards.
        parts: what the plan is made of.
        names: the unfinished shards.
        told: what each holds.
        about: what else the manifest tells.

    Returns:
        The manifest.
    """
    full = [(name, facts) for name, facts in zip(names, told, strict=True) if facts["rows"]]
    shards = [
        {
            "file": f"part-{number:05d}-of-{len(full):05d}{Path(name).suffix}",
            "was": name,
            **{fact: facts[fact] for fact in ("from", "rows", "bytes", "hash")},
        }
        for number, (name, facts) in enumerate(full)
    ]
    manifest = {
        "key": key_of(parts),
        "rows": sum(facts["rows"] for facts in told),
        "bytes": sum(facts["bytes"] for facts in told),
        **about,
        "shards": shards,
        "parts": dict(parts),
    }
    write_facts(folder / _UNFINISHED / _ALL, manifest)
    return manifest


def publish(folder: Path, manifest: Facts) -> None:
    """Gives the shards their names; a run that was killed in between goes on here."""
    place = folder / _UNFINISHED
    with writing(place):
        for shard in manifest["shards"]:
            if (place / shard["was"]).exists():
                (place / shard["was"]).replace(folder / shard["file"])
        (place / _ALL).replace(folder / _MANIFEST)
        flush(folder)
        shutil.rmtree(place, ignore_errors=True)


def opened(folder: Path, manifest: Facts, made: int) -> Shards:
    """What a complete folder holds, of which so many shards were made now."""
    files = tuple(folder / shard["file"] for shard in manifest["shards"])
    return Shards(folder, files, manifest["rows"], manifest["bytes"], made)


def _difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    said = [str(change) for change in changes(before, now)]
    return ", ".join(said[:_MOST_SAID]) + (", ..." if len(said) > _MOST_SAID else "")
