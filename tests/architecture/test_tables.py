"""One literal dict per concept, and its files agree with it."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import pytest

from .source import PACKAGE, SOURCES, Source, is_text

CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")
CHANGES = {"clear", "pop", "popitem", "setdefault", "update"}


@dataclass(frozen=True)
class Table:
    """A dict whose entries live one in a file.

    Args:
        module: where the dict stands.
        name: of the dict.
        folder: of the files, below the package.
        helpers: files there that hold no entry.
    """

    module: str
    name: str
    folder: str
    helpers: frozenset[str] = frozenset()

    @property
    def files(self) -> set[str]:
        """Names of the files that hold entries."""
        there = {path.stem for path in (PACKAGE / self.folder).glob("*.py")}
        assert not (gone := self.helpers - there), f"helpers that are not there: {gone}"
        return there - self.helpers - {"__init__"}


TABLES = [
    Table("headway.families", "FAMILIES", "families", frozenset({"encoder_decoder"})),
    Table(
        "headway.metrics.by_name",
        "METRICS",
        "metrics",
        frozenset(
            {
                "baseline",
                "by_name",
                "counts",
                "inputs",
                "interval",
                "label_codes",
                "mcnemar",
                "ngrams",
                "permutation",
                "row_sums",
                "sets",
                "subsequence",
                "tag_schemes",
                "texts",
                "words",
            }
        ),
    ),
    Table(
        "headway.data.reading.files",
        "FORMATS",
        "data/formats",
        frozenset({"cells", "conllu", "parts", "source", "squad", "values"})
        | {"compression", "recipes", "tablefiles"},
    ),
    Table(
        "headway.tasks",
        "TASKS",
        "tasks",
        frozenset({"choices", "costs", "inputs", "measured", "stacks", "task"}),
    ),
    Table(
        "headway.adaptation.methods",
        "METHODS",
        "adaptation/methods",
        frozenset({"method"}),
    ),
    Table(
        "headway.training.optimisers",
        "OPTIMISERS",
        "training/optimisers",
        frozenset({"groups", "together", "uncompiled"}),
    ),
    Table(
        "headway.training.objectives",
        "OBJECTIVES",
        "training/objectives",
        frozenset({"objective"}),
    ),
    Table("headway.pipelines", "PIPELINES", "pipelines", frozenset({"inputs", "reader", "writer"})),
    Table(
        "headway.compress.export",
        "EXPORTS",
        "compress",
        frozenset({"check", "export", "graphs", "jax_model"}),
    ),
    Table("headway.cli", "COMMANDS", "cli", frozenset({"data_tokenize"})),
]


INSTANCES = ("headway.tasks.", "headway.adaptation.methods.")
"""Where a class has one instance, which is the entry."""


def homes(value: object) -> Iterator[str]:
    """The modules that an entry comes from: its own, or those of what it holds."""
    if isinstance(value, ModuleType):
        yield value.__name__
    elif type(value).__module__.startswith(INSTANCES):
        yield type(value).__module__
    elif inspect.isfunction(value) or inspect.isclass(value):
        yield value.__module__
    elif isinstance(value, str):
        module, _, attribute = value.partition(":")  # imported when it is called
        assert hasattr(importlib.import_module(module), attribute), f"{value!r} leads nowhere"
        yield module
    elif isinstance(value, (tuple, list)):
        yield from (home for part in value for home in homes(part))
    elif dataclasses.is_dataclass(value):
        parts = [getattr(value, field.name) for field in dataclasses.fields(value)]
        yield from homes([part for part in parts if callable(part) or isinstance(part, ModuleType)])
    elif callable(getattr(value, "callback", None)):  # a click command
        yield from homes(inspect.unwrap(value.callback))  # type: ignore[attr-defined]
    else:
        raise AssertionError(f"{value!r} comes from no file that this test knows how to find")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_files_and_dict_agree(table: Table) -> None:
    entries: dict[str, object] = getattr(importlib.import_module(table.module), table.name)
    package = "headway." + table.folder.replace("/", ".") + "."
    found = {
        key: {home.removeprefix(package) for home in homes(entry) if home.startswith(package)}
        for key, entry in entries.items()
    }
    strangers = [key for key, files in found.items() if not files]
    assert not strangers, f"{table.name}: these come from no file in {table.folder}/: {strangers}"
    used = {name for files in found.values() for name in files}
    assert used - table.helpers == table.files, (
        f"a file in {table.folder}/ without an entry in {table.name}, or the reverse"
    )


def test_metrics_are_all_functions_that_score_and_bear_their_own_name() -> None:
    metrics = importlib.import_module("headway.metrics")
    scoring = {
        name
        for name in metrics.__all__
        if inspect.isfunction(function := getattr(metrics, name))
        and inspect.signature(function).return_annotation == "float"
    }
    assert scoring == set(metrics.METRICS)
    assert all(function.__name__ == name for name, function in metrics.METRICS.items())


def test_own_heads_are_functions_of_their_file() -> None:
    own = importlib.import_module("headway.heads.own")
    builders = {
        name
        for name, function in vars(own).items()
        if inspect.isfunction(function)
        and function.__module__ == own.__name__
        and list(inspect.signature(function).parameters)[:3] == ["hidden", "labels", "dropout"]
    }
    listed = [build for heads in own.OWN_HEADS.values() for build in heads.values()]
    assert builders == {build.__name__ for build in listed}
    for of, heads in own.OWN_HEADS.items():
        for name, build in heads.items():
            more = ["pooling"] if of == "text" else []
            assert list(inspect.signature(build).parameters)[3:] == more
            assert build.__name__ == f"{of}_{name}".replace("-", "_")


def test_what_a_model_is_adapted_to_it_can_answer() -> None:
    tasks = importlib.import_module("headway.tasks").TASKS
    assert set(tasks) <= set(importlib.import_module("headway.pipelines").PIPELINES)


def test_dicts_of_the_package_are_never_changed() -> None:
    """No registry is filled by importing something: what a dict says at its place is all."""
    constants = {name for source in SOURCES for name in literal_dicts(source)}
    assert {table.name for table in TABLES[:3]} <= constants, "this test finds no dicts any more"
    changes = [
        f"{source.at(node)}: {name}"
        for source in SOURCES
        for node in ast.walk(source.tree)
        if (name := changed(node)) in constants
    ]
    assert not changes, "write these entries into the dict itself:\n" + "\n".join(changes)


def literal_dicts(source: Source) -> Iterator[str]:
    """Constants of a module that are written as a dict with texts as keys."""
    for node in source.tree.body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        value = getattr(node, "value", None)
        if isinstance(value, ast.Dict) and all(map(is_text, value.keys)):
            yield from (
                target.id
                for target in targets
                if isinstance(target, ast.Name) and CONSTANT.fullmatch(target.id)
            )


def changed(node: ast.AST) -> str | None:
    """The name of what `X[...] = ...`, `del X[...]`, `X.update(...)` or `X |= ...` changes."""
    place: ast.expr | None = None
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        place = node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        place = node.func.value if node.func.attr in CHANGES else None
    elif isinstance(node, ast.AugAssign):
        place = node.target
    if isinstance(place, ast.Attribute):
        return place.attr
    return place.id if isinstance(place, ast.Name) else None


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("TASKS['x'] = 1", "TASKS"),
        ("del tasks.TASKS['x']", "TASKS"),
        ("TASKS.update(x=1)", "TASKS"),
        ("TASKS |= {}", "TASKS"),
        ("TASKS['x']", None),
        ("TASKS.get('x')", None),
    ],
)
def test_changes_are_recognised(line: str, name: str | None) -> None:
    assert {changed(node) for node in ast.walk(ast.parse(line))} - {None} == {name} - {None}
