"""The training loop, open to read: everything optional is a callback or a brick."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor, nn

from headway.errors import ConfigError
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
        validation: one dict an epoch: step, epoch, and the score.
        tokens: how many were trained on.
        seconds: of the steps alone, validation not counted.
        stopped: why it ended before its last step, or empty.
        kept: the epoch whose state was kept as the best; 0 = that of the last step.
    """

    train: list[dict[str, float]] = field(default_factory=list)
    validation: list[dict[str, float]] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0
    stopped: str = ""
    kept: int = 0


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
    history: History | None = None,
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
        history: where it is noted what happens; None = a new one.

    Returns:
        What happened.

    Raises:
        ConfigError: a loss or a gradient is infinite or undefined; the parameters are those
            before that step, and finite.
    """
    history = History() if history is None else history
    device = next(module.parameters()).device
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    total = sum(map(len, epochs))
    step = 0
    for number, batches in enumerate(epochs, start=1):
        module.train()
        for batch in progress(batches, f"Epoch {number} of {len(epochs)}"):
            if stop.asked:
                break
            start = time.perf_counter()
            factor = linear(step, total, options.warmup)
            set_rates(optimiser, factor)
            with precision_context(precision, device):
                loss, tokens = loss_of(batch)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(parameters, options.clip, foreach=True)
            step += 1
            rate = factor * options.learning_rate
            row = {"step": step, "epoch": number, "loss": loss.item(), "learning_rate": rate}
            history.train.append(row)
            _check_finite(history, norm.item(), total)
            optimiser.step()
            optimiser.zero_grad()
            history.tokens += tokens
            history.seconds += time.perf_counter() - start
        module.eval()
        if stop.asked:
            break
        if after_epoch(number, history) and number < len(epochs):
            history.stopped = f"no better validation score: ended behind epoch {number}"
            break
    if stop.asked:
        history.stopped = f"interrupted behind step {step} of {total}"
    return history


def _check_finite(history: History, norm: float, total: int) -> None:
    """Ends a run whose numbers left the range of what a computer can say."""
    row = history.train[-1]
    for what, value in (("loss", row["loss"]), ("gradient", norm)):
        if not math.isfinite(value):
            history.stopped = (
                f"the {what} became {value} in step {row['step']:.0f} of {total}, "
                f"at a learning rate of {row['learning_rate']:.2g}"
            )
            raise ConfigError(
                history.stopped, next_step="lower the learning rate (--lr), or --precision fp32"
            )
