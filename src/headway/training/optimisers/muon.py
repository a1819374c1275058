"""Muon: a matrix moves by its momentum with all singular values made equal; the rest by AdamW.

For matrices inside of the stack, most of all in pre-training: one number of state for each of
theirs. Rates are AdamW's, to whose step sizes its own are brought.

Sources: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the step
size, Liu et al. 2025, arXiv 2502.16982, section 2.2.
"""

from __future__ import annotations

import torch

from headway.training.optimisers.adamw import adamw
from headway.training.optimisers.groups import Groups
from headway.training.optimisers.together import Together
from headway.training.optimisers.uncompiled import Uncompiled

__all__ = ["muon"]


def muon(groups: Groups) -> torch.optim.Optimizer:
    """Muon over the inner groups, AdamW over the others."""
    inner = [group for group in groups if group["inner"]]
    others = [group for group in groups if not group["inner"]]
    made: list[torch.optim.Optimizer] = []
    if inner:
        made.append(Muon(inner, adjust_lr_fn="match_rms_adamw"))
    if others:
        made.append(adamw(others))
    return made[0] if len(made) == 1 else Together(made)


class Muon(Uncompiled, torch.optim.Muon):
    """torch's, without its compiler."""
