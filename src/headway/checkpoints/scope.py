"""What a model calls texts that belong to none of its labels, as config.json says it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headway.errors import CheckpointError

__all__ = ["SCORES", "Scope", "read_scope", "scope_values"]

SCORES = ("probability", "energy")
"""What says how surely a text belongs to one of the labels: the largest probability, or the
logarithm of the sum of the exponentials of all logits."""


@dataclass(frozen=True)
class Scope:
    """The rule.

    Attributes:
        label: the answer to a text that belongs to no label.
        threshold: of the score, below which that is the answer; None = not calibrated yet, so that
            it never is.
        score: one of SCORES.
    """

    label: str
    threshold: float | None = None
    score: str = SCORES[0]


def read_scope(section: Mapping[str, Any], labels: Sequence[str]) -> Scope | None:
    """The rule in the `headway` section of config.json, or None.

    Raises:
        CheckpointError: a rule that cannot be.
    """
    if "out_of_scope" not in section:
        return None
    told = section["out_of_scope"]
    values = dict(told) if isinstance(told, Mapping) else {}
    label, threshold, score = (values.get(name) for name in ("label", "threshold", "score"))
    if not (
        isinstance(label, str)
        and label not in labels
        and isinstance(threshold, (int, float))
        and not isinstance(threshold, bool)
        and math.isfinite(threshold)
        and isinstance(score, str)
        and score in SCORES
    ):
        raise CheckpointError(
            f"config.json: headway.out_of_scope = {told!r:.120}",
            allowed='{"label": ..., "threshold": ..., "score": ...}: a label that is none of the '
            f"others, a number, and one of {', '.join(SCORES)}",
        )
    return Scope(label, float(threshold), score)


def scope_values(scope: Scope | None) -> dict[str, Any]:
    """What that section says of a rule; nothing of one that is not calibrated."""
    if scope is None or scope.threshold is None:
        return {}
    return {"out_of_scope": asdict(scope)}
