"""Labels as codes, for metrics that are computed again and again over chosen rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.metrics.inputs import Column, encode, encode_sets, has_label_sets

__all__ = ["as_codes"]

WITH_LABELS = ("precision", "recall", "f1", "macro_f1", "micro_f1", "weighted_f1", "cohen_kappa")


def as_codes(
    name: str, predictions: Column, references: Column, options: Mapping[str, Any]
) -> tuple[Column, Column, dict[str, Any]]:
    """The columns and options of a label metric with codes for labels; those of others unchanged.

    Codes are counted much faster than names, and the labels to average stay those of the whole
    test set when a choice of rows misses a rare one.
    """
    options = dict(options)
    if name == "mcc":
        codes = encode(predictions, references)
        return codes.predictions, codes.references, options
    if name not in WITH_LABELS:
        return predictions, references, options
    labels = options.get("labels")
    if has_label_sets(predictions) or has_label_sets(references):
        sets = encode_sets(predictions, references, labels)
        kept = range(len(sets.names if labels is None else labels))
        columns = (sets.predictions[:, : len(kept)], sets.references[:, : len(kept)])
        return *columns, options | {"labels": kept}
    codes = encode(predictions, references, labels)
    kept = range(len(codes.names if labels is None else labels))
    return codes.predictions, codes.references, options | {"labels": kept}
