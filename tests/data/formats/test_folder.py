from __future__ import annotations

from pathlib import Path

import pytest

from headway.data import read
from headway.errors import DataError

from ..helpers import one


def plant(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_class_folders(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "tech/b.txt": b"two\r\nlines\n",
            "tech/a.txt": b"\xef\xbb\xbfone",
            "state/z.TXT": b"",
            "state/notes.md": b"not read",
            ".git/x.txt": b"not read",
            "__pycache__/x.txt": b"not read",
            "empty/x.md": b"not read",
            "README.txt": b"not read",
        },
    )
    assert list(one(tmp_path)) == [
        {"text": "", "label": "state", "file": "state/z.TXT"},
        {"text": "one", "label": "tech", "file": "tech/a.txt"},
        {"text": "two\nlines\n", "label": "tech", "file": "tech/b.txt"},
    ]


def test_class_folders_inside_splits(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {"test/pos/1.txt": b"c", "train/neg/1.txt": b"a", "train/pos/1.txt": b"b"},
    )
    data = read(tmp_path)
    assert isinstance(data, dict)
    assert {split: part["label"] for split, part in data.items()} == {
        "train": ["neg", "pos"],
        "test": ["pos"],
    }


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    plant(tmp_path, {"a/1.txt": b"fine", "b/2.txt": b"ok\n10 \xa3"})
    with pytest.raises(DataError, match=r"b/2.txt line 2, byte 4: 0xa3"):
        one(tmp_path)
    assert one(tmp_path, encoding="latin-1")["text"] == ["fine", "ok\n10 £"]


def test_the_format_can_be_asked_for(tmp_path: Path) -> None:
    plant(tmp_path, {"pos/1.txt": b"a", "neg/1.txt": b"b", "index.csv": b"a,b\nc,d\n"})
    assert one(tmp_path).column_names == ["a", "b"]
    assert one(tmp_path, format="folder")["label"] == ["neg", "pos"]


@pytest.mark.parametrize("path", [".", "a.csv"])
def test_no_class_folders(path: str, tmp_path: Path) -> None:
    plant(tmp_path, {"a.csv": b"a,b\n1,2\n"})
    with pytest.raises(DataError, match=r"class folders|no folders"):
        read(tmp_path / path, format="folder")


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    plant(tmp_path, {"a/1.txt": b"x", "b\udcff/1.txt": b"y"})
    with pytest.raises(DataError, match="name in it is not UTF-8"):
        read(tmp_path)
