from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from headway.data import read
from headway.errors import ConfigError, DataError

from ..helpers import one
from .test_folder import plant

RECIPE = {"format": "parallel", "columns": {"de": "*.de", "en": "*.en"}}


def test_line_n_of_each_file_is_row_n(tmp_path: Path) -> None:
    plant(tmp_path, {"a.de": b"eins\n\ndrei\n", "a.en": b"one\n\nthree", "a.fr": b"un\n"})
    data = one(tmp_path, recipe=RECIPE)
    assert list(data) == [
        {"de": "eins", "en": "one"},
        {"de": "", "en": ""},
        {"de": "drei", "en": "three"},
    ]


def test_what_the_star_stands_for_says_the_split(tmp_path: Path) -> None:
    files = {
        f"{name}.{tongue}": b"x\n"
        for name in ("train.1", "train.2", "val")
        for tongue in ("de", "en")
    }
    plant(tmp_path, files)
    data = read(tmp_path, recipe=RECIPE)
    assert isinstance(data, dict)
    assert {split: len(part) for split, part in data.items()} == {"train": 2, "validation": 1}


def test_folders_and_compression(tmp_path: Path) -> None:
    plant(
        tmp_path, {"de/a.txt": b"x\n", "en/a.txt.gz": gzip.compress(b"y\n"), "de/README.txt": b""}
    )
    recipe = {"format": "parallel", "columns": {"de": "de/*.txt", "en": "en/*.txt.gz"}}
    assert list(one(tmp_path, recipe=recipe)) == [{"de": "x", "en": "y"}]


def test_a_pattern_without_a_star_is_a_file(tmp_path: Path) -> None:
    plant(tmp_path, {"a[1].de": b"x\n", "a.en": b"y\n"})
    recipe = {"format": "parallel", "columns": {"de": "a[1].de", "en": "a.en"}}
    assert list(one(tmp_path, recipe=recipe)) == [{"de": "x", "en": "y"}]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a.de": b"x\ny\n", "a.en": b"x\n"}, "a.en has 1 lines, "),
        ({"a.de": b"x\n", "a.en": b"x\n", "b.en": b"x\n"}, "b.en has no partner for column 'de'"),
        ({"a.de": b"x\n"}, "matches *.en"),
        ({"a.de": b"x\n", "a.en": b"\xff\n"}, "a.en line 1, byte 1"),
        ({"a.de": b"x\n", "a.en": b""}, "a.en is empty"),
    ],
)
def test_files_that_do_not_fit(files: dict[str, bytes], says: str, tmp_path: Path) -> None:
    plant(tmp_path, files)
    with pytest.raises(DataError) as caught:
        read(tmp_path, recipe=RECIPE)
    assert says in str(caught.value)


@pytest.mark.parametrize("pattern", ["*/*.de", "../*.de", "/etc/*"])
def test_patterns_that_are_refused(pattern: str, tmp_path: Path) -> None:
    recipe = {"format": "parallel", "columns": {"de": pattern}}
    with pytest.raises(ConfigError, match="with one"):
        read(tmp_path, recipe=recipe)


def test_a_recipe_is_needed_and_a_folder(tmp_path: Path) -> None:
    plant(tmp_path, {"a.de": b"x\n"})
    with pytest.raises(ConfigError, match="without a recipe"):
        read(tmp_path, format="parallel")
    with pytest.raises(DataError, match="is a file"):
        read(tmp_path / "a.de", recipe=RECIPE)


def test_multi30k_and_snli(shared: Path) -> None:
    recipe = {"format": "parallel", "columns": {"de": "*.de.gz", "en": "*.en.gz"}}
    data = read(shared / "multi30k", recipe=recipe)
    assert isinstance(data, dict)
    sizes = {split: len(part) for split, part in data.items()}
    assert sizes == {"train": 29_000, "validation": 1014, "test": 2000}
    columns = {"premise": "s1.*", "hypothesis": "s2.*", "label": "labels.*"}
    data = read(shared / "snli-devtest", recipe={"format": "parallel", "columns": columns})
    assert isinstance(data, dict)
    assert {split: len(part) for split, part in data.items()} == {"validation": 9842, "test": 9824}
    assert set(data["test"]["label"]) == {"entailment", "neutral", "contradiction"}
