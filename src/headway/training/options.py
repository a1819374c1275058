"""What a training run is steered by."""

from __future__ import annotations

from dataclasses import dataclass

from headway.errors import ConfigError

__all__ = ["Options"]

PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class Options:
    """Numbers of the training loop.

    Raises:
        ConfigError: a number outside its range.
    """

    epochs: int = 3
    """Passes over the training rows."""
    learning_rate: float = 1e-4
    """Peak of the schedule."""
    head_learning_rate: float | None = None
    """Peak for the head's parameters; None = learning_rate."""
    batch_tokens: int = 512
    """Most tokens in one step; a longer text is a step of its own."""
    warmup: float = 0.1
    """Share of the steps in which the rate rises to its peak."""
    weight_decay: float = 0.01
    """Of AdamW, on matrices only."""
    clip: float = 1.0
    """Largest norm of a step's gradient."""
    seed: int = 0
    """Of batches, dropout and fresh weights."""
    precision: str = "auto"
    """auto (bf16 where this machine is faster with it, measured once), fp32 or bf16."""
    patience: int = 2
    """Epochs without a better validation score before training stops."""

    def __post_init__(self) -> None:
        ranges = {
            "epochs": self.epochs >= 1,
            "learning_rate": 0 < self.learning_rate < 1,
            "batch_tokens": self.batch_tokens >= 1,
            "warmup": 0 <= self.warmup < 1,
            "weight_decay": self.weight_decay >= 0,
            "clip": self.clip > 0,
            "patience": self.patience >= 1,
        }
        for name, fine in ranges.items():
            if not fine:
                raise ConfigError(
                    f"{name} = {getattr(self, name)}", allowed="a sensible positive number"
                )
        if self.precision not in PRECISIONS:
            raise ConfigError(f"precision {self.precision!r}", allowed=", ".join(PRECISIONS))
