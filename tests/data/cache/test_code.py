"""The key of a function changes with all that it reaches, and with nothing else."""

from __future__ import annotations

import functools
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headway.data.cache import key_of, reached
from headway.errors import DataError

Make = Callable[..., Any]

HELPER = """
import json
WORDS = ["a", "of"]
class Cutter:
    size = 3
    def __call__(self, text):
        return self.cut(text)
    def cut(self, text):
        return text[: self.size]
def keep(word):
    return word not in WORDS
"""
STEP = """
import functools
import helper
from helper import keep
cutter = helper.Cutter()
def step(row):
    "What it does."
    inner = lambda word: keep(word)  # a comment
    return {"text": cutter(" ".join(filter(inner, row["text"].split())))}
def by_module(row):
    return {"text": helper.keep(row["text"])}
def by_import(row):
    import helper as h
    return {"text": h.keep(row["text"])}
def closing(number):
    def closed(row):
        return {"n": number}
    return closed
def with_default(row, most=3):
    return {"n": most}
class Rows:
    def __init__(self, n):
        self.n = n
    def step(self, row):
        return {"n": self.n}
"""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Writes the two modules, with changes, and gives something of the second one."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(name: str = "step", *changes: tuple[str, str]) -> Any:
        helper, step = HELPER, STEP
        for before, after in changes:
            assert before in helper + step
            helper, step = helper.replace(before, after), step.replace(before, after)
        for module, source in (("helper", helper), ("step_of_test", step)):
            (tmp_path / f"{module}.py").write_text(source)
            sys.modules.pop(module, None)
        importlib.invalidate_caches()
        for cached in tmp_path.glob("__pycache__/*"):
            cached.unlink()
        return getattr(importlib.import_module("step_of_test"), name)

    yield made
    for module in ("helper", "step_of_test"):
        sys.modules.pop(module, None)


def key(function: Callable[..., Any]) -> str:
    return key_of(reached(function))


@pytest.mark.parametrize("name", ["step", "by_module", "by_import"])
def test_a_helper_in_another_module_counts(name: str, make: Make) -> None:
    before = key(make(name))
    assert key(make(name)) == before
    assert key(make(name, ("not in WORDS", "in WORDS"))) != before


@pytest.mark.parametrize(
    "change",
    [('"of"]', '"off"]'), ("size = 3", "size = 4"), ("[: self.size]", "[self.size :]")],
    ids=str,
)
def test_values_and_classes_that_are_reached_count(change: tuple[str, str], make: Make) -> None:
    assert key(make()) != key(make("step", change))


def test_what_does_not_run_does_not_count(make: Make) -> None:
    before = key(make())
    assert key(make("step", ("  # a comment", ""))) == before
    assert key(make("step", ("What it does.", "What it does, in other words."))) == before
    assert key(make("step", ("import functools\n", "import functools\n\n\n"))) == before
    assert key(make("by_module")) == key(make("by_module", ("size = 3", "size = 4")))


def test_closures_defaults_arguments_and_self_count(make: Make) -> None:
    closing = make("closing")
    assert key(closing(1)) == key(closing(1)) != key(closing(2))
    assert key(make("with_default")) != key(make("with_default", ("most=3", "most=4")))
    default = make("with_default")
    assert key(functools.partial(default, most=5)) != key(functools.partial(default, most=6))
    rows = make("Rows")
    assert key(rows(1).step) == key(rows(1).step) != key(rows(2).step)


def test_installed_packages_count_by_their_version() -> None:
    assert "package numpy" in reached(lambda row: {"n": np.mean(row["n"])})
    assert reached(lambda row: {"n": re.sub("a", "b", row["n"])}).keys() >= {"Python"}


def test_arrays_patterns_and_sets_are_known_by_what_they_hold() -> None:
    def of(value: Any) -> str:
        return key(lambda row: {"n": value})

    for same in (lambda: np.arange(3), lambda: re.compile("a+"), lambda: {"b", "a", 7}):
        assert of(same()) == of(same())
    assert of(np.arange(3)) != of(np.arange(3.0)) != of(np.arange(4.0))
    assert of(re.compile("a+")) != of(re.compile("a+", re.IGNORECASE))
    around: list[Any] = [1]
    around.append(around)
    assert of(around) != of([1])


def test_a_value_that_cannot_be_told_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w") as file, pytest.raises(DataError, match=r"file of .*TextIO"):
        reached(lambda row: {"n": file.name})


def test_functions_that_call_each_other_end() -> None:
    def first(row: Any) -> Any:
        return second(row)

    def second(row: Any) -> Any:
        return first(row)

    assert len(reached(first)) >= 3
