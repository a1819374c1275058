"""AdamW: Adam, whose decay does not pass through its moments. The usual choice.

Two numbers of state a parameter.

Source: Loshchilov & Hutter 2017, arXiv 1711.05101.
"""

from __future__ import annotations

import torch

from headway.training.optimisers.groups import Groups
from headway.training.optimisers.uncompiled import Uncompiled

__all__ = ["adamw"]


def adamw(groups: Groups) -> torch.optim.Optimizer:
    """AdamW over groups, in one pass over the parameters."""
    return AdamW(groups, fused=True)


class AdamW(Uncompiled, torch.optim.AdamW):
    """torch's, without its compiler."""
