"""The content of a file as a hash, read once while the file stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["file_digest"]

_NAME = "files.json"
_MOST = 1000
_SETTLED = 2.0  # seconds after which a change would show in the times of the file


def file_digest(path: Path, folder: Path) -> str:
    """`sha256:...` of the bytes of a file.

    Args:
        path: any file.
        folder: where is noted which hash a file of this place, size and times had. A file that
            was written a moment ago is not noted, since another write might not change its times.

    Raises:
        OSError: the file cannot be read.
    """
    before = path.stat()
    place = os.fspath(path.resolve())
    state = [before.st_size, before.st_mtime_ns, before.st_ctime_ns, before.st_ino, before.st_dev]
    known: dict[str, list[object]] = {}
    with suppress(OSError, ValueError):
        known = dict(json.loads((folder / _NAME).read_text("utf-8")))
    if place in known and known[place][1:] == state:
        return str(known[place][0])
    with path.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    after = path.stat()
    same = (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    if same and time.time() - after.st_mtime > _SETTLED:
        known.pop(place, None)
        known[place] = [digest, *state]
        written = folder / f".{_NAME}.{os.getpid()}"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            written.write_text(json.dumps(dict([*known.items()][-_MOST:])), "utf-8")
            written.replace(folder / _NAME)
    return digest
