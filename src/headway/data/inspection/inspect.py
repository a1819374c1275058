"""What a data set looks like before anything is trained on it, as numbers that JSON can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from headway.data import compute as pc
from headway.data.columns import Columns
from headway.data.dataset import Dataset, Encoder
from headway.data.duplicates.exact import drop_duplicates, drop_leaked
from headway.data.duplicates.minhash import Sketch, sketch
from headway.data.duplicates.near import NEAR, groups_of, matches_of
from headway.data.duplicates.rowkeys import row_codes
from headway.data.duplicates.shingles import as_text
from headway.data.inspection.artefacts import artefacts
from headway.data.inspection.languages import guess_languages
from headway.data.inspection.odd_rows import odd_rows

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["inspect"]

PERCENTILES = (0, 5, 25, 50, 75, 95, 99, 100)
_EXAMPLES = 5
_BARS = 24  # of a histogram
_MOST_LABELS = 1000
_MOST_ARTEFACT_LABELS = 200
_ROWS_FOR_LANGUAGE = 2000


def inspect(
    data: Dataset | Mapping[str, Dataset],
    columns: Columns,
    *,
    tokenizer: Encoder | None = None,
    max_length: int | None = None,
    near: float = NEAR,
) -> dict[str, Any]:
    """A data card: sizes, lengths, labels, doubles, leaks, languages, odd rows, give-away words.

    Args:
        data: one data set, or splits.
        columns: which columns are looked into, from `guess_columns`.
        tokenizer: counts tokens; the two texts of a pair are added up, each with its special
            tokens, and a list of words is counted as they read with spaces between.
        max_length: the longest input of the model, in tokens.
        near: the similarity of shingles from which rows are near duplicates, 0.1 to 1.

    Returns:
        A dict of plain values:

        - `columns`: said, text, pair, label, and the Arrow types of all columns
        - `rows`: of all splits together; `near`: as given
        - `splits`: for each (a single data set is called `all`) the rows; `labels` {value: rows},
          of decimals {min, mean, max}; `characters` and `tokens` in a row {p0 ... p100, mean,
          histogram {edges, counts}}; `over_max_length` {max_length, rows, share}; `empty` and
          `missing` {column: rows}; `duplicates` {exact, ignoring_spacing, near}: rows that repeat
          an earlier one; `near_duplicates` [[row, the row it repeats]], the first of them, changed
          ones before copies;
          `conflicts`: distinct texts that stand there with several labels; `odd` [{what, column,
          rows, first: row numbers from 0}]; `languages` {rows, found {code: rows}} of up to 2,000
          rows evenly apart
        - `leakage` [{of, into, rows, share, near, first}]: rows of `into` whose texts are also in
          `of`; rows that are near or the same, and the first as [row of into, row of of]
        - `artefacts` {label: [{word, pmi, pmi_low, rows_with_label, rows}]} on train, from
          `headway.data.inspection.artefacts`; None where labels are no classes

    Raises:
        ConfigError: `near` out of range.
        DataError: a column that a split does not have.
    """
    splits = {"all": data} if isinstance(data, Dataset) else dict(data)
    first = splits["train"] if "train" in splits else next(iter(splits.values()))
    sketches = {name: sketch(part, columns.texts, threshold=near) for name, part in splits.items()}
    return {
        "columns": {
            "said": columns.said,
            "text": columns.text,
            "pair": columns.pair,
            "label": columns.label,
            "types": {field.name: str(field.type) for field in first.rows.schema},
        },
        "rows": sum(len(part) for part in splits.values()),
        "near": near,
        "splits": {
            name: _split_card(part, columns, tokenizer, max_length, sketches[name])
            for name, part in splits.items()
        },
        "leakage": [
            _leak(splits, of, into, columns.texts, sketches) for of, into in combinations(splits, 2)
        ],
        "artefacts": _artefacts(first, columns),
    }


def _split_card(
    part: Dataset,
    columns: Columns,
    tokenizer: Encoder | None,
    max_length: int | None,
    signatures: Sketch,
) -> dict[str, Any]:
    texts = {name: as_text(part.column(name)) for name in columns.texts}
    groups = groups_of(signatures)
    repeats = np.flatnonzero(groups != np.arange(len(part)))
    # Examples that are not quite the same come first: the others are easily found.
    changed = signatures.codes[repeats] != signatures.codes[groups[repeats]]
    examples = np.concatenate([repeats[changed], repeats[~changed]])[:_EXAMPLES]
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
            "near": len(repeats),
        },
        "near_duplicates": [[int(row), int(groups[row])] for row in examples],
        "conflicts": _conflicts(part, columns),
        "odd": [odd for name, column in texts.items() for odd in _odd_rows(name, column)],
        "languages": _languages(list(texts.values())),
    }
    if tokenizer is not None:
        lengths = _added(_token_counts(column, tokenizer) for column in texts.values())
        card["tokens"] = _percentiles(lengths)
        if max_length is not None:
            over = int((lengths > max_length).sum())
            share = over / max(1, len(part))
            card["over_max_length"] = {"max_length": max_length, "rows": over, "share": share}
    return card


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


def _percentiles(lengths: npt.NDArray[np.int64]) -> dict[str, Any]:
    if not len(lengths):
        return {}
    found = np.percentile(lengths, PERCENTILES)
    named = {f"p{p}": float(value) for p, value in zip(PERCENTILES, found, strict=True)}
    # Up to the 99% in equal steps; what is longer would make all other bars one.
    top = int(found[PERCENTILES.index(99)]) + 1
    round_steps = (digit * 10**power for power in range(19) for digit in (1, 2, 5))
    edges = np.arange(0, top + 1, next(step for step in round_steps if step * _BARS >= top))
    edges = np.append(edges, max(int(edges[-1]) + 1, int(lengths.max()) + 1))
    counts = np.histogram(lengths, edges)[0]
    histogram = {"edges": edges.tolist(), "counts": counts.tolist()}
    return {**named, "mean": float(lengths.mean()), "histogram": histogram}


def _languages(texts: Sequence[pa.ChunkedArray]) -> dict[str, Any]:
    rows = np.linspace(0, len(texts[0]) - 1, min(len(texts[0]), _ROWS_FOR_LANGUAGE))
    taken = [column.take(pa.array(rows.astype(np.int64))).to_pylist() for column in texts]
    return {
        "rows": len(rows),
        "found": guess_languages("\n".join(row) for row in zip(*taken, strict=True)),
    }


def _conflicts(part: Dataset, columns: Columns) -> int | None:
    """How many distinct texts stand there with more than one label."""
    if columns.label is None or columns.label not in part.column_names:
        return None
    distinct = drop_duplicates(part, [*columns.texts, columns.label])[0]
    codes = row_codes([distinct.rows], columns.texts)[0]
    return int((np.unique(codes, return_counts=True)[1] > 1).sum())


def _odd_rows(name: str, column: pa.ChunkedArray) -> list[dict[str, Any]]:
    return [
        {"what": what, "column": name, "rows": len(rows), "first": rows[:_EXAMPLES].tolist()}
        for what, rows in odd_rows(column).items()
    ]


def _leak(
    splits: Mapping[str, Dataset],
    of: str,
    into: str,
    texts: Sequence[str],
    sketches: Mapping[str, Sketch],
) -> dict[str, Any]:
    leaked = drop_leaked(splits[of], splits[into], texts)[1]
    matches = matches_of(sketches[of], sketches[into])
    near = np.flatnonzero(matches >= 0)
    same = pc.is_in(sketches[into].texts, sketches[of].texts).to_numpy(zero_copy_only=False)
    changed = ~same[sketches[into].codes[near]]
    examples = np.concatenate([near[changed], near[~changed]])[:_EXAMPLES]
    return {
        "of": of,
        "into": into,
        "rows": leaked,
        "share": leaked / max(1, len(splits[into])),
        "near": len(near),
        "first": [[int(row), int(matches[row])] for row in examples],
    }


def _artefacts(part: Dataset, columns: Columns) -> dict[str, list[dict[str, Any]]] | None:
    """The words that say most about a label, or None where labels are no classes."""
    balance = _balance(part, columns.label)
    if columns.label is None or balance is None or not 2 <= len(balance) <= _MOST_ARTEFACT_LABELS:
        return None
    labels = part.column(columns.label)
    if pa.types.is_nested(labels.type) or pa.types.is_floating(labels.type):
        return None
    texts = [as_text(part.column(name)).to_pylist() for name in columns.texts]
    return artefacts(labels.to_pylist(), texts)
