"""Windows: complete, in order, wrapped, and pointing into the whole text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headway.errors import TokenizerError
from headway.tokenizer import Encoding, Tokenizer
from headway.tokenizer.formats.documents import document, template

from .oracles import HOSTILE

IDS = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "b": 4, "##b": 5, "the": 6}
TOK = Tokenizer.from_document(
    document(
        {
            "type": "WordPiece",
            "vocab": IDS,
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
        },
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor=template("[CLS] A [SEP]", "[CLS] A [SEP] B:1 [SEP]:1", IDS),
    )
)


def of_text(encoding: Encoding, sequence: int) -> list[tuple[int, tuple[int, int]]]:
    """(id, place) of the tokens of one of the texts."""
    tokens = zip(encoding.sequence_ids, encoding.ids, encoding.offsets, strict=True)
    return [(number, place) for whose, number, place in tokens if whose == sequence]


@given(
    text=HOSTILE | st.lists(st.sampled_from(["a", "b", "ab", "the"])).map(" ".join),
    size=st.integers(3, 12),
    stride=st.integers(0, 8) | st.none(),
    special=st.booleans(),
)
def test_windows_share_what_is_asked_and_lose_nothing(
    text: str, size: int, stride: int | None, special: bool
) -> None:
    room = size - 2 * special
    assume(stride is None or stride < room)
    shared = room // 4 if stride is None else stride
    whole = of_text(TOK.encode(text, special=special), 0)
    windows = TOK.windows(text, size, stride=stride, special=special)
    assert all(len(window) <= size for window in windows)
    parts = [of_text(window, 0) for window in windows]
    joined = parts[0]
    for before, after in itertools.pairwise(parts):
        assert len(before) == room
        assert len(after) > shared
        assert (before[-shared:] if shared else []) == after[:shared]
        joined = joined + after[shared:]
    assert joined == whole
    if special:
        assert all(w.tokens[0] == "[CLS]" and w.tokens[-1] == "[SEP]" for w in windows)


@given(text=HOSTILE, pair=HOSTILE | st.none())
def test_what_fits_is_one_window(text: str, pair: str | None) -> None:
    whole = TOK.encode(text, pair)
    assert TOK.windows(text, max(len(whole), 1), pair) == [whole]


@given(text=HOSTILE, pair=HOSTILE, extra=st.integers(1, 5))
def test_the_longer_side_of_a_pair_is_cut(text: str, pair: str, extra: int) -> None:
    first, second = (TOK.encode(side, special=False) for side in (text, pair))
    shorter, cut = (first, 1) if len(second) > len(first) else (second, 0)
    windows = TOK.windows(text, 3 + len(shorter) + extra, pair, stride=0)
    kept = [place for window in windows for place in of_text(window, cut)]
    assert kept == of_text(TOK.encode(text, pair), cut)
    for window in windows:
        assert [number for number, _ in of_text(window, 1 - cut)] == shorter.ids
        assert len(window) <= 3 + len(shorter) + extra


@given(text=HOSTILE, pair=HOSTILE, extra=st.integers(1, 5), cut=st.integers(0, 1))
def test_the_side_that_is_asked_for_is_cut(text: str, pair: str, extra: int, cut: int) -> None:
    sides = [TOK.encode(side, special=False) for side in (text, pair)]
    size = 3 + len(sides[1 - cut]) + extra
    windows = TOK.windows(text, size, pair, stride=0, cut=cut)
    assert len(windows) == max(1, -(-len(sides[cut]) // extra))
    kept = [place for window in windows for place in of_text(window, cut)]
    assert kept == of_text(TOK.encode(text, pair), cut)
    for window in windows:
        assert [number for number, _ in of_text(window, 1 - cut)] == sides[1 - cut].ids
        assert len(window) <= size
    with pytest.raises(TokenizerError, match="no room for text"):
        TOK.windows("a " * 9, 12, "b " * 9, cut=cut)


def test_a_side_that_is_not_there_is_said() -> None:
    with pytest.raises(TokenizerError, match=r"cut is 1. Allowed: 0"):
        TOK.windows("a b", 8, cut=1)
    with pytest.raises(TokenizerError, match=r"cut is 2. Allowed: 0, 1"):
        TOK.windows("a b", 8, "b", cut=2)


@pytest.mark.parametrize(
    ("size", "pair", "stride", "message"),
    [
        (2, None, 0, "no room for text"),
        (5, "a b", 0, "shorten the other text"),
        (4, None, 2, "a stride from 0 to 1"),
        (4, None, -1, "0 or more"),
    ],
)
def test_what_cannot_be_is_said(size: int, pair: str | None, stride: int, message: str) -> None:
    with pytest.raises(TokenizerError, match=message):
        TOK.windows("a b a b a b", size, pair, stride)


def test_the_text_is_tokenized_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    encode_text = TOK._pipeline.encode_text
    monkeypatch.setattr(
        TOK._pipeline, "encode_text", lambda *args: (calls.append(args), encode_text(*args))[1]
    )
    assert len(TOK.windows("a b " * 50, 8, stride=2)) == 25
    assert len(calls) == 1
