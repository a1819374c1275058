"""Columns of every shape that a metric may meet."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

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

labels = st.sampled_from(["a", "b", "c", "d"])
pairs_of_labels = st.lists(st.tuples(labels, labels), min_size=1, max_size=40)
finite = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
pairs_of_numbers = st.lists(st.tuples(finite, finite), min_size=2, max_size=40)
