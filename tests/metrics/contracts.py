"""Columns of every shape that a metric may meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

IOB2_TAGS = ["O", "O", "B-A", "I-A", "I-A", "B-B", "I-B"]
NAMES = ["ache", "bee", "cedar", "dune"]


def label_columns(seed: int, *, n: int = 200, names: list[str] = NAMES) -> tuple[list, list]:
    """Predictions that are right about half the time."""
    random = np.random.default_rng(seed)
    references = random.choice(names, n)
    guesses = random.choice(names, n)
    return np.where(random.random(n) < 0.5, references, guesses).tolist(), references.tolist()


def probabilities(seed: int, n: int, k: int) -> np.ndarray:
    """Rows that sum to 1, [n, k]."""
    logits = np.random.default_rng(seed).normal(size=(n, k)) * 2
    table = np.exp(logits)
    return table / table.sum(axis=1, keepdims=True)


EDGES = {
    "one row": (["a"], ["a"]),
    "one row wrong": (["a"], ["b"]),
    "one class": (["a"] * 5, ["a"] * 5),
    "constant predictions": (["a"] * 4, ["a", "b", "c", "a"]),
    "a class never predicted": (["a", "b", "a"], ["a", "b", "c"]),
    "a class that never occurs": (["a", "b", "c"], ["a", "b", "b"]),
    "all wrong": (["b", "a"], ["a", "b"]),
    "numbers": ([1, 0, 2, 2], [1, 1, 2, 0]),
    "booleans": ([True, False, True], [True, True, False]),
    "hostile names": (["<b>", "a\0", "\ud800", "é"], ["<b>", "a", "\ud800", "é"]),
}

HOSTILE: dict[str, Any] = {
    "None": [None, None],
    "NaN": [float("nan"), 1.0],
    "infinite": [float("inf"), 0.0],
    "texts": ["a", "b"],
    "empty texts": ["", ""],
    "a text": "ab",
    "bytes": [b"a", b"b"],
    "texts and numbers": ["a", 1],
    "booleans": [True, False],
    "negative": [-1, -2],
    "beyond 64 bits": [10**30, -(10**30)],
    "complex": [1j, 2j],
    "objects": [object(), object()],
    "dicts": [{"a": 1}, {"b": 2}],
    "sets": [{"a"}, set()],
    "lists": [["a"], ["b"]],
    "empty lists": [[], []],
    "ragged": [[0.1], [0.2, 0.3]],
    "nested": [[[1]], [[2]]],
    "not hashable": [[{}], [{}]],
    "matrix": np.array([[0.5, 0.5], [0.1, 0.9]]),
    "cube": np.zeros((2, 2, 2)),
    "array of texts": np.array(["a", "b"]),
    "arrays": [np.eye(2), np.eye(2)],
    "arrays of nothing": [np.zeros((0, 2)), np.zeros((0, 2))],
}

labels = st.sampled_from(["a", "b", "c", "d"])
pairs_of_labels = st.lists(st.tuples(labels, labels), min_size=1, max_size=40)
finite = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
pairs_of_numbers = st.lists(st.tuples(finite, finite), min_size=2, max_size=40)


LABEL_SETS = {"exact_match", "superglue/multirc"}
PROBABILITIES = {"expected_calibration_error", "brier", "log_loss"}
NUMBERS = {"glue/stsb", "pearson", "spearman", "mse", "mae", "r2"}
BINARY = {"binary_f1", "glue/cola", "glue/mrpc", "glue/qqp"}
TAGS = {"entity_f1", "entity_precision", "entity_recall", "entities"}
SPANS = {"span_f1", "span_precision", "span_recall"}
TOKENS = {"token_accuracy", "token_f1"}
ANSWERS = {
    "squad_exact_match",
    "squad_f1",
    "squad_v2_exact_match",
    "squad_v2_f1",
    "squad",
    "squad_v2",
}
SENTENCES = {"bleu", "chrf", "translation", "rouge", "rouge1", "rouge2", "rougeL", "rougeLsum"}
RANKINGS = {"hits_at_k", "mrr", "ndcg", "retrieval"}
LIKELIHOODS = {"token_perplexity", "byte_perplexity", "bits_per_byte"}
WORDS = ["a", "The", "red", "sun,", "Moon", "—", "U.S.", "ÉTÉ", "日", "star!"]


def columns_for(name: str, *, seed: int, n: int = 30) -> tuple[Any, ...]:
    """Columns that a metric, or a set of metrics, takes; right about half the time."""
    random = np.random.default_rng(seed)
    if name in PROBABILITIES:
        return probabilities(seed, n, 3), random.integers(0, 3, n)
    if name in NUMBERS:
        return tuple(random.normal(size=(2, n)))
    if name == "auc":
        return random.normal(size=n), random.integers(0, 2, n)
    if name in BINARY:
        return tuple(random.integers(0, 2, (2, n)))
    if name in LABEL_SETS:
        return tuple(random.random((2, n, 3)) < 0.5)
    if name in TAGS:
        return tag_columns(seed, n)
    if name in TOKENS:
        return tag_columns(seed, n, NAMES)
    if name in SPANS:
        return span_column(seed, n), span_column(seed + 1, n)
    if name == "bertscore":
        return token_vectors(seed, n), [token_vectors(seed + i, 1 + i % 2) for i in range(n)]
    if name == "distinct_n":
        return (random_texts(seed, n),)
    if name in RANKINGS:
        return random.integers(0, 4, (n, 6)) / 4, random.integers(0, 3, (n, 6))
    if name in LIKELIHOODS:
        return random.exponential(size=n), random.integers(0, 9, n)
    if name in SENTENCES:
        some = [random_texts(seed + 1 + i, 1 + i % 3, most=12) for i in range(n)]
        return random_texts(seed, n, most=12), some
    if name in ANSWERS:
        return random_texts(seed, n), [random_texts(seed + 1 + i, 1 + i % 3) for i in range(n)]
    return label_columns(seed, n=n)


def random_texts(seed: int, n: int, words: Sequence[str] = WORDS, *, most: int = 6) -> list[str]:
    """Texts of 0 to `most` words."""
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(words, random.integers(0, most + 1))) for _ in range(n)]


def token_vectors(seed: int, n: int) -> list[np.ndarray]:
    """Vectors of 1 to 6 tokens a row, [tokens, 4]."""
    random = np.random.default_rng(seed)
    return [random.normal(size=(random.integers(1, 7), 4)) for _ in range(n)]


def tag_columns(seed: int, n: int, tags: Sequence[str] = IOB2_TAGS) -> tuple[list, list]:
    """Rows of 0 to 9 tags; predictions that are right about three times in four."""
    random = np.random.default_rng(seed)
    references = [random.choice(tags, random.integers(0, 10)).tolist() for _ in range(n)]
    predictions = [
        [tag if random.random() < 0.75 else str(random.choice(tags)) for tag in row]
        for row in references
    ]
    return predictions, references


def span_column(seed: int, n: int) -> list:
    """Rows of 0 to 4 spans, of which some lie in others; two columns often say the same."""
    random = np.random.default_rng(seed)
    return [
        [
            (int(start), int(start + length), str(label))
            for start, length, label in zip(
                random.integers(0, 3, count),
                random.integers(1, 3, count),
                random.choice(["A", "B"], count),
                strict=True,
            )
        ]
        for count in random.integers(0, 5, n)
    ]


def takes_labels(name: str) -> bool:
    """True for metrics over the labels that occur, which `labels=NAMES` keeps the same."""
    of_rows = {"precision", "recall", "f1", "macro_f1", "weighted_f1", "cohen_kappa"}
    return name in {*of_rows, "token_f1"}
