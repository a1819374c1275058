"""Time grows with the length of a text, however it was made to be hard."""

from __future__ import annotations

import time

import pytest

from headway.tokenizer import Tokenizer

from .test_engine import DOCUMENTS

SHAPES = {
    "one letter": "a",
    "two letters": "ab",
    "a word": "the",
    "spaces": " ",
    "apostrophes": "'",
    "contractions": "'s",
    "line ends": "\r\n",
    "digits": "1",
    "marks that compose": "\u0301",
    "marks that change places": "\u0301\u0323",
    "letters with marks": "e\u0301\u0323",
    "Chinese": "你好",
    "Hangul in parts": "\u1100\u1161\u11a8",
    "emoji with joiners": "👩\u200d💻",
    "marks of spaces": "▁",
    "special tokens": "<tok>",
    "broken special tokens": "<to",
    "capitals and small letters": "aB",
    "unknown": "\u0378",
}
SMALL, TIMES = 60_000, 4


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, Tokenizer]:
    return {name: Tokenizer.from_document(make()) for name, make in DOCUMENTS.items()}


def seconds(tok: Tokenizer, text: str) -> float:
    start = time.process_time()
    tok.encode_arrow([text], offsets=True, threads=1)
    return time.process_time() - start


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_four_times_the_text_takes_about_four_times_as_long(
    name: str, shape: str, tokenizers: dict[str, Tokenizer]
) -> None:
    tok, piece = tokenizers[name], SHAPES[shape]
    text = piece * (SMALL // len(piece))
    few = min(seconds(tok, text) for _ in range(3))
    # Quadratic time would give 16; what takes next to no time may be noise.
    limit = 2.2 * TIMES * max(few, 0.003)
    assert any(seconds(tok, text * TIMES) < limit for _ in range(3)), few


@pytest.mark.slow
@pytest.mark.parametrize("name", ["BERT", "GPT-2", "T5"])
def test_one_word_of_50_mb(name: str, tokenizers: dict[str, Tokenizer]) -> None:
    text = "abcde" * 10_000_000
    batch = tokenizers[name].encode_arrow([text], special=False, offsets=True, threads=1)
    assert batch["ends"].values[-1].as_py() == len(text)
