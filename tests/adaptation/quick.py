"""Adaptations that take a fraction of a second."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from training.tiny import rows, tiny_model

from headway import adapt
from headway.adaptation import Result
from headway.adaptation.rows import Data
from headway.model import Model

LEARNS: dict[str, Any] = {"epochs": 10, "lr": 5e-3, "probe": False}
"""Settings with which a tiny model learns a pattern."""


def quick(model: Model | str | None = None, data: Data | None = None, **settings: Any) -> Result:
    """One epoch of a tiny BERT on a few rows, without a baseline, unless asked for more."""
    usual: dict[str, Any] = {"epochs": 1, "precision": "fp32", "baseline": False, "contrast": False}
    return adapt(
        tiny_model() if model is None else model,
        rows(n=40) if data is None else data,
        **{**usual, **settings},
    )


def changed(first: Model, second: Model) -> bool:
    """Whether any parameter differs in any bit."""
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return not all(a.equal(b) for a, b in pairs)


def digest() -> str:
    """A hash of all that an adaptation with probe, baseline and label sets decides."""
    result = quick(data=rows("multi-label", signs=3, n=40), baseline=True, probe=True)
    parts = ("test", "baseline", "label_names", "curve", "notes", "data", "examples")
    whole = json.dumps({name: result.report[name] for name in parts})
    weights = "".join(str(value.tolist()) for value in result.model.state_dict().values())
    return hashlib.sha256((whole + weights).encode()).hexdigest()
