"""House rules that can be read off the source: what is never called, and how long things are."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .source import ROOT, SOURCES, Source, called, calls

CODE_IN_DATA = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
CODE_FROM_TEXT = {"eval", "exec", "compile", "__import__"}

# Written as patterns that do not match themselves: this file is read too.
PRIVATE = re.compile(
    r"/[w]ork/|/[r]oot/|/opt/[p]ypi|/opt/[w]heels"  # places on one machine
    r"|[p]ypi\.(?:org|python)|[p]ythonhosted\.|download\.[p]ytorch\."  # package indexes
)


def outside_the_command_line() -> list[Source]:
    return [source for source in SOURCES if not source.module.startswith("headway.cli")]


def test_nothing_prints_but_the_command_line() -> None:
    found = [
        source.at(call)
        for source in outside_the_command_line()
        for call in calls(source)
        if called(call) in {"print", "pprint", "pprint.pprint", "sys.stdout.write"}
    ]
    assert not found, "say it through headway.logs, or give it back:\n" + "\n".join(found)


def test_nothing_runs_code_that_came_as_data() -> None:
    found = [
        f"{source.at(node)}: import {name}"
        for source in SOURCES
        for node, name in source.imports()
        if name.split(".")[0] in CODE_IN_DATA and name != "pickle.UnpicklingError"
    ]
    found += [
        f"{source.at(call)}: {unsafe}"
        for source in SOURCES
        for call in calls(source)
        if (unsafe := runs_data(call))
    ]
    assert not found, "\n".join(found)


def runs_data(call: ast.Call) -> str:
    """What is wrong with a call that may run code that came as data, or an empty string."""
    name = called(call)
    options = {
        option.arg: option.value.value
        for option in call.keywords
        if isinstance(option.value, ast.Constant)
    }
    if name in CODE_FROM_TEXT:
        return name
    if name == "torch.load" and options.get("weights_only") is not True:
        return "torch.load without weights_only=True"
    if name.endswith(".load") and options.get("allow_pickle", False):
        return "allow_pickle"
    return ""


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("eval(text)", True),
        ("model.eval()", False),
        ("re.compile(text)", False),
        ("torch.load(path)", True),
        ("torch.load(path, weights_only=False)", True),
        ("torch.load(path, map_location='cpu', weights_only=True)", False),
        ("np.load(path, allow_pickle=True)", True),
        ("np.load(path)", False),
    ],
)
def test_unsafe_calls_are_recognised(line: str, wrong: bool) -> None:
    (call,) = (node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call))
    assert bool(runs_data(call)) is wrong


def test_every_except_says_what_it_catches() -> None:
    found = [
        source.at(node)
        for source in SOURCES
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert not found, "\n".join(found)


def test_files_have_at_most_400_lines() -> None:
    long = [
        f"{source.at(source.tree)}: {lines} lines"
        for source in SOURCES
        if (lines := source.text.count("\n")) > 400
    ]
    assert not long, "two concepts in one file?\n" + "\n".join(long)


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_95_percent_of_functions_have_under_60_lines() -> None:
    lengths = {
        f"{source.at(function)} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for source in SOURCES
        for function in functions(source)
    }
    long = {name: length for name, length in lengths.items() if length >= 60}
    assert len(long) <= 0.05 * len(lengths), "\n".join(f"{n}: {long[n]} lines" for n in long)


@pytest.mark.parametrize(
    "source",
    [source for source in SOURCES if "__all__" in source.text],
    ids=lambda source: source.module,
)
def test_exported_names_are_there(source: Source) -> None:
    module = importlib.import_module(source.module)
    names = module.__all__
    assert len(names) == len(set(names)), "a name is exported twice"
    missing = [name for name in names if not hasattr(module, name)]
    assert not missing, f"{source.module}.__all__ names what is not there: {missing}"


def tracked() -> list[Path]:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so tracked files are not known")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_place_on_one_machine_or_a_package_index() -> None:
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="replace")
        lines = {text.count("\n", 0, match.start()) + 1 for match in PRIVATE.finditer(text)}
        found += [f"{path.relative_to(ROOT)}:{line}" for line in sorted(lines)]
    assert not found, "\n".join(found)
