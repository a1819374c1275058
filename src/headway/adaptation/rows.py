"""Which rows train, choose and judge: columns, duplicates, leaks and cuts, each said aloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.adaptation.overlap import near_leaks, shared_groups, without_duplicates, without_leaks
from headway.adaptation.settings import Settings
from headway.checkpoints import Scope
from headway.data import (
    Columns,
    Dataset,
    few_per_class,
    open_rows,
    take_splits,
)
from headway.errors import ConfigError, DataError
from headway.tasks import Meaning, Task
from headway.tasks.labels.columns import nearly_numbers
from headway.tasks.labels.out_of_scope import find_scope
from headway.training.options import check_word

__all__ = ["Data", "Rows", "answers_of", "prepare_rows", "read_rows", "training_rows"]

Data = Dataset | Mapping[str, Dataset] | str | Path | Sequence[str | Path]
"""Rows, splits of rows, or the name of a file or folder to read, or a list of files."""

ROWS_TO_SPARE = 1000
"""Training rows from which some of them choose the best epoch, where nothing else is said."""


@dataclass(frozen=True)
class Rows:
    """The rows of one adaptation.

    Attributes:
        train, validation, test: texts and labels; validation may be empty.
        task: what is learned.
        columns: which they are.
        meaning: kind and labels of the answers.
        duplicates_dropped: rows that were there twice.
        leaked_dropped: training and validation rows whose text is also a test text.
        near_leaks: test rows whose text is nearly that of a training or validation row that is
            left; None where they were not looked for.
        fingerprint: hash of all rows that were read.
        notes: what was decided, one line each.
    """

    train: Dataset
    validation: Dataset
    test: Dataset
    task: Task
    columns: Columns
    meaning: Meaning
    duplicates_dropped: int
    leaked_dropped: int
    near_leaks: int | None
    fingerprint: str
    notes: list[str] = field(default_factory=list)

    @property
    def parts(self) -> dict[str, Dataset]:
        """Name -> rows."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def inputs(self, data: Dataset) -> list[Any]:
        """What the task reads of some rows."""
        return self.task.inputs(data, self.columns)

    def answers(self, data: Dataset) -> list[Any]:
        """Their labels; None for each row of a task that has none."""
        return self.columns.answers(data)


def answers_of(task: Task, data: Dataset, columns: Columns, kind: str, part: str) -> list[Any]:
    """The answers of some rows, each checked to be one.

    Raises:
        DataError: there is no such column, or a row has none or one of another kind.
    """
    if columns.label is not None and columns.label not in data.column_names:
        raise DataError(
            f"the {part} rows have no column {columns.label!r}",
            allowed=", ".join(data.column_names),
            next_step="name the label column alike everywhere",
        )
    answers = columns.answers(data)
    if columns.label is None:
        return answers
    wrong = [(n, why) for n, value in enumerate(answers) if (why := task.wrong(value, kind))]
    if wrong:
        number, why = wrong[0]
        more = f" (and {len(wrong) - 1} more such rows)" if len(wrong) > 1 else ""
        raise DataError(
            f"column {columns.label!r}, row {number + 1} of the {part} rows: {why}{more}",
            allowed=f"{task.expected(kind)} ({kind})",
            next_step="correct the rows or take them out, or name another column with --label",
        )
    return answers


def read_rows(data: Data, settings: Settings) -> Dataset | Mapping[str, Dataset]:
    """Reads a name, or a list of them; rows pass as they are."""
    if isinstance(data, (Dataset, Mapping)):
        return data
    return open_rows(
        data,
        encoding=settings.encoding,
        format=settings.format,
        recipe=settings.recipe,
        sample_by=settings.sample_by,
        features=settings.features,
    )


def prepare_rows(task: Task, data: Data, settings: Settings, *, test: Data | None = None) -> Rows:
    """From whatever was given to the rows of one adaptation.

    Raises:
        DataError: files, columns or labels that cannot be used, one class only, no rows left.
        ConfigError: settings that contradict each other or the labels.
    """
    given = read_rows(data, settings)
    judge = None if test is None else read_rows(test, settings)
    columns = task.columns(given, text=settings.text, pair=settings.pair, label=settings.label)
    pool = training_rows(given)
    _check_columns(task, pool, columns)
    kind = _kind(task, pool, columns, settings)
    answers = answers_of(task, pool, columns, kind, "train")
    scope = _scope(kind, settings, (given, judge), columns)
    outside = () if scope is None else (scope.label,)
    labels = tuple(name for name in task.labels(answers, kind) if name not in outside)
    meaning = Meaning(kind, labels, scope)
    whole, doubles, dropped = without_duplicates(given, columns, settings.near)
    notes = [columns.said]
    if len(task.kinds) > 1:
        notes.append(f"{kind}, {'as asked' if settings.kind else 'as the label column says'}")
    if kind == "single-label" and settings.kind is None and (odd := nearly_numbers(answers)):
        notes.append(f"{odd}: --kind regression predicts numbers")
    if scope is not None:
        notes.append(f"{scope.label} is the answer to texts of no other label")
    notes += doubles
    fingerprint = _fingerprint(given, judge)
    if settings.max_labels_per_class is not None:
        whole, judge, said = _few(whole, judge, columns.label, kind, settings)
        notes.append(said)
    splits = take_splits(
        whole,
        test=judge,
        label=columns.label,
        seed=settings.seed,
        validation_share=_validation_share(settings, whole, scope),
        group=columns.group,
    )
    notes.append(splits.said)
    notes += shared_groups((splits.train, splits.validation), splits.test, columns)
    (train, validation), leaks, leaked = without_leaks(
        (splits.train, splits.validation), splits.test, columns, settings.near
    )
    near, alike = near_leaks((train, validation), splits.test, columns)
    notes += [*leaks, *alike]
    rows = Rows(
        train,
        validation,
        splits.test,
        task,
        columns,
        meaning,
        dropped,
        leaked,
        near,
        fingerprint,
        notes,
    )
    notes += _check(rows)
    return rows


def _kind(task: Task, pool: Dataset, columns: Columns, settings: Settings) -> str:
    """The kind of answers that is asked for, or that the column speaks of."""
    if settings.kind is not None:
        check_word("kind", settings.kind, task.kinds)
        return settings.kind
    return task.kind_of([] if columns.label is None else columns.answers(pool))


def _scope(
    kind: str,
    settings: Settings,
    given: Iterable[Dataset | Mapping[str, Dataset] | None],
    columns: Columns,
) -> Scope | None:
    """The rule for texts of no label that is asked for, or that some row of any split speaks of."""
    if kind != "single-label":
        if settings.out_of_scope:
            raise ConfigError(
                f"out_of_scope = {settings.out_of_scope!r} with {kind} rows",
                allowed="rows with one label each",
            )
        return None
    parts = [part for each in given if each is not None for part in _splits(each).values()]
    labelled = [part for part in parts if columns.label in part.column_names]
    answers = (answer for part in labelled for answer in columns.answers(part))
    return find_scope(settings.out_of_scope, answers)


def _check_columns(task: Task, pool: Dataset, columns: Columns) -> None:
    """Whether there are texts, and each column has one part to play."""
    task.inputs(pool, columns)
    names = [name for name in (*columns.texts, columns.label) if name is not None]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"text {columns.text!r}, pair {columns.pair!r}, label {columns.label!r}",
            allowed="a column of its own for each",
        )


def _check(rows: Rows) -> list[str]:
    """Whether there is something to learn and to measure; what else is to be said of the rows."""
    if not len(rows.train) or not len(rows.test):
        what, other = ("training", "test") if not len(rows.train) else ("test", "training")
        raise DataError(
            f"no {what} rows are left"
            + (f": the texts of all are also {other} texts" if rows.leaked_dropped else ""),
            next_step=f"give {what} rows of their own",
        )
    task, meaning = rows.task, rows.meaning
    if meaning.scope is not None and not len(rows.validation):
        raise ConfigError(
            f"no validation rows, and {meaning.scope.label} is the answer below a threshold",
            allowed="a validation split, or a share of the training rows above 0",
            next_step='out_of_scope = "" (--out-of-scope "") makes it a class like the others',
        )
    for name in ("validation", "test"):
        answers_of(task, rows.parts[name], rows.columns, meaning.kind, name)
    notes = _check_labels(rows) if meaning.labels else []
    if not len(rows.validation):
        notes.append("no rows to spare for validation: the number of epochs is fixed beforehand")
    blank = sum(
        not task.shown(given).strip() for part in rows.parts.values() for given in rows.inputs(part)
    )
    if blank:
        notes.append(f"{blank} texts are empty")
    return notes


def _check_labels(rows: Rows) -> list[str]:
    kind = rows.meaning.kind
    known = set(rows.meaning.labels)
    trained = [name for name in rows.task.labels(rows.answers(rows.train), kind) if name in known]
    if len(trained) < (2 if kind == "single-label" else 1):
        raise DataError(
            f"the training rows have one class only ({', '.join(trained) or 'none'})",
            allowed="at least two different labels",
            next_step="name the column with --label, or add rows of another class",
        )
    absent = [name for name in rows.meaning.labels if name not in set(trained)]
    if not absent:
        return []
    return [f"no training rows with the labels {', '.join(absent)}: all are for measuring"]


def _few(
    data: Dataset | Mapping[str, Dataset],
    judge: Dataset | Mapping[str, Dataset] | None,
    label: str | None,
    kind: str,
    settings: Settings,
) -> tuple[Dataset | Mapping[str, Dataset], Dataset | Mapping[str, Dataset] | None, str]:
    """Few training rows of each class; the others judge where no other rows do."""
    n = settings.max_labels_per_class
    assert n is not None
    if kind != "single-label" or label is None:
        raise ConfigError(
            f"max_labels_per_class = {n} with {kind} rows", allowed="rows with one label each"
        )
    taken, rest = few_per_class(training_rows(data), label, n, seed=settings.seed)
    said = f"{n} rows of each class train"
    others = {name: part for name, part in _splits(data).items() if part is not training_rows(data)}
    if judge is None and not others:
        return taken, rest, f"{said}, all others are for measuring"
    return {**others, "train": taken}, judge, said


def _splits(data: Dataset | Mapping[str, Dataset]) -> Mapping[str, Dataset]:
    return {"train": data} if isinstance(data, Dataset) else data


def training_rows(data: Dataset | Mapping[str, Dataset]) -> Dataset:
    """The rows that train, or from which all are cut."""
    splits = _splits(data)
    if "train" not in splits:
        raise DataError(
            f"the splits are {', '.join(splits) or 'none'}",
            allowed="train, and validation and test where there are any",
            next_step="give the file of training rows as DATA and the other with --test",
        )
    return splits["train"]


def _fingerprint(*given: Dataset | Mapping[str, Dataset] | None) -> str:
    """One hash of all rows that were read."""
    parts = [_splits(data) for data in given if data is not None]
    return "+".join(splits[name].fingerprint for splits in parts for name in sorted(splits))


def _validation_share(
    settings: Settings, data: Dataset | Mapping[str, Dataset], scope: Scope | None
) -> float:
    if settings.validation is not None:
        return settings.validation
    if scope is not None:  # whose threshold needs rows
        return 0.1
    return 0.1 if len(training_rows(data)) >= ROWS_TO_SPARE else 0.0
