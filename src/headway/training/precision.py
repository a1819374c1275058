"""bf16 where this machine is faster with it: measured once, then remembered."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from headway.logs import log
from headway.training.remembered import remembered

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
    found = remembered("precision", _verdict, lambda known: known.get("precision") in KNOWN)
    return str(found["precision"])


KNOWN = ("fp32", "bf16")


def _verdict() -> dict[str, Any]:
    ratio = _bf16_speedup()
    chosen = "bf16" if ratio >= FASTER else "fp32"
    log.info("bf16 is %.2f times as fast as fp32 here: using %s", ratio, chosen)
    return {"precision": chosen, "bf16_speedup": ratio}


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
