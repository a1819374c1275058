"""Perplexity of a language model: how many equally likely continuations it is torn between."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, numbers, same_length
from headway.metrics.row_sums import RowSums

__all__ = [
    "bits_per_byte",
    "bits_per_byte_rows",
    "byte_perplexity",
    "byte_perplexity_rows",
    "token_perplexity",
    "token_perplexity_rows",
]

Floats: TypeAlias = npt.NDArray[np.float64]


def token_perplexity(predictions: Column, references: Column) -> float:
    """e to the mean negative log-likelihood of a token: 1 is certainty.

    Inputs: for each row the summed negative log-likelihood of its tokens, in nats, and how many
    tokens that were: those predicted, so without a first one that nothing stands before. Values
    of models with different tokenizers cannot be compared: `byte_perplexity` can. No rows, or no
    tokens: 0.0.
    Raises: ConfigError for unequal lengths, NaN or negative sums, counts that are no whole numbers.
    Siblings: `byte_perplexity`, `bits_per_byte`; the exponential of the loss of training.
    Source: Jelinek et al., "Perplexity: a measure of the difficulty of speech recognition tasks",
    1977.

    >>> round(token_perplexity([1.5, 2.5], [3, 1]), 6)
    2.718282
    """
    return token_perplexity_rows(predictions, references).value()


def byte_perplexity(predictions: Column, references: Column) -> float:
    """e to the mean negative log-likelihood of a byte of the texts in UTF-8.

    Inputs: sums as in `token_perplexity`; the texts themselves, or how many bytes each has. It
    compares models whatever their tokenizers. Errors and no rows: as there; a lone surrogate
    counts three bytes.

    >>> round(byte_perplexity([2.0, 4.0], ["né", "abc"]), 6)
    2.718282
    """
    return byte_perplexity_rows(predictions, references).value()


def bits_per_byte(predictions: Column, references: Column) -> float:
    """The mean number of bits that the model needs for a byte: log2 of `byte_perplexity`.

    Inputs and errors: as in `byte_perplexity`; no rows: 0.0.

    >>> round(bits_per_byte([2.0, 4.0], ["né", "abc"]), 6)
    1.442695
    """
    return bits_per_byte_rows(predictions, references).value()


def token_perplexity_rows(predictions: Column, references: Column) -> RowSums:
    """`token_perplexity` as sums over rows: nats and tokens."""
    return RowSums(_rows(predictions, references), lambda sums: _perplexity(sums))


def byte_perplexity_rows(predictions: Column, references: Column) -> RowSums:
    """`byte_perplexity` as sums over rows: nats and bytes."""
    return RowSums(_rows(predictions, _bytes(references)), _perplexity)


def bits_per_byte_rows(predictions: Column, references: Column) -> RowSums:
    """`bits_per_byte` as sums over rows: nats and bytes."""
    return RowSums(_rows(predictions, _bytes(references)), lambda sums: _mean(sums) / math.log(2))


def _rows(predictions: Column, references: Column) -> Floats:
    same_length(predictions, references)
    nats, counts = numbers(predictions, "predictions"), numbers(references, "references")
    for row in np.flatnonzero(nats < 0)[:1]:
        raise ConfigError(
            f"row {row} of the predictions is {nats[row]}",
            allowed="negative log-likelihoods: 0 or more",
        )
    for row in np.flatnonzero((counts < 0) | (counts != np.floor(counts)))[:1]:
        raise ConfigError(
            f"row {row} of the references is {counts[row]}", allowed="counts: 0, 1, 2 and so on"
        )
    return np.stack([nats, counts], axis=1)


def _bytes(references: Column) -> Column:
    if any(isinstance(value, str) for value in references):
        return [
            len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else value
            for value in references
        ]
    return references


def _perplexity(sums: Floats) -> Floats:
    with np.errstate(over="ignore"):  # what float64 cannot hold is infinite
        return np.where(sums[..., 1] > 0, np.exp(_mean(sums)), 0.0)


def _mean(sums: Floats) -> Floats:
    counts = sums[..., 1]
    return np.divide(sums[..., 0], counts, out=np.zeros_like(counts), where=counts > 0)
