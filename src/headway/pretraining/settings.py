"""Everything a user may decide about one pre-training; what is not decided is chosen and said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headway.data import Recipe
from headway.data.features import Feature
from headway.errors import ConfigError
from headway.pretraining.stored import STORED
from headway.training.masking import MASKINGS
from headway.training.noise import NOISES
from headway.training.objectives import OBJECTIVES
from headway.training.optimisers import OPTIMISERS
from headway.training.options import (
    PRECISIONS,
    RANGES,
    THREADS,
    Range,
    check_ranges,
    check_sharding,
    check_word,
)
from headway.training.schedule import SCHEDULES

__all__ = ["Settings"]

_RANGES: dict[str, Range] = {
    "window": Range(8, whole=True),
    "validation": Range(0, 0.5),
    "dropout": Range(0, 0.9),
    "validate_every": RANGES["validate_every"],
    "validate_seconds": RANGES["validate_seconds"],
    "save_every": Range(0),
    "lr": RANGES["learning_rate"],
    "threads": THREADS,
    **{
        name: RANGES[name]
        for name in (
            *("epochs", "max_steps", "max_seconds", "batch_tokens", "micro_batch_tokens"),
            *("warmup", "average", "weight_decay", "clip", "seed"),
        )
    },
}


@dataclass(frozen=True)
class Settings:
    """One pre-training.

    Raises:
        ConfigError: a value outside its range.
    """

    objective: str | None = None
    """One of OBJECTIVES; None = masked for encoders, causal for decoders, denoise for two stacks,
    replaced for ELECTRA."""
    masking: str | None = None
    """What is hidden together, of masked and replaced: tokens, words or spans; None = tokens."""
    noise: str | None = None
    """Of denoise: spans (T5's) or infilling (BART's); None = infilling where the tokenizer has a
    mask and no sentinels, else spans."""
    text: str | None = None
    """Text column; None = guessed and said."""
    encoding: str | None = None
    """Of the text files; None = utf-8."""
    format: str | None = None
    """Of the text files; None = by their names."""
    recipe: Recipe | Mapping[str, Any] | str | None = None
    """Which parts of XML or parallel files are rows and columns: a recipe, or its file."""
    features: Mapping[str, Feature] | str | None = None
    """What columns hold, or the file that says it."""
    sample_by: str | None = None
    """What is a text in plain text files: line, paragraph or document; None = paragraph."""
    window: int = 128
    """Tokens of a block, special ones included."""
    validation: float | None = None
    """Share of the blocks that is held out to measure; None = about 65,000 tokens, at most a
    twentieth."""
    epochs: int | None = None
    """Passes over the texts; None = one, or as many as max_steps needs."""
    max_steps: int | None = None
    """Most steps; None = those of all epochs."""
    max_seconds: float | None = None
    """Seconds of training after which it ends; None = as long as it takes."""
    lr: float | None = None
    """Peak learning rate; None = the objective's, in proportion to the width."""
    batch_tokens: int = 2048
    """Most tokens a step. Many small steps learn more from the same tokens than few large ones
    (Marek et al. 2025, arXiv 2507.07101)."""
    micro_batch_tokens: int | None = None
    """Most tokens of a step that are read at once, its gradient being the same; None = all, or on a
    processor as many as its caches hold, where an objective does not compare texts."""
    checkpoint_activations: bool = False
    """Whether blocks keep their input alone for the backward pass and compute the rest again: less
    memory, a third more work, the same gradients."""
    warmup: float = 0.06
    """Share of the steps in which the rate rises to its peak."""
    schedule: str = "cosine"
    """How the rate moves from there, one of SCHEDULES."""
    optimiser: str = "adamw"
    """One of OPTIMISERS."""
    average: float | None = None
    """How much a step leaves of an average of the parameters; None = no average."""
    weight_decay: float = 0.1
    """On matrices only."""
    dropout: float | None = None
    """Share of the numbers that is dropped where the model drops any; None = its own where texts
    are read several times, or compared with themselves, else none: what is read once is not learned
    by heart (Geiping & Goldstein 2022, arXiv 2212.14034, section 4.3)."""
    clip: float = 1.0
    """Largest norm of a step's gradient."""
    sharding: str = "none"
    """How several processes hold the model: none, each of them all of it; full, a share of every
    weight, its gradient and its moments each, for less memory (adamw and lion)."""
    precision: str = "auto"
    """auto, fp32, bf16, or on GPUs fp16."""
    weights: str = "fp32"
    """Numbers that the saved weights are in: fp32, or bf16 or fp16 at half the size. What is
    measured at the end are the rounded ones."""
    threads: int | None = None
    """Of the processor, to compute with: how many decides the last bits of what comes out. None =
    what OMP_NUM_THREADS says, or else as many as are fastest for a model of this size, measured
    once; a run that goes on or is repeated takes its own number."""
    validate_every: int | None = None
    """Steps between measurements on held-out blocks; None = a twentieth of all, 50 or
    more."""
    validate_seconds: float | None = None
    """Seconds of training between them, in place of steps."""
    tensorboard: bool = False
    """Whether event files of TensorBoard are written."""
    save_every: float = 600.0
    """Seconds until the run on its way is kept again."""
    resume: bool = False
    """Whether it goes on behind the last step that was kept."""
    seed: int = 0
    """Of fresh weights, order, masks and dropout."""

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)
        words = {
            "objective": tuple(OBJECTIVES),
            "masking": tuple(MASKINGS),
            "noise": tuple(NOISES),
            "schedule": tuple(SCHEDULES),
            "optimiser": tuple(OPTIMISERS),
            "precision": PRECISIONS,
            "weights": tuple(STORED),
        }
        for name, allowed in words.items():
            if (value := getattr(self, name)) is not None:
                check_word(name, value, allowed)
        check_sharding(self.sharding, self.optimiser)
        if self.validate_every is not None and self.validate_seconds is not None:
            raise ConfigError(
                f"validate_every = {self.validate_every!r} with validate_seconds = "
                f"{self.validate_seconds!r}",
                allowed="one of the two",
            )
