"""Which rows train, choose and judge: columns, duplicates, leaks and cuts, each said aloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.adaptation.overlap import near_leaks, without_duplicates, without_leaks
from headway.adaptation.settings import Settings
from headway.data import (
    Columns,
    Dataset,
    few_per_class,
    guess_columns,
    open_rows,
    take_splits,
)
from headway.errors import ConfigError, DataError
from headway.training.labels import kind_of, label_names, wrong_label

__all__ = ["Data", "Rows", "answers_of", "each_text", "prepare_rows", "read_rows", "texts_of"]

_AT_ONCE = 4096

Data = Dataset | Mapping[str, Dataset] | str | Path | Sequence[str | Path]
"""Rows, splits of rows, or the name of a file or folder to read, or a list of files."""

ROWS_TO_SPARE = 1000
"""Training rows from which some of them choose the best epoch, where nothing else is said."""

EXPECTED = {
    "single-label": "a text or a number in every row",
    "multi-label": "a list of labels in every row, as JSON lines and Parquet have them",
    "regression": "a finite number in every row",
}


@dataclass(frozen=True)
class Rows:
    """The rows of one adaptation.

    Attributes:
        train, validation, test: texts and labels; validation may be empty.
        columns: which they are.
        kind: key of KINDS.
        labels: names of the labels.
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
    columns: Columns
    kind: str
    labels: tuple[str, ...]
    duplicates_dropped: int
    leaked_dropped: int
    near_leaks: int | None
    fingerprint: str
    notes: list[str] = field(default_factory=list)

    @property
    def parts(self) -> dict[str, Dataset]:
        """Name -> rows."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def texts(self, data: Dataset) -> list[Any]:
        """The texts of some rows: strings, or pairs of them."""
        return texts_of(data, self.columns)

    def answers(self, data: Dataset) -> list[Any]:
        """Their labels."""
        assert self.columns.label is not None
        return data[self.columns.label]


def texts_of(data: Dataset, columns: Columns, *, before: int = 0) -> list[Any]:
    """Strings, or pairs of them; an absent text is an empty one.

    Args:
        data: the rows.
        columns: which hold the texts.
        before: how many rows come before these, to number them in messages.

    Raises:
        DataError: a column holds something else than texts.
    """
    read = [_strings(data, name, before) for name in columns.texts]
    return read[0] if columns.pair is None else list(zip(*read, strict=True))


def each_text(data: Dataset, columns: Columns) -> Iterator[Any]:
    """The same one by one, in memory that does not grow with the rows."""
    for start in range(0, len(data), _AT_ONCE):
        yield from texts_of(data[start : start + _AT_ONCE], columns, before=start)


def _strings(data: Dataset, name: str, before: int) -> list[str]:
    values = data[name]
    for number, value in enumerate(values, before):
        if isinstance(value, (list, dict, bytes)):
            raise DataError(
                f"column {name!r}, row {number + 1}: {value!r:.60} is no text",
                allowed="a column of texts",
                next_step="name the text column with --text",
            )
    return ["" if value is None else str(value) for value in values]


def answers_of(data: Dataset, columns: Columns, kind: str, part: str) -> list[Any]:
    """The labels of some rows, each checked to be one.

    Raises:
        DataError: there is no such column, or a row has none or one of another kind.
    """
    assert columns.label is not None
    if columns.label not in data.column_names:
        raise DataError(
            f"the {part} rows have no column {columns.label!r}",
            allowed=", ".join(data.column_names),
            next_step="name the label column alike everywhere",
        )
    answers = data[columns.label]
    wrong = [(n, why) for n, value in enumerate(answers) if (why := wrong_label(value, kind))]
    if wrong:
        number, why = wrong[0]
        more = f" (and {len(wrong) - 1} more such rows)" if len(wrong) > 1 else ""
        raise DataError(
            f"column {columns.label!r}, row {number + 1} of the {part} rows: {why}{more}",
            allowed=f"{EXPECTED[kind]} ({kind})",
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


def prepare_rows(data: Data, settings: Settings, *, test: Data | None = None) -> Rows:
    """From whatever was given to the rows of one adaptation.

    Raises:
        DataError: files, columns or labels that cannot be used, one class only, no rows left.
        ConfigError: settings that contradict each other or the labels.
    """
    given = read_rows(data, settings)
    judge = None if test is None else read_rows(test, settings)
    columns = guess_columns(given, text=settings.text, pair=settings.pair, label=settings.label)
    assert columns.label is not None
    pool = _training(given)
    _check_columns(pool, columns)
    kind = settings.kind or kind_of(pool.column(columns.label).to_pylist())
    labels = label_names(answers_of(pool, columns, kind, "train"), kind)
    whole, doubles, dropped = without_duplicates(given, columns, settings.near)
    notes = [columns.said, f"{kind}, {'as asked' if settings.kind else 'as the label column says'}"]
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
        validation_share=_validation_share(settings, whole),
    )
    notes.append(splits.said)
    (train, validation), leaks, leaked = without_leaks(
        (splits.train, splits.validation), splits.test, columns, settings.near
    )
    near, alike = near_leaks((train, validation), splits.test, columns)
    notes += [*leaks, *alike]
    rows = Rows(
        train,
        validation,
        splits.test,
        columns,
        kind,
        labels,
        dropped,
        leaked,
        near,
        fingerprint,
        notes,
    )
    notes += _check(rows)
    return rows


def _check_columns(pool: Dataset, columns: Columns) -> None:
    """Whether there are texts, and each column has one part to play."""
    texts_of(pool, columns)
    names = [*columns.texts, columns.label]
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
    for name in ("validation", "test"):
        answers_of(rows.parts[name], rows.columns, rows.kind, name)
    trained = label_names(rows.answers(rows.train), rows.kind)
    if len(trained) < (2 if rows.kind == "single-label" else 1):
        raise DataError(
            f"the training rows have one class only ({', '.join(trained) or 'none'})",
            allowed="at least two different labels",
            next_step="name the column with --label, or add rows of another class",
        )
    notes = []
    if absent := [name for name in rows.labels if name not in set(trained)]:
        notes.append(f"no training rows with the labels {', '.join(absent)}: all are for measuring")
    if not len(rows.validation):
        notes.append("no rows to spare for validation: the number of epochs is fixed beforehand")
    blank = sum(
        not "".join(text).strip() for part in rows.parts.values() for text in rows.texts(part)
    )
    if blank:
        notes.append(f"{blank} texts are empty")
    return notes


def _few(
    data: Dataset | Mapping[str, Dataset],
    judge: Dataset | Mapping[str, Dataset] | None,
    label: str,
    kind: str,
    settings: Settings,
) -> tuple[Dataset | Mapping[str, Dataset], Dataset | Mapping[str, Dataset] | None, str]:
    """Few training rows of each class; the others judge where no other rows do."""
    n = settings.max_labels_per_class
    assert n is not None
    if kind != "single-label":
        raise ConfigError(
            f"max_labels_per_class = {n} with {kind} rows", allowed="rows with one label each"
        )
    taken, rest = few_per_class(_training(data), label, n, seed=settings.seed)
    said = f"{n} rows of each class train"
    others = {name: part for name, part in _splits(data).items() if part is not _training(data)}
    if judge is None and not others:
        return taken, rest, f"{said}, all others are for measuring"
    return {**others, "train": taken}, judge, said


def _splits(data: Dataset | Mapping[str, Dataset]) -> Mapping[str, Dataset]:
    return {"train": data} if isinstance(data, Dataset) else data


def _training(data: Dataset | Mapping[str, Dataset]) -> Dataset:
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


def _validation_share(settings: Settings, data: Dataset | Mapping[str, Dataset]) -> float:
    if settings.validation is not None:
        return settings.validation
    return 0.1 if len(_training(data)) >= ROWS_TO_SPARE else 0.0
