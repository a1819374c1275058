"""bf16 where this machine is faster with it: measured once, then remembered."""

from __future__ import annotations

import json
import os
import platform
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from headway.config import cache_folder
from headway.logs import log

__all__ = ["chosen_precision", "precision_context"]

FASTER = 1.15  # bf16 must win by this much: casts cost something that the probe does not see
SHAPE = (1024, 768, 3072)  # tokens, hidden, inner: a feed-forward layer of a base-size model


def chosen_precision(asked: str, device: torch.device) -> str:
    """`asked`, or for "auto" what this machine is faster with: fp32 or bf16.

    The verdict lies in the cache folder, so that two runs on one machine never differ in it.
    """
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    path = cache_folder() / "precision.json"
    key = f"{_processor()} threads={torch.get_num_threads()} torch={torch.__version__}"
    verdict = _read(path).get(key)
    if isinstance(verdict, dict) and verdict.get("precision") in ("fp32", "bf16"):
        return str(verdict["precision"])
    ratio = _bf16_speedup()
    chosen = "bf16" if ratio >= FASTER else "fp32"
    log.info("bf16 is %.2f times as fast as fp32 here: using %s", ratio, chosen)
    _write(path, {**_read(path), key: {"precision": chosen, "bf16_speedup": ratio}})
    return chosen


def precision_context(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Runs matrix products in bf16 inside, or leaves everything as it is for fp32."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def _bf16_speedup() -> float:
    """Time of a feed-forward layer's forward and backward pass in fp32, over that in bf16."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        tokens, hidden, inner = SHAPE
        x = torch.ones(tokens, hidden, dtype=dtype)
        weight = torch.ones(inner, hidden, dtype=dtype)
        times = []
        for _ in range(7):
            start = time.perf_counter()
            y = torch.nn.functional.linear(x, weight)
            y @ weight, y.t() @ x
            times.append(time.perf_counter() - start)
        seconds[dtype] = sorted(times)[len(times) // 2]
    return seconds[torch.float32] / seconds[torch.bfloat16]


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
        log.info("the cache folder cannot be written: the verdict on bf16 is for this run only")
