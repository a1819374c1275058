"""Linear layers with their weights laid out once for the products that follow.

torch's plain product lays weights out anew at each call. oneDNN's own layout, made once, is read at
about three times the rate by steps of a few rows, whose pace memory sets, and is a seventh faster
where many rows set it; what bends a feed-forward layer runs on the product while it is in cache
(benchmarks/generation.py, benchmarks/tasks_similarity.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn

from headway.core.feedforward import FeedForward
from headway.core.linear import FusedLinear

__all__ = ["Packed", "asked_dtype", "packed_while"]

SMALLEST = 2**16
"""Numbers in a weight that is worth it: smaller ones are in the processor's cache anyway."""

WORTH_PACKING = 4096
"""Rows from which on a second layout of the weights pays for itself."""

PLAIN = ("none", "")
"""What oneDNN does behind a product, and how it computes that."""

BENT = {
    "gelu": ("gelu", "none"),
    "gelu_new": ("gelu", "tanh"),
    "gelu_pytorch_tanh": ("gelu", "tanh"),
    "relu": ("relu", ""),
}
"""Name of an activation -> the same."""

Product = Callable[[Tensor], Tensor]


class Packed:
    """The packed layers of some modules.

    There are none where the machine or the type has no such layout, or where a second copy of the
    weights would take more than half of the memory that is free.

    Args:
        modules: whose layers, without dropout; their weights must not change meanwhile.
        rows: how many a product will have, about.
        dtype: of the products; None = of each weight.
    """

    def __init__(self, *modules: nn.Module, rows: int, dtype: torch.dtype | None = None) -> None:
        parts = list(dict.fromkeys(part for module in modules for part in module.modules()))
        layers = [
            part for part in parts if isinstance(part, nn.Linear) and _can_be_packed(part, dtype)
        ]
        size = sum(part.weight.numel() * (dtype or part.weight.dtype).itemsize for part in layers)
        fits = size <= free_memory() / 2
        weights = {layer: _laid_out(layer, rows, dtype) for layer in layers} if fits else {}
        self.products: dict[nn.Module, Product] = {
            layer: _product(layer, weight, PLAIN) for layer, weight in weights.items()
        }
        for part in parts:
            if isinstance(part, FeedForward) and part.up in weights and _bent(part) is not None:
                self.products[part] = _widened(part, weights[part.up])

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


def packed_while(*modules: nn.Module, total: int, rows: int) -> AbstractContextManager[None]:
    """A context in which layers compute with packed weights, where so much is read that it pays.

    Nothing is kept behind it: torch does not tell of every write to a weight (fused optimisers,
    `.data`), so a copy that outlived the call could be stale.

    Args:
        modules: whose layers; the first has parameters.
        total: rows that will be read in it.
        rows: of these in one product, about.
    """
    if total < WORTH_PACKING:
        return nullcontext()
    dtype = asked_dtype(next(modules[0].parameters()).device.type)
    return Packed(*modules, rows=min(rows, total), dtype=dtype).used()


def asked_dtype(device: str) -> torch.dtype | None:
    """What products on a kind of device are asked to be computed in; None = in what they get."""
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None


def _can_be_packed(layer: nn.Linear, dtype: torch.dtype | None) -> bool:
    """Whether it is a plain layer, on a processor, of numbers that oneDNN lays out."""
    plain = type(layer) in (nn.Linear, FusedLinear) and "forward" not in layer.__dict__
    weight = layer.weight
    large = weight.device.type == "cpu" and weight.numel() >= SMALLEST
    return plain and large and all(_known(one) for one in (weight.dtype, dtype or weight.dtype))


def _laid_out(layer: nn.Linear, rows: int, dtype: torch.dtype | None) -> Tensor:
    weight = layer.weight.detach()
    made: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype or weight.dtype), rows)
    return made


def _product(layer: nn.Linear, weight: Tensor, bent: tuple[str, str]) -> Product:
    bias = None if layer.bias is None else layer.bias.detach().to(weight.dtype)
    attribute, how = bent

    def product(x: Tensor) -> Tensor:
        x = x.to(weight.dtype)
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, attribute, [], how)

    return product


def _bent(layer: FeedForward) -> tuple[str, str] | None:
    return BENT.get(getattr(layer.activation, "name", ""))


def _widened(layer: FeedForward, weight: Tensor) -> Product:
    """The whole of a feed-forward layer, bent while it is widened."""
    bent = _bent(layer)
    assert bent is not None
    widen = _product(layer.up, weight, bent)
    return lambda x: layer.down(widen(x))


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
