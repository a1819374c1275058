"""The examples in the docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import headway.heads

MODULES = [
    f"headway.heads.{module.name}" for module in pkgutil.iter_modules(headway.heads.__path__)
]


@pytest.mark.parametrize("name", [*MODULES, "headway.core.steps"])
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
