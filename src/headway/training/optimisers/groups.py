"""Groups of parameters: rates by part, and decay where it belongs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import torch
from torch import nn

__all__ = ["Groups", "parameter_groups", "set_rates"]

Groups = list[dict[str, Any]]
"""As torch's optimisers take them; `peak` is the rate at the top of the schedule, `inner` says
whether the members are matrices inside of the stack."""


def parameter_groups(
    parts: Iterable[tuple[float, Iterable[nn.Parameter]]],
    *,
    weight_decay: float,
    outer: Collection[nn.Parameter] = (),
) -> Groups:
    """Groups over parts with learning rates of their own; vectors (biases, norms) do not decay.

    Args:
        parts: (peak learning rate, parameters); a parameter that is in two counts to the first, and
            one that is frozen to none.
        weight_decay: of matrices.
        outer: matrices at the ends of the stack: embeddings, heads.
    """
    groups = []
    taken: set[int] = set()
    ends = set(map(id, outer))
    for rate, parameters in parts:
        wanted = [p for p in parameters if p.requires_grad and id(p) not in taken]
        taken.update(map(id, wanted))
        for decay, inner, members in (
            (weight_decay, True, [p for p in wanted if p.ndim == 2 and id(p) not in ends]),
            (
                weight_decay,
                False,
                [p for p in wanted if p.ndim > 2 or (p.ndim == 2 and id(p) in ends)],
            ),
            (0.0, False, [p for p in wanted if p.ndim <= 1]),
        ):
            if members:
                groups.append(
                    {"params": members, "weight_decay": decay, "lr": rate, "peak": rate}
                    | {"inner": inner}
                )
    return groups


def set_rates(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Sets every group's rate to `factor` times its peak."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
