"""The classical baselines that transfer results are shown beside: TF-IDF and a linear model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, Label, choose, encode, encode_sets, numbers
from headway.metrics.words import SPACELESS

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Baseline", "tfidf_baseline", "tfidf_nearest", "tfidf_vectors"]

Text = str | tuple[str, str] | Sequence[str]
Floats = npt.NDArray[np.float64]

# Scripts written without spaces are cut into characters, so that pairs of them stand for words.
WORD = (
    rf"[{SPACELESS}]\p{{M}}*"
    rf"|[[\p{{L}}\p{{M}}\p{{N}}_]--[{SPACELESS}]]+"
    r"|\p{Extended_Pictographic}"
)
# Inverse of the L2 penalty: the best of 1, 3, 10, 30 on validation cuts of TREC's training rows
# (three of 90/10): 85.9% right, 83.0% with 1.
STRENGTH = 10.0
MAX_FEATURES = 50_000
COMMON_WORDS_FROM = 2000  # training texts from which a word must occur twice to count


@dataclass(frozen=True)
class Baseline:
    """What the baseline says about the test texts, ready for the same metrics.

    `predictions`: labels [rows]; for multi-label a 0/1 array [rows, labels]; else numbers [rows].
    `probabilities`: float [rows, labels]; None for regression.
    `labels`: the names of the columns of `probabilities`; empty for regression.
    """

    name: str
    predictions: Column
    probabilities: Floats | None
    labels: list[Label]


def tfidf_baseline(
    train_texts: Sequence[Text],
    train_labels: Column,
    test_texts: Sequence[Text],
    *,
    kind: str,
    seed: int = 0,
    labels: Sequence[Label] | None = None,
) -> Baseline:
    """Words and word pairs weighted by TF-IDF, then a linear model: no transfer at all.

    Logistic regression for labels (one for each label where a row has several), ridge regression
    for numbers. It knows no language: words are runs of letters, or single characters in scripts
    without spaces.

    Inputs: texts, or (text, pair) tuples, whose two columns are told apart; `train_labels` as the
    metrics take them; `kind` is "single-label", "multi-label" or "regression"; `seed` for the
    solver; `labels`: the columns for multi-label sets, by default those of the training set.
    Texts without a single word, or one class only, give the commonest answer of the training set.
    Raises: ConfigError for an unknown kind, no training rows, unequal lengths.

    >>> found = tfidf_baseline(["good film", "bad film"] * 5, ["pos", "neg"] * 5, ["so good"],
    ...                        kind="single-label")
    >>> found.predictions
    ['pos']
    """
    choose("kind", kind, ("single-label", "multi-label", "regression"))
    if not len(train_texts) or len(train_texts) != len(train_labels):
        raise ConfigError(
            f"{len(train_texts)} training texts with {len(train_labels)} labels",
            allowed="one or more texts, one label each",
        )
    train, test = _features(train_texts, test_texts)
    if kind == "regression":
        return _regression(train, numbers(train_labels, "training labels"), test, seed)
    if kind == "multi-label":
        sets = encode_sets(train_labels, train_labels, labels)
        columns = [_two_classes(train, column, test, seed) for column in sets.references.T]
        shape = (test.shape[0], len(sets.names))
        chances = np.stack(columns, axis=1) if columns else np.zeros(shape)  # [rows, labels]
        name = "TF-IDF + logistic regression for each label"
        return Baseline(name, chances >= 0.5, chances, sets.names)
    codes = encode(train_labels, train_labels)
    chances = _classes(train, codes.references, test, seed)
    chosen = [codes.names[i] for i in chances.argmax(axis=1)]
    return Baseline("TF-IDF + logistic regression", chosen, chances, codes.names)


def tfidf_nearest(
    queries: Sequence[str], candidates: Sequence[Sequence[str]], *, known: Sequence[str]
) -> list[int]:
    """Which of each row's candidates is most like its query: cosine of TF-IDF vectors of words.

    Inputs: a query a row; one candidate or more a row; `known` texts, whose words say how much a
    word counts. Of candidates that are alike the first is taken.
    Raises: ConfigError for unequal lengths, or a row without a candidate.

    >>> tfidf_nearest(["who wrote it?"], [["He wrote it.", "It rained."]], known=["It rained."])
    [0]
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    if len(queries) != len(candidates) or not all(map(len, candidates)):
        raise ConfigError(
            f"{len(queries)} queries with {len(candidates)} rows of candidates",
            allowed="one row of one candidate or more for each query",
        )
    if not len(queries):
        return []
    flat = [text for row in candidates for text in row]
    # Fitted on everything, so that a word that is new here counts as a rare one.
    vectorizer = TfidfVectorizer(analyzer=_words, sublinear_tf=True)
    if not any(map(_words, [*known, *queries, *flat])):
        return [0] * len(queries)
    vectorizer.fit([*known, *queries, *flat])
    sizes = np.array([len(row) for row in candidates])
    asked = vectorizer.transform(queries)[np.repeat(np.arange(len(sizes)), sizes)]
    alike = np.asarray(asked.multiply(vectorizer.transform(flat)).sum(axis=1)).reshape(-1)
    return [int(part.argmax()) for part in np.split(alike, np.cumsum(sizes)[:-1])]


def tfidf_vectors(columns: Sequence[Sequence[str]], known: Sequence[str]) -> list[csr_matrix]:
    """TF-IDF vectors of words, of length 1, so that their products are cosines.

    Inputs: columns of texts; `known` texts, whose words say how much a word counts.
    Returns: for each column a sparse matrix [texts, words]; a text without words is all zeros.

    >>> a, b = tfidf_vectors([["good film"], ["film, good!"]], known=["bad film"])
    >>> float(round((a @ b.T)[0, 0], 6))
    1.0
    """
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    flat = [*known, *(text for column in columns for text in column)]
    if not any(map(_words, flat)):
        return [csr_matrix((len(column), 1)) for column in columns]
    # Fitted on everything, so that a word that is new here counts as a rare one.
    vectorizer = TfidfVectorizer(analyzer=_words, sublinear_tf=True).fit(flat)
    width = len(vectorizer.vocabulary_)
    return [
        vectorizer.transform(column) if len(column) else csr_matrix((0, width))
        for column in columns
    ]


def _features(
    train_texts: Sequence[Text], test_texts: Sequence[Text]
) -> tuple[csr_matrix, csr_matrix]:
    """Sparse TF-IDF rows [texts, features] of both columns of texts."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = [_words(text) for text in train_texts]
    if not any(words):
        return csr_matrix((len(train_texts), 1)), csr_matrix((len(test_texts), 1))
    vectorizer = TfidfVectorizer(
        analyzer=_with_pairs,
        sublinear_tf=True,
        min_df=2 if len(train_texts) >= COMMON_WORDS_FROM else 1,
        max_features=MAX_FEATURES,
    )
    train = vectorizer.fit_transform(words)
    if not len(test_texts):
        return train, csr_matrix((0, train.shape[1]))
    return train, vectorizer.transform([_words(text) for text in test_texts])


def _words(text: Text) -> list[str]:
    import regex

    if isinstance(text, str):
        return regex.findall(WORD, text.lower(), regex.V1)
    # A word of the second text is another feature than the same word of the first.
    return [f"{i}:{word}" if i else word for i, part in enumerate(text) for word in _words(part)]


def _with_pairs(words: list[str]) -> list[str]:
    return words + [f"{a} {b}" for a, b in pairwise(words)]


def _classes(train: Any, codes: npt.NDArray[np.int64], test: Any, seed: int) -> Floats:
    """Probabilities [test rows, classes]."""
    from sklearn.linear_model import LogisticRegression

    counts = np.bincount(codes)
    if len(counts) == 1 or train.nnz == 0:
        return np.tile(counts / counts.sum(), (test.shape[0], 1))
    if not test.shape[0]:
        return np.zeros((0, len(counts)))
    model = LogisticRegression(C=STRENGTH, max_iter=1000, random_state=seed)
    with warnings.catch_warnings():
        # One or two rows a label are a case this package is made for, not a mistaken regression.
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        model.fit(train, codes)
    return np.asarray(model.predict_proba(test), dtype=np.float64)


def _two_classes(train: Any, column: npt.NDArray[np.bool_], test: Any, seed: int) -> Floats:
    """The probability of one label [test rows]."""
    if column.all() or not column.any():
        return np.full(test.shape[0], float(column[0]))
    return _classes(train, column.astype(np.int64), test, seed)[:, 1]


def _regression(train: Any, values: Floats, test: Any, seed: int) -> Baseline:
    from sklearn.linear_model import Ridge

    name = "TF-IDF + ridge regression"
    if train.nnz == 0 or not test.shape[0]:
        return Baseline(name, np.full(test.shape[0], values.mean()), None, [])
    model = Ridge(alpha=1.0, random_state=seed).fit(train, values)
    return Baseline(name, np.asarray(model.predict(test), dtype=np.float64), None, [])
