"""The content of files as hashes, each read once while the file stays as it is."""

from __future__ import annotations

import json
import mmap
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from blake3 import blake3

__all__ = ["file_digests"]

_NAME = "files.json"
_MOST = 1000
_AT_ONCE = 16 << 20  # bytes, enough for several processors
_SETTLED = 2.0  # seconds after which a change would show in the times of the file


def file_digests(paths: Sequence[Path], folder: Path) -> list[str]:
    """`blake3:...` of the bytes of each file.

    Args:
        paths: any files.
        folder: where is noted which hash a file of this place, size and times had. A file that
            was written a moment ago is not noted, since another write might not change its times.

    Raises:
        OSError: a file cannot be read.
    """
    known: dict[str, list[object]] = {}
    with suppress(OSError, ValueError):
        known = dict(json.loads((folder / _NAME).read_text("utf-8")))
    notes: dict[str, list[object]] = {}
    digests = [_digest(path, known, notes) for path in paths]
    if notes:
        kept = {place: note for place, note in known.items() if place not in notes} | notes
        most = max(_MOST, len(paths))
        written = folder / f".{_NAME}.{os.getpid()}"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            written.write_text(json.dumps(dict([*kept.items()][-most:])), "utf-8")
            written.replace(folder / _NAME)
    return digests


def _digest(path: Path, known: Mapping[str, list[object]], notes: dict[str, list[object]]) -> str:
    """The hash of one file, as known, or read and noted."""
    before = path.stat()
    place = os.fspath(path.resolve())
    state = [before.st_size, before.st_mtime_ns, before.st_ctime_ns, before.st_ino, before.st_dev]
    if place in known and known[place][1:] == state:
        return str(known[place][0])
    digest = _read(path)
    after = path.stat()
    same = (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    if same and time.time() - after.st_mtime > _SETTLED:
        notes[place] = [digest, *state]
    return digest


def _read(path: Path) -> str:
    hashed = blake3(max_threads=blake3.AUTO)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size:  # nothing cannot be mapped
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                for at in range(0, size, _AT_ONCE):
                    with memoryview(mapped) as whole, whole[at : at + _AT_ONCE] as part:
                        hashed.update(part)
                    if hasattr(mmap, "MADV_DONTNEED"):  # what was read is let go
                        mapped.madvise(mmap.MADV_DONTNEED, at, min(_AT_ONCE, size - at))
    return f"blake3:{hashed.hexdigest()}"
