"""The content of files as hashes, each read once while the file stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from headway.data.threads import in_order

__all__ = ["file_digests"]

_NAME = "files.json"
_MOST = 1000
_STRETCH, _AT_ONCE = 4 << 20, 1 << 18  # bytes
_SETTLED = 2.0  # seconds after which a change would show in the times of the file


def file_digests(paths: Sequence[Path], folder: Path) -> list[str]:
    """A hash of the bytes of each file: SHA-256 of the SHA-256 of each stretch of 4 MB.

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
    digest = _read_digest(path, before.st_size)
    after = path.stat()
    same = (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    if same and time.time() - after.st_mtime > _SETTLED:
        notes[place] = [digest, *state]
    return digest


def _read_digest(path: Path, size: int) -> str:
    """The hash of the hashes of all stretches, which several processors read."""

    def one(start: int) -> bytes:
        hashed, left = hashlib.sha256(), _STRETCH
        buffer = memoryview(bytearray(_AT_ONCE))
        with path.open("rb", buffering=0) as file:
            file.seek(start)
            while left and (read := file.readinto(buffer[: min(left, _AT_ONCE)])):
                hashed.update(buffer[:read])
                left -= read
        return hashed.digest()

    hashed = hashlib.sha256()
    for digest in in_order(one, range(0, max(1, size), _STRETCH)):
        hashed.update(digest)
    return f"sha256 of sha256 of 4 MB: {hashed.hexdigest()}"
