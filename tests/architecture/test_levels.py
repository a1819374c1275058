"""Imports go strictly downward, and the peers that results are compared with are never imported."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from .source import PACKAGE, ROOT, SOURCES, SRC

PEERS = {
    "accelerate",
    "datasets",
    "evaluate",
    "gguf",
    "nltk",
    "peft",
    "rouge_score",
    "sentence_transformers",
    "sentencepiece",
    "seqeval",
    "setfit",
    "tiktoken",
    "tokenizers",
    "transformers",
}


def levels() -> list[list[str]]:
    """The layers contract of pyproject.toml, top level first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contract = next(each for each in settings["contracts"] if each["id"] == "levels")
    assert contract["type"] == "layers"
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def test_import_contracts_are_kept() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run(
        [lint, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, (
        "an import goes upward or sideways; move the shared part down to a level that both may "
        f"use, or hand it in as an argument:\n{found.stdout}{found.stderr}"
    )


def test_every_module_has_a_level() -> None:
    there = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__", "__main__"}
    named = [name for level in levels() for name in level]
    assert len(named) == len(set(named)), "a module stands on two levels"
    assert there == set(named), "pyproject.toml [tool.importlinter] must list each module once"


def test_imports_go_strictly_downward() -> None:
    """The same without import-linter, file by file, also while a level is still empty."""
    depth = {name: number for number, level in enumerate(levels()) for name in level}
    wrong = []
    for source in SOURCES:
        parts = source.module.split(".")
        for node, name in source.imports():
            target = name.split(".")
            if target[0] != "headway" or len(target) < 2 or len(parts) < 2:
                continue
            here, there = parts[1], target[1]
            if here != there and {here, there} <= depth.keys() and depth[here] >= depth[there]:
                wrong.append(f"{source.at(node)}: {here} imports {there}")
    assert not wrong, "\n".join(wrong)


def test_modules_do_not_import_each_other_in_circles() -> None:
    """Levels order the packages; this orders the modules within them. Types may point back."""
    graph = {
        source.module: {name for _, name in source.imports(for_types=False)} for source in SOURCES
    }
    graph = {
        module: {found for name in names if (found := module_of(name, graph))}
        for module, names in graph.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("these import each other in a circle: " + " -> ".join(error.args[1]))


def module_of(name: str, known: Mapping[str, object]) -> str | None:
    """The module of ours that `a.b.c` is, or is a name in; None for somebody else's.

    Compiled modules import nothing of ours.
    """
    if SRC.joinpath(*name.split(".")).with_suffix(".pyi").exists():
        return None
    return next((each for each in (name, name.rpartition(".")[0]) if each in known), None)


def test_peers_are_never_imported() -> None:
    found = [
        f"{source.at(node)}: {name}"
        for source in SOURCES
        for node, name in source.imports()
        if name.split(".")[0] in PEERS
    ]
    assert not found, "peers belong to tests and benchmarks:\n" + "\n".join(found)
