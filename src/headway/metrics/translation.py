"""BLEU and chrF of translations and other texts, by sacrebleu, which defines their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, choose
from headway.metrics.row_sums import RowSums
from headway.metrics.texts import text_column, text_lists

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

__all__ = ["bleu", "bleu_rows", "chrf", "chrf_rows"]

Floats: TypeAlias = npt.NDArray[np.float64]

TOKENS = ("13a", "intl", "char", "zh", "none")  # sacrebleu's others download a model
SMOOTHING = ("exp", "floor", "add-k", "none")


def bleu(
    predictions: Column,
    references: Column,
    *,
    tokenize: str = "13a",
    smoothing: str = "exp",
    lowercase: bool = False,
) -> float:
    """How many runs of 1 to 4 words the texts share with their references, over all rows: 0 to 100.

    The geometric mean of the four shares, times a penalty for too short texts. It is one number of
    a whole test set: the counts are summed over the rows first.
    Inputs: a text a row; one or more references a row; `tokenize`: "13a" (the usual), "intl",
    "char", "zh" or "none" (texts that are cut already); `smoothing` of shares that are 0: "exp",
    "floor", "add-k" or "none". No rows: 0.0. Needs sacrebleu (the extra `metrics`); equal to its
    `corpus_bleu`, whose defaults these are.
    Raises: ConfigError for unequal lengths, rows that are no texts, no reference, or no sacrebleu.
    Siblings: `chrf` counts characters, and suits languages with many word forms better.
    Source: Papineni et al., "BLEU: a method for automatic evaluation of machine translation", 2002;
    Post, "A call for clarity in reporting BLEU scores", 2018, arXiv:1804.08771.

    >>> round(bleu(["the cat sat on a mat"], [["the cat sat on the mat"]]), 6)
    53.728497
    """
    return bleu_rows(
        predictions, references, tokenize=tokenize, smoothing=smoothing, lowercase=lowercase
    ).value()


def chrf(
    predictions: Column,
    references: Column,
    *,
    characters: int = 6,
    words: int = 0,
    beta: int = 2,
    lowercase: bool = False,
) -> float:
    """F-score of runs of 1 to 6 characters, over all rows: 0 to 100.

    Inputs: as in `bleu`; the longest runs of `characters` and of `words` (2 makes it chrF++);
    `beta`: how often recall counts as much as precision. Spaces do not count. No rows: 0.0. Needs
    sacrebleu (the extra `metrics`); equal to its `corpus_chrf`, whose defaults these are.
    Raises: as `bleu`, and for an order below 1 (words: 0) or a beta below 1.
    Siblings: `bleu` counts words.
    Source: Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015; chrF++:
    Popović, 2017.

    >>> round(chrf(["the cat sat on a mat"], [["the cat sat on the mat"]]), 6)
    65.97966
    """
    return chrf_rows(
        predictions,
        references,
        characters=characters,
        words=words,
        beta=beta,
        lowercase=lowercase,
    ).value()


def bleu_rows(
    predictions: Column,
    references: Column,
    *,
    tokenize: str = "13a",
    smoothing: str = "exp",
    lowercase: bool = False,
) -> RowSums:
    """`bleu` as sums over rows: lengths, and right and all n-grams of each order."""
    choose("tokenize", tokenize, TOKENS)
    choose("smoothing", smoothing, SMOOTHING)
    _check_installed()
    from sacrebleu.metrics.bleu import BLEU

    scorer = BLEU(tokenize=tokenize, smooth_method=smoothing, lowercase=lowercase, force=True)
    return _row_sums(scorer, predictions, references)


def chrf_rows(
    predictions: Column,
    references: Column,
    *,
    characters: int = 6,
    words: int = 0,
    beta: int = 2,
    lowercase: bool = False,
) -> RowSums:
    """`chrf` as sums over rows: said, there and shared n-grams of each order."""
    if characters < 1 or words < 0 or beta < 1:
        raise ConfigError(
            f"chrF with characters={characters}, words={words}, beta={beta}",
            allowed="characters 1 or more, words 0 or more, beta 1 or more",
        )
    _check_installed()
    from sacrebleu.metrics.chrf import CHRF

    scorer = CHRF(char_order=characters, word_order=words, beta=beta, lowercase=lowercase)
    return _row_sums(scorer, predictions, references)


def _row_sums(scorer: Metric, predictions: Column, references: Column) -> RowSums:
    said = text_column(predictions, "predictions")
    there = text_lists(predictions, references)
    most = max(map(len, there), default=0)
    # sacrebleu takes a column for each reference; rows with fewer have None there.
    columns: Any = [[row[i] if i < len(row) else None for row in there] for i in range(most)]
    counts = scorer._extract_corpus_statistics(said, columns) if said else []

    def score(sums: Floats) -> Floats:
        flat = sums.reshape(-1, sums.shape[-1]).tolist()
        values = [scorer._compute_score_from_stats(row).score for row in flat]
        return np.array(values).reshape(sums.shape[:-1])

    return RowSums(np.array(counts, dtype=np.float64), score)


def _check_installed() -> None:
    try:
        import sacrebleu  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "BLEU and chrF need sacrebleu, which is not installed",
            next_step="pip install 'headway[metrics]'",
        ) from error
