"""Options that say how DATA is written and which rows are alike: the same for every command."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click
import pytest

from headway.cli import COMMANDS
from headway.cli.data import command as data_commands
from headway.cli.terminal.options import FILE_OPTIONS, file_options
from headway.cli.tokenizer import command as tokenizer_commands
from headway.data.reading import open as opening

from .calls import document, error_of, headway
from .tiny import rows, write_csv

XML = 'format = "xml"\nrow = "d"\n[columns]\ntext = "."\nlabel = "@label"\n'
PARALLEL = '{"format": "parallel", "columns": {"a": "*.a", "b": "*.b"}}'


def write_xml(path: Path, made: list[dict[str, str]]) -> str:
    inside = "".join(f'<d label="{row["label"]}">{row["text"]}</d>' for row in made)
    path.write_text(f"<r>{inside}</r>")
    return str(path)


@pytest.fixture
def xml(tmp_path: Path) -> tuple[str, str]:
    """A file of 30 rows, and the recipe for it."""
    (tmp_path / "recipe.toml").write_text(XML)
    return write_xml(tmp_path / "rows.xml", rows(30)), str(tmp_path / "recipe.toml")


def options_of(command: click.Command) -> set[str]:
    return {name for option in command.params for name in option.opts}


def test_whatever_reads_files_has_all_options_of_files() -> None:
    @click.command()
    @file_options
    def every(**_: Any) -> None: ...

    shared = options_of(every)
    assert shared == {f"--{name.replace('_', '-')}" for name in FILE_OPTIONS}
    places = (place.partition(":") for place in COMMANDS.values())
    commands = [getattr(importlib.import_module(module), name) for module, _, name in places]
    commands += [*data_commands.commands.values(), *tokenizer_commands.commands.values()]
    readers = [one for one in commands if shared & options_of(one)]
    names = ["adapt", "cluster", "compare", "evaluate", "generate", "inspect", "learning-curve"]
    names += ["predict", "pretrain", "search", "tokenize", "train"]
    assert sorted(str(one.name) for one in readers) == names
    assert all(shared <= options_of(one) for one in readers)


def test_a_recipe(model: str, run: str, xml: tuple[str, str], tmp_path: Path) -> None:
    data, recipe = xml
    quick = ("--epochs", "1", "--precision", "fp32", "--json")
    out = str(tmp_path / "run")
    made = document(headway("adapt", model, data, "--recipe", recipe, "--out", out, *quick))
    assert sum(made["data"]["rows"].values()) == 30
    scored = document(headway("evaluate", run, data, "--recipe", recipe, "--json"))
    assert scored["test"]["n"] == 30
    card = document(headway("data", "inspect", data, "--recipe", recipe, "--json"))
    assert (card["rows"], card["columns"]["label"]) == (30, "label")
    told = document(headway("predict", run, "--file", data, "--recipe", recipe, "--json"))
    assert [row["text"] for row in told] == [row["text"] for row in rows(30)]


def test_parallel_files(run: str, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "x.a").write_text("late\nbroken\n")
    (folder / "x.b").write_text("word1\nword2\n")
    (tmp_path / "recipe.json").write_text(PARALLEL)
    options = ("--recipe", str(tmp_path / "recipe.json"), "--text", "a", "--pair", "b", "--json")
    told = document(headway("predict", run, "--file", str(folder), *options))
    assert [(row["text"], row["pair"]) for row in told] == [("late", "word1"), ("broken", "word2")]


def test_features(model: str, run: str, tmp_path: Path) -> None:
    names = ["delivery", "quality", "praise"]
    numbered = [{**row, "label": str(names.index(row["label"]))} for row in rows(30)]
    data = str(write_csv(tmp_path / "rows.csv", numbered))
    (tmp_path / "f.toml").write_text(f"text = 'text'\nlabel = {{label = {names}}}\n")
    options = ("--features", str(tmp_path / "f.toml"), "--json")
    card = document(headway("data", "inspect", data, *options))
    assert set(card["splits"]["all"]["labels"]) == set(names)
    assert document(headway("evaluate", run, data, *options))["test"]["accuracy"] >= 0.9
    quick = ("--epochs", "1", "--precision", "fp32", "--no-baseline", "--out", str(tmp_path / "r"))
    assert document(headway("adapt", model, data, *quick, *options))["label_names"] == sorted(names)
    assert len(document(headway("predict", run, "--file", data, *options))) == 30
    (tmp_path / "f.toml").write_text("label = {label = ['a', 'b']}\n")
    for arguments in (("data", "inspect", data), ("evaluate", run, data)):
        said = error_of(headway(*arguments, *options))
        assert "rows.csv row 3, column 'label': '2' is not label, 2 names: a, b" in said


@pytest.mark.parametrize(("unit", "count"), [("line", 5), ("paragraph", 2), ("document", 1)])
def test_what_makes_a_row_of_text(unit: str, count: int, run: str, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("late\nword1\n\nbroken\nword2\n")
    told = document(headway("predict", run, "--file", str(file), "--sample-by", unit, "--json"))
    assert len(told) == count
    card = document(headway("data", "inspect", str(file), "--sample-by", unit, "--json"))
    assert card["rows"] == count


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--recipe", "{}/none.toml"), "the recipe {}/none.toml cannot be read"),
        (("--recipe", "{}/a.csv"), "Allowed: a .toml or .json file"),
        (("--recipe", "{}/broken.toml"), "the recipe {}/broken.toml cannot be read"),
        (("--recipe", "{}/keys.toml"), "a recipe with 'rows' (did you mean 'row'?)"),
        (
            ("--recipe", "{}/recipe.toml"),
            "has no element 'd'. Allowed: XML; no element is in the file",
        ),
        (("--recipe", "{}/recipe.toml", "--format", "csv"), "format='csv' with a recipe for xml"),
        (("--features", "{}/none.toml"), "the features {}/none.toml cannot be read"),
        (("--features", "{}/keys.toml"), "column 'format': no feature 'xml'"),
        (("--format", "xml"), "xml"),
        (("--sample-by", "word"), "'word' is not one of 'line', 'paragraph', 'document'"),
        (("--sample-by", "paragraph"), "sample_by='paragraph' means nothing for csv"),
        (("--encoding", "utf-99"), "utf-99"),
        (("--format", "cvs"), "no format 'cvs' (did you mean 'csv'?)"),
    ],
    ids=str,
)
def test_values_that_cannot_be(
    options: tuple[str, ...], said: str, run: str, model: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,x\nb,y\n")
    (tmp_path / "broken.toml").write_text("format = ")
    (tmp_path / "keys.toml").write_text('format = "xml"\nrows = "d"\n')
    (tmp_path / "recipe.toml").write_text(XML)
    data, here = str(tmp_path / "a.csv"), str(tmp_path)
    given = [option.replace("{}", here) for option in options]
    for arguments in (
        ("adapt", model, data, "--out", str(tmp_path / "run")),
        ("evaluate", run, data),
        ("predict", run, "--file", data),
        ("data", "inspect", data),
    ):
        assert said.replace("{}", here) in error_of(headway(*arguments, *given))


@pytest.mark.parametrize("option", ["recipe", "sample-by", "features"])
def test_options_of_a_file_without_one(option: str, run: str) -> None:
    value = "line" if option == "sample-by" else "x.toml"
    said = error_of(headway("predict", run, "late", f"--{option}", value))
    assert f"--{option} is of a file. Next: name the --file." in said


NEARLY = "It was a long winter in the north of the country and nobody came to see us"


def test_how_near_is_near(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{NEARLY}\n{NEARLY}, as ever, so we waited\n")
    for near, count in ((None, 0), ("0.5", 1), ("0.95", 0)):
        options = () if near is None else ("--near", near)
        card = document(headway("data", "inspect", str(tmp_path / "a.txt"), *options, "--json"))
        assert card["near"] == float(near or 0.8)
        assert card["splits"]["all"]["duplicates"]["near"] == count


def test_near_copies_are_dropped_or_told(model: str, tmp_path: Path) -> None:
    made = rows(30)
    text = "text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in made)
    (tmp_path / "train.csv").write_text(f"{text}{NEARLY},praise\n")
    (tmp_path / "test.csv").write_text(f"text,label\n{NEARLY}!,praise\nword1 late,delivery\n")
    quick = ("--epochs", "1", "--precision", "fp32", "--no-baseline", "--json")
    for near, counts in ((None, (31, 0, 1)), ("0.8", (30, 1, 0))):
        options = () if near is None else ("--near", near)
        out = str(tmp_path / f"run{near}")
        result = headway("adapt", model, str(tmp_path), "--out", out, *quick, *options)
        data = document(result)["data"]
        assert (data["rows"]["train"], data["leaked_dropped"], data["near_leaks"]) == counts
        assert ("nearly as in training or validation" in result.stderr) == (near is None)
        page = Path(out, "report.html").read_text("utf-8")
        assert ("1 test text is nearly as in training" in page) == (near is None)
        assert "Test rows that are nearly training or validation rows, kept" in page


@pytest.mark.parametrize("near", ["0", "1.5", "much"])
def test_shares_that_are_none(near: str, model: str, tickets: str, tmp_path: Path) -> None:
    for arguments in (("data", "inspect", tickets), ("adapt", model, tickets, "--out", "x")):
        assert "--near" in error_of(headway(*arguments, "--near", near))


def test_large_files_are_kept_and_why_tells_of_it(
    run: str, model: str, xml: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command that reads rows reads large files through one function."""
    data, recipe = xml
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    before = [
        document(headway("predict", run, "--file", data, "--recipe", recipe, "--json")),
        document(headway("data", "inspect", data, "--recipe", recipe, "--json")),
    ]
    assert headway("data", "why").stdout.startswith("No step was computed yet")
    monkeypatch.setattr(opening, "BIG", 0)
    after = [
        document(headway("predict", run, "--file", data, "--recipe", recipe, "--json")),
        document(headway("data", "inspect", data, "--recipe", recipe, "--json")),
    ]
    assert after == before
    quick = ("--epochs", "1", "--precision", "fp32", "--no-baseline", "--json")
    out = str(tmp_path / "run")
    document(headway("adapt", model, data, "--recipe", recipe, "--out", out, *quick))
    document(headway("evaluate", run, data, "--recipe", recipe, "--json"))
    (made,) = document(headway("data", "why", "--json"))
    assert (made["parts"]["step"], made["rows"], made["why"]) == ("prepare", 30, ["first time"])
    assert "prepare  30 rows, " in headway("data", "why").stdout
