"""What a label column holds: which kind of labels, their names, and what is none.

single-label   text, whole numbers, true and false, dates: one a row
multi-label    a list a row, of any of those; it may be empty. Lists come from JSON, JSON lines,
               Parquet and Arrow files; a text such as "a;b" is one label, not two
regression     finite numbers
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["flat_names", "kind_of", "label_name", "label_names", "nearly_numbers", "wrong_label"]


def kind_of(column: Sequence[Any]) -> str:
    """The kind that a label column speaks of: lists, decimals, or anything else.

    >>> kind_of(["a", "b"]), kind_of([["a"], []]), kind_of([0.5, None, 2.0])
    ('single-label', 'multi-label', 'regression')
    """
    known = [value for value in column if value is not None]
    if known and all(isinstance(value, (list, tuple)) for value in known):
        return "multi-label"
    if known and all(isinstance(value, float) for value in known):
        return "regression"
    return "single-label"


def nearly_numbers(column: Sequence[Any]) -> str:
    """What is to be said of texts of which most are decimals: the first that is none, or nothing.

    >>> nearly_numbers(["1.5", "n/a", "2.5"])
    "most labels are numbers, but 'n/a' in row 2 is none"
    >>> nearly_numbers(["1", "2", "n/a"]), nearly_numbers(["sport", "1.5"])
    ('', '')
    """
    texts = [value for value in column if isinstance(value, str)]
    decimals = sum("." in value and _is_finite(value) for value in texts)
    if 2 * decimals <= len(column):
        return ""
    odd = next((n for n, value in enumerate(column) if not _is_finite(value)), None)
    if odd is None:
        return "all labels are numbers, stored as texts"
    return f"most labels are numbers, but {column[odd]!r:.60} in row {odd + 1} is none"


def label_name(label: Any) -> str:
    """A label as it is called: numbers without a needless fraction, so that 1 and 1.0 are one.

    >>> label_name("sport"), label_name(1), label_name(1.0)
    ('sport', '1', '1')
    """
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def flat_names(column: Iterable[Any], kind: str) -> list[str]:
    """The names of all labels of a column, row after row, as often as they occur.

    >>> flat_names([["a", "b"], [], ["a"]], "multi-label")
    ['a', 'b', 'a']
    """
    return [label_name(label) for label in _flat(column, kind)]


def label_names(column: Sequence[Any], kind: str) -> tuple[str, ...]:
    """The names of a head's outputs in their order: numbers by value, others by name.

    Args:
        column: of rows that `wrong_label` has nothing to say of.
        kind: single-label, multi-label or regression; the last has one output, `score`.

    >>> label_names([10, 9, 10], "single-label"), label_names(["10", "9"], "single-label")
    (('9', '10'), ('10', '9'))
    """
    if kind == "regression":
        return ("score",)
    distinct = set(_flat(column, kind))
    if all(isinstance(label, (int, float)) for label in distinct):
        return tuple(dict.fromkeys(label_name(label) for label in sorted(distinct)))
    return tuple(sorted({label_name(label) for label in distinct}))


def wrong_label(value: Any, kind: str) -> str:
    """Why a value of a label column cannot be used, or an empty string.

    >>> wrong_label(None, "single-label"), wrong_label("a;b", "multi-label")
    ('there is no label', "'a;b' is not a list")
    """
    if value is None:
        return "there is no label"
    if kind == "regression":
        return "" if _is_finite(value) else f"{value!r:.60} is not a finite number"
    if kind == "single-label":
        return _wrong_one(value)
    if not isinstance(value, (list, tuple)):
        return f"{value!r:.60} is not a list"
    return next(filter(None, map(_wrong_one, value)), "")


def _is_finite(value: Any) -> bool:
    """Whether it is a finite number, or the text of one: one value that is none makes texts of a
    whole column, and only that one is to blame."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return False
    try:
        return math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False


def _wrong_one(value: Any) -> str:
    if value is None or value != value or (isinstance(value, str) and not value.strip()):
        return "there is no label"
    return f"{value!r:.60} is not one label" if isinstance(value, (list, tuple, dict)) else ""


def _flat(column: Iterable[Any], kind: str) -> list[Any]:
    if kind == "multi-label":
        return [label for row in column for label in row]
    return list(column)
