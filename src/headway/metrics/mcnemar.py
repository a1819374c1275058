"""McNemar's test: do two models differ on the same rows by more than chance?"""

from __future__ import annotations

import numpy as np

from headway.metrics.inputs import Column, encode

__all__ = ["mcnemar"]


def mcnemar(first: Column, second: Column, references: Column) -> dict[str, float]:
    """Exact two-sided McNemar test of two models' predictions for the same rows.

    Inputs: three columns of n labels. Only rows that exactly one model gets right tell them
    apart; were the models equally good, each would win such a row like a tossed coin.
    Result: `only_first` and `only_second`, the rows that only this model gets right, and `p_value`
    from the binomial distribution; no such rows: p_value 1.0.
    Raises: ConfigError for unequal lengths.
    Siblings: two overlapping Wilson intervals do not use that the rows are the same; this does.
    Source: McNemar, "Note on the sampling error of the difference between correlated proportions
    or percentages", 1947; recommended for one test set by Dietterich, 1998.

    >>> mcnemar(["a", "a", "a"], ["b", "b", "b"], ["a", "a", "a"])
    {'only_first': 3, 'only_second': 0, 'p_value': 0.25}
    """
    from scipy.special import bdtr

    right = [
        codes.predictions == codes.references
        for codes in (encode(first, references), encode(second, references))
    ]
    only_first, only_second = (int(np.sum(a & ~b)) for a, b in (right, right[::-1]))
    n = only_first + only_second
    tail = float(bdtr(min(only_first, only_second), n, 0.5)) if n else 1.0
    return {
        "only_first": only_first,
        "only_second": only_second,
        "p_value": min(1.0, 2 * tail),
    }
