"""BERT as it was first released: TensorFlow's variables, and `bert_config.json`.

Source: https://github.com/google-research/bert (modeling.py, run_classifier.py, run_squad.py).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from torch import Tensor

from headway.checkpoints.documents import read_object
from headway.checkpoints.weights.plain import collected, damaged
from headway.checkpoints.weights.tensor_bundle import read_bundle, read_index
from headway.errors import CheckpointError

__all__ = ["CONFIG", "INDEX", "original_config", "original_name", "read_original"]

CONFIG = "bert_config.json"
INDEX = "*.index"

ABOUT_TRAINING = {"adam_m", "adam_v", "AdamWeightDecayOptimizer", "global_step"}
"""Parts of variables' names that hold the state of training, not the model."""

CLASSES = "output_weights"
"""The variable of a classifier's weights; it stands beside the model, not below it."""


def read_original(index: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint, named and laid as in the same model's torch weights.

    Raises:
        CheckpointError: a file is lacking, cut short or corrupt.
    """
    try:
        return collected(_renamed(*each) for each in read_bundle(index, _of_model).items())
    except ValueError as error:
        raise damaged(index, error) from None


def original_config(folder: Path, index: Path | None) -> dict[str, Any]:
    """What config.json would say of a folder that has bert_config.json.

    Which head there is, and how many labels, is read off the variables.

    Raises:
        CheckpointError: the file, or the list of variables, cannot be read.
    """
    values = {**read_object(folder / CONFIG), "model_type": "bert"}
    variables = {} if index is None else read_index(index)
    if CLASSES in variables:
        values["architectures"] = ["BertForSequenceClassification"]
        count = variables[CLASSES].shape[0] if variables[CLASSES].shape else 0
        if not 0 < count <= 10_000:
            raise CheckpointError(f"{index}: {CLASSES} of {count} labels", allowed="1 to 10,000")
        values["id2label"] = {str(number): f"LABEL_{number}" for number in range(count)}
    elif "cls/predictions/output_bias" in variables:
        values["architectures"] = ["BertForMaskedLM"]
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


def _renamed(variable: str, tensor: Tensor) -> tuple[str, Tensor]:
    matrix = variable.endswith("/kernel") and tensor.dim() == 2  # inputs by outputs
    return original_name(variable), tensor.t() if matrix else tensor


def _of_model(variable: str) -> bool:
    parts = variable.split("/")
    return not any(part in ABOUT_TRAINING or part[:-2] in ABOUT_TRAINING for part in parts)
