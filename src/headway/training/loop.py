"""The training loop, open to read: everything optional is a callback or a brick."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor, nn

from headway.logs import progress
from headway.training.interrupt import StopFlag
from headway.training.optimiser import set_rates
from headway.training.options import Options
from headway.training.precision import precision_context
from headway.training.schedule import linear

__all__ = ["History", "train"]

B = TypeVar("B")


@dataclass
class History:
    """What happened, step by step.

    Attributes:
        train: one dict a step: step, epoch, loss, learning_rate.
        validation: one dict an epoch: step, epoch, and the scores.
        tokens: how many were trained on.
        seconds: of the steps alone, validation not counted.
        stopped: why it ended before its last step, or empty.
    """

    train: list[dict[str, float]] = field(default_factory=list)
    validation: list[dict[str, float]] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0
    stopped: str = ""


def train(
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    epochs: Sequence[Sequence[B]],
    loss_of: Callable[[B], tuple[Tensor, int]],
    *,
    options: Options,
    precision: str,
    stop: StopFlag,
    after_epoch: Callable[[int, History], bool] = lambda epoch, history: False,
) -> History:
    """Trains `module` on the batches of each epoch.

    Args:
        module: what is trained; left in evaluation mode.
        optimiser: over its parameters, with peaks as `adamw` sets them.
        epochs: the batches of each epoch, made beforehand so that their number is known.
        loss_of: a batch -> (mean loss, tokens in it).
        options: rates, clipping.
        precision: fp32 or bf16.
        stop: asked to end, the loop ends behind the current step.
        after_epoch: called with the epoch's number and the history; True ends training.

    Returns:
        What happened.
    """
    history = History()
    device = next(module.parameters()).device
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    total = sum(map(len, epochs))
    step = 0
    for number, batches in enumerate(epochs, start=1):
        module.train()
        for batch in progress(batches, f"Epoch {number} of {len(epochs)}"):
            start = time.perf_counter()
            factor = linear(step, total, options.warmup)
            set_rates(optimiser, factor)
            with precision_context(precision, device):
                loss, tokens = loss_of(batch)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, options.clip, foreach=True)
            optimiser.step()
            optimiser.zero_grad()
            step += 1
            history.tokens += tokens
            history.seconds += time.perf_counter() - start
            rate = factor * options.learning_rate
            row = {"step": step, "epoch": number, "loss": loss.item(), "learning_rate": rate}
            history.train.append(row)
            if stop.asked:
                history.stopped = f"interrupted behind step {step} of {total}"
                break
        module.eval()
        if history.stopped:
            break
        if after_epoch(number, history):
            history.stopped = f"no better validation score: ended behind epoch {number}"
            break
    return history
