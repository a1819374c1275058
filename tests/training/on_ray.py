"""What workers of a Ray cluster do in tests: a module, so that they can import it."""

from __future__ import annotations

import os
import signal
from typing import Any

import torch.distributed as dist
from adaptation.quick import quick
from pretraining.texts import small

from headway.adaptation import Result
from headway.pretraining import Pretrained
from headway.training.keeper import Keeper
from headway.training.processes import RESTARTS

from .tiny import rows, tiny_model


def adapted(**settings: Any) -> Result:
    """As the runs of `torchrun.py`."""
    given: dict[str, Any] = {"epochs": 2, "batch_tokens": 120, "lr": 3e-3, "validation": 0.2,
                             "save_every": 0, "micro_batch_tokens": 10}  # fmt: skip
    return quick(tiny_model(), rows(n=60), **given | settings)


def pretrained(family: str, **settings: Any) -> Pretrained:
    return small(family, max_steps=6, micro_batch_tokens=1, **settings)


def lost_once(**settings: Any) -> Result:
    """The same, and the second worker is killed behind step 5 when it has not been before."""
    after = Keeper.after_step

    def lost(self: Keeper, history: Any) -> None:
        after(self, history)
        if history.step == 5 and os.environ[RESTARTS] == "0" and dist.get_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    Keeper.after_step = lost  # type: ignore[method-assign]
    return adapted(**settings)
