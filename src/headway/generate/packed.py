"""Linear layers with their weights laid out for a few rows at a time, while text is written.

A step reads every weight for a handful of rows, so memory sets its pace; torch's plain product
lays weights out anew at each call. oneDNN's own layout, made once before the first step, is read at
about three times the rate (benchmarks/generation.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from headway.core.linear import FusedLinear

__all__ = ["Packed"]

SMALLEST = 2**16
"""Numbers in a weight that is worth it: smaller ones are in the processor's cache anyway."""


class Packed:
    """The packed layers of some modules.

    There are none where the machine or the type has no such layout, or where a second copy of the
    weights would take more than half of the memory that is free.

    Args:
        modules: whose layers; their weights must not change meanwhile.
        rows: how many a step will have.
    """

    def __init__(self, *modules: nn.Module, rows: int) -> None:
        parts = {part for module in modules for part in module.modules()}
        layers = [part for part in parts if isinstance(part, nn.Linear) and _can_be_packed(part)]
        size = sum(layer.weight.numel() * layer.weight.element_size() for layer in layers)
        fits = size <= free_memory() / 2
        self.products = {layer: _packed(layer, rows) for layer in layers} if fits else {}

    @contextmanager
    def used(self) -> Iterator[None]:
        """The layers compute so while the context is open."""
        for layer, product in self.products.items():
            layer.__dict__["forward"] = product
        try:
            yield
        finally:
            for layer in self.products:
                layer.__dict__.pop("forward", None)


def _can_be_packed(layer: nn.Linear) -> bool:
    """Whether it is a plain layer, on a processor, of numbers that oneDNN lays out."""
    plain = type(layer) in (nn.Linear, FusedLinear) and "forward" not in layer.__dict__
    weight = layer.weight
    large = weight.device.type == "cpu" and weight.numel() >= SMALLEST
    return plain and large and _known(weight.dtype)


def _packed(layer: nn.Linear, rows: int) -> Callable[[Tensor], Tensor]:
    bias, there = layer.bias, torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), rows)

    def product(x: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, there, bias, "none", [], "")

    return product


def free_memory() -> float:
    """Bytes that the machine can still give; without end where it does not say."""
    told = Path("/proc/meminfo")
    lines = told.read_text("ascii").splitlines() if told.exists() else []
    free = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return next((1024.0 * int(kilobytes) for kilobytes in free), float("inf"))


def _known(dtype: torch.dtype) -> bool:
    """Whether oneDNN multiplies such numbers here."""
    if not torch.backends.mkldnn.is_available() or not hasattr(
        torch.ops.mkldnn, "_linear_pointwise"
    ):
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32
