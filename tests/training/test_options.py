from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headway.errors import ConfigError
from headway.training import Options

BAD: list[dict[str, Any]] = [
    {"epochs": 0},
    {"epochs": 1.5},
    {"epochs": True},
    {"learning_rate": 0},
    {"learning_rate": 1},
    {"learning_rate": float("nan")},
    {"learning_rate": "fast"},
    {"head_learning_rate": -1e-3},
    {"batch_tokens": 0},
    {"warmup": -0.1},
    {"warmup": 1.1},
    {"weight_decay": -1},
    {"clip": 0},
    {"clip": float("inf")},
    {"seed": -1},
    {"seed": 2**32},
    {"patience": 0},
    {"precision": "int8"},
    {"schedule": "cosin"},
    {"optimiser": "adam"},
    {"micro_batch_tokens": 0},
]


@pytest.mark.parametrize("wrong", BAD, ids=str)
def test_what_cannot_be_is_said(wrong: dict[str, Any]) -> None:
    name, value = next(iter(wrong.items()))
    with pytest.raises(ConfigError, match=f"^{name} = {value!r}.*Allowed: ") as error:
        Options(**wrong)
    assert error.value.allowed


def test_ends_of_the_ranges_are_fine() -> None:
    Options(epochs=1, batch_tokens=1, warmup=0, weight_decay=0, seed=0, patience=1)
    Options(warmup=1, seed=2**32 - 1, head_learning_rate=0.5)
    Options(epochs=np.int64(2), clip=np.float32(0.5))


def test_a_near_miss_is_named() -> None:
    with pytest.raises(ConfigError, match="did you mean 'bf16'"):
        Options(precision="bf-16")
