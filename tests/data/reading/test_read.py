from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest

from headway.data import FORMATS, Dataset, read
from headway.errors import ConfigError, DataError, InputError

from ..formats.test_folder import plant
from ..helpers import one

CSV = b"text,label\na,x\nb,y\n"


def sizes(data: Dataset | dict[str, Dataset]) -> dict[str, int]:
    assert isinstance(data, dict)
    return {split: len(part) for split, part in data.items()}


def test_a_file_is_one_data_set_whatever_it_is_called(tmp_path: Path) -> None:
    plant(tmp_path, {"train.csv": CSV})
    data = one(tmp_path / "train.csv")
    assert len(data) == 2
    assert data.name == str(tmp_path / "train.csv")
    assert one(os.fspath(tmp_path / "train.csv")).fingerprint == data.fingerprint


def test_upper_case_suffixes(tmp_path: Path) -> None:
    plant(tmp_path, {"A.CSV": CSV})
    assert len(one(tmp_path / "A.CSV")) == 2


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["train.csv", "dev.csv", "test.csv"], {"train": 2, "validation": 2, "test": 2}),
        (["x-valid.csv", "x-train.csv"], {"train": 2, "validation": 2}),
        (["train-0.csv", "train-1.csv", "val.csv"], {"train": 4, "validation": 2}),
        (["train/a.csv", "train/test.csv", "test/b.csv"], {"train": 4, "test": 2}),
        (["data/train.csv", "data/test.csv"], {"train": 2, "test": 2}),
        (["Training/a.csv", "development/b.csv"], {"train": 2, "validation": 2}),
        (["train.csv", "README.txt", "LICENSE.txt", ".hidden.csv"], {"train": 2}),
    ],
)
def test_names_say_splits(files: list[str], expected: dict[str, int], tmp_path: Path) -> None:
    plant(tmp_path, dict.fromkeys(files, CSV))
    assert sizes(read(tmp_path)) == expected
    assert list(sizes(read(tmp_path))) == list(expected)


def test_files_without_split_names_follow_each_other(tmp_path: Path) -> None:
    plant(tmp_path, {"b.csv": b"text,label\nz,x\nz2,x2\n", "a.csv": CSV})
    assert one(tmp_path)["text"] == ["a", "b", "z", "z2"]
    assert one(tmp_path / "?.csv")["text"] == ["a", "b", "z", "z2"]


def test_patterns(tmp_path: Path) -> None:
    plant(tmp_path, {"en-train.csv": CSV, "en-test.csv": CSV, "de-train.csv": CSV})
    assert sizes(read(tmp_path / "en-*.csv")) == {"train": 2, "test": 2}
    assert sizes(read(tmp_path / "*-train.csv")) == {"train": 4}
    plant(tmp_path / "deep", {"one/a.csv": CSV, "two/b.csv": CSV})
    assert len(one(tmp_path / "deep" / "**" / "*.csv")) == 4
    for pattern in ("no-*.csv", "**x"):
        with pytest.raises(DataError, match=r"no file matches|is no pattern"):
            read(tmp_path / pattern)


def test_a_file_with_a_pattern_in_its_name(tmp_path: Path) -> None:
    plant(tmp_path, {"a[1].csv": CSV})
    assert len(one(tmp_path / "a[1].csv")) == 2


def test_what_is_left_out_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plant(tmp_path, {"train.csv": CSV, "extra.csv": CSV})
    with caplog.at_level("WARNING", logger="headway"):
        assert sizes(read(tmp_path)) == {"train": 2}
    assert "extra.csv" in caplog.text


def test_a_saved_folder_of_the_datasets_library(tmp_path: Path) -> None:
    from ..formats.test_columnar import TABLE, write_stream

    notes = {"dataset_dict.json": b"{}", "train/state.json": b"{}", "test/dataset_info.json": b"{}"}
    plant(tmp_path, notes)
    for split in ("train", "test"):
        write_stream(TABLE, tmp_path / split / "data-00000-of-00001.arrow")
    assert sizes(read(tmp_path)) == {"train": 4, "test": 4}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "holds nothing to read"),
        ({"a.exe": b"x", "b": b"y"}, "holds nothing to read"),
        ({"train/a.exe": b"x"}, "holds nothing to read"),
        ({"x/a.exe": b"x", "y/a.exe": b"x"}, "holds nothing to read"),
        ({"train.csv": CSV, "train.jsonl": b'{"a": 1}\n'}, "several formats"),
        ({"train-test.csv": CSV}, "says two splits: train, test"),
        ({"a.csv": CSV, "b.csv": b"text,topic\nx,y\n"}, "b.csv has the columns text, topic"),
        ({"a.csv": CSV, "b.csv": b""}, "b.csv is empty"),
        ({"a.csv": CSV, "b.csv": b"text,label\n1,x\n2,y\n"}, "b.csv: column 'text' holds int64"),
        ({"a-00001-of-00002.csv": CSV}, "1 of 2 files are there"),
        ({"train/a-00000-of-00002.csv": CSV}, "1 of 2 files are there"),
        ({"dev/a.csv": CSV, "valid/a.csv": CSV}, "two folders for validation"),
    ],
)
def test_folders_that_make_no_data(files: dict[str, bytes], says: str, tmp_path: Path) -> None:
    plant(tmp_path, files)
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "files",
    [
        ["package/news/data/tech/1.txt", "package/news/data/state/2.txt", "package/code/x.py"],
        ["news/tech/1.txt", "news/state/2.txt", "package-1.0.dist-info/top_level.txt"],
    ],
)
def test_the_only_folder_with_rows_is_found(files: list[str], tmp_path: Path) -> None:
    plant(tmp_path, dict.fromkeys(files, b"a text"))
    assert one(tmp_path)["label"] == ["state", "tech"]


def test_one_folder_of_texts_is_no_class(tmp_path: Path) -> None:
    plant(tmp_path, {"data/train.txt": b"a\nb\n", "data/test.txt": b"c\n"})
    assert sizes(read(tmp_path)) == {"train": 2, "test": 1}


def test_several_folders_with_rows_are_listed(tmp_path: Path) -> None:
    plant(tmp_path, {"de/a.csv": CSV, "en/a.csv": CSV, "code/a.py": b""})
    with pytest.raises(DataError, match=r"several folders of rows: de, en\."):
        read(tmp_path)


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    plant(tmp_path, {"tickets.csv": CSV})
    with pytest.raises(DataError, match=r"no file or folder .*did you mean 'tickets.csv'"):
        read(tmp_path / "ticket.csv")
    with pytest.raises(DataError, match="no file or folder"):
        read(tmp_path / "nowhere" / "ticket.csv")


def test_an_unknown_suffix_lists_the_known(tmp_path: Path) -> None:
    plant(tmp_path, {"a.xlsx": b"x", "plain": CSV})
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.xlsx")
    for one_format in FORMATS.values():
        for suffix in one_format.suffixes:
            assert suffix in str(caught.value)
    assert len(one(tmp_path / "plain", format="csv")) == 2


def test_an_unknown_format_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'conll'"):
        read("a.csv", format="conl")


@pytest.mark.parametrize("name", ["http://example.org/a.csv", "s3://b/a.csv", "", "a\0b.csv"])
def test_what_is_no_place_on_this_machine(name: str) -> None:
    with pytest.raises(DataError, match="no place on this machine"):
        read(name)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.jsonl", {"header": True}),
        ("a.txt", {"delimiter": ","}),
        ("a.csv", {"field": "rows"}),
        ("a.parquet", {"encoding": "latin-1"}),
        ("a.conll", {"quoting": False}),
    ],
)
def test_an_option_that_a_format_does_not_have(
    name: str, options: dict[str, object], tmp_path: Path
) -> None:
    plant(tmp_path, {name: CSV})
    with pytest.raises(ConfigError, match=f"{next(iter(options))}=.* means nothing"):
        read(tmp_path / name, **options)  # type: ignore[arg-type]  # any one of the options


@pytest.mark.parametrize("name", ["pkg:news", "hf://datasets/org/news"])
def test_names_are_resolved_by_the_hub(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, {"train.csv": CSV, "test.csv": CSV})
    asked: list[str] = []

    def resolve_data(name: str) -> Path:
        asked.append(name)
        return tmp_path

    hub = ModuleType("headway.hub")
    monkeypatch.setattr(hub, "resolve_data", resolve_data, raising=False)
    monkeypatch.setitem(sys.modules, "headway.hub", hub)
    data = read(name)
    assert sizes(data) == {"train": 2, "test": 2}
    assert isinstance(data, dict)
    assert data["train"].name.startswith(name)
    assert asked == [name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    plant(tmp_path, {"a.csv": CSV})
    (tmp_path / "a.csv").chmod(stat.S_IWUSR)
    with pytest.raises(InputError, match="cannot read"):
        read(tmp_path / "a.csv")


def test_a_folder_that_contains_itself(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(DataError):
        read(tmp_path)


def test_code_in_a_data_folder_is_not_run(tmp_path: Path) -> None:
    spring = f"open({str(tmp_path / 'sprung')!r}, 'w')"
    plant(
        tmp_path,
        {"data/train.csv": CSV, "data/conftest.py": spring.encode(), "data.py": spring.encode()},
    )
    assert sizes(read(tmp_path / "data")) == {"train": 2}
    assert not (tmp_path / "sprung").exists()


def test_real_folders(shared: Path) -> None:
    assert sizes(read(shared / "sst2")) == {"train": 6920, "validation": 872, "test": 1821}
    assert sizes(read(shared / "rte-glue")) == {"train": 2490, "validation": 277}
    assert sizes(read(shared / "mrpc", format="tsv")) == {"train": 4076, "test": 1725}
    assert sizes(read(shared / "stsb-multi" / "stsb-fr-*.csv")) == {
        "train": 5749,
        "validation": 1500,
        "test": 1379,
    }
