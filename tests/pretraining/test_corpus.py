"""Texts become blocks: no token is lost or doubled, whatever the texts are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway import Dataset, train_tokenizer
from headway.core.stacks import Decoder
from headway.errors import ConfigError, DataError
from headway.pretraining import Settings
from headway.pretraining.corpus import (
    Around,
    Blocks,
    around,
    blocks_of,
    held_out,
    read_earlier,
    read_texts,
)

from .texts import paragraphs

WORDS = train_tokenizer(iter(paragraphs(30)), kind="wordpiece", size=200, lowercase=True)
BYTES = train_tokenizer(iter(paragraphs(30)), kind="byte-bpe", size=300)
PUT = Around((2,), (3,), parted=3)


def stream(texts: list[str]) -> list[int]:
    return [i for text in texts for i in [*WORDS.encode(text, special=False).ids, 3]]


@given(st.lists(st.text(alphabet="the cat.\n é中", max_size=40), min_size=1, max_size=8),
       st.integers(4, 20))  # fmt: skip
def test_joined_blocks_are_the_stream(texts: list[str], size: int) -> None:
    found = blocks_of(pa.chunked_array([texts]), WORDS, size, PUT, joined=True)
    blocks = found.ids.to_pylist()
    assert [token for block in blocks for token in block] == stream(texts)
    assert all(len(block) == size - 2 for block in blocks[:-1])
    assert 0 < len(blocks[-1]) <= size - 2 and found.texts == len(texts)


@given(st.lists(st.text(alphabet="the cat.", min_size=1, max_size=40), min_size=1, max_size=8))
def test_single_texts_begin_their_own_block(texts: list[str]) -> None:
    each = [WORDS.encode(text, special=False).ids for text in texts]
    if not any(each):
        return
    found = blocks_of(pa.chunked_array([texts]), WORDS, 7, Around((2,), (3,)), joined=False)
    expected = [ids[n : n + 5] for ids in each for n in range(0, len(ids), 5)]
    assert found.ids.to_pylist() == expected


def test_chunks_do_not_matter() -> None:
    texts = paragraphs(20)
    one = blocks_of(pa.chunked_array([texts]), WORDS, 16, PUT, joined=True)
    parts = pa.chunked_array([texts[:7], [], texts[7:]], type=pa.string())
    other = blocks_of(parts, WORDS, 16, PUT, joined=True)
    assert one.ids.equals(other.ids)


def test_what_stands_around_a_block() -> None:
    found = around(WORDS, object(), joined=True)
    assert found == Around((WORDS.id("[CLS]"),), (WORDS.id("[SEP]"),), WORDS.id("[SEP]"))
    assert found.put([9]) == [WORDS.id("[CLS]"), 9, WORDS.id("[SEP]")] and found.tokens == 2
    decoder = Decoder.__new__(Decoder)
    assert around(BYTES, decoder, joined=True) == Around(parted=BYTES.special_ids["eos"])


def test_no_room_and_no_text() -> None:
    with pytest.raises(ConfigError, match="window = 3"):
        blocks_of(pa.chunked_array([["a"]]), WORDS, 3, PUT, joined=True)
    with pytest.raises(DataError, match="no token"):
        blocks_of(pa.chunked_array([[""]]), WORDS, 8, Around((2,), (3,)), joined=False)


def test_held_out_blocks_are_no_training_blocks() -> None:
    made = blocks_of(pa.chunked_array([paragraphs(60)]), WORDS, 16, PUT, joined=True)
    train, held = held_out(made, 0.2, seed=1)
    assert len(held) == round(0.2 * len(made)) and len(train) + len(held) == len(made)
    every = sorted(map(tuple, [*train["ids"], *held["ids"]]))
    assert every == sorted(map(tuple, made.ids.to_pylist()))
    assert held_out(made, 0.2, seed=1)[1]["ids"] == held["ids"]
    assert held_out(made, 0.2, seed=2)[1]["ids"] != held["ids"]
    assert len(held_out(made, 0, seed=1)[1]) == 0


def test_of_one_block_all_is_held_out_or_nothing() -> None:
    made = blocks_of(pa.chunked_array([["the cat sat"]]), WORDS, 16, PUT, joined=True)
    assert len(made) == 1
    for share in (0, 1):
        assert [*map(len, held_out(made, share, seed=0))] == [1 - share, share]
    with pytest.raises(DataError, match="two blocks or more"):
        held_out(made, 0.5, seed=0)


def test_a_large_corpus_holds_out_little() -> None:
    offsets = np.arange(0, 128 * 40_001, 128, dtype=np.int32)
    blocks = Blocks(pa.ListArray.from_arrays(offsets, np.zeros(128 * 40_000, np.int32)), 1)
    _, held = held_out(blocks, None, seed=0)
    assert len(held) == 512


def test_texts_that_are_missing_and_other_columns() -> None:
    rows = Dataset.from_columns({"body": ["a b", None, "c"], "n": [1, 2, 3]})
    corpus = read_texts(rows, Settings())
    assert corpus.column == "body" and len(corpus.texts) == 2 and corpus.bytes == 4
    two = Dataset.from_columns({"one": ["a"], "two": ["b"]})
    with pytest.raises(DataError, match="one, two"):
        read_texts(two, Settings())
    assert read_texts(two, Settings(text="two")).column == "two"
    with pytest.raises(DataError, match="no train split"):
        read_texts({"test": two}, Settings(text="two"))


def read(corpus: Any) -> tuple[str, list[str]]:
    return corpus.column, corpus.texts.to_pylist()


def test_earlier_texts_are_read_by_their_own_column() -> None:
    rows = Dataset.from_columns({"content": ["a"], "body": ["b"]})
    other = Dataset.from_columns({"body": ["b"], "n": [1]})
    chosen = Settings(text="content")
    assert read(read_earlier(rows, chosen)) == ("content", ["a"])
    assert read(read_earlier(other, chosen)) == ("body", ["b"])
    assert read(read_earlier({"train": other, "validation": other}, chosen)) == ("body", ["b"])
    with pytest.raises(DataError, match="call it 'text'"):
        read_earlier(Dataset.from_columns({"one": ["a"], "two": ["b"]}), chosen)


@pytest.mark.parametrize(
    "settings",
    [
        {"sample_by": "line"},
        {"format": "txt"},
        {"recipe": {"format": "xml", "row": "doc", "columns": {"text": "."}}},
        {"text": "content", "features": {"content": "text"}},
    ],
    ids=str,
)
def test_earlier_files_are_read_by_their_own_format(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "wiki.jsonl").write_text('{"body": "caf\\u00e9"}\n', encoding="utf-8")
    (tmp_path / "wiki.csv").write_text("body,n\ncafé,1\n", encoding="latin-1")
    assert read(read_earlier(tmp_path / "wiki.jsonl", Settings(**settings))) == ("body", ["café"])
    chosen = Settings(**settings, encoding="latin-1")
    assert read(read_earlier([tmp_path / "wiki.csv"], chosen)) == ("body", ["café"])


def test_what_fits_earlier_files_holds_for_them(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("a\nb\n\nc", encoding="utf-8")
    (tmp_path / "old.data").write_text("a\nb\n\nc", encoding="utf-8")
    assert len(read_earlier(tmp_path / "old.txt", Settings()).texts) == 2
    lines = Settings(format="txt", sample_by="line")
    for name in ("old.txt", "old.data"):  # of which the second name says no format
        assert len(read_earlier(tmp_path / name, lines).texts) == 4
    pq.write_table(pa.table({"text": ["é"]}), tmp_path / "old.parquet")
    assert read(read_earlier(tmp_path / "old.parquet", Settings(encoding="latin-1"))) == (
        "text", ["é"]
    )  # fmt: skip
