"""Everything a user may decide about one adaptation; what is not decided is chosen and said."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headway.adaptation.methods import method_named
from headway.data import Recipe
from headway.data.features import Feature
from headway.errors import ConfigError, nearest
from headway.training.optimisers import OPTIMISERS
from headway.training.options import (
    KEEPS,
    PRECISIONS,
    RANGES,
    THREADS,
    Range,
    check_ranges,
    check_sharding,
    check_word,
)
from headway.training.schedule import SCHEDULES

__all__ = ["Settings", "settings_from"]


@dataclass(frozen=True)
class Settings:
    """One adaptation.

    Raises:
        ConfigError: a value outside its range.
    """

    text: str | None = None
    """Text column; None = guessed and said."""
    pair: str | None = None
    """Column of the second text."""
    label: str | None = None
    """Label column; None = guessed and said."""
    kind: str | None = None
    """Of the answers, such as single-label, multi-label or regression; None = read off the label
    column."""
    encoding: str = "utf-8"
    """Of the data files."""
    format: str | None = None
    """Of the data files; None = by their names."""
    recipe: Recipe | Mapping[str, Any] | str | None = None
    """Which parts of XML or parallel files are rows and columns: a recipe, or its file."""
    sample_by: str | None = None
    """What makes a row of plain text: line, paragraph or document; None = line."""
    features: Mapping[str, Feature] | str | None = None
    """What columns hold, or the file that says it: values are checked and converted."""
    near: float | None = None
    """Part of their runs of five characters that two texts share to count as the same: rows that
    are nearly an earlier one, or nearly a test text, are dropped. None = only equal ones are, and
    test rows that are nearly a training row are counted at 0.8."""
    out_of_scope: str | None = None
    """The label of texts that belong to none of the others: the answer where the model is not sure
    enough, by a threshold that validation rows decide. None = oos, out_of_scope, out-of-scope or
    "out of scope", where a row has it; "" = none, each label is a class."""
    max_labels_per_class: int | None = None
    """Train on so many rows of each class; every other row is test where no test is given."""
    validation: float | None = None
    """Share of the training rows that chooses the best epoch; None = 0.1 where there are rows to
    spare, else none."""
    head: str = "linear"
    """linear, mlp (a hidden layer), lstm (reads the states once more, both ways), for tokens crf or
    lstm-crf too, or family: the head that the ecosystem's checkpoints of this architecture carry.
    Tasks that write keep the head they have; choice puts one beside it that scores replies."""
    pooling: str | None = None
    """first, last, max, mean or attention (whose weights are learned); None = as the checkpoint
    embeds, mean for encoders, last for decoders."""
    design: str | None = None
    """Of a dialogue model: one-text or two-stacks; None = the first for decoders, the second for
    all others."""
    probe: bool | None = None
    """Start a linear head from a linear probe of the body; None = with 64 rows a class or fewer,
    on average."""
    contrast: bool | None = None
    """Whether the body learns first to tell texts of different labels apart by its vectors; None =
    where a probe starts the head, and gets few rows right that it was not fitted on."""
    class_weights: bool = False
    """Whether rare classes count more."""
    method: str = "full"
    """Which weights learn: all of them (full), the upper ones first (gradual), those of the last
    blocks and the head (last-layers), products of thin matrices beside all layers and the head
    (lora), narrow layers behind the blocks' own, norms and the head (adapters), biases and the head
    (biases), or the head alone (head)."""
    layers: int | None = None
    """How many of the last blocks; None = two."""
    rank: int | None = None
    """Of lora's products; None = 8."""
    width: int | None = None
    """Of the narrow layers of adapters; None = a sixteenth of hidden states, or that of those that
    the model has."""
    layer_decay: float = 1.0
    """Each level's rate as a share of that of the level above: below 1, lower ones move less."""
    epochs: int | None = None
    """Passes over the training rows; None = by their number."""
    max_steps: int | None = None
    """Most steps; None = those of all epochs."""
    max_seconds: float | None = None
    """Seconds of training after which it ends; None = as long as it takes."""
    lr: float | None = None
    """Peak learning rate; None = by the number of rows."""
    find_lr: bool = False
    """Whether rates are tried first, and that at which the loss falls fastest is taken."""
    batch_tokens: int | None = None
    """Most tokens in a step; None = by the texts' lengths."""
    micro_batch_tokens: int | None = None
    """Most tokens of a step that are read at once, for less memory: the gradient adds up over such
    parts, and is the same. None = all at once."""
    checkpoint_activations: bool = False
    """Whether blocks keep their input alone for the backward pass and compute the rest again: less
    memory, a third more work, the same gradients."""
    warmup: float = 0.1
    """Share of the steps in which the learning rate rises."""
    schedule: str = "linear"
    """How the rate moves from there: linear, cosine, wsd (stays, and falls at the end),
    inverse-square-root or constant."""
    optimiser: str = "adamw"
    """adamw, adamw8bit (a quarter of its state), adafactor (next to none), lion (half of it) or
    muon (matrices whose steps have no direction of their own)."""
    average: float | None = None
    """How much a step leaves of an average of the weights, such as 0.999, which then counts in the
    end; None = the weights of the last step do."""
    weight_decay: float = 0.01
    """Of matrices."""
    clip: float = 1.0
    """Largest norm of a gradient."""
    sharding: str = "none"
    """How several processes hold the model: none, each of them all of it; full, a share of every
    weight, its gradient and its moments each, for less memory (adamw and lion)."""
    patience: int = 2
    """Validations without a better score before it stops."""
    validate_every: int | None = None
    """Steps between two validations; None = there is one behind each epoch. One behind the last
    step there is in any case."""
    validate_seconds: float | None = None
    """Seconds of training between two validations, by the clock, so that no run repeats another's;
    None = not by the clock."""
    keep: str = "best"
    """Which weights are saved: those of the best validation, where there are rows for it, or those
    of the last step (last)."""
    window: int | None = None
    """Most tokens read at once; None = as many as the model takes."""
    stride: int | None = None
    """Tokens that neighbouring windows share; None = an eighth of a window, or, beside a second
    text, a quarter of the room that it leaves."""
    most_windows: int = 4
    """In training, a longer text takes part with so many of its windows, drawn anew each epoch."""
    precision: str = "auto"
    """auto, fp32, bf16, or on GPUs fp16."""
    threads: int | None = None
    """Of the processor, to compute with: how many decides the last bits of what comes out. None =
    what OMP_NUM_THREADS says, or else as many as are fastest for a model of this size, measured
    once; a run that goes on or is repeated takes its own number."""
    seed: int = 0
    """Of everything that is drawn."""
    save_every: float = 600
    """Seconds after which the run is kept again, in the folder of its model: a crash loses no more
    than that."""
    resume: bool = False
    """Whether to go on behind the last step that was kept there; the end is the same, bit for
    bit."""
    tensorboard: bool = False
    """Whether what happens is written for TensorBoard, too, beside the model."""
    baseline: bool = True
    """Whether to measure TF-IDF and a linear model beside it."""

    def __post_init__(self) -> None:
        check_ranges(self, NUMBERS)
        method_named(self.method, layers=self.layers, rank=self.rank, width=self.width)
        check_word("precision", self.precision, PRECISIONS)
        check_word("schedule", self.schedule, tuple(SCHEDULES))
        check_word("optimiser", self.optimiser, tuple(OPTIMISERS))
        check_word("keep", self.keep, KEEPS)
        check_sharding(self.sharding, self.optimiser)
        if self.validate_every is not None and self.validate_seconds is not None:
            raise ConfigError(
                f"validate_every = {self.validate_every!r} with validate_seconds = "
                f"{self.validate_seconds!r}",
                allowed="one of them",
            )
        if self.find_lr and self.lr is not None:
            raise ConfigError(f"find_lr = True with lr = {self.lr!r}", allowed="one of them")
        if self.head == "family" and self.pooling is not None:
            raise ConfigError(
                f"pooling = {self.pooling!r} with head = 'family'",
                allowed="no pooling: that head has its own",
            )


NUMBERS = {
    **{name: RANGES[name] for name in ("epochs", "batch_tokens", "micro_batch_tokens")},
    **{name: RANGES[name] for name in ("max_steps", "max_seconds")},
    **{name: RANGES[name] for name in ("patience", "seed", "validate_every", "validate_seconds")},
    **{name: RANGES[name] for name in ("average", "warmup", "weight_decay", "clip")},
    "lr": RANGES["learning_rate"],
    "threads": THREADS,
    "layers": Range(1, whole=True),
    "rank": Range(1, whole=True),
    "width": Range(1, whole=True),
    "layer_decay": Range(0, 1),
    "max_labels_per_class": Range(1, whole=True),
    "validation": Range(0, 0.9),
    "near": Range(0.1, 1),
    "window": Range(8, whole=True),
    "stride": Range(0, whole=True),
    "most_windows": Range(1, whole=True),
    "save_every": Range(0),
}
"""Setting -> the numbers it can be."""


def settings_from(values: dict[str, Any]) -> Settings:
    """Settings from named values; what is None stays at its default.

    Raises:
        ConfigError: a name that is no setting.
    """
    known = [field.name for field in dataclasses.fields(Settings)]
    for name in values:
        if name not in known:
            hint = nearest(name, known)
            raise ConfigError(
                f"setting {name!r} is not known", allowed=", ".join(known), next_step=hint
            )
    given = {name: value for name, value in values.items() if value is not None}
    for name in ("recipe", "features"):
        if isinstance(given.get(name), os.PathLike):  # as run.json can hold it
            given[name] = os.fspath(given[name])
    return Settings(**given)
