"""Labels as codes, for metrics that are computed again and again over chosen rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headway.metrics.inputs import Column, encode, encode_sets, has_label_sets

__all__ = ["as_codes"]

WITH_LABELS = ("precision", "recall", "f1", "macro_f1", "micro_f1", "weighted_f1", "cohen_kappa")
WITH_TABLES = ("auc", "expected_calibration_error")


def as_codes(
    name: str, columns: Sequence[Column], options: Mapping[str, Any]
) -> tuple[list[Column], dict[str, Any]]:
    """The columns and options of a label metric with codes for labels; those of others unchanged.

    Codes are counted much faster than names, and the labels to average stay those of the whole
    test set when a choice of rows misses a rare one.
    """
    if name not in (*WITH_LABELS, *WITH_TABLES, "mcc"):
        return list(columns), dict(options)
    predictions, references = columns
    if name in WITH_TABLES:
        return _beside_table(predictions, references, options)
    if name == "mcc":
        codes = encode(predictions, references)
        return [codes.predictions, codes.references], dict(options)
    labels = options.get("labels")
    if any(map(has_label_sets, columns)):
        sets = encode_sets(predictions, references, labels)
        kept = range(len(sets.names if labels is None else labels))
        coded = [sets.predictions[:, : len(kept)], sets.references[:, : len(kept)]]
        return [*coded], {**options, "labels": kept}
    codes = encode(predictions, references, labels)
    kept = range(len(codes.names if labels is None else labels))
    return [codes.predictions, codes.references], {**options, "labels": kept}


def _beside_table(
    predictions: Column, references: Column, options: Mapping[str, Any]
) -> tuple[list[Column], dict[str, Any]]:
    """Scores, [rows] or [rows, labels], as an array, and the labels beside them as codes."""
    scores = np.asarray(predictions)
    labels = options.get("labels")
    if labels is None and scores.ndim == 2:
        labels = range(scores.shape[1])
    codes = encode(references, references, labels)
    if scores.ndim == 1 and len(codes.names) != 2:
        return [predictions, references], dict(options)
    return [scores, codes.references], {**options, "labels": range(len(codes.names))}
