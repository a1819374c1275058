"""Which rows train, choose and judge: columns, duplicates, leaks and cuts, each said aloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.adaptation.settings import Settings
from headway.data import (
    Columns,
    Dataset,
    drop_duplicates,
    drop_leaked,
    few_per_class,
    guess_columns,
    read,
    take_splits,
)
from headway.errors import DataError
from headway.training.kinds import KINDS, kind_of, label_names

__all__ = ["Data", "Rows", "prepare_rows", "read_rows"]

Data = Dataset | Mapping[str, Dataset] | str | Path
"""Rows, splits of rows, or the name of a file or folder to read."""

ROWS_TO_SPARE = 1000


@dataclass(frozen=True)
class Rows:
    """The rows of one adaptation.

    Attributes:
        train, validation, test: texts and labels; validation may be empty.
        columns: which they are.
        kind: key of KINDS.
        labels: names of the labels.
        duplicates_dropped: rows that were there twice.
        leaked_dropped: training rows whose text is also a test text.
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
    fingerprint: str
    notes: list[str] = field(default_factory=list)

    def texts(self, data: Dataset) -> list[Any]:
        """The texts of some rows: strings, or pairs of them."""
        return texts_of(data, self.columns)

    def answers(self, data: Dataset) -> list[Any]:
        """Their labels."""
        assert self.columns.label is not None
        return data[self.columns.label]


def texts_of(data: Dataset, columns: Columns) -> list[Any]:
    """Strings, or pairs of them; an absent text is an empty one."""
    first = ["" if text is None else str(text) for text in data[columns.text]]
    if columns.pair is None:
        return first
    second = ["" if text is None else str(text) for text in data[columns.pair]]
    return list(zip(first, second, strict=True))


def read_rows(data: Data, settings: Settings) -> Dataset | Mapping[str, Dataset]:
    """Reads a name; rows pass as they are."""
    if isinstance(data, (str, Path)):
        return read(data, encoding=settings.encoding, format=settings.format)
    return data


def prepare_rows(data: Data, settings: Settings, *, test: Data | None = None) -> Rows:
    """From whatever was given to the rows of one adaptation.

    Raises:
        DataError: files or columns that cannot be used, one class only, no rows left.
    """
    given = read_rows(data, settings)
    judge = None if test is None else read_rows(test, settings)
    columns = guess_columns(given, text=settings.text, pair=settings.pair, label=settings.label)
    assert columns.label is not None
    fingerprint = _fingerprint(given)
    notes = [columns.said]
    whole, dropped = _without_duplicates(given, columns)
    if dropped:
        notes.append(f"{dropped} duplicate rows dropped")
    kind = settings.kind or kind_of(_first(whole)[columns.label][:1000])
    if kind not in KINDS:
        raise DataError(f"kind {kind!r} is not known", allowed=", ".join(KINDS))
    if settings.max_labels_per_class is not None:
        few, rest = few_per_class(
            _first(whole), columns.label, settings.max_labels_per_class, seed=settings.seed
        )
        if not isinstance(whole, Dataset):
            whole = {**whole, "train": few}
        elif judge is None:
            whole, judge = few, rest
            notes.append(f"{settings.max_labels_per_class} rows a class train, all others test")
        else:
            whole = few
    share = _validation_share(settings, whole)
    splits = take_splits(
        whole, test=judge, label=columns.label, seed=settings.seed, validation_share=share
    )
    train, leaked = drop_leaked(splits.test, splits.train, columns.texts)
    if leaked:
        notes.append(f"{leaked} training rows dropped whose text is also a test text")
    notes.append(splits.said)
    if not len(splits.validation):
        notes.append("no rows to spare for validation: the number of epochs is fixed beforehand")
    labels = label_names(train[columns.label], kind)
    return Rows(
        train,
        splits.validation,
        splits.test,
        columns,
        kind,
        labels,
        dropped,
        leaked,
        fingerprint,
        notes,
    )


def _first(data: Dataset | Mapping[str, Dataset]) -> Dataset:
    if isinstance(data, Dataset):
        return data
    return data["train"] if "train" in data else next(iter(data.values()))


def _fingerprint(data: Dataset | Mapping[str, Dataset]) -> str:
    if isinstance(data, Dataset):
        return data.fingerprint
    return "+".join(data[name].fingerprint for name in sorted(data))


def _without_duplicates(
    data: Dataset | Mapping[str, Dataset], columns: Columns
) -> tuple[Dataset | Mapping[str, Dataset], int]:
    """Without rows that train, or would be cut for test, twice; given test rows all stay."""
    if isinstance(data, Dataset):
        return drop_duplicates(data, columns.texts)
    if "train" not in data:
        return data, 0
    train, dropped = drop_duplicates(data["train"], columns.texts)
    return {**data, "train": train}, dropped


def _validation_share(settings: Settings, data: Dataset | Mapping[str, Dataset]) -> float:
    if settings.validation is not None:
        return settings.validation
    return 0.1 if len(_first(data)) >= ROWS_TO_SPARE else 0.0
