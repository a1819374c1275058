"""BERTScore: texts compared token by token in an encoder's space, not word by word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, choose, same_length
from headway.metrics.row_sums import RowSums, mean_over_rows
from headway.metrics.texts import best_by_row, text_column, text_lists

__all__ = ["Encoder", "bertscore", "bertscore_rows"]

Floats: TypeAlias = npt.NDArray[np.float64]
Vectors: TypeAlias = npt.NDArray[Any] | tuple[npt.NDArray[Any], npt.NDArray[Any]]
Encoder: TypeAlias = Callable[[list[str]], Sequence[Vectors]]
"""Texts -> of each its token vectors [tokens, hidden], or those and their weights [tokens]."""

MEASURES = ("precision", "recall", "f1")


def bertscore(
    predictions: Column,
    references: Column,
    *,
    measure: str = "f1",
    encoder: Encoder | None = None,
) -> float:
    """How near each token of a text comes to one of its reference, and the reverse: -1 to 1.

    Precision is the mean over the tokens said of the largest cosine with a token of the reference;
    recall the same of the reference's tokens; F1 their harmonic mean. The mean over rows.
    Inputs: a row is the token vectors of a text, float [tokens, hidden], or a tuple of those and of
    the tokens' weights, such as their inverse document frequency; references may be a list of
    several, of which the best counts. A token of weight 0 can be come near to but does not count:
    give it to special tokens. With `encoder`, which makes vectors of a list of texts, rows are
    texts, and references one or more; each different text is encoded once. A text without tokens,
    or all of weight 0, scores 0; no rows: 0.0.
    Raises: ConfigError for unequal lengths, vectors of unequal size, NaN, texts without encoder.
    Siblings: `rouge1` wants the same words. Values depend on the encoder, and on the layer taken
    from it: compare only those of one.
    Source: Zhang et al., "BERTScore: evaluating text generation with BERT", 2020, arXiv:1904.09675;
    without its optional rescaling.

    >>> import numpy as np
    >>> two = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> round(bertscore([two], [two[:1]]), 6)
    0.666667
    """
    return bertscore_rows(predictions, references, measure=measure, encoder=encoder).value()


def bertscore_rows(
    predictions: Column,
    references: Column,
    *,
    measure: str = "f1",
    encoder: Encoder | None = None,
) -> RowSums:
    """`bertscore` as sums over rows."""
    choose("measure", measure, MEASURES)
    same_length(predictions, references)
    if encoder is None:
        said = [_tokens(row, f"row {i} of the predictions") for i, row in enumerate(predictions)]
        there = [_several(row, f"row {i} of the references") for i, row in enumerate(references)]
    else:
        said, there = _encoded(predictions, references, encoder)
    scores = [_score(a, b, measure) for a, bs in zip(said, there, strict=True) for b in bs]
    per_row = np.array([len(several) for several in there], dtype=np.int64)
    return mean_over_rows(best_by_row(np.array(scores, dtype=np.float64), per_row))


@dataclass(frozen=True)
class _Tokens:
    """One text: directions of its tokens [tokens, hidden], length 1, and weights [tokens]."""

    directions: Floats
    weights: Floats


def _score(said: _Tokens, there: _Tokens, measure: str) -> float:
    if not len(said.weights) or not len(there.weights):
        return 0.0
    if said.directions.shape[1] != there.directions.shape[1]:
        raise ConfigError(
            f"vectors of size {said.directions.shape[1]} and {there.directions.shape[1]}",
            allowed="vectors of one encoder",
        )
    cosines = said.directions @ there.directions.T  # [tokens said, tokens there]
    precision = _mean(cosines.max(axis=1), said.weights)
    recall = _mean(cosines.max(axis=0), there.weights)
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}[measure]


def _mean(values: Floats, weights: Floats) -> float:
    whole = float(weights.sum())
    return float(values @ weights) / whole if whole else 0.0


def _encoded(
    predictions: Column, references: Column, encoder: Encoder
) -> tuple[list[_Tokens], list[list[_Tokens]]]:
    said = text_column(predictions, "predictions")
    there = text_lists(predictions, references)
    texts = list(dict.fromkeys([*said, *(text for several in there for text in several)]))
    vectors = encoder(texts) if texts else []
    if len(vectors) != len(texts):
        raise ConfigError(f"the encoder gave {len(vectors)} rows for {len(texts)} texts")
    found = {
        text: _tokens(row, f"what the encoder made of {text[:40]!r}")
        for text, row in zip(texts, vectors, strict=True)
    }
    return [found[text] for text in said], [[found[text] for text in texts] for texts in there]


def _several(row: Any, what: str) -> list[_Tokens]:
    if not isinstance(row, list):
        return [_tokens(row, what)]
    if not row:
        raise ConfigError(f"{what} is an empty list", allowed="one reference or more")
    return [_tokens(each, what) for each in row]


def _tokens(row: Any, what: str) -> _Tokens:
    if isinstance(row, str):
        raise ConfigError(
            f"{what} is the text {row[:40]!r}",
            allowed="token vectors [tokens, hidden]",
            next_step="encoder=FUNCTION makes vectors of texts",
        )
    vectors, weights = row if isinstance(row, tuple) and len(row) == 2 else (row, None)
    try:
        vectors = np.asarray(vectors, dtype=np.float64)
        weights = np.ones(len(vectors)) if weights is None else np.asarray(weights, np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{what} holds no vectors: {error}") from error
    if vectors.ndim != 2 or weights.shape != vectors.shape[:1]:
        raise ConfigError(
            f"{what} has vectors {list(vectors.shape)} and weights {list(weights.shape)}",
            allowed="vectors [tokens, hidden], weights [tokens]",
        )
    if not (np.isfinite(vectors).all() and np.isfinite(weights).all() and (weights >= 0).all()):
        raise ConfigError(
            f"{what} holds NaN, infinity or a negative weight", allowed="finite numbers"
        )
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)  # [tokens, 1]
    directions = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return _Tokens(directions, weights)
