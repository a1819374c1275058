"""The examples in docstrings run, and show what they say."""

from __future__ import annotations

import doctest
import importlib
import os
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"


def module_name(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [
    module_name(path)
    for path in sorted(SRC.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # an example may set a variable
    module = importlib.import_module(name)
    report: list[str] = []
    runner = doctest.DocTestRunner()
    examples = []
    for test in doctest.DocTestFinder().find(module, name):
        examples += test.examples
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)
    skipped = [example.source for example in examples if example.options.get(doctest.SKIP)]
    assert not skipped, f"an example that cannot run is not one: {skipped}"
    assert runner.tries == len(examples) > 0, "`>>>` stands where doctest does not find it"
