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
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from headway.core.stacks import EncoderDecoder
from headway.model import Model
from headway.training.precision import HALVES
from headway.training.remembered import remembered

__all__ = ["Products", "matrix_peak", "utilisation_of"]

SIZE = 1024
"""Rows, columns and inner size of the product that finds the peak."""
FIRST, PATIENCE = 128, 0.2
"""Those of one before it, which counts where the large one would take longer, in seconds: a
processor without instructions for a precision is as slow with any."""

PASSES = 3
"""Forward, and backward to states and to weights."""


@dataclass(frozen=True)
class Products:
    """What a model multiplies for a token.

    Attributes:
        read: numbers in the matrices of the blocks that a token of a window passes.
        written: the same of what is read besides: of the decoder, where there are two stacks.
        states: numbers in the hidden states of all blocks that attend to a window.
    """

    read: int
    written: int
    states: int

    @classmethod
    def of(cls, model: Model) -> Products:
        """Those of a model, all of whose blocks learn."""
        body, hidden = model.body, model.checkpoint.config.hidden
        if isinstance(body, EncoderDecoder):
            read, written = _matrices(body.encoder), _matrices(body.decoder)
            return cls(read, written, hidden * len(body.encoder.layers))
        return cls(_matrices(body), _matrices(body), hidden * len(body.layers))

    def learning_flops(self, lengths: Iterable[int], beside: int = 0) -> float:
        """Floating-point operations of learning from windows of these lengths.

        Args:
            lengths: tokens of each window.
            beside: tokens that are read besides.

        >>> Products(read=128, written=128, states=4).learning_flops([2])
        1728.0
        """
        lengths = list(lengths)
        linear = 2 * (sum(lengths) * self.read + beside * self.written)
        within = 4 * self.states * sum(length**2 for length in lengths)
        return float(PASSES * (linear + within))


def matrix_peak(precision: str, device: torch.device) -> float:
    """Floating-point operations a second of one large product, the best of several.

    Args:
        precision: fp32, bf16 or fp16.
        device: of the run.
    """
    if device.type != "cpu":
        return _measured(precision, device)
    what = f"matrix-peak-{precision}"

    def measure() -> dict[str, Any]:
        return {"flops": _measured(precision, device)}

    found = remembered(what, measure, lambda known: isinstance(known.get("flops"), float))
    return float(found["flops"])


def utilisation_of(
    flops: float, seconds: float, precision: str, device: torch.device
) -> dict[str, float | None]:
    """What training multiplied in a second, in GFLOP, what the machine can at most, and the share.

    Args:
        flops: operations that were counted; 0 = they were not, and nothing is said.
        seconds: that they took.
        precision: fp32, bf16 or fp16.
        device: of the run.
    """
    if not flops:
        return {"gflops": None, "peak_gflops": None, "share": None}
    peak, rate = matrix_peak(precision, device), flops / max(seconds, 1e-9)
    return {"gflops": rate / 1e9, "peak_gflops": peak / 1e9, "share": rate / peak}


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
    few = _rate(precision, device, FIRST)
    return few if 2 * SIZE**3 / few > PATIENCE else _rate(precision, device, SIZE)


def _rate(precision: str, device: torch.device, size: int) -> float:
    """Operations a second of a product of this size."""
    dtype = HALVES.get(precision, torch.float32)
    a, b = (torch.ones(size, size, dtype=dtype, device=device) for _ in "ab")
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        product = a @ b
        product[0, 0].item()  # it is done
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
