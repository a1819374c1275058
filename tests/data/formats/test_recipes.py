from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headway.data import Recipe, read
from headway.data.formats.recipes import load_recipe
from headway.errors import ConfigError, DataError

TOML = 'format = "xml"\nrow = "doc"\n[columns]\ntext = "body"\nid = "@id"\n'
RECIPE = Recipe("xml", {"text": "body", "id": "@id"}, "doc")


def test_a_recipe_in_a_file_a_dict_or_an_object(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(TOML)
    values = {"format": "xml", "row": "doc", "columns": {"text": "body", "id": "@id"}}
    (tmp_path / "r.json").write_text(json.dumps(values))
    for given in (tmp_path / "r.toml", str(tmp_path / "r.json"), values, RECIPE):
        assert load_recipe(given) == RECIPE


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"format": "xml", "rows": "doc"}, "did you mean 'row'"),
        ({"format": "yaml", "columns": {"a": "b"}}, "format='yaml'"),
        ({"format": "xml", "row": "doc"}, "without columns"),
        ({"format": "xml", "row": "doc", "columns": ["a"]}, "without columns"),
        ({"format": "xml", "row": "doc", "columns": {"a": 1}}, "column 'a' of a recipe is 1"),
        ({"format": "xml", "columns": {"a": "b"}}, "without row"),
        ({"format": "xml", "row": 3, "columns": {"a": "b"}}, "row = 3"),
        ({"format": "parallel", "row": "x", "columns": {"a": "*.a"}}, "row in a parallel"),
        ({}, "format=''"),
    ],
)
def test_recipes_that_are_none(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe(values)
    assert says in str(caught.value)


@pytest.mark.parametrize("content", ["format = ", "[" * 2000, "\udcff"])
def test_files_that_hold_no_recipe(content: str, tmp_path: Path) -> None:
    for name in ("r.toml", "r.json"):
        (tmp_path / name).write_bytes(content.encode(errors="surrogateescape"))
        with pytest.raises((DataError, ConfigError), match="recipe"):
            load_recipe(tmp_path / name)
    with pytest.raises(ConfigError, match=r"recipe .*r\.yaml"):
        load_recipe(tmp_path / "r.yaml")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(ConfigError, match="no table"):
        load_recipe(tmp_path / "list.json")


def test_a_recipe_names_the_format(tmp_path: Path) -> None:
    (tmp_path / "a.data").write_text('<doc id="1"><body>x</body></doc>')
    assert read(tmp_path / "a.data", recipe=RECIPE)[0] == {"text": "x", "id": "1"}  # type: ignore[index]
    with pytest.raises(ConfigError, match="format='csv' with a recipe for xml"):
        read(tmp_path / "a.data", recipe=RECIPE, format="csv")
