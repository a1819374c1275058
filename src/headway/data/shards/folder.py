"""The folder that shards are written into: one plan's, whole or not there at all.

    DIR/part-00000-of-00012.parquet   the shards that have rows, once all of them are made
    DIR/.shards.json                  what they were made of and what they hold
    DIR/.unfinished/plan.json         of a run that goes on or was killed: what it makes
    DIR/.unfinished/00003.parquet     a shard that is finished, and 00003.json that tells of it
    DIR/.unfinished/.00003.parquet.*  one that is being written

`headway.data.read` and others that read folders leave out names that begin with a dot.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headway.data.cache.store import key_of
from headway.data.cache.why import changes
from headway.data.shards.facts import Facts, flushed, read_facts, write_facts, writing
from headway.errors import OutputError
from headway.logs import log

__all__ = ["Shards", "alone", "begin", "complete", "finish", "publish"]

_MANIFEST = ".shards.json"
_UNFINISHED = ".unfinished"
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
def alone(folder: Path) -> Iterator[None]:
    """Makes a folder, and holds its lock, which is free again when the process ends.

    Raises:
        OutputError: it cannot be made or written.
    """
    with writing(folder / _UNFINISHED):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("%s: another process writes shards here: waiting for it", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def complete(folder: Path, parts: Mapping[str, str]) -> Shards | None:
    """The shards of a plan, if they are there.

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
    return _shards(folder, facts, made=0)


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
            others = [one.name for one in sorted(folder.iterdir()) if one.name != _UNFINISHED]
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
    folder: Path, parts: Mapping[str, str], names: Sequence[str], told: Sequence[Facts], schema: str
) -> Facts:
    """Notes what the folder is going to hold, before the shards get their names.

    Args:
        folder: of the shards.
        parts: what the plan is made of.
        names: the unfinished shards.
        told: what each holds.
        schema: names and types, for people.

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
        "schema": schema,
        "shards": shards,
        "parts": dict(parts),
    }
    write_facts(folder / _UNFINISHED / _ALL, manifest)
    return manifest


def publish(folder: Path, manifest: Facts, made: int) -> Shards:
    """Gives the shards their names; a run that was killed in between goes on here."""
    place = folder / _UNFINISHED
    with writing(place):
        for shard in manifest["shards"]:
            if (place / shard["was"]).exists():
                (place / shard["was"]).replace(folder / shard["file"])
        (place / _ALL).replace(folder / _MANIFEST)
        flushed(folder)
        shutil.rmtree(place, ignore_errors=True)
    return _shards(folder, manifest, made)


def _shards(folder: Path, manifest: Facts, made: int) -> Shards:
    files = tuple(folder / shard["file"] for shard in manifest["shards"])
    return Shards(folder, files, manifest["rows"], manifest["bytes"], made)


def _difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    said = [str(change) for change in changes(before, now)]
    return ", ".join(said[:_MOST_SAID]) + (", ..." if len(said) > _MOST_SAID else "")
