"""Measures as metrics of columns: what intervals and paired tests of each are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from headway.metrics import confidence_interval, metric
from headway.tasks.task import Meaning

__all__ = ["Measured", "Metrics"]


@dataclass(frozen=True)
class Measured:
    """A measure of a report as a metric by name.

    Attributes:
        metric: key of METRICS.
        predictions, references: its columns, a value for each row that it is about.
        scale: what it is divided by to be the measure.
        options: of the metric.
    """

    metric: str
    predictions: Any
    references: Any
    scale: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)

    def value(self) -> float:
        """The measure of all rows."""
        found = metric(self.metric, self.predictions, self.references, **self.options)
        return found[self.metric] / self.scale

    def interval(self, *, seed: int = 0) -> tuple[float, float]:
        """Where it lies in 95 of 100 such choices of rows; see `confidence_interval`."""
        low, high = confidence_interval(
            self.metric, self.predictions, self.references, seed=seed, **self.options
        )
        return low / self.scale, high / self.scale


@runtime_checkable
class Metrics(Protocol):
    """A task whose measures are metrics of columns."""

    def metrics(
        self,
        found: Sequence[Any],
        texts: Sequence[Any],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Measured]:
        """Measure -> what it is made from; the arguments are those of `Task.score`."""
