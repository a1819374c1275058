from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headway.data import Image, Label, Number, Sequence, Spans, Text
from headway.data.reading.featurefiles import load_features
from headway.errors import ConfigError, DataError

from ..helpers import one

FEATURES: dict[str, Any] = {
    "a": ("text", Text()),
    "b": ("number", Number()),
    "c": ("whole number", Number(whole=True)),
    "d": ("image", Image()),
    "e": ({"label": ["x", "y"]}, Label(("x", "y"))),
    "f": ({"sequence": {"sequence": "text"}}, Sequence(Sequence(Text()))),
    "g": ({"spans": "a"}, Spans("a")),
    "h": ({"spans": "a", "labels": ["PER"]}, Spans("a", ("PER",))),
}
TOML = """
a = "text"
b = "number"
c = "whole number"
d = "image"
e = {label = ["x", "y"]}
f = {sequence = {sequence = "text"}}
g = {spans = "a"}
h = {spans = "a", labels = ["PER"]}
"""


def test_every_feature(tmp_path: Path) -> None:
    expected = {name: feature for name, (_, feature) in FEATURES.items()}
    (tmp_path / "f.toml").write_text(TOML)
    written = {name: said for name, (said, _) in FEATURES.items()}
    (tmp_path / "f.json").write_text(json.dumps(written))
    assert load_features(tmp_path / "f.toml") == load_features(str(tmp_path / "f.json")) == expected
    assert load_features(expected) is expected


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("txet", r"column 'a': no feature 'txet' \(did you mean 'text'\?\)"),
        (3, "column 'a': 3 is no feature"),
        ({}, "is no feature"),
        ([], "is no feature"),
        ({"label": []}, r"labels \(\)"),
        ({"label": ["x", "x"]}, "none twice"),
        ({"label": ["x", 1]}, "is no feature"),
        ({"label": ["x"], "names": ["y"]}, "is no feature"),
        ({"sequence": "txet"}, "no feature 'txet'"),
        ({"spans": 1}, "is no feature"),
        ({"spans": "a", "label": ["x"]}, "is no feature"),
    ],
    ids=str,
)
def test_what_is_no_feature(value: Any, says: str, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text(json.dumps({"a": value}))
    with pytest.raises(ConfigError, match=says):
        load_features(tmp_path / "f.json")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("f.toml", "a = ", "the features .*f.toml cannot be read"),
        ("f.json", "[" * 100_000, "the features .*f.json cannot be read"),
        ("f.json", "[1]", "no table"),
        ("f.toml", "", "names no column"),
        ("f.txt", "", "a .toml or .json file"),
    ],
)
def test_files_that_are_none(name: str, content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises((ConfigError, DataError), match=says):
        load_features(tmp_path / name)


def test_read_takes_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,e\n1,0\n2,y\n")
    (tmp_path / "f.toml").write_text('a = "text"\ne = {label = ["x", "y"]}\n')
    assert list(one(tmp_path / "a.csv", features=tmp_path / "f.toml")) == [
        {"a": "1", "e": "x"},
        {"a": "2", "e": "y"},
    ]
    with pytest.raises(DataError, match="cannot be read"):
        one(tmp_path / "a.csv", features=tmp_path / "none.toml")
