"""Measures of predictions against references: small pure functions, all offline.

accuracy.py      accuracy, exact match
f1.py            precision, recall, F1: macro, micro, weighted, per label; one label a row or sets
confusion.py     confusion matrix, Matthews correlation, Cohen's kappa
auc.py           area under the ROC curve
correlation.py   Pearson, Spearman
entities.py      entities in tagged tokens, by any tag scheme; their precision, recall, F1
spans.py         precision, recall, F1 of labelled spans, also of some that lie in others
tokens.py        accuracy and F1 of labels of tokens, a sequence a row
squad.py         exact match and F1 of answers: SQuAD 1.1 and 2.0
translation.py   BLEU, chrF
rouge.py         ROUGE-1, -2, -L, -Lsum
bertscore.py     BERTScore of token vectors, or of texts with any encoder
distinct.py      distinct-n: diversity of texts, without references
retrieval.py     hits@k, mean reciprocal rank, nDCG
perplexity.py    perplexity of a token, of a byte; bits per byte
regression.py    mean squared and absolute error, r2
probability.py   log loss, Brier score
calibration.py   expected calibration error, reliability bins
interval.py      confidence intervals: Wilson, bootstrap
mcnemar.py       paired test of two models' labels
permutation.py   paired test of two models in any metric
baseline.py      TF-IDF with a linear model, to be scored by the same metrics
by_name.py       METRICS: every metric under its name; ROW_SUMS: those that are sums over rows
sets.py          METRIC_SETS: what a benchmark reports together, by its name
inputs.py        what every metric checks first
counts.py        right, predicted and actual of each label, and their averages
row_sums.py      a metric as sums over rows
tag_schemes.py   tag schemes, and the entities that tags stand for
texts.py         columns of texts, several acceptable texts a row
words.py         the words of a text
ngrams.py        n-grams of many rows at once
subsequence.py   longest common subsequences
label_codes.py   labels as codes
"""

from headway.metrics.accuracy import accuracy, exact_match
from headway.metrics.auc import auc
from headway.metrics.baseline import Baseline, tfidf_baseline, tfidf_nearest, tfidf_vectors
from headway.metrics.bertscore import bertscore
from headway.metrics.by_name import METRICS, ROW_SUMS, metric
from headway.metrics.calibration import expected_calibration_error, reliability_bins
from headway.metrics.confusion import cohen_kappa, confusion_matrix, mcc
from headway.metrics.correlation import pearson, spearman
from headway.metrics.distinct import distinct_n
from headway.metrics.entities import (
    entities,
    entity_f1,
    entity_precision,
    entity_recall,
    per_entity,
)
from headway.metrics.f1 import (
    binary_f1,
    f1,
    macro_f1,
    micro_f1,
    per_label,
    precision,
    recall,
    weighted_f1,
)
from headway.metrics.interval import bootstrap_interval, confidence_interval, wilson_interval
from headway.metrics.mcnemar import mcnemar
from headway.metrics.permutation import permutation_test
from headway.metrics.perplexity import bits_per_byte, byte_perplexity, token_perplexity
from headway.metrics.probability import brier, log_loss
from headway.metrics.regression import mae, mse, r2
from headway.metrics.retrieval import hits_at_k, mrr, ndcg
from headway.metrics.rouge import rouge1, rouge2, rougeL, rougeLsum
from headway.metrics.sets import METRIC_SETS
from headway.metrics.spans import per_span, span_f1, span_precision, span_recall
from headway.metrics.squad import (
    squad_exact_match,
    squad_f1,
    squad_v2_best_thresholds,
    squad_v2_exact_match,
    squad_v2_f1,
)
from headway.metrics.tag_schemes import ENTITY_SCHEMES
from headway.metrics.tokens import token_accuracy, token_f1
from headway.metrics.translation import bleu, chrf

__all__ = [
    "ENTITY_SCHEMES",
    "METRICS",
    "METRIC_SETS",
    "ROW_SUMS",
    "Baseline",
    "accuracy",
    "auc",
    "bertscore",
    "binary_f1",
    "bits_per_byte",
    "bleu",
    "bootstrap_interval",
    "brier",
    "byte_perplexity",
    "chrf",
    "cohen_kappa",
    "confidence_interval",
    "confusion_matrix",
    "distinct_n",
    "entities",
    "entity_f1",
    "entity_precision",
    "entity_recall",
    "exact_match",
    "expected_calibration_error",
    "f1",
    "hits_at_k",
    "log_loss",
    "macro_f1",
    "mae",
    "mcc",
    "mcnemar",
    "metric",
    "micro_f1",
    "mrr",
    "mse",
    "ndcg",
    "pearson",
    "per_entity",
    "per_label",
    "per_span",
    "permutation_test",
    "precision",
    "r2",
    "recall",
    "reliability_bins",
    "rouge1",
    "rouge2",
    "rougeL",
    "rougeLsum",
    "span_f1",
    "span_precision",
    "span_recall",
    "spearman",
    "squad_exact_match",
    "squad_f1",
    "squad_v2_best_thresholds",
    "squad_v2_exact_match",
    "squad_v2_f1",
    "tfidf_baseline",
    "tfidf_nearest",
    "tfidf_vectors",
    "token_accuracy",
    "token_f1",
    "token_perplexity",
    "weighted_f1",
    "wilson_interval",
]
