"""Every metric under its name, and the one function that calls them, or a set of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from headway.errors import ConfigError, nearest
from headway.metrics.accuracy import accuracy, accuracy_rows, exact_match, exact_match_rows
from headway.metrics.auc import auc
from headway.metrics.bertscore import bertscore, bertscore_rows
from headway.metrics.calibration import expected_calibration_error
from headway.metrics.confusion import cohen_kappa, mcc
from headway.metrics.correlation import pearson, spearman
from headway.metrics.counts import f1_of, precision_of, recall_of
from headway.metrics.distinct import distinct_n
from headway.metrics.entities import entity_f1, entity_precision, entity_recall, entity_rows
from headway.metrics.f1 import binary_f1, f1, macro_f1, micro_f1, precision, recall, weighted_f1
from headway.metrics.inputs import Column, same_length
from headway.metrics.perplexity import (
    bits_per_byte,
    bits_per_byte_rows,
    byte_perplexity,
    byte_perplexity_rows,
    token_perplexity,
    token_perplexity_rows,
)
from headway.metrics.probability import brier, brier_rows, log_loss, log_loss_rows
from headway.metrics.regression import mae, mae_rows, mse, mse_rows, r2
from headway.metrics.retrieval import hits_at_k, hits_at_k_rows, mrr, mrr_rows, ndcg, ndcg_rows
from headway.metrics.rouge import (
    order_of_lines_shared,
    order_shared,
    pairs_shared,
    rouge1,
    rouge2,
    rouge_rows,
    rougeL,
    rougeLsum,
    words_shared,
)
from headway.metrics.row_sums import RowSums
from headway.metrics.sets import METRIC_SETS
from headway.metrics.spans import span_f1, span_precision, span_recall, span_rows
from headway.metrics.squad import (
    squad_exact_match,
    squad_exact_match_rows,
    squad_f1,
    squad_f1_rows,
    squad_v2_exact_match,
    squad_v2_exact_match_rows,
    squad_v2_f1,
    squad_v2_f1_rows,
)
from headway.metrics.tokens import token_accuracy, token_accuracy_rows, token_f1, token_f1_rows
from headway.metrics.translation import bleu, bleu_rows, chrf, chrf_rows

__all__ = ["METRICS", "ROW_SUMS", "check_options", "columns_of", "metric", "metric_function"]

METRICS: dict[str, Callable[..., float]] = {
    # one label a row: texts or numbers
    "accuracy": accuracy,
    "mcc": mcc,
    "cohen_kappa": cohen_kappa,
    # one label a row, or several: 0/1 arrays [rows, labels] or a collection of labels a row
    "binary_f1": binary_f1,
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "macro_f1": macro_f1,
    "micro_f1": micro_f1,
    "weighted_f1": weighted_f1,
    "exact_match": exact_match,
    # numbers
    "pearson": pearson,
    "spearman": spearman,
    "mse": mse,
    "mae": mae,
    "r2": r2,
    # predictions are probabilities [rows, labels]
    "expected_calibration_error": expected_calibration_error,
    "brier": brier,
    "log_loss": log_loss,
    # predictions are scores [rows] for two labels, [rows, labels] for more
    "auc": auc,
    # tags, a sequence a row
    "entity_f1": entity_f1,
    "entity_precision": entity_precision,
    "entity_recall": entity_recall,
    # (start, end, label) of spans, any number a row
    "span_f1": span_f1,
    "span_precision": span_precision,
    "span_recall": span_recall,
    # labels of tokens, a sequence a row
    "token_accuracy": token_accuracy,
    "token_f1": token_f1,
    # texts; references may be several texts a row
    "squad_exact_match": squad_exact_match,
    "squad_f1": squad_f1,
    "squad_v2_exact_match": squad_v2_exact_match,
    "squad_v2_f1": squad_v2_f1,
    "bleu": bleu,
    "chrf": chrf,
    "rouge1": rouge1,
    "rouge2": rouge2,
    "rougeL": rougeL,
    "rougeLsum": rougeLsum,
    # token vectors, or texts and an encoder
    "bertscore": bertscore,
    # texts alone
    "distinct_n": distinct_n,
    # rankings, or scores of every document, against what is relevant
    "hits_at_k": hits_at_k,
    "mrr": mrr,
    "ndcg": ndcg,
    # summed negative log-likelihoods; numbers of tokens, or texts
    "token_perplexity": token_perplexity,
    "byte_perplexity": byte_perplexity,
    "bits_per_byte": bits_per_byte,
}

ROW_SUMS: dict[str, Callable[..., RowSums]] = {
    # Metrics that are a function of sums over rows: resampled test sets cost one product of
    # matrices, however dear the rows are to read.
    "accuracy": accuracy_rows,
    "exact_match": exact_match_rows,
    "mse": mse_rows,
    "mae": mae_rows,
    "log_loss": log_loss_rows,
    "brier": brier_rows,
    "entity_f1": partial(entity_rows, score=f1_of),
    "entity_precision": partial(entity_rows, score=precision_of),
    "entity_recall": partial(entity_rows, score=recall_of),
    "span_f1": partial(span_rows, score=f1_of),
    "span_precision": partial(span_rows, score=precision_of),
    "span_recall": partial(span_rows, score=recall_of),
    "token_accuracy": token_accuracy_rows,
    "token_f1": token_f1_rows,
    "squad_exact_match": squad_exact_match_rows,
    "squad_f1": squad_f1_rows,
    "squad_v2_exact_match": squad_v2_exact_match_rows,
    "squad_v2_f1": squad_v2_f1_rows,
    "bleu": bleu_rows,
    "chrf": chrf_rows,
    "rouge1": partial(rouge_rows, overlap=words_shared),
    "rouge2": partial(rouge_rows, overlap=pairs_shared),
    "rougeL": partial(rouge_rows, overlap=order_shared),
    "rougeLsum": partial(rouge_rows, overlap=order_of_lines_shared),
    "bertscore": bertscore_rows,
    "hits_at_k": hits_at_k_rows,
    "mrr": mrr_rows,
    "ndcg": ndcg_rows,
    "token_perplexity": token_perplexity_rows,
    "byte_perplexity": byte_perplexity_rows,
    "bits_per_byte": bits_per_byte_rows,
}


def metric(
    name: str, predictions: Column, references: Column | None = None, **options: Any
) -> dict[str, float]:
    """The metric of that name, or each of a set of metrics, as a dict of numbers.

    Nothing is downloaded.

    Args:
        name: a key of METRICS, or of METRIC_SETS: "glue/mrpc", "squad", "rouge".
        predictions: what the model said: labels, label sets, numbers, probabilities, tags, texts.
        references: what is true, row by row. Metrics that judge predictions alone need none.
        options: the metric's own, such as `average="weighted"` for f1; those of a set go to each
            of its metrics that has them.

    Raises:
        ConfigError: an unknown name or option, or columns that cannot be compared.

    >>> metric("accuracy", ["a", "b"], ["a", "a"])
    {'accuracy': 0.5}
    >>> metric("glue/mrpc", [1, 0], [1, 1])
    {'accuracy': 0.5, 'binary_f1': 0.6666666666666666}
    """
    names = METRIC_SETS.get(name, (name,))
    check_options(name, names, options)
    return {
        each: metric_function(each)(
            *columns_of(each, predictions, references),
            **{option: options[option] for option in options_of(each) if option in options},
        )
        for each in names
    }


def metric_function(name: str) -> Callable[..., float]:
    """The function behind a name, or an error that lists the names."""
    if name in METRIC_SETS:
        raise ConfigError(
            f"{name!r} is a set of metrics", allowed=f"one of them: {', '.join(METRIC_SETS[name])}"
        )
    if name not in METRICS:
        names = (*METRICS, *METRIC_SETS)
        raise ConfigError(
            f"unknown metric {name!r}",
            allowed=", ".join(names),
            next_step=nearest(name, names),
        )
    return METRICS[name]


def options_of(name: str) -> list[str]:
    """The names of a metric's own options."""
    parameters = inspect.signature(metric_function(name)).parameters.values()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]


def check_options(name: str, metrics: tuple[str, ...], options: Mapping[str, Any]) -> None:
    """Refuses an option that none of the metrics behind a name has."""
    known = list(dict.fromkeys(option for each in metrics for option in options_of(each)))
    for option in options:
        if option not in known:
            raise ConfigError(
                f"metric {name!r} has no option {option!r}",
                allowed=", ".join(known) or "no options",
                next_step=nearest(option, known),
            )


def columns_of(name: str, predictions: Column, references: Column | None) -> tuple[Column, ...]:
    """The columns that a metric is called with: both, unless it judges predictions alone."""
    if "references" not in inspect.signature(metric_function(name)).parameters:
        return (predictions,)
    if references is None:
        raise ConfigError(f"metric {name!r} has no references", allowed="one for each prediction")
    same_length(predictions, references)
    return predictions, references
