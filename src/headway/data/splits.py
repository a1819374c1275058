"""Which rows train, which choose, which judge; and few rows of every class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from headway.data.dataset import Dataset
from headway.data.duplicates.rowkeys import row_codes
from headway.errors import ConfigError, DataError
from headway.logs import log

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Splits", "few_per_class", "take_splits"]

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Splits:
    """Three data sets that share no row, and a line that says where each came from."""

    train: Dataset
    validation: Dataset
    test: Dataset
    said: str


def take_splits(
    data: Dataset | Mapping[str, Dataset],
    *,
    test: Dataset | Mapping[str, Dataset] | None = None,
    label: str | None = None,
    seed: int = 0,
    test_share: float = TEST_SHARE,
    validation_share: float = VALIDATION_SHARE,
    group: str | None = None,
) -> Splits:
    """Train, validation and test out of whatever was read.

    The test rows are, in this order: `test`; the split of that name; the validation split, when
    there is no other (then choices are made on rows cut from train, so that what judges stays
    unseen); a cut of the one data set. Validation rows that are not given are cut from train.

    Args:
        data: what `read` returned.
        test: separate rows that judge; of a dict, its test split or its only one.
        label: a column whose values are kept as frequent in every cut; a column of decimals or
            lists, or one in which most values are distinct, is cut without that.
        seed: decides the cuts.
        test_share: the share of all rows that is cut for test.
        validation_share: the share of the remaining rows that is cut for validation; 0 cuts none.
        group: a column whose equal values no cut parts, so that shares are met about; `label` is
            not kept even then.

    Raises:
        DataError: no train split, an unknown split, or too few rows to cut.

    >>> data = Dataset.from_columns({"text": list("abcdefghij"), "label": [0, 1] * 5})
    >>> take_splits(data, label="label", test_share=0.2).said
    'train 7, validation 1 (cut from train), test 2 (cut), by chance with seed 0, label kept even'
    """
    given = {"train": data} if isinstance(data, Dataset) else dict(data)
    unknown = sorted(set(given) - {"train", "validation", "test"})
    if unknown or "train" not in given:
        raise DataError(
            f"the splits are {', '.join(given) or 'none'}",
            allowed="train, and validation and test where there are any",
            next_step="give the file of training rows as DATA and the other with --test",
        )
    train, origin = given["train"], {"validation": "as given", "test": "as given"}
    judge = given.get("test") if test is None else _only_test(test)
    validation = given.get("validation")
    if judge is None and validation is not None:
        judge, validation, origin["test"] = validation, None, "the validation split as given"
    if judge is None:
        train, judge = _cut(train, test_share, seed, label, "test", group)
        origin["test"] = "cut"
    if validation is None:
        train, validation = _cut(train, validation_share, seed, label, "validation", group)
        origin["validation"] = "cut from train"
    said = (
        f"train {len(train):,}, validation {len(validation):,} ({origin['validation']}), "
        f"test {len(judge):,} ({origin['test']})"
    )
    if any(how.startswith("cut") for how in origin.values()):
        said += f", by chance with seed {seed}"
        if group is not None:
            said += f", rows with the same {group} kept together"
        elif _even(given["train"], label):
            said += f", {label} kept even"
    return Splits(train, validation, judge, said)


def few_per_class(data: Dataset, column: str, n: int, *, seed: int = 0) -> tuple[Dataset, Dataset]:
    """(taken, rest): `n` rows of every value of `column`, and all others; both in their order.

    A value with fewer rows gives all it has, and a warning says so. Rows without a value are rest.

    Raises:
        ConfigError: `n` below 1.
        DataError: no such column.

    >>> data = Dataset.from_columns({"label": ["a"] * 5 + ["b"] * 4})
    >>> taken, rest = few_per_class(data, "label", 2)
    >>> taken["label"], len(rest)
    (['a', 'a', 'b', 'b'], 5)
    """
    if n < 1:
        raise ConfigError(f"{n} rows for every class", allowed="1 or more")
    missing = data.column(column).is_null().to_numpy()
    codes = row_codes([data.rows], [column])[0]
    chosen = np.zeros(len(data), dtype=bool)
    order = np.random.default_rng(seed).permutation(len(data))
    for code in np.unique(codes):
        rows = order[(codes[order] == code) & ~missing[order]]
        if 0 < len(rows) < n:
            value = data[int(rows[0])][column]
            log.warning("%s %r has %d rows only, %d were asked", column, value, len(rows), n)
        chosen[rows[:n]] = True
    return data.select(np.flatnonzero(chosen)), data.select(np.flatnonzero(~chosen))


def _cut(
    data: Dataset, share: float, seed: int, label: str | None, what: str, group: str | None
) -> tuple[Dataset, Dataset]:
    if share == 0:
        return data, data.select([])
    if len(data) < 2:
        raise DataError(
            f"{data.name or 'the data set'} has {len(data)} rows left, too few to cut rows for "
            f"{what} from",
            allowed="at least 2",
            next_step="give more rows, or a file of its own (--test DATA)",
        )
    if group is not None:
        chosen = _whole_groups(data, group, share, seed, what)
        return data.select(np.flatnonzero(~chosen)), data.select(np.flatnonzero(chosen))
    return data.split(share, seed=seed, stratify=label if _even(data, label) else None)


def _whole_groups(
    data: Dataset, group: str, share: float, seed: int, what: str
) -> npt.NDArray[np.bool_]:
    """A mask of groups drawn by chance, with about that share of the rows; never none or all."""
    codes = row_codes([data.rows], [group])[0]
    names, codes, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise DataError(
            f"all rows of {data.name or 'the data set'} have the same {group}, so that none can be "
            f"cut for {what}",
            allowed=f"rows with two different values of {group!r} or more",
            next_step="give a file of its own (--test DATA)"
            if what == "test"
            else "give a validation split, or validation = 0",
        )
    order = np.random.default_rng(seed).permutation(len(names))
    reached = np.cumsum(sizes[order])
    # The number of groups that comes nearest to the share.
    count = 1 + int(np.abs(reached[:-1] - share * len(data)).argmin())
    return np.isin(codes.reshape(-1), order[:count])


def _even(data: Dataset, label: str | None) -> bool:
    """Whether the values of `label` are classes that repeat enough to be kept even."""
    if label is None:
        return False
    kind = data.column(label).type
    if pa.types.is_nested(kind) or pa.types.is_floating(kind):
        return False
    codes = row_codes([data.rows], [label])[0]
    return len(np.unique(codes)) * 2 <= len(data)


def _only_test(test: Dataset | Mapping[str, Dataset]) -> Dataset:
    if isinstance(test, Dataset):
        return test
    if "test" in test or len(test) == 1:
        return test["test"] if "test" in test else next(iter(test.values()))
    raise DataError(
        f"the separate test data has the splits {', '.join(test)}",
        allowed="one file, or splits of which one is called test",
        next_step="--test FILE",
    )
