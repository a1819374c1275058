"""How much of what the machine can multiply a run did multiply.

Counted are the products that learning cannot do without: of each token with every matrix of the
blocks it passes, and of each token with all others of its window; three times, since the gradients
of states and of weights cost one product more each. What is computed besides (norms, softmax,
optimiser, heads) counts as lost.

Source: the count, and utilisation by it, Chowdhery et al. 2022, arXiv 2204.02311, appendix B.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from headway.core.stacks import EncoderDecoder
from headway.model import Model
from headway.training.remembered import remembered

__all__ = ["learning_flops", "matrix_peak"]

SIZE = 1024
"""Rows, columns and inner size of the product that finds the peak."""

PASSES = 3
"""Forward, and backward to states and to weights."""


def learning_flops(model: Model, lengths: Iterable[int], beside: int = 0) -> float:
    """Floating-point operations of learning from windows of these lengths.

    Args:
        model: whose blocks all learn.
        lengths: tokens of each window.
        beside: tokens that are read besides: by the decoder where there are two stacks.

    >>> from headway.checkpoints import Checkpoint
    >>> from headway.families import bert
    >>> config = bert.Config(vocabulary=9, hidden=4, layers=1, heads=2, inner=8, positions=8)
    >>> learning_flops(Model(Checkpoint(bert, config, bert.build(config))), [2])
    1728.0
    """
    body, lengths = model.body, list(lengths)
    first = body.encoder if isinstance(body, EncoderDecoder) else body
    second = body.decoder if isinstance(body, EncoderDecoder) else body
    hidden = model.checkpoint.config.hidden
    within = 4 * hidden * len(first.layers) * sum(length**2 for length in lengths)
    linear = 2 * sum(lengths) * _matrices(first) + 2 * beside * _matrices(second)
    return float(PASSES * (linear + within))


def matrix_peak(precision: str, device: torch.device) -> float:
    """Floating-point operations a second of one large product, the best of several.

    Args:
        precision: fp32 or bf16.
        device: of the run.
    """
    if device.type != "cpu":
        return _measured(precision, device)
    what = f"matrix-peak-{precision}"

    def measure() -> dict[str, Any]:
        return {"flops": _measured(precision, device)}

    found = remembered(what, measure, lambda known: isinstance(known.get("flops"), float))
    return float(found["flops"])


def _matrices(stack: nn.Module) -> int:
    """Numbers in the matrices that each token is multiplied with."""
    layers = getattr(stack, "layers", None)
    assert isinstance(layers, nn.ModuleList)
    return sum(
        part.weight.numel()
        for layer in layers  # shared ones count as often as they are applied
        for part in layer.modules()
        if isinstance(part, nn.Linear)
    )


def _measured(precision: str, device: torch.device) -> float:
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.ones(SIZE, SIZE, dtype=dtype, device=device) for _ in "ab")
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        product = a @ b
        product[0, 0].item()  # it is done
        best = min(best, time.perf_counter() - start)
    return 2 * SIZE**3 / best
