from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.formats import text as text_format
from headway.errors import ConfigError

from ..helpers import one, read_bytes, refusal, texts


@given(rows=st.lists(texts, min_size=1), end=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_lines_are_rows(rows: list[str], end: str, last: bool) -> None:
    rows = [row.replace("\n", " ").replace("\r", " ") for row in rows]
    rows[0] = rows[0].lstrip("\ufeff")  # there it is a byte order mark
    if not last and not rows[-1]:
        rows[-1] = "x"  # an empty last line without its end is no line
    content = end.join(rows) + (end if last else "")
    assert read_bytes(content.encode(), "a.txt")["text"] == rows


def test_only_line_feeds_end_lines() -> None:
    odd = "a\u2028b\u0085c\x0cd\x0be\rf"
    assert read_bytes(f"{odd}\nnext\n".encode(), "a.txt")["text"] == [odd, "next"]


def test_an_empty_file_is_refused() -> None:
    assert "is empty" in refusal(b"", "a.txt")
    assert "is empty" in refusal(b"\xef\xbb\xbf", "a.txt")


def test_a_text_of_a_megabyte() -> None:
    long = "ä" * 600_000
    assert read_bytes(f"{long}\nb\n".encode(), "a.txt")["text"] == [long, "b"]


def paragraphs(content: str) -> list[str]:
    """Line by line: what stands between lines of white space."""
    found: list[list[str]] = [[]]
    for line in content.replace("\r\n", "\n").split("\n"):
        if line.strip(" \t\r"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return ["\n".join(lines) for lines in found if lines]


@given(st.text(st.sampled_from("ab \t\r\n\u2028é"), max_size=40))
def test_paragraphs_stand_between_blank_lines(content: str) -> None:
    expected = paragraphs(content)
    if expected:
        data = read_bytes(content.encode(), "a.txt", sample_by="paragraph")
        assert data["text"] == expected
    elif content:
        assert "blank lines" in refusal(content.encode(), "a.txt", sample_by="paragraph")


def test_a_document_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf one\r\n\r\ntwo\n")
    (tmp_path / "b.txt").write_bytes(b"three")
    data = one(tmp_path / "*.txt", sample_by="document")
    assert data["text"] == [" one\n\ntwo\n", "three"]
    assert len(one(tmp_path / "*.txt", sample_by="line")) == 4


def test_another_way_to_cut() -> None:
    with pytest.raises(ConfigError, match=r"sample_by='page'.*line, paragraph, document"):
        read_bytes(b"a", "a.txt", sample_by="page")


@pytest.mark.parametrize("sample_by", ["line", "paragraph", "document"])
def test_a_text_beyond_the_offsets_of_string(
    sample_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done past 2 GB, with a smaller limit."""
    monkeypatch.setattr(text_format, "_MOST_BYTES", 10)
    data = read_bytes(b"a text that is long\n", "a.txt", sample_by=sample_by)
    assert data.column("text").type == pa.large_string()
    assert data["text"][0].strip() == "a text that is long"


def test_the_first_word_is_the_label() -> None:
    data = read_bytes(b"NUM:dist How far ?\r\n\nLOC  Where\tis it ?  \nX\n", "a.label")
    assert list(data) == [
        {"label": "NUM:dist", "text": "How far ?"},
        {"label": "LOC", "text": "Where\tis it ?"},
        {"label": "X", "text": ""},
    ]


def test_labelled_lines_that_are_blank() -> None:
    assert "only blank lines" in refusal(b"\n \n", "a.label")


def test_trec(shared: Path) -> None:
    train = one(shared / "trec" / "train_5500.label", format="labelled-lines", encoding="latin-1")
    test = one(shared / "trec" / "TREC_10.label", encoding="latin-1")
    assert (len(train), len(test)) == (5452, 500)
    coarse = Counter(label.split(":")[0] for label in train["label"])
    assert coarse == {"ENTY": 1250, "HUM": 1223, "DESC": 1162, "NUM": 896, "LOC": 835, "ABBR": 86}


def test_the_paragraphs_of_a_play(shared: Path) -> None:
    (path,) = (shared / "tinyshakespeare").glob("*input*.txt")
    data = one(path, sample_by="paragraph")
    assert data["text"] == paragraphs(path.read_text(encoding="utf-8"))
    assert len(data) > 7000


def test_wikitext_lines(shared: Path) -> None:
    data = one(shared / "wikitext-2" / "valid.txt")
    content = (shared / "wikitext-2" / "valid.txt").read_text(encoding="utf-8")
    assert data["text"] == content.removesuffix("\n").split("\n")
