"""Entities in tagged tokens, of any tag scheme: precision, recall and F1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.counts import (
    Score,
    average_of,
    counts_of_sums,
    f1_of,
    precision_of,
    recall_of,
    table_of,
)
from headway.metrics.inputs import same_length
from headway.metrics.row_sums import RowSums
from headway.metrics.tag_schemes import Tags, read_entities

__all__ = [
    "entities",
    "entity_f1",
    "entity_precision",
    "entity_recall",
    "entity_rows",
    "per_entity",
]


def entity_f1(
    predictions: Sequence[Tags],
    references: Sequence[Tags],
    *,
    scheme: str = "IOB2",
    average: str = "micro",
) -> float:
    """F1 of whole entities: first token, last token and label must all be right.

    Inputs: a sequence of tags a row, such as ["B-PER", "I-PER", "O"], as many tags in a row of
    predictions as in that of references; `scheme`, a key of ENTITY_SCHEMES: IOB1, IOB2 (BIO),
    IOE1, IOE2, IOBES (BIOES), BILOU, BMES; `average`, over the labels, as in `f1`. Reading is
    strict: an entity whose tags break the scheme's rules, such as I-PER behind O in IOB2, is none.
    "conlleval" reads such tags as the CoNLL-2003 script did. No entities, or no rows: 0.0.
    Raises: ConfigError for unequal lengths, a tag the scheme does not have, an unknown scheme.
    Siblings: `entity_precision`, `entity_recall`, `per_entity` (by label), `entities` (the spans).
    Relation to seqeval 1.2.2: equal in strict mode, and as "conlleval" to its default mode, but
    for IOE1, where it loses an entity of one token right before another of its label
    (E-X I-X is two entities); BMES it does not have.
    Source: Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 shared task", 2003,
    arXiv:cs/0306050.

    >>> entity_f1([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "O"]])
    0.6666666666666666
    """
    return entity_rows(predictions, references, score=f1_of, scheme=scheme, average=average).value()


def entity_precision(
    predictions: Sequence[Tags],
    references: Sequence[Tags],
    *,
    scheme: str = "IOB2",
    average: str = "micro",
) -> float:
    """Of the entities said, the share that was right. Inputs and errors: as in `entity_f1`.

    >>> entity_precision([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "O"]])
    0.5
    """
    return entity_rows(
        predictions, references, score=precision_of, scheme=scheme, average=average
    ).value()


def entity_recall(
    predictions: Sequence[Tags],
    references: Sequence[Tags],
    *,
    scheme: str = "IOB2",
    average: str = "micro",
) -> float:
    """Of the entities there, the share that was found. Inputs and errors: as in `entity_f1`.

    >>> entity_recall([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "O"]])
    1.0
    """
    return entity_rows(
        predictions, references, score=recall_of, scheme=scheme, average=average
    ).value()


def per_entity(
    predictions: Sequence[Tags], references: Sequence[Tags], *, scheme: str = "IOB2"
) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support (how often it occurs) of each label, by its name.

    Inputs and errors: as in `entity_f1`.

    >>> per_entity([["B-PER", "I-PER"]], [["B-PER", "I-PER"]])
    {'PER': {'precision': 1.0, 'recall': 1.0, 'f1': 1.0, 'support': 1}}
    """
    labels, rows = _counts(predictions, references, scheme)
    return table_of(counts_of_sums(labels, rows.sum(axis=0)))


def entities(tags: Tags, *, scheme: str = "IOB2") -> list[tuple[str, int, int]]:
    """The entities of one row: label, first token, token behind the last.

    Inputs and errors: as in `entity_f1`; a tag without a label, such as "B", has the label "_".

    >>> entities(["B-PER", "I-PER", "O", "B-LOC"])
    [('PER', 0, 2), ('LOC', 3, 4)]
    """
    (found,) = read_entities([tags], scheme=scheme)
    return [
        (found.labels[label], int(start), int(end))
        for label, start, end in zip(found.label, found.start, found.end, strict=True)
    ]


def entity_rows(
    predictions: Sequence[Tags],
    references: Sequence[Tags],
    *,
    score: Score,
    scheme: str = "IOB2",
    average: str = "micro",
) -> RowSums:
    """`entity_f1` and its siblings as sums over rows: counts of entities of each label."""
    labels, rows = _counts(predictions, references, scheme)
    return RowSums(rows, lambda sums: average_of(counts_of_sums(labels, sums), average, score))


def _counts(
    predictions: Sequence[Tags], references: Sequence[Tags], scheme: str
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Labels, and of each row how many were right, predicted and there, [rows, 3 * labels]."""
    same_length(predictions, references)
    said, there = read_entities(predictions, references, scheme=scheme)
    for row, lengths in enumerate(zip(map(len, predictions), map(len, references), strict=True)):
        if lengths[0] != lengths[1]:
            raise ConfigError(
                f"row {row} has {lengths[0]} predicted tags for {lengths[1]} tokens",
                allowed="one tag for each token",
            )
    # Both columns have the same places, and no two entities of a column begin at one.
    _, at_said, at_there = np.intersect1d(
        said.place, there.place, assume_unique=True, return_indices=True
    )
    right = (said.end[at_said] == there.end[at_there]) & (
        said.label[at_said] == there.label[at_there]
    )
    n, k = len(references), len(said.labels)
    kept = at_said[right]
    parts = [
        np.bincount(row * k + label, minlength=n * k).reshape(n, k)
        for row, label in (
            (said.row[kept], said.label[kept]),
            (said.row, said.label),
            (there.row, there.label),
        )
    ]
    seen = np.flatnonzero((parts[1] + parts[2]).any(axis=0))  # not those of broken tags only
    labels = [said.labels[label] for label in seen]
    return labels, np.concatenate([part[:, seen] for part in parts], axis=1).astype(np.float64)
