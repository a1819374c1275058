"""What was measured of this machine once, and is kept in the cache folder."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from headway.config import cache_folder
from headway.logs import log

__all__ = ["remembered"]


def remembered(
    what: str, measure: Callable[[], dict[str, Any]], valid: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """What `measure` finds on this processor, with as many threads and this torch.

    Args:
        what: the name of the file that remembers it.
        measure: finds it anew.
        valid: whether what is remembered can be used.
    """
    path = cache_folder() / f"{what}.json"
    key = f"{_processor()} threads={torch.get_num_threads()} torch={torch.__version__}"
    known = _read(path).get(key)
    if isinstance(known, dict) and valid(known):
        return known
    found = measure()
    _write(path, {**_read(path), key: found})
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        wanted = ("model name", "cpu family", "model\t")
        return ", ".join(
            dict.fromkeys(
                line.partition(":")[2].strip() for line in lines if line.startswith(wanted)
            )
        )
    except OSError:
        return platform.processor() or platform.machine()


def _read(path: Path) -> dict[str, Any]:
    """What earlier runs found; nothing where the file is absent or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _write(path: Path, values: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(values, indent=2), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        log.info("the cache folder cannot be written: what %s says is for this run only", path.name)
