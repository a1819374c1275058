"""What a task is: all that adapting to it, measuring it and answering for it have to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from headway.checkpoints import HeadPlan, Scope
from headway.data import Columns, Dataset
from headway.errors import ConfigError
from headway.model import Model
from headway.training.collate import Batch, Ready
from headway.windows import Windowed

__all__ = ["Compared", "Course", "Meaning", "Start", "Task", "known_meaning", "meaning_of"]


@dataclass(frozen=True)
class Meaning:
    """What the numbers of a model mean.

    Attributes:
        kind: of answers, one of the task's `kinds`; reports know how to show it.
        labels: names of the head's outputs; () where they have none.
        scope: when the answer is none of these; None = never.
    """

    kind: str
    labels: tuple[str, ...] = ()
    scope: Scope | None = None

    @property
    def answers(self) -> tuple[str, ...]:
        """The labels, and what texts of none of them are called."""
        return self.labels if self.scope is None else (*self.labels, self.scope.label)


@dataclass(frozen=True)
class Course:
    """How long and how fast to train, where the user does not say.

    Attributes:
        epochs: over the rows.
        rate: the peak learning rate, of a model of 384 dimensions.
        texts: of a step, about.
    """

    epochs: int
    rate: float
    texts: int = 32


@dataclass(frozen=True)
class Compared:
    """One answer beside the truth, for people.

    Attributes:
        truth, prediction: as they are shown.
        error: how wrong it is; 0 = right.
        sure: how sure the model is, 0 to 1, or None.
    """

    truth: Any
    prediction: Any
    error: float
    sure: float | None = None


@dataclass(frozen=True)
class Start:
    """A better start for a head than chance.

    Attributes:
        fits: whether a model's head is one that it can set.
        wanted: (training rows, meaning) -> whether it is worth it.
        put: (model, texts, targets, kind=, precision=, batch_tokens=, seed=) -> the share of rows
            that the start gets right when fitted on others, or None.
        contrast: (model, texts, targets, precision=, hidden=, micro_batch_tokens=, seed=,
            stop=) -> the loss of its first and last step: teaches the body texts of one label
            each, before there is a head. None = there is no such thing.
        known: share of rows that the start gets right from which on the body needs no contrast.
        behind: how training goes on where the body learned by contrast; None = as elsewhere.
    """

    fits: Callable[[Model], bool]
    wanted: Callable[[int, Meaning], bool]
    put: Callable[..., float | None]
    contrast: Callable[..., tuple[float, float]] | None = None
    known: float = 1.0
    behind: Course | None = None


class Task(Protocol):
    """One task."""

    @property
    def about(self) -> str:
        """One line for people."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of answers that it has, the most usual first."""

    @property
    def keeps_head(self) -> bool:
        """Whether training goes on with the head that the checkpoint carries."""

    @property
    def start(self) -> Start | None:
        """Of a fresh head, or None."""

    @property
    def units(self) -> Callable[[Model, Any, str], AbstractContextManager[Any]]:
        """(model, targets, kind) -> a context with the targets in units that train well; when it
        closes, the model answers in those of the data."""

    def columns(
        self,
        data: Dataset | Mapping[str, Dataset],
        *,
        text: str | None,
        pair: str | None,
        label: str | None,
        labelled: bool = True,
    ) -> Columns:
        """Which columns are read: named, or guessed and said."""

    def inputs(self, data: Dataset, columns: Columns, *, before: int = 0) -> list[Any]:
        """What `encode` takes, one a row; `before` rows come before these, for messages."""

    def shown(self, given: Any) -> str:
        """An input as people read it."""

    def kind_of(self, answers: Sequence[Any]) -> str:
        """The kind that a column of answers speaks of."""

    def wrong(self, answer: Any, kind: str) -> str:
        """Why an answer of a row cannot be used, or an empty string."""

    def expected(self, kind: str) -> str:
        """What answers of a kind have to be, for messages."""

    def labels(self, answers: Sequence[Any], kind: str) -> tuple[str, ...]:
        """The names of the head's outputs, in their order; () where they have none."""

    def label_counts(self, answers: Sequence[Any], meaning: Meaning) -> dict[str, int]:
        """How often each label is there; empty where there are none."""

    def check(self, model: Model) -> None:
        """Raises ConfigError where the model cannot be adapted to this."""

    def fitted(self, model: Model) -> Model:
        """The model with the stacks that the task needs; usually itself."""

    def head(
        self, model: Model, meaning: Meaning, *, head: str, pooling: str | None
    ) -> HeadPlan | None:
        """A fresh head, or None for the body alone."""

    def encode(
        self,
        model: Model,
        inputs: Sequence[Any],
        *,
        size: int | None,
        stride: int | None,
        first: int = 0,
    ) -> Sequence[Windowed]:
        """Inputs as the model reads them, windows and what else this task's other methods want to
        know; they are its `texts`. `first` is the first one's number, for messages."""

    def targets(
        self, model: Model, texts: Sequence[Any], answers: Sequence[Any], meaning: Meaning
    ) -> Any:
        """What `loss` compares with, for all rows."""

    def course(self, rows: int, meaning: Meaning, right: float | None = None) -> Course:
        """How to train on so many rows; `right` is what `start` found."""

    def weights(self, answers: Sequence[Any], meaning: Meaning) -> Tensor:
        """How much a row of each class counts, where rare ones shall count more."""

    def collate(
        self,
        model: Model,
        batch: Batch,
        targets: Any,
        meaning: Meaning,
        *,
        weights: Tensor | None = None,
        chance: torch.Generator | None = None,
    ) -> Ready:
        """A batch with what is learned from it.

        Args:
            model: it is not asked what it makes of the batch.
            batch: some of the rows.
            targets: of all rows.
            meaning: of the answers.
            weights: of classes, as `weights` makes them.
            chance: of what is drawn; None = torch's own.
        """

    def loss(self, model: Model, ready: Ready, meaning: Meaning) -> tuple[Tensor, ...]:
        """The sum of each term of a batch's loss; divided by `ready.counts` these are means."""

    def read(
        self,
        model: Model,
        texts: Sequence[Any],
        meaning: Meaning,
        *,
        batch_tokens: int,
        what: str,
    ) -> Sequence[Any]:
        """The model's raw answers, one a text."""

    def tell(self, found: Any, text: Any, meaning: Meaning) -> dict[str, Any]:
        """A raw answer as users get it."""

    def score(
        self,
        found: Sequence[Any],
        texts: Sequence[Any],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Any]:
        """The measures, of which `main` is one."""

    def main(self, kind: str) -> str:
        """The measure that early stopping and the headline go by; larger is better."""

    def compare(
        self,
        found: Sequence[Any],
        texts: Sequence[Any],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> list[Compared]:
        """Every answer beside the truth."""

    def baseline(
        self,
        train: tuple[Sequence[Any], Sequence[Any]],
        test: tuple[Sequence[Any], Sequence[Any]],
        meaning: Meaning,
        *,
        seed: int,
    ) -> dict[str, Any] | None:
        """What a simple method reaches with the same inputs and answers: its name and measures."""


def meaning_of(model: Model, kind: str = "") -> Meaning:
    """What a model's head means; `kind` where the head does not say it."""
    plan = model.checkpoint.plan
    return Meaning(kind) if plan is None else Meaning(plan.kind or kind, plan.labels, plan.scope)


def known_meaning(model: Model, task: Task, kind: str = "") -> Meaning:
    """What a model's head means to a task.

    Args:
        model: with a head for the task, or, where the task needs none, without.
        task: that is asked of it.
        kind: of a head that has no labels and says nothing; "" = the task's usual one.

    Raises:
        ConfigError: the head is of no kind that the task has, such as one that was put on by hand.
    """
    found = meaning_of(model, "" if model.labels else kind or task.kinds[0])
    if found.kind not in task.kinds:
        raise ConfigError(
            f"the head of {model.source or 'this model'} has kind = {found.kind!r}",
            allowed=", ".join(task.kinds),
            next_step="name one of these in the HeadPlan that put_head is given",
        )
    return found
