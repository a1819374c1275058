"""Linear layers with their weights laid out for a few rows at a time, while text is written.

A step reads every weight for a handful of rows, so memory sets its pace; torch's plain product
lays weights out anew at each call. oneDNN's own layout, made once before the first step, is read at
about three times the rate (benchmarks/generation.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from headway.core.linear import FusedLinear

__all__ = ["Packed"]

SMALLEST = 2**16
"""Numbers in a weight that is worth it: smaller ones are in the processor's cache anyway."""


class Packed:
    """The packed layers of some modules; none where the machine or the type has no such layout.

    Args:
        modules: whose layers; their weights must not change meanwhile.
        rows: how many a step will have.
    """

    def __init__(self, *modules: nn.Module, rows: int) -> None:
        layers = {layer for module in modules for layer in module.modules()}
        self.products = {
            layer: product
            for layer in layers
            if type(layer) in (nn.Linear, FusedLinear)
            and (product := _packed(layer, rows)) is not None  # type: ignore[arg-type]
        }

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


def _packed(layer: nn.Linear, rows: int) -> Callable[[Tensor], Tensor] | None:
    weight, bias = layer.weight, layer.bias
    if weight.device.type != "cpu" or weight.numel() < SMALLEST or not _known(weight.dtype):
        return None
    there = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), rows)

    def product(x: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, there, bias, "none", [], "")

    return product


def _known(dtype: torch.dtype) -> bool:
    """Whether oneDNN multiplies such numbers here."""
    if not torch.backends.mkldnn.is_available() or not hasattr(
        torch.ops.mkldnn, "_linear_pointwise"
    ):
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32
