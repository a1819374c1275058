"""Which column is the text, its partner and the label: guessed from names, then from values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from headway.data import compute as pc
from headway.data.dataset import Dataset
from headway.data.named_column import one_of_splits
from headway.data.no_column import no_column
from headway.data.tables import is_text
from headway.errors import DataError

__all__ = ["Columns", "guess_columns", "is_label", "is_wordy"]

# Columns that belong together: (text, pair, label), the most telling first.
TOGETHER = (
    ("tokens", None, "tags"),
    ("tokens", None, "ner_tags"),
    ("tokens", None, "pos_tags"),
    ("question", "context", "answers"),
)
PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("text", "text_pair"),
    ("anchor", "positive"),
    ("question", "sentence"),
    ("question", "context"),
    ("query", "passage"),
    ("query", "document"),
    ("#1 string", "#2 string"),
)
# One of the first row is taken at once; of the second, only where it is alone.
TEXT_NAMES = (
    ("text", "sentence", "tokens"),
    (
        *("question", "query", "utterance", "review", "comment", "tweet", "message", "content"),
        *("body", "document", "article", "description", "abstract", "headline", "title"),
        *("prompt", "source", "input", "instruction"),
    ),
)
LABEL_NAMES = (
    ("label", "labels", "gold_label", "class", "category", "target"),
    (
        *("intent", "topic", "sentiment", "emotion", "tags", "ner_tags", "coarse_label"),
        *("score", "rating", "stars", "quality", "similarity", "language"),
        *("answer", "answers", "summary", "y"),
    ),
)
_SAMPLE = 10_000  # rows that a guess looks at
_MOST_CLASSES = 1000


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of columns, and one line that says which they are.

    text: the column that a model reads.
    pair: the second text, where there are two.
    label: what is to be predicted, where it is known.
    said: for people, such as `text column 'title', label column 'topic' (5 labels)`.
    group: rows with the same value here are never on two sides of a cut; None = each is for itself.
    """

    text: str
    pair: str | None
    label: str | None
    said: str
    group: str | None = None

    @property
    def texts(self) -> list[str]:
        """The text column, and its partner where there is one."""
        return [self.text] if self.pair is None else [self.text, self.pair]

    def answers(self, data: Dataset) -> list[Any]:
        """What is to be predicted in each row; None for each where no column says it."""
        return [None] * len(data) if self.label is None else data[self.label]


def guess_columns(
    data: Dataset | Mapping[str, Dataset],
    *,
    text: str | None = None,
    pair: str | None = None,
    label: str | None = None,
    labelled: bool = True,
) -> Columns:
    """The columns of a data set; what the caller names is taken, the rest is guessed.

    Names that people use come first (text, sentence1 and sentence2, premise and hypothesis, label,
    class, topic, ...), whatever their case. Then the values: a text column has several words in
    most rows, a label column repeats few values.

    Args:
        data: one data set, or splits, of which train (or else the first) is looked at.
        text: the text column, if known; the next two alike.
        pair: the column of second texts.
        label: the label column.
        labelled: whether a label is wanted; without, it is guessed only by name and may be None.

    Raises:
        DataError: a named column that does not exist, no candidate, or several alike; the message
            lists the columns and the option that names one.

    >>> news = {"title": ["rates rise again", "cup final is on"], "topic": ["money", "sport"]}
    >>> guess_columns(Dataset.from_columns(news)).said
    "text column 'title', label column 'topic' (2 labels)"
    """
    first = one_of_splits(data)
    for name, option in ((text, "--text"), (pair, "--pair"), (label, "--label")):
        if name is not None and name not in first.column_names:
            raise no_column(name, first.column_names, first.name, option=option)
    names = {name.casefold().strip(): name for name in reversed(first.column_names)}
    if text is None:
        text, pair, label = _known_together(names, pair, label)
    if label is None:
        label = _named(names, LABEL_NAMES, taken=(text, pair), what="label")
    if text is None:
        text = _named(names, TEXT_NAMES, taken=(pair, label), what="text")
    if text is None:
        text = _text_by_values(first, taken=(pair, label))
    if label is None and labelled:
        label = _label_by_values(first, taken=(text, pair))
    _in_every_split(data, text, pair)
    said = [f"text column {text!r}"]
    if pair is not None:
        said.append(f"pair column {pair!r}")
    if label is not None:
        said.append(f"label column {label!r} ({_extent(first.column(label))})")
    return Columns(text, pair, label, ", ".join(said))


def _known_together(
    names: Mapping[str, str], pair: str | None, label: str | None
) -> tuple[str | None, str | None, str | None]:
    """(text, pair, label) where columns are called as those that often come together."""
    for a, b, c in TOGETHER:
        wanted = [name for name in (a, b, c) if name is not None]
        if all(name in names for name in wanted) and label in (None, names[c]):
            return names[a], pair or (names[b] if b else None), names[c]
    for a, b in PAIRS:
        if a in names and b in names and label not in (names[a], names[b]):
            if pair in (None, names[b]):
                return names[a], names[b], label
            if pair == names[a]:
                return names[b], pair, label
    return None, pair, label


def _named(
    names: Mapping[str, str],
    known: tuple[Iterable[str], Iterable[str]],
    *,
    taken: tuple[str | None, ...],
    what: str,
) -> str | None:
    at_once, alone = known
    free = {key: name for key, name in names.items() if name not in taken}
    for key in at_once:
        if key in free:
            return free[key]
    found = [free[key] for key in alone if key in free]
    if len(found) > 1:
        raise _ambiguous(found, what)
    return found[0] if found else None


def _text_by_values(data: Dataset, *, taken: tuple[str | None, ...]) -> str:
    free = [name for name in data.column_names if name not in taken]
    texts = [name for name in free if is_text(data.column(name).type)]
    wordy = [name for name in texts if is_wordy(data.column(name))]
    found = wordy or texts
    if len(found) > 1 and not wordy:
        # Short texts and their labels: the column with more different values is the text.
        counts = sorted((pc.count_distinct(_sample(data.column(n))).as_py(), n) for n in found)
        if counts[-1][0] >= 2 * counts[-2][0]:
            found = [counts[-1][1]]
    if not found:
        raise DataError(
            f"{data.name or 'the data set'} has no column of text",
            allowed=f"one of {', '.join(data.column_names)}",
            next_step="--text COL",
        )
    if len(found) > 1:
        raise _ambiguous(found, "text")
    return found[0]


def _label_by_values(data: Dataset, *, taken: tuple[str | None, ...]) -> str:
    free = [name for name in data.column_names if name not in taken]
    found = [name for name in free if is_label(data.column(name))]
    if not found:
        found = [name for name in free if pa.types.is_floating(data.column(name).type)]
    if not found:
        raise DataError(
            f"{data.name or 'the data set'} has no column that looks like a label",
            allowed=f"one of {', '.join(data.column_names)}",
            next_step="--label COL",
        )
    if len(found) > 1:
        raise _ambiguous(found, "label")
    return found[0]


def _sample(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.slice(0, _SAMPLE)


def is_wordy(column: pa.ChunkedArray) -> bool:
    """Whether more than half of the texts have several words and most are not repeated."""
    sample = _sample(column).drop_null()
    if not len(sample):
        return False
    spaced = pc.sum(pc.match_substring_regex(sample, r"\S\s+\S")).as_py()
    distinct = pc.count_distinct(sample).as_py()
    return bool(spaced * 2 > len(sample) and distinct * 10 > len(sample))


def is_label(column: pa.ChunkedArray) -> bool:
    """Whether a column repeats at least two and not too many values."""
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        return False
    sample = _sample(column).drop_null()
    distinct = pc.count_distinct(sample).as_py()
    return bool(2 <= distinct <= min(_MOST_CLASSES, max(2, len(sample) // 2)))


def _extent(column: pa.ChunkedArray) -> str:
    """`5 labels`, or `numbers from 0.0 to 5.0`, or for lists what stands inside them."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        inner = pc.list_flatten(column)
        if pa.types.is_nested(inner.type):
            return "lists"
        return f"lists, {pc.count_distinct(inner).as_py()} labels"
    if pa.types.is_struct(column.type):
        return "objects"
    if pa.types.is_floating(column.type):
        ends = pc.min_max(column).as_py()
        return f"numbers from {ends['min']} to {ends['max']}"
    return f"{pc.count_distinct(column).as_py()} labels"


def _in_every_split(data: Dataset | Mapping[str, Dataset], text: str, pair: str | None) -> None:
    if isinstance(data, Dataset):
        return
    for split, part in data.items():
        for name in (text, pair):
            if name is not None and name not in part.column_names:
                raise DataError(
                    f"the {split} split has no column {name!r}",
                    allowed=", ".join(part.column_names),
                    next_step="rename the column, or leave the split out",
                )


def _ambiguous(found: list[str], what: str) -> DataError:
    option = f"--{what} {found[0]}"
    if what == "text" and len(found) == 2:
        option += f", or --text {found[0]} --pair {found[1]} for pairs"
    return DataError(
        f"several columns could be the {what}: {', '.join(found)}",
        allowed=f"one {what} column",
        next_step=option,
    )
