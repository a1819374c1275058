"""The training loop, open to read: everything optional is a callback or a brick."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, overload

import torch
from torch import nn

from headway.errors import ConfigError
from headway.logs import progress
from headway.training.accumulate import Backward, backward
from headway.training.chance import generator_for
from headway.training.collate import Ready
from headway.training.interrupt import StopFlag
from headway.training.optimisers import set_rates
from headway.training.options import Options
from headway.training.processes import crew
from headway.training.scaling import LossScale
from headway.training.schedule import SCHEDULES
from headway.training.sharding import whole

__all__ = ["Epochs", "History", "counted", "ended_early", "last_batch", "steps_of", "train"]

B = TypeVar("B")

COUNTED = 10_000
"""Epochs whose steps are counted before the first one, where each has a number of its own."""


@dataclass
class History:
    """What happened, step by step.

    Attributes:
        train: one dict a step: step, epoch, loss, learning_rate, and tokens once it is taken.
        validation: one dict a validation: step, epoch, and the score.
        timings: the seconds of each step, which are no two runs' the same.
        tokens: how many were trained on.
        flops: floating-point operations that this could not do without.
        seconds: of the steps alone, validation not counted.
        stopped: why it ended before its last step, or empty.
        kept: the validation whose state was kept as the best, counted from 1; 0 = the state is that
            of the last step.
        learned: how many numbers learned, at any time.
        failed_rows: of the step whose loss or gradient was not finite.
        epochs: how many have ended, what comes after each included. One that the clock,
            `max_steps` or a validation ends before its last batch counts; an interrupted one, which
            goes on, does not.
    """

    train: list[dict[str, float]] = field(default_factory=list)
    validation: list[dict[str, float]] = field(default_factory=list)
    timings: list[float] = field(default_factory=list)
    tokens: int = 0
    flops: float = 0.0
    seconds: float = 0.0
    stopped: str = ""
    kept: int = 0
    learned: int = 0
    failed_rows: list[int] = field(default_factory=list)
    epochs: int = 0

    @property
    def step(self) -> int:
        """How many steps are behind it."""
        return len(self.train)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        return self.stopped.startswith("interrupted")

    def steps_in(self, epoch: int) -> int:
        """How many steps of an epoch are behind it; they count from 1."""
        return sum(row["epoch"] == epoch for row in self.train)


@dataclass(frozen=True)
class Epochs(Sequence[Sequence[B]]):
    """The batches of each epoch, made when they are asked for: a million epochs take no memory.

    Attributes:
        made: number of an epoch, from 0 -> its batches, which are the same each time.
        epochs: how many there are.
        steps: of all of them, or as many as the run takes.

    >>> epochs = Epochs(lambda number: [f"{number}a", f"{number}b"], epochs=10**9, steps=2 * 10**9)
    >>> len(epochs), epochs[7], epochs[-1]
    (1000000000, ['7a', '7b'], ['999999999a', '999999999b'])
    """

    made: Callable[[int], Sequence[B]]
    epochs: int
    steps: int

    def __len__(self) -> int:
        return self.epochs

    @overload
    def __getitem__(self, place: int) -> Sequence[B]: ...

    @overload
    def __getitem__(self, place: slice) -> list[Sequence[B]]: ...

    def __getitem__(self, place: int | slice) -> Sequence[B] | list[Sequence[B]]:
        found = range(self.epochs)[place]
        return self.made(found) if isinstance(found, int) else [self.made(one) for one in found]


def counted(steps: Callable[[int], int], epochs: int, most: int | None) -> list[int]:
    """The steps of each epoch, where they differ; of as many epochs as a run comes to.

    Args:
        steps: number of an epoch, from 0 -> its steps.
        epochs: how many there are.
        most: steps of the run; None = those of all epochs.

    Raises:
        ConfigError: these are too many to be counted.

    >>> counted(lambda epoch: 10 + epoch, 5, None), counted(lambda epoch: 10 + epoch, 5, 25)
    ([10, 11, 12, 13, 14], [10, 11, 12])
    """
    first = steps(0)
    needed = epochs if most is None else min(epochs, math.ceil(most / max(1, first)))
    if needed > COUNTED:
        raise ConfigError(
            f"epochs = {epochs} that differ in their steps, which are counted beforehand",
            allowed=f"up to {COUNTED}",
            next_step="fewer epochs, or max_steps that fewer of them have",
        )
    found, total = [first], first
    while len(found) < epochs and (most is None or total < most):
        found.append(steps(len(found)))
        total += found[-1]
    return found


def steps_of(epochs: Sequence[Sequence[B]], options: Options) -> int:
    """How many steps a run has, unless something ends it before."""
    total = epochs.steps if isinstance(epochs, Epochs) else sum(map(len, epochs))
    return min(total, options.max_steps or total)


def last_batch(epochs: Sequence[Sequence[B]], history: History) -> B:
    """What the last step of a run read."""
    epoch = int(history.train[-1]["epoch"])
    return epochs[epoch - 1][history.steps_in(epoch) - 1]


def ended_early(history: History) -> str:
    """What is said of a run that validation ended."""
    return f"no better validation score: ended behind step {history.step}"


def train(
    learner: nn.Module,
    optimiser: torch.optim.Optimizer,
    epochs: Sequence[Sequence[B]],
    parts_of: Callable[[B, torch.Generator], Sequence[Ready]],
    *,
    options: Options,
    precision: str,
    stop: StopFlag,
    cost_of: Callable[[B], tuple[int, float]],
    backward: Backward = backward,
    scale: LossScale | None = None,
    before_epoch: Callable[[int], None] = lambda epoch: None,
    after_epoch: Callable[[int, History], bool] = lambda epoch, history: False,
    after_step: Callable[[History], bool] = lambda history: False,
    history: History | None = None,
) -> History:
    """Trains a learner on the batches of each epoch, one step a batch.

    What a step draws depends on the seed and its number alone.

    Args:
        learner: a part of a step -> what `backward` needs of it; left in evaluation mode.
        optimiser: over its parameters, with peaks as `parameter_groups` sets them.
        epochs: the batches of each epoch, whose number is known before they are made.
        parts_of: (a batch, random numbers) -> its parts, which are read one after the other.
        options: rates, clipping, the seed.
        precision: fp32, bf16 or fp16.
        stop: asked to end, the loop ends behind the current step.
        cost_of: tokens of a batch, and the operations that it asks for.
        backward: adds the gradient of a step's loss to the parameters'.
        scale: of the gradients of fp16, or None.
        before_epoch: called with the epoch's number, when all modules are in training mode.
        after_epoch: called with the epoch's number and the history; True ends training.
        after_step: called with the history behind each step, and each epoch; True behind a step
            ends training. Of several processes, one that says so ends it for all, as one that is
            asked to stop does.
        history: where it is noted what happens; one of a run that was kept goes on behind its last
            step. None = a new one.

    Returns:
        What happened.

    Raises:
        ConfigError: a loss or a gradient is infinite or undefined; the parameters are those
            before that step, and finite.
    """
    history = History() if history is None else history
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    schedule, total = SCHEDULES[options.schedule], steps_of(epochs, options)
    limit = options.max_seconds or math.inf
    team = crew()
    for number in range(history.epochs + 1, len(epochs) + 1):
        rest = epochs[number - 1][history.steps_in(number) :]  # of a run that goes on
        learner.train()
        before_epoch(number)
        ended, asked = False, any(team.most(stop.asked))
        for batch in progress(rest, f"Epoch {number} of {len(epochs)}"):
            if asked or history.step >= total or history.seconds >= limit:
                break
            start = time.perf_counter()
            factor = schedule(history.step, total, options.warmup)
            set_rates(optimiser, factor)
            place = options.seed, history.step + 1
            loss = backward(learner, parts_of(batch, generator_for(*place)), place, precision)
            if scale is not None:
                scale.undo(parameters)
            norm = whole(nn.utils.clip_grad_norm_(parameters, options.clip, foreach=True))
            rate = factor * options.learning_rate
            row = {"step": place[1], "epoch": number, "loss": loss, "learning_rate": rate}
            history.train.append(row)
            _check_finite("loss", loss, history, total)
            if scale is None or scale.fits(norm.item()):
                _check_finite("gradient", norm.item(), history, total)
                optimiser.step()
            optimiser.zero_grad()
            tokens, flops = cost_of(batch)
            history.tokens += tokens
            history.flops += flops
            row["tokens"] = tokens
            history.timings += team.most(time.perf_counter() - start)
            history.seconds += history.timings[-1]
            # Agreed together: a flag by itself can be set in one process when others have read it.
            ended, asked = map(bool, team.most(after_step(history), stop.asked))
            if ended:
                break
        learner.eval()
        if asked:
            break
        ended = ended or any(team.most(after_epoch(number, history) and number < len(epochs)))
        history.epochs = number
        if history.seconds >= limit and history.step < total:
            history.stopped = f"{limit:g} seconds are over: ended behind step {history.step}"
            break
        if history.step >= total:
            break
        if ended:
            history.stopped = ended_early(history)
            break
        after_step(history)
    if any(team.most(stop.asked)):
        history.stopped = f"interrupted behind step {history.step} of {total}"
    return history


def _check_finite(what: str, value: float, history: History, total: int) -> None:
    """Ends a run whose numbers left the range of what a computer can say."""
    if not math.isfinite(value):
        row = history.train[-1]
        history.stopped = (
            f"the {what} became {value} in step {row['step']:.0f} of {total}, "
            f"at a learning rate of {row['learning_rate']:.2g}"
        )
        raise ConfigError(
            history.stopped, next_step="lower the learning rate (--lr), or --precision fp32"
        )
