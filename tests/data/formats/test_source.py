from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ..helpers import one, read_bytes, refusal

# A file of each text format with one place for bytes of all kinds, on line 2.
PLACES = {
    "a.csv": b"text,label\nx%sy,1\n",
    "a.tsv": b"text\tlabel\nx%sy\t1\n",
    "a.txt": b"first\nx%sy\n",
    "a.jsonl": b'{"text": "first"}\n{"text": "x%sy"}\n',
    "a.json": b'[{"text": "first"},\n{"text": "x%sy"}]\n',
    "a.conll": b"first\tO\nx%sy\tO\n",
    "a.label": b"A first\nB x%sy\n",
}
formats = pytest.mark.parametrize("name", PLACES)


@formats
def test_invalid_utf8_is_placed_and_latin1_suggested(name: str) -> None:
    content = PLACES[name] % b"\xa3"
    place = content.split(b"\n")[1].index(b"\xa3") + 1
    said = refusal(content, name)
    assert f"line 2, byte {place}: 0xa3 is not valid in utf-8" in said
    assert 'encoding="latin-1" (--encoding latin-1)' in said
    data = read_bytes(content, name, encoding="latin-1")
    assert "x£y" in str(data[len(data) - 1])


@formats
def test_nul_bytes_are_placed_and_refused(name: str) -> None:
    content = PLACES[name] % b"\0"
    place = content.split(b"\n")[1].index(b"\0") + 1
    assert f"line 2, byte {place}: a NUL byte" in refusal(content, name)
    assert f"line 2, byte {place}: a NUL byte" in refusal(content, name, encoding="latin-1")


def test_a_nul_far_down() -> None:
    assert "line 900001, byte 1:" in refusal(b"twenty letters long!\n" * 900_000 + b"\0\n", "a.txt")


@formats
def test_an_empty_file_is_refused(name: str) -> None:
    assert "is empty" in refusal(b"", name)


@formats
def test_every_encoding_of_python(name: str) -> None:
    text = (PLACES[name] % "é漢".encode()).decode()
    data = read_bytes(text.encode("utf-16"), name, encoding="utf-16")
    assert "xé漢y" in str(data[len(data) - 1])
    assert data.to_arrow() == read_bytes(text.encode("utf-8-sig"), name).to_arrow()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PAR1....", "a Parquet file"),
        (b"ARROW1..", "an Arrow file"),
        (gzip.compress(b"text\nx\n", mtime=0), "a gzip file"),
        (b"PK\x03\x04rest", "a zip file or a spreadsheet"),
        ("text\nx\n".encode("utf-16"), "UTF-16"),
        (b"%PDF-1.7", "a PDF file"),
    ],
)
def test_files_that_are_no_text_are_recognised(content: bytes, says: str) -> None:
    assert says in refusal(content, "a.csv")


def test_an_unknown_encoding() -> None:
    with pytest.raises(Exception, match="no text encoding 'klingon'"):
        read_bytes(b"a\n", "a.txt", encoding="klingon")


@pytest.mark.parametrize("encoding", ["hex", "rot13", "zlib"])
def test_codecs_that_decode_no_text(encoding: str) -> None:
    assert "text encoding" in refusal(b"abc\n", "a.txt", encoding=encoding)


def test_bytes_outside_the_named_encoding() -> None:
    said = refusal(b"ok\nx\xe9\n", "a.txt", encoding="ascii")
    assert "line 2, byte 2: 0xe9 is not valid in ascii" in said


def test_a_truncated_character_at_the_end() -> None:
    assert "line 1, byte 2" in refusal("aé".encode()[:-1], "a.txt")


def test_half_a_surrogate_pair() -> None:
    content = "a\nb".encode("utf-16-le") + b"\x00\xd8" + "c\n".encode("utf-16-le")
    refusal(content, "a.txt", encoding="utf-16-le")


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"cannot read .*: File name too long"):
        one(tmp_path / ("x" * 300 + ".csv"))
