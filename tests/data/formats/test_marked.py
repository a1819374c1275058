from __future__ import annotations

import html
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway import read
from headway.errors import DataError

from ..helpers import refusal, texts


def rows(tmp_path: Path, content: str) -> list[dict[str, object]]:
    path = tmp_path / "a.txt"
    path.write_text(content, encoding="utf-8")
    return list(read(path, format="marked"))


def test_tags_become_places(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "<PER>Ada Lovelace</PER> lived in <LOC>London</LOC>.\n\n")
    assert row["text"] == "Ada Lovelace lived in London."
    assert row["entities"] == [
        {"start": 0, "end": 12, "label": "PER"},
        {"start": 22, "end": 28, "label": "LOC"},
    ]


def test_what_is_no_tag_is_text(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "a < b <3 x>y <A>1 &lt; 2 &amp; &#228;</A>\n")
    assert row["text"] == "a < b <3 x>y 1 < 2 & ä"
    assert row["entities"] == [{"start": 13, "end": 22, "label": "A"}]


def test_entities_in_each_other_and_texts_without(tmp_path: Path) -> None:
    first, second = rows(tmp_path, "<ORG>Bank of <LOC>Spain</LOC></ORG>\nnone\n")
    assert [one["label"] for one in first["entities"]] == ["ORG", "LOC"]  # type: ignore[attr-defined]
    assert second["entities"] == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("<PER>Ada", "<PER> is not closed"),
        ("Ada</PER>", "</PER> closes nothing"),
        ("<A>x<B>y</A></B>", "</A> closes nothing"),
    ],
)
def test_tags_that_do_not_match(line: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2") as caught:
        rows(tmp_path, f"fine\n{line}\n")
    assert said in str(caught.value)


def test_a_file_without_text() -> None:
    assert "holds no lines with text" in refusal(b"\n \n", "a.txt", format="marked")


@given(parts=st.lists(st.tuples(texts, st.booleans()), min_size=1, max_size=6))
def test_whatever_stands_between_tags(
    parts: list[tuple[str, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    parts = [("".join(text.split()) or "x", marked) for text, marked in parts]
    written = "".join(
        f"<T>{html.escape(text)}</T>" if marked else html.escape(text) for text, marked in parts
    )
    (row,) = rows(tmp_path_factory.mktemp("marked"), written.lstrip("\ufeff") + "\n")
    whole = str(row["text"])
    told = [whole[one["start"] : one["end"]] for one in row["entities"]]  # type: ignore[attr-defined]
    assert told == [text for text, marked in parts if marked]
