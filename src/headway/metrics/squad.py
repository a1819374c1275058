"""SQuAD's exact match and F1 of answers, as its two evaluation scripts define them."""

from __future__ import annotations

import re
import string
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, numbers
from headway.metrics.ngrams import grams_of, shared_grams
from headway.metrics.row_sums import RowSums, mean_over_rows
from headway.metrics.texts import best_by_row, text_column, text_lists

__all__ = [
    "normalize_answers",
    "squad_exact_match",
    "squad_exact_match_rows",
    "squad_f1",
    "squad_f1_rows",
    "squad_v2_best_thresholds",
    "squad_v2_exact_match",
    "squad_v2_exact_match_rows",
    "squad_v2_f1",
    "squad_v2_f1_rows",
]

Floats: TypeAlias = npt.NDArray[np.float64]

ARTICLES = re.compile(r"\b(a|an|the)\b")
WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)
# Neither letters, nor cased, nor white space: words and capitals see each text's end as it is.
SEPARATORS = [chr(code) for code in range(9)]


def squad_exact_match(predictions: Column, references: Column) -> float:
    """Percentage of questions whose answer is one of the acceptable ones, word for word.

    Case, ASCII punctuation, the articles a, an, the, and white space do not count.
    Inputs: a text a row; one or more acceptable texts a row (a text, a list, or SQuAD's
    {"text": [...]}). Result: 0 to 100, as the script prints it; no rows: 0.0.
    Raises: ConfigError for unequal lengths, rows that are no texts, no acceptable text.
    Siblings: `squad_f1` gives credit for a part; `squad_v2_exact_match` knows questions without
    an answer. ReCoRD's measure in SuperGLUE too.
    Source: Rajpurkar et al., "SQuAD: 100,000+ questions for machine comprehension of text", 2016,
    arXiv:1606.05250, evaluate-v1.1.py.

    >>> squad_exact_match(["The Sun.", "a moon"], [["sun"], ["moons", "the planet"]])
    50.0
    """
    return squad_exact_match_rows(predictions, references).value()


def squad_f1(predictions: Column, references: Column) -> float:
    """Mean F1 of the words of the answer and of the acceptable one nearest to it, times 100.

    Inputs, errors and what does not count: as in `squad_exact_match`. An answer without a word has
    F1 0, as in the script, even where the acceptable one has none either.

    >>> round(squad_f1(["the red sun"], [["Sun", "red giant star"]]), 6)
    66.666667
    """
    return squad_f1_rows(predictions, references).value()


def squad_v2_exact_match(
    predictions: Column,
    references: Column,
    *,
    no_answer: Column | None = None,
    threshold: float = 1.0,
) -> float:
    """As `squad_exact_match`, where a question may have no answer and "" is the right one then.

    Inputs: as there, and a row of references may be empty; `no_answer`: for each row the
    probability, or any score, that there is none: above `threshold` the text does not count and
    the row is right where there is none. Acceptable texts of articles and punctuation only are
    passed over.
    Raises: ConfigError for unequal lengths, rows that are no texts, NaN in `no_answer`.
    Source: Rajpurkar et al., "Know what you don't know", 2018, arXiv:1806.03822, evaluate-v2.0.py.

    >>> squad_v2_exact_match(["", "the sun", "moon"], [[], ["sun"], []])
    66.66666666666667
    """
    return squad_v2_exact_match_rows(
        predictions, references, no_answer=no_answer, threshold=threshold
    ).value()


def squad_v2_f1(
    predictions: Column,
    references: Column,
    *,
    no_answer: Column | None = None,
    threshold: float = 1.0,
) -> float:
    """As `squad_f1`, where a question may have no answer: F1 is 1 there for "" and else 0.

    Inputs and errors: as in `squad_v2_exact_match`.

    >>> squad_v2_f1(["", "red sun", "moon"], [[], ["sun", "a red sun"], []])
    66.66666666666667
    """
    return squad_v2_f1_rows(
        predictions, references, no_answer=no_answer, threshold=threshold
    ).value()


def squad_v2_best_thresholds(
    predictions: Column, references: Column, no_answer: Column
) -> dict[str, float]:
    """The thresholds of `no_answer` that would have been best, and what they would have given.

    Inputs: as in `squad_v2_exact_match`, where predictions are the answers as if there were one.
    Result: `exact_match`, `f1` (0 to 100), `exact_match_threshold` and `f1_threshold`, as the
    script prints them. Questions up to the threshold count as answered; above it, as without
    an answer. They are optimistic: choose them on other rows than those you report. No rows: zeros.

    >>> squad_v2_best_thresholds(["sun", "moon"], [["sun"], []], [0.2, 0.7])["f1_threshold"]
    0.2
    """
    pairs, answerable = _with_unanswerable(predictions, references)
    scores = numbers(no_answer, "no_answer")
    if len(scores) != len(answerable):
        raise ConfigError(f"{len(scores)} values of no_answer for {len(answerable)} rows")
    silent = [not text for text in text_column(predictions, "predictions")]
    order = np.argsort(scores, kind="stable")
    found = {}
    for name, values in (("exact_match", pairs.best_exact()), ("f1", pairs.best_f1_v2())):
        # What answering one question more adds to answering none of them.
        gains = np.where(answerable, values, np.where(silent, 0.0, -1.0))[order]
        totals = np.cumsum(np.concatenate([[(~answerable).sum()], gains]))
        best = int(totals.argmax())
        found[name] = 100 * float(totals[best]) / max(1, len(answerable))
        found[f"{name}_threshold"] = float(scores[order[best - 1]]) if best else 0.0
    return found


def normalize_answers(texts: list[str]) -> list[str]:
    """Lower-cased, without ASCII punctuation and articles, one space between words.

    >>> normalize_answers(["The  U.S. of A!", "a"])
    ['us of', '']
    """
    whole = "".join(texts)
    between = next((each for each in SEPARATORS if each not in whole), None)
    if between is None or not texts:
        return [" ".join(_words_only(text).split()) for text in texts]
    # One long text is a few calls in C, however many texts it is made of.
    return [" ".join(part.split()) for part in _words_only(between.join(texts)).split(between)]


def squad_exact_match_rows(predictions: Column, references: Column) -> RowSums:
    """`squad_exact_match` as sums over rows."""
    pairs = _Pairs(predictions, text_lists(predictions, references))
    return mean_over_rows(pairs.best_exact(), 100)


def squad_f1_rows(predictions: Column, references: Column) -> RowSums:
    """`squad_f1` as sums over rows."""
    pairs = _Pairs(predictions, text_lists(predictions, references))
    return mean_over_rows(pairs.best_f1(), 100)


def squad_v2_exact_match_rows(
    predictions: Column,
    references: Column,
    *,
    no_answer: Column | None = None,
    threshold: float = 1.0,
) -> RowSums:
    """`squad_v2_exact_match` as sums over rows."""
    pairs, answerable = _with_unanswerable(predictions, references)
    return mean_over_rows(_withheld(pairs.best_exact(), answerable, no_answer, threshold), 100)


def squad_v2_f1_rows(
    predictions: Column,
    references: Column,
    *,
    no_answer: Column | None = None,
    threshold: float = 1.0,
) -> RowSums:
    """`squad_v2_f1` as sums over rows."""
    pairs, answerable = _with_unanswerable(predictions, references)
    return mean_over_rows(_withheld(pairs.best_f1_v2(), answerable, no_answer, threshold), 100)


def _words_only(text: str) -> str:
    return ARTICLES.sub(" ", text.lower().translate(WITHOUT_PUNCTUATION))


class _Pairs:
    """Each prediction beside each of its acceptable texts, all normalized.

    Args:
        predictions: a text a row.
        references: one or more texts a row.
    """

    def __init__(self, predictions: Column, references: list[list[str]]) -> None:
        self.per_row = np.array([len(texts) for texts in references], dtype=np.int64)  # [rows]
        said = normalize_answers(text_column(predictions, "predictions"))
        self.said = [text for text, n in zip(said, self.per_row, strict=True) for _ in range(n)]
        self.there = normalize_answers([text for texts in references for text in texts])
        pairs = zip(self.said, self.there, strict=True)
        self.equal = np.array([a == b for a, b in pairs], dtype=np.float64)  # [pairs]

    def best_exact(self) -> Floats:
        """1 for each row that equals one of its acceptable texts, else 0 [rows]."""
        return best_by_row(self.equal, self.per_row)

    def best_f1(self) -> Floats:
        """The F1 of each row's words with the acceptable text nearest to it [rows]."""
        return best_by_row(self._f1(), self.per_row)

    def best_f1_v2(self) -> Floats:
        """The same, where two texts without words are equal [rows]."""
        without = [not (a and b) for a, b in zip(self.said, self.there, strict=True)]
        return best_by_row(np.where(without, self.equal, self._f1()), self.per_row)

    def _f1(self) -> Floats:
        """F1 of the words [pairs], counted as often as they occur; none in common: 0."""
        columns = [[text.split() for text in texts] for texts in (self.said, self.there)]
        said, there = grams_of(*columns, n=1)
        shared = shared_grams(said, there)
        both = said.per_row + there.per_row
        return np.divide(2.0 * shared, both, out=np.zeros(len(both)), where=both > 0)


def _with_unanswerable(
    predictions: Column, references: Column
) -> tuple[_Pairs, npt.NDArray[np.bool_]]:
    """The pairs, where "" stands for no answer, and which questions have one [rows]."""
    found = text_lists(predictions, references, least=0)
    flat = [text for texts in found for text in texts]
    has_words = dict(zip(flat, map(bool, normalize_answers(flat)), strict=True))
    kept = [[text for text in texts if has_words[text]] or [""] for texts in found]
    return _Pairs(predictions, kept), np.array([bool(texts) for texts in found], dtype=bool)


def _withheld(
    values: Floats, answerable: npt.NDArray[Any], no_answer: Column | None, threshold: float
) -> Floats:
    """The values, where rows whose `no_answer` is above the threshold say that there is none."""
    if no_answer is None:
        return values
    scores = numbers(no_answer, "no_answer")
    if len(scores) != len(values):
        raise ConfigError(f"{len(scores)} values of no_answer for {len(values)} rows")
    return np.where(scores > threshold, ~answerable, values)
