"""AdamW whose moments take a byte each: AdamW's results in a quarter of its state.

A block of 256 numbers is divided by its largest magnitude, and each becomes the nearest of 256
values that lie close together near 0 and wide apart near 1, so that small ones keep their digits.
Moments of small tensors, such as biases and norms, stay as they are: they are few.

Of the second moment the root is kept, and what is above 0 stays above it. The paper keeps the
square, whose range is twice as wide: what becomes 0 there divides the next step, and word tables,
most of whose rows have no gradient in a step, want 32 bits.

Source: Dettmers et al. 2022, arXiv 2110.02861, sections 2.1 and 2.2 (block-wise, dynamic tree).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from headway.training.optimisers.groups import Groups
from headway.training.optimisers.uncompiled import Uncompiled

__all__ = ["AdamW8bit", "adamw8bit", "packed", "unpacked"]

BLOCK = 256
"""Numbers that share a scale."""

SMALL = 4096
"""Numbers of a tensor whose moments stay in fp32."""

BITS = 7
"""Of a code behind its sign; where there is none, one more."""


def adamw8bit(groups: Groups) -> torch.optim.Optimizer:
    """AdamW over groups, with moments of a byte each."""
    return AdamW8bit(groups)


@cache
def code(signed: bool) -> Tensor:
    """The 256 values of a byte, in order, float32: of each power of ten from 1 down, evenly spaced
    ones, twice as many as of the next lower power.

    Args:
        signed: whether there are negative ones.

    >>> code(True).aminmax()
    torch.return_types.aminmax(
    min=tensor(-0.9930),
    max=tensor(1.))
    """
    values = [0.0, 1.0]
    for power in range(BITS):
        ends = torch.linspace(0.1, 1, 2 ** (power + (not signed)) + 1, dtype=torch.float64)
        middles = (ends[:-1] + ends[1:]) / 2 * 10.0 ** (power - BITS + 1)
        values += middles.tolist()
        if signed:
            values += (-middles).tolist()
    return torch.tensor(sorted(values), dtype=torch.float32)


@cache
def nearest(signed: bool) -> Tensor:
    """The number of the nearest value to each half-precision one, uint8 [65536], by its bits as a
    whole number, the least first: a look-up takes a tenth of the time of a search."""
    bits = torch.arange(-HALVES, HALVES, dtype=torch.int32).to(torch.int16)
    table = code(signed)
    between = (table[:-1] + table[1:]) / 2
    return torch.bucketize(bits.view(torch.float16).float(), between).to(torch.uint8)


HALVES = 2**15
"""Half-precision numbers of one sign."""


def packed(values: Tensor, *, signed: bool) -> tuple[Tensor, Tensor]:
    """Numbers as bytes.

    Args:
        values: float32, any shape.
        signed: whether some are negative; where none is, what is above 0 stays so.

    Returns:
        uint8 of the same shape, each the nearest to its share in half precision, and the largest
        magnitude of each block, float32 [blocks].

    >>> bytes, largest = packed(torch.tensor([0.5, -1.0, 2.0]), signed=True)
    >>> bytes.dtype, largest, unpacked(bytes, largest, signed=True).round(decimals=1)
    (torch.uint8, tensor([2.]), tensor([ 0.5000, -1.0000,  2.0000]))
    """
    blocks = _blocks(values)  # [blocks, BLOCK]
    largest = blocks.abs().amax(dim=1)
    shares = blocks / largest.clamp(min=torch.finfo(torch.float32).tiny)[:, None]
    bits = shares.half().view(torch.int16).flatten().int() + HALVES
    codes = nearest(signed).to(values.device).index_select(0, bits)[: values.numel()]
    if not signed:
        codes = codes.maximum((values.flatten() > 0).to(torch.uint8))
    return codes.view(values.shape), largest


def unpacked(codes: Tensor, largest: Tensor, *, signed: bool) -> Tensor:
    """The inverse of `packed`, to within the distance of neighbouring values."""
    table = code(signed).to(codes.device)
    blocks = _blocks(table.index_select(0, codes.flatten().int())) * largest[:, None]
    return blocks.flatten()[: codes.numel()].view(codes.shape)


def _blocks(values: Tensor) -> Tensor:
    """Any shape -> [blocks, BLOCK], zeros behind the last number."""
    flat = values.flatten()
    rest = -len(flat) % BLOCK
    return torch.nn.functional.pad(flat, (0, rest)).view(-1, BLOCK)


class AdamW8bit(Uncompiled):
    """See above.

    Args:
        groups: of parameters.
        lr: the rate, where a group has none.
        betas: of both moments.
        eps: added to the root of the second.
        weight_decay: where a group has none.
    """

    def __init__(
        self,
        groups: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(groups, own)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Moves every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group)

    def _move(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, (first, second) = self.state[parameter], group["betas"]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.int64)
            for name, signed in MOMENTS.items():
                _keep(state, name, torch.zeros_like(parameter), signed=signed)
        state["step"] += 1
        taken = int(state["step"])
        mean, root = (_held(state, name, signed=signed) for name, signed in MOMENTS.items())
        mean.lerp_(gradient, 1 - first)
        root.square_().mul_(second).addcmul_(gradient, gradient, value=1 - second).sqrt_()
        for (name, signed), values in zip(MOMENTS.items(), (mean, root), strict=True):
            _keep(state, name, values, signed=signed)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        below = (root / math.sqrt(1 - second**taken)).add_(group["eps"])
        parameter.addcdiv_(mean, below, value=-group["lr"] / (1 - first**taken))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse of `state_dict`; torch makes floats of bytes."""
        super().load_state_dict(state_dict)
        for state in self.state.values():
            for name in MOMENTS:
                if _largest(name) in state:
                    state[name] = state[name].to(torch.uint8)


MOMENTS = {"mean": True, "root": False}
"""What is kept of each parameter -> whether it can be negative."""


def _largest(name: str) -> str:
    return f"{name}_largest"


def _keep(state: dict[str, Any], name: str, values: Tensor, *, signed: bool) -> None:
    if values.numel() < SMALL:
        state[name] = values
    else:
        state[name], state[_largest(name)] = packed(values, signed=signed)


def _held(state: dict[str, Any], name: str, *, signed: bool) -> Tensor:
    values: Tensor = state[name]
    if values.dtype != torch.uint8:
        return values
    return unpacked(values, state[_largest(name)], signed=signed)
