"""Words that give a label away: a model may learn them instead of the task.

For every word and label the pointwise mutual information of "the row has the word" and "the row has
the label", after Gururangan et al. 2018, https://arxiv.org/abs/1803.02324. A word of three rows
looks telling by chance, so a pair is told only where a lower bound on p(label | word) lies above
p(label); the bound holds for all pairs looked at together. The null hypothesis is that of Gardner
et al. 2021, https://arxiv.org/abs/2104.08646: no word alone tells anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["artefacts"]

_WORD = re.compile(r"\w+")
_ERROR = 0.05  # the probability that any pair at all is told by chance


def artefacts(
    labels: Iterable[Any], texts: Sequence[Iterable[str]], *, most: int = 10
) -> dict[str, list[dict[str, Any]]]:
    """For every label its give-away words, the surest first; none where labels are noise.

    Args:
        labels: one a row; rows without one (None) do not count.
        texts: columns of texts; a word stands in a row when it stands in any of them, whatever its
            case and however often.
        most: words of a label.

    Returns:
        {label: [{word, pmi, pmi_low, rows_with_label, rows}]}: log2 p(label | word) / p(label) as
        counted and at the lower bound, in bits. The bound is the exact one of Clopper and Pearson
        (1934, https://doi.org/10.1093/biomet/26.4.404), since approximate ones take a single row of
        a rare label for a finding, at 5% over all pairs of words and labels (Bonferroni).

    >>> texts = [f"story {n}" + " zebra" * (n % 2) for n in range(40)]
    >>> found = artefacts([("even", "odd")[n % 2] for n in range(40)], [texts])
    >>> [(one["word"], one["rows_with_label"], one["pmi"]) for one in found["odd"]], found["even"]
    ([('zebra', 20, 1.0)], [])
    """
    rows: Counter[str] = Counter()
    words: Counter[str] = Counter()
    together: dict[str, Counter[str]] = {}
    for label, *row in zip(labels, *texts, strict=True):
        if label is None:
            continue
        found = {word for text in row for word in _WORD.findall(text.casefold())}
        rows[str(label)] += 1
        words.update(found)
        together.setdefault(str(label), Counter()).update(found)
    pairs = len(words) * len(rows)
    return {
        label: _told(together[label], words, share=number / rows.total(), pairs=pairs)[:most]
        for label, number in sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    }


def _told(
    with_label: Mapping[str, int], words: Mapping[str, int], *, share: float, pairs: int
) -> list[dict[str, Any]]:
    """Words whose lower bound lies above the label's share, the highest bound first."""
    from scipy.special import betaincinv  # heavy, and only inspection needs it

    if not with_label:
        return []
    names = list(with_label)
    hits = np.fromiter(with_label.values(), float, len(names))
    rows = np.fromiter((words[word] for word in names), float, len(names))
    low = betaincinv(hits, rows - hits + 1, _ERROR / pairs)
    pmi, pmi_low = np.log2(hits / rows / share), np.log2(low / share)
    told = sorted(np.flatnonzero(low > share).tolist(), key=lambda i: (-pmi_low[i], names[i]))
    return [
        {
            "word": names[i],
            "pmi": float(pmi[i]),
            "pmi_low": float(pmi_low[i]),
            "rows_with_label": int(hits[i]),
            "rows": int(rows[i]),
        }
        for i in told
    ]
