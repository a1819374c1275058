"""What a training run is steered by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headway.errors import ConfigError, nearest
from headway.training.optimisers import OPTIMISERS
from headway.training.schedule import SCHEDULES

__all__ = [
    "KEEPS",
    "PRECISIONS",
    "RANGES",
    "SHARDINGS",
    "THREADS",
    "Options",
    "Range",
    "check_ranges",
    "check_sharding",
    "check_word",
]

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
KEEPS = ("best", "last")
SHARDINGS = ("none", "full")
"""none: each process holds the whole model. full: weights, gradients and the optimiser's state are
divided among them (FSDP2)."""


@dataclass(frozen=True)
class Range:
    """The numbers that an option can be.

    Attributes:
        least, most: the ends.
        whole: whether it has no fraction.
        ends: whether the ends themselves are allowed.

    >>> str(Range(1, whole=True)), str(Range(0, 1, ends=False))
    ('a whole number, 1 or more', 'a number between 0 and 1')
    """

    least: float
    most: float = math.inf
    whole: bool = False
    ends: bool = True

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            return False
        number = float(value)
        if not math.isfinite(number) or (self.whole and not isinstance(value, (int, np.integer))):
            return False
        if self.ends:
            return self.least <= number <= self.most
        return self.least < number < self.most

    def __str__(self) -> str:
        what = "a whole number" if self.whole else "a number"
        if self.most == math.inf:
            return f"{what}, {self.least} or more" if self.ends else f"{what} above {self.least}"
        joined = "from {} to {}" if self.ends else "between {} and {}"
        return f"{what} {joined.format(self.least, self.most)}"


RANGES: dict[str, Range] = {
    "epochs": Range(1, whole=True),
    "max_steps": Range(1, whole=True),
    "max_seconds": Range(0, ends=False),
    "learning_rate": Range(0, 1, ends=False),
    "head_learning_rate": Range(0, 1, ends=False),
    "batch_tokens": Range(1, whole=True),
    "micro_batch_tokens": Range(1, whole=True),
    "warmup": Range(0, 1),
    "average": Range(0, 1, ends=False),
    "weight_decay": Range(0),
    "clip": Range(0, ends=False),
    "seed": Range(0, 2**32 - 1, whole=True),
    "patience": Range(1, whole=True),
    "validate_every": Range(1, whole=True),
    "validate_seconds": Range(0, ends=False),
}
"""Option -> the numbers it can be."""

THREADS = Range(1, 1024, whole=True)
"""How many threads can be asked for."""


def check_ranges(options: object, ranges: Mapping[str, Range]) -> None:
    """Checks every number of some options; None, where it is a default, is fine.

    Raises:
        ConfigError: one is outside its range, or no number.
    """
    for name, allowed in ranges.items():
        value = getattr(options, name)
        if value is not None and value not in allowed:
            raise ConfigError(f"{name} = {value!r}", allowed=str(allowed))


def check_word(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Checks that an option is one of some words.

    Raises:
        ConfigError: it is not.
    """
    if value not in allowed:
        hint = nearest(str(value), allowed)
        raise ConfigError(f"{name} = {value!r}", allowed=", ".join(allowed), next_step=hint)


def check_sharding(sharding: object, optimiser: str) -> None:
    """Checks how a model is divided, and that an optimiser moves shares of it.

    Raises:
        ConfigError: it is no such way, or the optimiser asks for whole matrices.
    """
    check_word("sharding", sharding, SHARDINGS)
    by_number = [name for name, one in OPTIMISERS.items() if one.by_number]
    if sharding == "full" and optimiser not in by_number:
        raise ConfigError(
            f"sharding = 'full' with optimiser = {optimiser!r}, which moves whole matrices",
            allowed=f"optimisers that move each number by itself: {', '.join(by_number)}",
        )


@dataclass(frozen=True)
class Options:
    """Numbers of the training loop.

    Raises:
        ConfigError: a number outside its range.
    """

    epochs: int = 3
    """Passes over the training rows."""
    max_steps: int | None = None
    """Most steps; the schedule ends with them. None = those of all epochs."""
    max_seconds: float | None = None
    """Of training; the epoch ends then, and with it the run. None = as long as it takes."""
    learning_rate: float = 1e-4
    """Peak of the schedule."""
    head_learning_rate: float | None = None
    """Peak for the head's parameters; None = learning_rate."""
    batch_tokens: int = 512
    """Most tokens in one step; a longer text is a step of its own."""
    micro_batch_tokens: int | None = None
    """Most tokens of a step that are read at once: its gradient adds up over such parts to that of
    the whole. None = all at once."""
    checkpoint_activations: bool = False
    """Whether blocks keep their input alone for the backward pass, and compute the rest again."""
    warmup: float = 0.1
    """Share of the steps in which the rate rises to its peak."""
    schedule: str = "linear"
    """How the rate moves from there, one of SCHEDULES."""
    optimiser: str = "adamw"
    """One of OPTIMISERS."""
    average: float | None = None
    """How much a step leaves of an average of the parameters, which is what counts in the end; None
    = no average, the parameters of the last step count."""
    weight_decay: float = 0.01
    """On matrices only."""
    clip: float = 1.0
    """Largest norm of a step's gradient."""
    sharding: str = "none"
    """How several processes hold the model, one of SHARDINGS."""
    seed: int = 0
    """Of batches, dropout and fresh weights."""
    precision: str = "auto"
    """auto (bf16 where this machine is faster with it, measured once), fp32, bf16; on GPUs fp16."""
    patience: int = 2
    """Validations without a better score before training stops."""
    validate_every: int | None = None
    """Steps between two validations. None = there is one behind each epoch."""
    validate_seconds: float | None = None
    """Of training between two validations, by the clock: no two runs validate behind the same
    steps. None = not by the clock."""
    keep: str = "best"
    """Which state is kept in the end, one of KEEPS: that of the best validation, where there are
    any, or that of the last step."""

    def __post_init__(self) -> None:
        check_ranges(self, RANGES)
        check_word("precision", self.precision, PRECISIONS)
        check_word("schedule", self.schedule, tuple(SCHEDULES))
        check_word("optimiser", self.optimiser, tuple(OPTIMISERS))
        check_word("keep", self.keep, KEEPS)
        check_sharding(self.sharding, self.optimiser)
