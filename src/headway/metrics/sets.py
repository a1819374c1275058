"""Sets of metrics under the name of the benchmark, or the script, that reports them together."""

from __future__ import annotations

__all__ = ["METRIC_SETS"]

METRIC_SETS: dict[str, tuple[str, ...]] = {
    "glue/cola": ("mcc",),
    "glue/mrpc": ("accuracy", "binary_f1"),
    "squad": ("squad_exact_match", "squad_f1"),
    "squad_v2": ("squad_v2_exact_match", "squad_v2_f1"),
    "translation": ("bleu", "chrf"),
    "rouge": ("rouge1", "rouge2", "rougeL", "rougeLsum"),
    "retrieval": ("hits_at_k", "mrr", "ndcg"),
    "entities": ("entity_precision", "entity_recall", "entity_f1"),
}
"""Name -> keys of METRICS."""
