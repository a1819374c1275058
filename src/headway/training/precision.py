"""Half precision where it is faster: bf16 on this machine, by measurement; fp16 on older GPUs."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from headway.errors import ConfigError
from headway.logs import log
from headway.training.remembered import remembered

__all__ = ["HALVES", "chosen_precision", "precision_context", "precision_here"]

FASTER = 1.15  # bf16 must win by this much: casts cost something that the probe does not see
SHAPE = (1024, 768, 3072)  # tokens, hidden, inner: a feed-forward layer of a base-size model
FIRST = 32
"""Tokens that are tried before these."""
HOPELESS = 0.25
"""A speedup on so few that more tokens do not turn: without instructions for bf16 it is a tenth or
less, and the whole layer would take minutes."""

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""Word -> what products are made in."""

PROCESSORS = ("fp32", "bf16")
"""What a processor computes with: in fp16 a layer's products take 35 times as long as in fp32."""


def chosen_precision(asked: str, device: torch.device) -> str:
    """`asked`, or for "auto" what this machine is faster with.

    That is bf16 on GPUs that have it, fp16 on others, and on a processor fp32 or bf16, by a verdict
    that lies in the cache folder, so that two runs on one machine never differ in it.

    Raises:
        ConfigError: fp16 on a processor.
    """
    if device.type == "cpu" and asked not in (*PROCESSORS, "auto"):
        raise ConfigError(
            f"precision = {asked!r} on a processor", allowed=f"auto, {', '.join(PROCESSORS)}"
        )
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    found = remembered("precision", _verdict, lambda known: known.get("precision") in PROCESSORS)
    return str(found["precision"])


def precision_here(saved: str | None, device: torch.device) -> str:
    """That of a run elsewhere, where this device computes in it; else auto.

    >>> precision_here("bf16", torch.device("cpu")), precision_here("fp16", torch.device("cpu"))
    ('bf16', 'auto')
    """
    if saved is None or (device.type == "cpu" and saved not in PROCESSORS):
        return "auto"
    return saved


def _verdict() -> dict[str, Any]:
    ratio = _bf16_speedup()
    chosen = "bf16" if ratio >= FASTER else "fp32"
    log.info("bf16 is %.2f times as fast as fp32 here: using %s", ratio, chosen)
    return {"precision": chosen, "bf16_speedup": ratio}


def precision_context(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Runs matrix products in half precision inside, or leaves everything as it is for fp32."""
    if precision in HALVES:
        return torch.autocast(device.type, HALVES[precision])
    return nullcontext()


def _bf16_speedup() -> float:
    """Time of a feed-forward layer's forward and backward pass in fp32, over that in bf16."""
    few = _speedup(FIRST)
    return few if few < HOPELESS else _speedup(SHAPE[0])


def _speedup(tokens: int) -> float:
    """The same of so many tokens."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        _, hidden, inner = SHAPE
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
