"""BERT and ALBERT as they were first released: TensorFlow's variables and a config of their own.

Sources: https://github.com/google-research/bert (modeling.py, run_classifier.py, run_squad.py);
https://github.com/google-research/albert (modeling.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import Tensor

from headway.checkpoints.documents import read_object
from headway.checkpoints.weights.plain import collected, damaged
from headway.checkpoints.weights.tensor_bundle import read_bundle, read_index
from headway.errors import CheckpointError

__all__ = ["CONFIGS", "INDEX", "original_config", "original_name", "read_original"]

CONFIGS = {"albert_config.json": "albert", "bert_config.json": "bert"}
"""File that stands in the place of config.json -> `model_type`."""

INDEX = "*.index"

ABOUT_TRAINING = {"adam_m", "adam_v", "AdamWeightDecayOptimizer", "global_step"}
"""Parts of variables' names that hold the state of training, not the model."""

ALBERT = (
    (r"^bert/", "albert/"),
    (r"/transformer/group_(\d+)/inner_group_(\d+)/", r"/albert_layer_groups/\1/albert_layers/\2/"),
    (r"(?<=\d)/LayerNorm/", "/attention/LayerNorm/"),
    (r"/LayerNorm_1/", "/full_layer_layer_norm/"),
    (r"/attention_1/(self|output)/", "/attention/"),
    (r"/ffn_1/intermediate/output/dense/", "/ffn_output/"),
    (r"/ffn_1/intermediate/dense/", "/ffn/"),
    (r"/pooler/dense/", "/pooler/"),
    (r"^cls/predictions/(transform/)?", "predictions/"),
    (r"^cls/seq_relationship/", "sop_classifier/classifier/"),
)
"""Parts of ALBERT's variables -> what torch weights call them, replaced in this order."""

CLASSES = "output_weights"
"""The variable of a classifier's weights; it stands beside the model, not below it."""


def read_original(index: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint, named and laid as in the same model's torch weights.

    Raises:
        CheckpointError: a file is lacking, cut short or corrupt.
    """
    found = read_bundle(index, _of_model)
    replaced = ALBERT if any("/inner_group_" in variable for variable in found) else ()
    try:
        return collected(_renamed(name, tensor, replaced) for name, tensor in found.items())
    except ValueError as error:
        raise damaged(index, error) from None


def original_config(path: Path, index: Path | None) -> dict[str, Any]:
    """What config.json would say, from a file of CONFIGS and the variables beside it.

    Which head there is, and how many labels, is read off the variables.

    Raises:
        CheckpointError: the file, or the list of variables, cannot be read.
    """
    kind = CONFIGS[path.name]
    values = {**read_object(path), "model_type": kind}
    variables = {} if index is None else read_index(index)
    if CLASSES in variables:
        values["architectures"] = [f"{kind.title()}ForSequenceClassification"]
        count = variables[CLASSES].shape[0] if variables[CLASSES].shape else 0
        if not 0 < count <= 10_000:
            raise CheckpointError(f"{index}: {CLASSES} of {count} labels", allowed="1 to 10,000")
        values["id2label"] = {str(number): f"LABEL_{number}" for number in range(count)}
    elif "cls/predictions/output_bias" in variables:
        values["architectures"] = [f"{kind.title()}ForMaskedLM"]
    return values


def original_name(variable: str) -> str:
    """The name in torch weights of a variable.

    >>> original_name("bert/encoder/layer_0/attention/self/query/kernel")
    'bert.encoder.layer.0.attention.self.query.weight'
    >>> original_name("bert/embeddings/word_embeddings"), original_name("output_bias")
    ('bert.embeddings.word_embeddings.weight', 'classifier.bias')
    """
    parts = re.sub(r"(^|/)layer_(\d+)(?=/)", r"\1layer/\2", variable).split("/")
    endings = {
        "kernel": "weight",
        "gamma": "weight",
        "beta": "bias",
        "output_weights": "weight",
        "output_bias": "bias",
    }
    if len(parts) == 1 and parts[0] in ("output_weights", "output_bias"):
        parts.insert(0, "classifier")
    if parts[:2] == ["cls", "squad"]:
        parts[:2] = ["qa_outputs"]
    if parts[-1].endswith("_embeddings"):
        parts.append("weight")
    return ".".join([*parts[:-1], endings.get(parts[-1], parts[-1])])


def _renamed(
    variable: str, tensor: Tensor, replaced: Iterable[tuple[str, str]]
) -> tuple[str, Tensor]:
    matrix = variable.endswith("/kernel") and tensor.dim() == 2  # inputs by outputs
    for pattern, new in replaced:
        variable = re.sub(pattern, new, variable)
    return original_name(variable), tensor.t() if matrix else tensor


def _of_model(variable: str) -> bool:
    parts = variable.split("/")
    return not any(part in ABOUT_TRAINING or part[:-2] in ABOUT_TRAINING for part in parts)
