"""Entities in tagged tokens: read by any of the tag schemes, then precision, recall and F1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.counts import (
    Counts,
    Score,
    average_of,
    f1_of,
    precision_of,
    recall_of,
    table_of,
)
from headway.metrics.inputs import choose, same_length
from headway.metrics.row_sums import RowSums

__all__ = [
    "ENTITY_SCHEMES",
    "entities",
    "entity_f1",
    "entity_precision",
    "entity_recall",
    "entity_rows",
    "per_entity",
]

Tags: TypeAlias = Sequence[str]
Ints: TypeAlias = npt.NDArray[np.int64]
Table: TypeAlias = npt.NDArray[np.bool_]  # [letter before, letter, same label?]

PLACES = "OBIES"  # outside, begin, inside, end, single


@dataclass(frozen=True)
class Scheme:
    """Which steps from one tag to the next begin an entity, continue it, and rightly end it.

    A rule is a letter, a relation and the next letter: `=` the same label, `/` another one, `>`
    either; `*` is any letter.

    Args:
        letters: the letters of the tags, each with the place it stands for.
        start: steps whose second tag begins an entity.
        inside: steps that stay in the entity.
        end: steps that an entity may end with; one that ends otherwise is not one.
    """

    letters: dict[str, str]
    start: str
    inside: str
    end: str


ENTITY_SCHEMES: dict[str, Scheme] = {
    # B only where the entity before has the same label and ends right here (CoNLL-2003's files)
    "IOB1": Scheme(
        {"O": "O", "B": "B", "I": "I"},
        start="O>I I/I B>I I=B B=B",
        inside="B=I I=I",
        end="I/I I>O I>B B>O B/I B=B",
    ),
    # B at every first token; also called BIO
    "IOB2": Scheme({"O": "O", "B": "B", "I": "I"}, start="*>B", inside="B=I I=I", end="*>*"),
    # E only where the next entity has the same label and begins right there
    "IOE1": Scheme(
        {"O": "O", "I": "I", "E": "E"},
        start="O>I O>E I/I I/E E>I E>E",
        inside="I=I I=E",
        end="I/I I>O I/E E=I E=E",
    ),
    # E at every last token
    "IOE2": Scheme(
        {"O": "O", "I": "I", "E": "E"},
        start="O>I O>E I/I I/E E>I E>E",
        inside="I=I I=E",
        end="E>*",
    ),
    # also called BIOES
    "IOBES": Scheme(
        {"O": "O", "B": "B", "I": "I", "E": "E", "S": "S"},
        start="*>B *>S",
        inside="B=I B=E I=I I=E",
        end="E>* S>*",
    ),
    # last and unit instead of end and single
    "BILOU": Scheme(
        {"O": "O", "B": "B", "I": "I", "L": "E", "U": "S"},
        start="*>B *>S",
        inside="B=I B=E I=I I=E",
        end="E>* S>*",
    ),
    # middle instead of inside: usual in Chinese word segmentation
    "BMES": Scheme(
        {"O": "O", "B": "B", "M": "I", "E": "E", "S": "S"},
        start="*>B *>S",
        inside="B=I B=E I=I I=E",
        end="E>* S>*",
    ),
    # not strict: what the CoNLL-2003 script makes of tags that break the rules
    "conlleval": Scheme(
        {"O": "O", "B": "B", "I": "I", "E": "E", "S": "S"},
        start="*>B *>S O>I O>E E>I E>E S>I S>E B/I B/E I/I I/E",
        inside="B=I B=E I=I I=E",
        end="*>*",
    ),
}


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
    return table_of(_as_counts(labels, rows.sum(axis=0)))


def entities(tags: Tags, *, scheme: str = "IOB2") -> list[tuple[str, int, int]]:
    """The entities of one row: label, first token, token behind the last.

    Inputs and errors: as in `entity_f1`; a tag without a label, such as "B", has the label "_".

    >>> entities(["B-PER", "I-PER", "O", "B-LOC"])
    [('PER', 0, 2), ('LOC', 3, 4)]
    """
    found = _read([tags], _tag_codes([tags], _scheme(scheme)), scheme)
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
    return RowSums(rows, lambda sums: average_of(_as_counts(labels, sums), average, score))


def _as_counts(labels: list[str], sums: npt.NDArray[np.float64]) -> Counts:
    parts = sums.reshape(*sums.shape[:-1], 3, len(labels))  # [..., statistic, label]
    return Counts(labels, parts[..., 0, :], parts[..., 1, :], parts[..., 2, :])


def _counts(
    predictions: Sequence[Tags], references: Sequence[Tags], scheme: str
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Labels, and of each row how many were right, predicted and there, [rows, 3 * labels]."""
    same_length(predictions, references)
    for row, lengths in enumerate(zip(map(len, predictions), map(len, references), strict=True)):
        if lengths[0] != lengths[1]:
            raise ConfigError(
                f"row {row} has {lengths[0]} predicted tags for {lengths[1]} tokens",
                allowed="one tag for each token",
            )
    codes = _tag_codes(chain(predictions, references), _scheme(scheme))
    said, there = (_read(column, codes, scheme) for column in (predictions, references))
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


@dataclass(frozen=True)
class _TagCodes:
    """Each tag's number, and each number's place (of PLACES) and label."""

    code: dict[str, int]
    place: Ints
    label: Ints
    labels: list[str]


@dataclass(frozen=True)
class _Found:
    """The entities of all rows, in order: where each stands, with its label's number."""

    labels: list[str]
    label: Ints  # [entities]
    row: Ints  # [entities]
    place: Ints  # [entities] the first token among those of all rows
    start: Ints  # [entities] first token in its row
    end: Ints  # [entities] the token behind the last in its row


def _tag_codes(rows: chain[Tags] | list[Tags], scheme: Scheme) -> _TagCodes:
    tags = sorted(_distinct(rows) | {"O"}, key=lambda tag: (tag != "O", tag))
    parts = [_parts(tag, scheme) for tag in tags]
    labels = sorted({label for _, label in parts if label is not None})
    return _TagCodes(
        {tag: code for code, tag in enumerate(tags)},
        np.array([PLACES.index(place) for place, _ in parts]),
        np.array([-1 if label is None else labels.index(label) for _, label in parts]),
        labels,
    )


def _distinct(rows: chain[Tags] | list[Tags]) -> set[str]:
    found: set[str] = set()
    for number, row in enumerate(rows):
        if isinstance(row, str):
            raise ConfigError(
                f"row {number} of the tags is the text {row!r}", allowed="a sequence of tags a row"
            )
        found.update(row)
    for tag in found:
        if not isinstance(tag, str):
            raise ConfigError(f"a tag is {tag!r}", allowed="texts such as 'B-PER' and 'O'")
    return found


def _parts(tag: str, scheme: Scheme) -> tuple[str, str | None]:
    """The tag's place, and its label; None for outside."""
    letter, line, label = tag[:1], tag[1:2], tag[2:]
    if letter not in scheme.letters or line not in ("", "-") or (letter == "O" and label):
        fitting = [
            name
            for name, other in ENTITY_SCHEMES.items()
            if letter in other.letters and line in ("", "-")
        ]
        raise ConfigError(
            f"tag {tag!r} is none of this scheme",
            allowed=", ".join(each if each == "O" else f"{each}-LABEL" for each in scheme.letters),
            next_step=f"schemes with {letter}: {', '.join(fitting)}" if fitting else "",
        )
    return scheme.letters[letter], None if letter == "O" else label or "_"


def _read(rows: Sequence[Tags], codes: _TagCodes, scheme: str) -> _Found:
    """All entities of all rows at once; an O behind each row keeps the rows apart."""
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    first = np.cumsum(lengths + 1) - lengths - 1  # [rows] where each begins
    row = np.repeat(np.arange(len(rows)), lengths + 1)  # [places]
    tags = np.zeros(len(row), dtype=np.int64)  # [places] number 0 is O
    inside_rows = np.ones(len(row), dtype=bool)
    inside_rows[first + lengths] = False
    tags[inside_rows] = np.fromiter(
        map(codes.code.__getitem__, chain.from_iterable(rows)), dtype=np.int64, count=lengths.sum()
    )
    before = np.concatenate([[0], tags[:-1]]) if len(tags) else tags
    same = (codes.label[before] == codes.label[tags]).astype(np.int64)
    step = (codes.place[before], codes.place[tags], same)
    rules = _scheme(scheme)
    starts, stays, ends = (_table(r)[step] for r in (rules.start, rules.inside, rules.end))
    # An unbroken stretch of steps inside holds one entity: that of its first start.
    stretch = np.cumsum(~stays)
    begin = np.flatnonzero(starts)
    begin = begin[np.diff(stretch[begin], prepend=-1) != 0]
    breaks = np.flatnonzero(~stays)
    # Each row's O is a break, so that there is one behind every entity.
    end = breaks[np.searchsorted(breaks, begin, side="right")] if len(begin) else begin
    whole = ends[end]
    begin, end = begin[whole], end[whole]
    at = row[begin]
    return _Found(
        codes.labels, codes.label[tags[begin]], at, begin, begin - first[at], end - first[at]
    )


def _table(rules: str) -> Table:
    table = np.zeros((len(PLACES), len(PLACES), 2), dtype=bool)
    for rule in rules.split():
        relation = rule[1]
        here, there = (PLACES if each == "*" else each for each in (rule[0], rule[2]))
        for a in here:
            for b in there:
                table[PLACES.index(a), PLACES.index(b), int(relation == "=")] = True
                if relation == ">":
                    table[PLACES.index(a), PLACES.index(b), 1] = True
    return table


def _scheme(name: str) -> Scheme:
    return ENTITY_SCHEMES[choose("scheme", name, ENTITY_SCHEMES)]
