"""Sets of metrics under the name of the benchmark, or the script, that reports them together.

GLUE and SuperGLUE report one number a task: the mean of its set. Their tasks that are unlike
others:

- glue/mnli: two test sets, matched and mismatched; ask once for each.
- glue/mrpc, glue/qqp: label 1 is a paraphrase, or name it with `positive`.
- superglue/multirc: a row is a question, its label the set of the numbers of right answers. Then
  `micro_f1` is what the benchmark calls F1a (of all answers), and `exact_match` its EM.
- superglue/record: a row is a question with one or more acceptable answers, scored like SQuAD 1.1.
- superglue/axg: its gender parity is `accuracy` of the one half of the pairs against the other.
"""

from __future__ import annotations

__all__ = ["METRIC_SETS"]

METRIC_SETS: dict[str, tuple[str, ...]] = {
    # Wang et al., "GLUE", 2018, arXiv:1804.07461
    "glue/cola": ("mcc",),
    "glue/sst2": ("accuracy",),
    "glue/mrpc": ("accuracy", "binary_f1"),
    "glue/qqp": ("accuracy", "binary_f1"),
    "glue/stsb": ("pearson", "spearman"),
    "glue/mnli": ("accuracy",),
    "glue/qnli": ("accuracy",),
    "glue/rte": ("accuracy",),
    "glue/wnli": ("accuracy",),
    "glue/ax": ("mcc",),
    # Wang et al., "SuperGLUE", 2019, arXiv:1905.00537
    "superglue/boolq": ("accuracy",),
    "superglue/cb": ("accuracy", "macro_f1"),
    "superglue/copa": ("accuracy",),
    "superglue/multirc": ("micro_f1", "exact_match"),
    "superglue/record": ("squad_f1", "squad_exact_match"),
    "superglue/rte": ("accuracy",),
    "superglue/wic": ("accuracy",),
    "superglue/wsc": ("accuracy",),
    "superglue/axb": ("mcc",),
    "superglue/axg": ("accuracy",),
    # what their scripts print together
    "squad": ("squad_exact_match", "squad_f1"),
    "squad_v2": ("squad_v2_exact_match", "squad_v2_f1"),
    "entities": ("entity_precision", "entity_recall", "entity_f1"),
    "rouge": ("rouge1", "rouge2", "rougeL", "rougeLsum"),
    "translation": ("bleu", "chrf"),
    "retrieval": ("hits_at_k", "mrr", "ndcg"),
}
"""Name -> keys of METRICS."""
