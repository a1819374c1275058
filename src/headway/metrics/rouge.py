"""ROUGE: how much of a reference text's words, word pairs and word order a text has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from headway.metrics.inputs import Column, choose
from headway.metrics.ngrams import grams_of, shared_grams
from headway.metrics.row_sums import RowSums, mean_over_rows
from headway.metrics.subsequence import common_places, common_tokens
from headway.metrics.texts import text_column, text_lists
from headway.metrics.words import Tokenizer, tokenizer_of

__all__ = [
    "order_of_lines_shared",
    "order_shared",
    "pairs_shared",
    "rouge1",
    "rouge2",
    "rougeL",
    "rougeLsum",
    "rouge_rows",
    "words_shared",
]

Ints: TypeAlias = npt.NDArray[np.int64]
Overlap: TypeAlias = tuple[Ints, Ints, Ints]  # shared, said, there: [pairs] each

MEASURES = ("precision", "recall", "f1")


def rouge1(
    predictions: Column,
    references: Column,
    *,
    measure: str = "f1",
    tokenizer: str | Tokenizer = "words",
) -> float:
    """ROUGE-1: the words that a text and its reference share, as F1, the mean over rows: 0 to 1.

    Inputs: a text a row; one or more references a row, of which the nearest by F1 counts;
    `measure`: "f1", "precision" (of the words said) or "recall" (of the reference's words);
    `tokenizer`: "words", "ascii", or a function from a text to its tokens, such as one that stems.
    A text or reference without words scores 0; no rows: 0.0.
    Raises: ConfigError for unequal lengths, rows that are no texts, no reference.
    Siblings: `rouge2` for pairs of words, `rougeL` and `rougeLsum` for their order; `bleu` asks for
    precision, over all rows.
    Relation to rouge-score 0.1.2 (without its stemmer): equal with "ascii", its tokens, on all
    texts; with "words" on ASCII texts, where both are the same.
    Source: Lin, "ROUGE: a package for automatic evaluation of summaries", 2004.

    >>> rouge1(["the cat sat"], ["the cat slept well"])
    0.5714285714285715
    """
    return rouge_rows(
        predictions, references, overlap=words_shared, measure=measure, tokenizer=tokenizer
    ).value()


def rouge2(
    predictions: Column,
    references: Column,
    *,
    measure: str = "f1",
    tokenizer: str | Tokenizer = "words",
) -> float:
    """ROUGE-2: the pairs of neighbouring words in common. All else as in `rouge1`.

    >>> rouge2(["the cat sat"], ["the cat slept well"])
    0.4
    """
    return rouge_rows(
        predictions, references, overlap=pairs_shared, measure=measure, tokenizer=tokenizer
    ).value()


def rougeL(  # noqa: N802  its name in the field
    predictions: Column,
    references: Column,
    *,
    measure: str = "f1",
    tokenizer: str | Tokenizer = "words",
) -> float:
    """ROUGE-L: the longest run of words in one order, gaps allowed. All else as in `rouge1`.

    >>> rougeL(["the cat on a mat sat"], ["on the mat the cat sat"])
    0.5
    """
    return rouge_rows(
        predictions, references, overlap=order_shared, measure=measure, tokenizer=tokenizer
    ).value()


def rougeLsum(  # noqa: N802  its name in the field
    predictions: Column,
    references: Column,
    *,
    measure: str = "f1",
    tokenizer: str | Tokenizer = "words",
) -> float:
    """ROUGE-L of summaries: sentence by sentence, of which each stands on a line of its own.

    Of each sentence of the reference, the words that lie in a longest common subsequence with any
    sentence said, none counted more often than it occurs. All else as in `rouge1`.

    >>> rougeLsum(["the cat sat\\nit slept"], ["it slept\\nthe cat sat"])
    1.0
    """
    return rouge_rows(
        predictions, references, overlap=order_of_lines_shared, measure=measure, tokenizer=tokenizer
    ).value()


def rouge_rows(
    predictions: Column,
    references: Column,
    *,
    overlap: Callable[[list[str], list[str], Tokenizer], Overlap],
    measure: str = "f1",
    tokenizer: str | Tokenizer = "words",
) -> RowSums:
    """`rouge1` and its siblings as sums over rows; they differ in the `overlap` of two texts."""
    choose("measure", measure, MEASURES)
    cut = tokenizer_of(tokenizer)
    said = text_column(predictions, "predictions")
    there = text_lists(predictions, references)
    per_row = np.array([len(texts) for texts in there], dtype=np.int64)  # [rows]
    repeated = [text for text, n in zip(said, per_row, strict=True) for _ in range(n)]
    shared, of_said, of_there = overlap(repeated, [t for ts in there for t in ts], cut)
    precision, recall = shared / np.maximum(of_said, 1), shared / np.maximum(of_there, 1)
    both = precision + recall
    # In just these steps, since the last digit decides between references that are equally near.
    f1 = np.divide(2 * precision * recall, both, out=np.zeros(len(both)), where=both > 0)
    scores = {"precision": precision, "recall": recall, "f1": f1}
    row = np.repeat(np.arange(len(per_row)), per_row)  # [pairs]
    order = np.lexsort((-f1, row))  # stable: of equal ones the first reference
    nearest = order[np.cumsum(per_row) - per_row]  # [rows]
    return mean_over_rows(scores[measure][nearest])


def words_shared(said: list[str], there: list[str], tokenizer: Tokenizer) -> Overlap:
    """The words that each pair of texts shares."""
    return _grams(said, there, tokenizer, 1)


def pairs_shared(said: list[str], there: list[str], tokenizer: Tokenizer) -> Overlap:
    """The pairs of neighbouring words that each pair of texts shares."""
    return _grams(said, there, tokenizer, 2)


def _grams(said: list[str], there: list[str], tokenizer: Tokenizer, n: int) -> Overlap:
    columns = [[tokenizer(text) for text in texts] for texts in (said, there)]
    first, second = grams_of(*columns, n=n)
    return shared_grams(first, second), first.per_row, second.per_row


def order_shared(said: list[str], there: list[str], tokenizer: Tokenizer) -> Overlap:
    """The longest common subsequence of each pair of texts."""
    tokens = [(tokenizer(a), tokenizer(b)) for a, b in zip(said, there, strict=True)]
    return _as_overlap([(common_tokens(a, b), len(a), len(b)) for a, b in tokens])


def order_of_lines_shared(said: list[str], there: list[str], tokenizer: Tokenizer) -> Overlap:
    """The union of longest common subsequences of each pair of texts' lines."""
    return _as_overlap(
        [
            _union(
                [tokenizer(line) for line in a.split("\n")], [tokenizer(x) for x in b.split("\n")]
            )
            for a, b in zip(said, there, strict=True)
        ]
    )


def _union(said: Sequence[list[str]], there: Sequence[list[str]]) -> tuple[int, int, int]:
    """Shared, said and reference words of one pair of texts that are cut into sentences."""
    left = [Counter(token for sentence in text for token in sentence) for text in (said, there)]
    shared = 0
    for sentence in there:
        places = {place for other in said for place in common_places(sentence, other)}
        for place in sorted(places):
            token = sentence[place]
            if left[0][token] > 0 and left[1][token] > 0:
                shared += 1
                left[0][token] -= 1
                left[1][token] -= 1
    return shared, sum(map(len, said)), sum(map(len, there))


def _as_overlap(rows: list[tuple[int, int, int]]) -> Overlap:
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
