"""What a data set looks like before anything is trained on it, as numbers that JSON can hold."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headway.data.columns import Columns
from headway.data.dataset import Dataset, Encoder
from headway.data.duplicates import drop_duplicates, drop_leaked
from headway.data.rowkeys import row_codes

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["inspect"]

PERCENTILES = (0, 5, 25, 50, 75, 95, 99, 100)
_EXAMPLES = 5
_WORDS_PER_LABEL = 5
_MOST_LABELS = 1000
_MOST_ARTEFACT_LABELS = 200
_SMOOTHING = 100  # rows that every word is imagined to have had, labelled as all rows are
# Control characters that no text needs (tab and line breaks are not among them).
_CONTROL = "[\\x{0}-\\x{8}\\x{b}\\x{c}\\x{e}-\\x{1f}\\x{7f}]"
_ODD = {"control characters": _CONTROL, "replacement characters (U+FFFD)": "\\x{fffd}"}
_WORD = re.compile(r"\w+")


def inspect(
    data: Dataset | Mapping[str, Dataset],
    columns: Columns,
    *,
    tokenizer: Encoder | None = None,
    max_length: int | None = None,
) -> dict[str, Any]:
    """A data card: sizes, lengths, labels, doubles, leaks, odd rows and give-away words.

    Args:
        data: one data set, or splits.
        columns: which columns are looked into, from `guess_columns`.
        tokenizer: counts tokens; the two texts of a pair are added up, each with its special
            tokens, and a list of words is counted as they read with spaces between.
        max_length: the longest input of the model, in tokens.

    Returns:
        A dict of plain values:

        - `columns`: said, text, pair, label, and the Arrow types of all columns
        - `rows`: of all splits together
        - `splits`: for each (a single data set is called `all`) the rows; `labels` {value: rows},
          of decimals {min, mean, max}; `characters` and `tokens` in a row {p0 ... p100, mean};
          `over_max_length` {max_length, rows, share}; `empty` and `missing` {column: rows};
          `duplicates` {exact, ignoring_spacing}: rows that repeat an earlier one; `conflicts`:
          distinct texts that stand there with several labels; `odd` [{what, column, rows, first:
          row numbers from 0}]
        - `leakage` [{of, into, rows, share}]: rows of `into` whose texts are also in `of`
        - `artefacts` {label: [{word, pmi, rows_with_label, rows}]} on train: the words with the
          highest pointwise mutual information with a label, in bits. Counts are of rows, and
          smoothed by 100 imagined rows for every word that have the labels of all rows, so that
          rare words do not win. After Gururangan et al. 2018, https://arxiv.org/abs/1803.02324,
          who add 100 to every count.

    Raises:
        DataError: a column that a split does not have.
    """
    splits = {"all": data} if isinstance(data, Dataset) else dict(data)
    first = splits["train"] if "train" in splits else next(iter(splits.values()))
    return {
        "columns": {
            "said": columns.said,
            "text": columns.text,
            "pair": columns.pair,
            "label": columns.label,
            "types": {field.name: str(field.type) for field in first.to_arrow().schema},
        },
        "rows": sum(len(part) for part in splits.values()),
        "splits": {
            name: _split_card(part, columns, tokenizer, max_length) for name, part in splits.items()
        },
        "leakage": [_leak(splits, of, into, columns.texts) for of, into in combinations(splits, 2)],
        "artefacts": _artefacts(first, columns),
    }


def _split_card(
    part: Dataset, columns: Columns, tokenizer: Encoder | None, max_length: int | None
) -> dict[str, Any]:
    texts = {name: _as_text(part.column(name)) for name in columns.texts}
    characters = _added(pc.utf8_length(column) for column in texts.values())
    card: dict[str, Any] = {
        "rows": len(part),
        "labels": _balance(part, columns.label),
        "characters": _percentiles(characters),
        "empty": {
            name: int((pc.utf8_trim_whitespace(column).to_numpy() == "").sum())
            for name, column in texts.items()
        },
        "missing": {name: part.column(name).null_count for name in part.column_names},
        "duplicates": {
            "exact": drop_duplicates(part, columns.texts)[1],
            "ignoring_spacing": drop_duplicates(part, columns.texts, ignore_spacing=True)[1],
        },
        "conflicts": _conflicts(part, columns),
        "odd": [odd for name, column in texts.items() for odd in _odd_rows(name, column)],
    }
    if tokenizer is not None:
        lengths = _added(_token_counts(column, tokenizer) for column in texts.values())
        card["tokens"] = _percentiles(lengths)
        if max_length is not None:
            over = int((lengths > max_length).sum())
            share = over / max(1, len(part))
            card["over_max_length"] = {"max_length": max_length, "rows": over, "share": share}
    return card


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as text without missing values; a list of words is joined with spaces."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = pc.binary_join(column, " ")
    return pc.fill_null(column.cast(pa.string()), "")


def _token_counts(column: pa.ChunkedArray, tokenizer: Encoder) -> pa.ChunkedArray:
    ids = Dataset(pa.table({"text": column})).tokenize(tokenizer).column("ids")
    return pc.list_value_length(ids)


def _added(lengths: Iterable[pa.ChunkedArray]) -> npt.NDArray[np.int64]:
    """Lengths of several columns, added up row by row."""
    return np.sum([column.to_numpy() for column in lengths], axis=0, dtype=np.int64)


def _balance(part: Dataset, label: str | None) -> dict[str, Any] | None:
    """Rows of every label, the most frequent first; of decimals their range; None without."""
    if label is None or label not in part.column_names:
        return None
    values = part.column(label)
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        values = pc.list_flatten(values)
    if pa.types.is_nested(values.type):
        return None
    if pa.types.is_floating(values.type):
        ends = pc.min_max(values).as_py()
        return {"min": ends["min"], "mean": pc.mean(values).as_py(), "max": ends["max"]}
    counts = Counter(str(value) for value in values.to_pylist() if value is not None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_LABELS])


def _percentiles(lengths: npt.NDArray[np.int64]) -> dict[str, float]:
    if not len(lengths):
        return {}
    found = np.percentile(lengths, PERCENTILES)
    named = {f"p{p}": float(value) for p, value in zip(PERCENTILES, found, strict=True)}
    return {**named, "mean": float(lengths.mean())}


def _conflicts(part: Dataset, columns: Columns) -> int | None:
    """How many distinct texts stand there with more than one label."""
    if columns.label is None or columns.label not in part.column_names:
        return None
    distinct = drop_duplicates(part, [*columns.texts, columns.label])[0]
    codes = row_codes([distinct.to_arrow()], columns.texts)[0]
    return int((np.unique(codes, return_counts=True)[1] > 1).sum())


def _odd_rows(name: str, column: pa.ChunkedArray) -> list[dict[str, Any]]:
    found = []
    for what, pattern in _ODD.items():
        rows = np.flatnonzero(pc.match_substring_regex(column, pattern).to_numpy())
        if len(rows):
            first = [int(row) for row in rows[:_EXAMPLES]]
            found.append({"what": what, "column": name, "rows": len(rows), "first": first})
    return found


def _leak(
    splits: Mapping[str, Dataset], of: str, into: str, texts: Sequence[str]
) -> dict[str, Any]:
    leaked = drop_leaked(splits[of], splits[into], texts)[1]
    share = leaked / max(1, len(splits[into]))
    return {"of": of, "into": into, "rows": leaked, "share": share}


def _artefacts(part: Dataset, columns: Columns) -> dict[str, list[dict[str, Any]]] | None:
    """The words that say most about a label, or None where labels are no classes."""
    balance = _balance(part, columns.label)
    if columns.label is None or balance is None or not 2 <= len(balance) <= _MOST_ARTEFACT_LABELS:
        return None
    labels = part.column(columns.label)
    if pa.types.is_nested(labels.type) or pa.types.is_floating(labels.type):
        return None
    texts = [_as_text(part.column(name)).to_pylist() for name in columns.texts]
    words: Counter[str] = Counter()
    together: dict[str, Counter[str]] = {label: Counter() for label in balance}
    for label, *row in zip(labels.to_pylist(), *texts, strict=True):
        if label is not None:
            found = {word for text in row for word in _WORD.findall(text.casefold())}
            words.update(found)
            together[str(label)].update(found)
    return {
        label: _give_aways(counts, words, share=balance[label] / sum(balance.values()))
        for label, counts in together.items()
    }


def _give_aways(counts: Counter[str], words: Counter[str], *, share: float) -> list[dict[str, Any]]:
    """The words of a label with the highest log2 p(label | word) / p(label), smoothed."""

    def pmi(word: str) -> float:
        with_label = counts[word] + _SMOOTHING * share
        return math.log2(with_label / (words[word] + _SMOOTHING) / share)

    best = sorted(counts, key=lambda word: (-pmi(word), word))[:_WORDS_PER_LABEL]
    return [
        {"word": word, "pmi": pmi(word), "rows_with_label": counts[word], "rows": words[word]}
        for word in best
    ]
