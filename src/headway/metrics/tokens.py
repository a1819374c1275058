"""Labels of tokens, a sequence a row: accuracy and F1 over all tokens of all rows.

The numbers are those of `accuracy` and `f1` of all tokens one after the other. What differs is the
row: intervals and paired tests draw whole texts, since the tokens of one are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.counts import average_of, counts_of_sums, f1_of
from headway.metrics.inputs import Encoded, Label, encode, same_length
from headway.metrics.row_sums import RowSums

__all__ = ["token_accuracy", "token_accuracy_rows", "token_f1", "token_f1_rows"]

Labels: TypeAlias = Sequence[Label]
"""Of the tokens of a row."""


def token_accuracy(predictions: Sequence[Labels], references: Sequence[Labels]) -> float:
    """The share of tokens whose label is right.

    Inputs: a sequence of labels a row, texts or whole numbers, as many in a row of predictions as
    in that of references. No tokens, or no rows: 0.0.
    Raises: ConfigError for unequal lengths, a row that is no sequence, texts beside numbers.
    Siblings: `accuracy` of one label a row; `token_f1` where labels are unequal in size;
    `entity_f1` of whole entities.

    >>> token_accuracy([["DET", "NOUN"], ["VERB"]], [["DET", "VERB"], ["VERB"]])
    0.6666666666666666
    """
    return token_accuracy_rows(predictions, references).value()


def token_f1(
    predictions: Sequence[Labels],
    references: Sequence[Labels],
    *,
    average: str = "macro",
    labels: Sequence[Label] | None = None,
) -> float:
    """F1 of each label of tokens, averaged.

    Inputs and errors: as in `token_accuracy`; `average` and `labels` as in `f1`.
    Siblings: `f1` of one label a row; `squad_f1`, of words that two texts share, is often called
    token F1 too.

    >>> token_f1([["DET", "NOUN"], ["VERB"]], [["DET", "VERB"], ["VERB"]])
    0.5555555555555555
    """
    return token_f1_rows(predictions, references, average=average, labels=labels).value()


def token_accuracy_rows(predictions: Sequence[Labels], references: Sequence[Labels]) -> RowSums:
    """`token_accuracy` as sums over rows: right tokens and all of them."""
    row, codes = _read(predictions, references, None)
    right = np.bincount(row[codes.predictions == codes.references], minlength=len(references))
    parts = [right, np.bincount(row, minlength=len(references))]
    return RowSums(np.stack(parts, axis=1).astype(np.float64), _share)


def token_f1_rows(
    predictions: Sequence[Labels],
    references: Sequence[Labels],
    *,
    average: str = "macro",
    labels: Sequence[Label] | None = None,
) -> RowSums:
    """`token_f1` as sums over rows: counts of each label."""
    row, codes = _read(predictions, references, labels)
    n, k = len(references), len(codes.names)
    kept = k if labels is None else len(labels)
    hits = codes.predictions == codes.references
    parts = [
        np.bincount(rows * k + label, minlength=n * k).reshape(n, k)[:, :kept]
        for rows, label in (
            (row[hits], codes.references[hits]),
            (row, codes.predictions),
            (row, codes.references),
        )
    ]  # of each, [rows, labels]: right, predicted, there
    names = codes.names[:kept]
    return RowSums(
        np.concatenate(parts, axis=1).astype(np.float64),
        lambda sums: average_of(counts_of_sums(names, sums), average, f1_of),
    )


def _share(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    right, all_of_them = sums[..., 0], sums[..., 1]
    return np.divide(right, all_of_them, out=np.zeros_like(right), where=all_of_them > 0)


def _read(
    predictions: Sequence[Labels], references: Sequence[Labels], labels: Sequence[Label] | None
) -> tuple[npt.NDArray[np.int64], Encoded]:
    """The row of each token, [tokens], and the labels of both columns as codes."""
    same_length(predictions, references)
    columns = [_rows(predictions, "predictions"), _rows(references, "references")]
    for row, (one, other) in enumerate(zip(*columns, strict=True)):
        if len(one) != len(other):
            raise ConfigError(
                f"row {row} has {len(one)} predicted labels for {len(other)} tokens",
                allowed="one label for each token",
            )
    counts = [len(row) for row in columns[1]]
    said, there = (list(chain.from_iterable(column)) for column in columns)
    return np.repeat(np.arange(len(counts)), counts), encode(said, there, labels)


def _rows(column: Sequence[Any], what: str) -> list[Sequence[Label]]:
    found: list[Sequence[Label]] = []
    for number, row in enumerate(column):
        given = row.tolist() if isinstance(row, np.ndarray) else row
        wrong = not isinstance(given, list | tuple)
        if wrong or not all(isinstance(label, str | int | np.integer) for label in given):
            raise ConfigError(
                f"row {number} of the {what} is {row!r:.60}",
                allowed="a sequence of labels: texts or whole numbers",
            )
        found.append(given)
    return found
