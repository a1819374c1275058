"""Where Headway keeps what it fetches: the only setting that is not an argument."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """The folder for fetched packages and prepared data; it need not exist yet.

    `HEADWAY_CACHE` if it is set, else `headway` under `XDG_CACHE_HOME`, else `~/.cache/headway`.
    The environment is read at every call. As the XDG Base Directory Specification asks, a relative
    `XDG_CACHE_HOME` is ignored; an empty variable counts as unset.

    >>> import os
    >>> os.environ["HEADWAY_CACHE"] = "/data/headway"
    >>> cache_folder()
    PosixPath('/data/headway')
    """
    if own := os.environ.get("HEADWAY_CACHE"):
        return Path(own).expanduser().absolute()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "headway"
