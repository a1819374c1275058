"""When a run is validated: behind each epoch, or every so many steps or seconds, and at the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn

from headway.training.loop import History
from headway.training.options import Options

__all__ = ["Validations", "evaluating"]


class Validations:
    """Validates a run on its way.

    By steps, a run that goes on validates behind the same steps as one that was never away. By
    seconds it does so when the clock says, and no two runs are the same.

    Args:
        module: what is trained; it is in evaluation mode while it is looked at, and each of its
            parts in the mode that it was in from then on.
        look: validates, notes the score in the history, and says whether it is time to stop.
        options: how often.
        total: steps that the run has; behind the last one it is validated in any case, so that
            what that left can be the best as well.

    Example:
        validations = Validations(model, look, options, total=steps_of(epochs, options))
        train(..., after_epoch=validations.after_epoch, after_step=validations.after_step)
    """

    def __init__(
        self, module: nn.Module, look: Callable[[History], bool], options: Options, *, total: int
    ) -> None:
        self.module, self.look = module, look
        self.total, self.limit = total, options.max_seconds or math.inf
        self.every, self.seconds = options.validate_every, options.validate_seconds
        self.last = 0.0  # seconds of training behind which the last one was

    def begin(self, history: History) -> None:
        """Takes the clock of a run that goes on."""
        step = _validated(history)
        self.last = sum(history.timings[:step])

    def after_step(self, history: History) -> bool:
        """Validates where it is due; True when it is time to stop."""
        if self.every is not None:
            due = history.step % self.every == 0
        else:
            due = self.seconds is not None and history.seconds - self.last >= self.seconds
        return due and self._now(history)

    def after_epoch(self, number: int, history: History) -> bool:
        """Validates where nothing else is asked for, or the run is at its end; True when it is time
        to stop."""
        at_end = history.step >= self.total or history.seconds >= self.limit
        usual = self.every is None and self.seconds is None
        return (usual or at_end) and self._now(history)

    def _now(self, history: History) -> bool:
        """Validates, but not one state twice."""
        if _validated(history) == history.step:
            return False
        with evaluating(self.module):
            ended = self.look(history)
        self.last = history.seconds
        return ended


def _validated(history: History) -> int:
    """The step behind which the last validation was; 0 = there was none."""
    return int(history.validation[-1]["step"]) if history.validation else 0


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """While open, all parts of a module are in evaluation mode; then each is in its own again.

    >>> module = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    >>> with evaluating(module):
    ...     any(part.training for part in module.modules())
    False
    >>> [part.training for part in module]
    [True, False]
    """
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode
