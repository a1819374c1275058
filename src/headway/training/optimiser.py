"""AdamW, with decay where it belongs.

Source: Loshchilov & Hutter 2017, arXiv 1711.05101.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

__all__ = ["adamw", "set_rates"]


def adamw(
    parts: Iterable[tuple[float, Iterable[nn.Parameter]]], *, weight_decay: float
) -> torch.optim.AdamW:
    """AdamW over parts with learning rates of their own; vectors (biases, norms) do not decay.

    Args:
        parts: (peak learning rate, parameters); a parameter that is in two counts to the first.
        weight_decay: of matrices.
    """
    groups = []
    taken: set[int] = set()
    for rate, parameters in parts:
        wanted = [p for p in parameters if p.requires_grad and id(p) not in taken]
        taken.update(map(id, wanted))
        for decay, members in (
            (weight_decay, [p for p in wanted if p.ndim > 1]),
            (0.0, [p for p in wanted if p.ndim <= 1]),
        ):
            if members:
                groups.append({"params": members, "weight_decay": decay, "lr": rate, "peak": rate})
    return torch.optim.AdamW(groups, fused=True)


def set_rates(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Sets every part's rate to `factor` times its peak."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
