"""What happened in a run as event files, for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headway.errors import ConfigError
from headway.reports.plain import plain
from headway.training.loop import History

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["TensorBoard"]

PLACE = ("step", "epoch")

FLUSHED = 5
"""Seconds after which events are on the disk."""


class TensorBoard:
    """Event files: `train/loss`, `train/learning_rate` and `train/tokens_per_second` of each step,
    and `validation/` with each score.

    A run that goes on writes them anew from its history, as if it had never been away.

    Args:
        folder: of the files; those of an earlier run in it are removed when this one begins.

    Raises:
        ConfigError: the package `tensorboard` is not there.

    Example:
        TensorBoard(Path("runs/tickets/tensorboard"))
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ConfigError(
                "tensorboard = True without the package tensorboard",
                next_step="pip install 'headway[tensorboard]'",
            ) from None
        self.folder, self.about = folder, str(folder)
        self.open = SummaryWriter
        self.writer: SummaryWriter | None = None
        self.steps = self.validations = 0  # that are written

    def begin(self, history: History, total: int) -> None:
        """Writes what is behind the run, most often nothing."""
        for old in self.folder.glob("events.out.tfevents.*"):
            old.unlink()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.writer = self.open(str(self.folder), flush_secs=FLUSHED)
        self.steps = self.validations = 0
        self.see(history)

    def see(self, history: History) -> None:
        """Adds what is new."""
        for number in range(self.steps, len(history.train)):
            row = dict(history.train[number])
            tokens = row.pop("tokens", 0)
            if number < len(history.timings):
                row["tokens_per_second"] = tokens / max(history.timings[number], 1e-9)
            self._write("train", row)
        for row in history.validation[self.validations :]:
            self._write("validation", row)
        self.steps, self.validations = len(history.train), len(history.validation)

    def end(self, history: History, state: str, why: str) -> None:
        """Adds the rest, and waits until all is written."""
        if self.writer is not None:
            self.see(history)
            self.writer.close()
            self.writer = None

    def _write(self, part: str, row: dict[str, float]) -> None:
        assert self.writer is not None, "begin comes first"
        for name, value in plain(row).items():
            if name not in PLACE and value is not None:
                self.writer.add_scalar(f"{part}/{name}", value, int(row["step"]))
