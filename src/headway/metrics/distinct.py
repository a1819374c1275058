"""distinct-n: do generated texts say different things?"""

from __future__ import annotations

import numpy as np

from headway.errors import ConfigError
from headway.metrics.inputs import Column
from headway.metrics.ngrams import grams_of
from headway.metrics.texts import text_column
from headway.metrics.words import Tokenizer, tokenizer_of

__all__ = ["distinct_n"]


def distinct_n(predictions: Column, *, n: int = 2, tokenizer: str | Tokenizer = "words") -> float:
    """Different n-grams of all texts as a share of all their n-grams: 0 to 1.

    Inputs: a text a row; `n` words in a row; `tokenizer` as in `rouge1`. It judges texts without a
    reference, and falls as more texts are scored: compare the same number. No n-grams: 0.0.
    Raises: ConfigError for rows that are no texts, n below 1.
    Siblings: none minds diversity; `bleu` and `rouge1` say whether the texts are right.
    Source: Li et al., "A diversity-promoting objective function for neural conversation models",
    2016, arXiv:1510.03055.

    >>> distinct_n(["the cat sat", "the cat slept"], n=2)
    0.75
    """
    if n < 1:
        raise ConfigError(f"n is {n}", allowed="1 or more")
    cut = tokenizer_of(tokenizer)
    (grams,) = grams_of([cut(text) for text in text_column(predictions, "predictions")], n=n)
    return len(np.unique(grams.code)) / len(grams.code) if len(grams.code) else 0.0
