"""Tag schemes, and the entities that tags of them stand for, all rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import choose

__all__ = ["ENTITY_SCHEMES", "Found", "Tags", "read_entities"]

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


@dataclass(frozen=True)
class Found:
    """The entities of all rows, in order: where each stands, with its label's number."""

    labels: list[str]
    label: Ints  # [entities]
    row: Ints  # [entities]
    place: Ints  # [entities] the first token among those of all rows
    start: Ints  # [entities] first token in its row
    end: Ints  # [entities] the token behind the last in its row


def read_entities(*columns: Sequence[Tags], scheme: str) -> list[Found]:
    """The entities of each column; a label has the same number in all of them.

    Raises: ConfigError for an unknown scheme, a tag that it does not have, a row that is a text.
    """
    rules = ENTITY_SCHEMES[choose("scheme", scheme, ENTITY_SCHEMES)]
    codes = _tag_codes(columns, rules)
    return [_read(column, codes, rules) for column in columns]


@dataclass(frozen=True)
class _TagCodes:
    """Each tag's number, and each number's place (of PLACES) and label."""

    code: dict[str, int]
    place: Ints
    label: Ints
    labels: list[str]


def _tag_codes(columns: Iterable[Sequence[Tags]], scheme: Scheme) -> _TagCodes:
    tags = sorted({"O"}.union(*map(_distinct, columns)), key=lambda tag: (tag != "O", tag))
    parts = [_parts(tag, scheme) for tag in tags]
    labels = sorted({label for _, label in parts if label is not None})
    return _TagCodes(
        {tag: code for code, tag in enumerate(tags)},
        np.array([PLACES.index(place) for place, _ in parts]),
        np.array([-1 if label is None else labels.index(label) for _, label in parts]),
        labels,
    )


def _distinct(rows: Sequence[Tags]) -> set[str]:
    found: set[str] = set()
    for number, row in enumerate(rows):
        if isinstance(row, str) or not isinstance(row, Sequence | np.ndarray):
            raise ConfigError(
                f"row {number} of the tags is {row!r}", allowed="a sequence of tags a row"
            )
        try:
            found.update(row)
        except TypeError as error:
            raise ConfigError(
                f"row {number} of the tags holds no tags: {error}", allowed="texts"
            ) from error
    for tag in found:
        if not isinstance(tag, str):
            raise ConfigError(f"a tag is {tag!r}", allowed="texts such as 'B-PER' and 'O'")
    return found


def _parts(tag: str, scheme: Scheme) -> tuple[str, str | None]:
    """The tag's place, and its label; None for outside."""
    letter, line, label = tag[:1], tag[1:2], tag[2:]
    written = tag == "O" or (letter != "O" and line in ("", "-"))
    if not written or letter not in scheme.letters:
        fitting = [n for n, other in ENTITY_SCHEMES.items() if written and letter in other.letters]
        raise ConfigError(
            f"tag {tag!r} is none of this scheme",
            allowed=", ".join(each if each == "O" else f"{each}-LABEL" for each in scheme.letters),
            next_step=f"schemes with {letter}: {', '.join(fitting)}" if fitting else "",
        )
    return scheme.letters[letter], None if letter == "O" else label or "_"


def _read(rows: Sequence[Tags], codes: _TagCodes, rules: Scheme) -> Found:
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
    return Found(
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
