"""Texts as windows: nothing is cut off, every token counted once, odd input named by number."""

from __future__ import annotations

from typing import Any

import pytest
from checkpoints.models import words_tokenizer
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import ConfigError, TokenizerError
from headway.windows import Windowed, default_stride, window_texts

TOKENIZER = words_tokenizer()
BARE = words_tokenizer(specials=False)
CLS, SEP = 2, 3


def words(count: int, start: int = 0) -> str:
    return " ".join(f"w{n % 20}" for n in range(start, start + count))


def test_a_short_text_is_one_window() -> None:
    (found,) = window_texts(TOKENIZER, ["w0 w1 zzz"], size=16)
    assert found == Windowed([[CLS, 4, 5, 1, SEP]], [[0] * 5], tokens=3)
    assert found.length == 5
    assert found.report() == {"used": 3, "total": 3, "windows": 1}


def test_a_long_text_is_cut_nowhere() -> None:
    (found,) = window_texts(TOKENIZER, [words(20)], size=16)
    # 14 words fit, and the next window begins 16 / 8 = 2 words before the end of the last.
    assert found.ids == [[CLS, *range(4, 18), SEP], [CLS, *range(16, 24), SEP]]
    assert found.tokens == 20
    assert found.length == 26
    assert found.report() == {"used": 20, "total": 20, "windows": 2}


def test_a_pair_has_two_segments_and_its_longer_side_is_cut() -> None:
    (found,) = window_texts(TOKENIZER, [("w0 w1", words(10))], size=10)
    assert found.tokens == 12
    assert len(found.ids) > 1
    for ids, segments in zip(found.ids, found.segments, strict=True):
        assert ids[:4] == [CLS, 4, 5, SEP]
        assert ids[-1] == SEP
        assert segments == [0] * 4 + [1] * (len(ids) - 4)
    assert {token for ids in found.ids for token in ids[4:-1]} == set(range(4, 14))


def test_the_text_that_is_asked_for_is_cut() -> None:
    (found,) = window_texts(TOKENIZER, [(words(10), "w0 w1")], size=14, cut=1)
    assert [ids[:12] for ids in found.ids] == [[CLS, *range(4, 14), SEP]] * 2
    assert [ids[12:] for ids in found.ids] == [[4, SEP], [5, SEP]]
    assert found.tokens == 12


def test_a_pair_that_leaves_little_room_still_advances() -> None:
    (found,) = window_texts(TOKENIZER, [(words(9), words(20))], size=16)
    assert found.tokens == 29  # 4 words fit beside the other text: an eighth of 16 is half of that
    assert len(found.ids) == 7
    (found,) = window_texts(TOKENIZER, [(words(12), words(14))], size=16)
    assert len(found.ids) == 14  # one word a window


def test_a_pair_whose_shorter_side_fills_the_window_is_named() -> None:
    texts: list[Any] = ["w0", (words(15), words(16))]
    with pytest.raises(TokenizerError, match=r"^text 1: a window of 16 tokens has no room"):
        window_texts(TOKENIZER, texts, size=16)


@given(st.integers(1, 90), st.integers(3, 40), st.data())
def test_windows_cover_the_text_and_overlap_as_asked(count: int, size: int, data: Any) -> None:
    stride = data.draw(st.one_of(st.none(), st.integers(0, size - 3)))
    (found,) = window_texts(TOKENIZER, [words(count)], size=size, stride=stride)
    shared = default_stride(size) if stride is None else stride
    joined = found.ids[0][1:-1]
    for ids in found.ids[1:]:
        inner = ids[1:-1]
        assert shared == 0 or joined[-shared:] == inner[:shared]
        joined += inner[shared:]
    assert joined == TOKENIZER.encode(words(count), special=False).ids
    assert found.tokens == count
    assert all(len(ids) <= size for ids in found.ids)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(24, 40))
def test_tokens_of_pairs_are_counted_once(first: int, second: int, size: int) -> None:
    (found,) = window_texts(TOKENIZER, [(words(first), words(second))], size=size)
    assert found.tokens == first + second


def test_equal_tokens_count_each() -> None:
    (found,) = window_texts(TOKENIZER, ["w0 " * 50], size=10)
    assert found.tokens == 50


def test_no_limit_is_one_window() -> None:
    (found,) = window_texts(TOKENIZER, [words(5000)], size=None)
    assert len(found.ids) == 1
    assert found.tokens == 5000


def test_a_text_of_a_megabyte() -> None:
    text = words(310_000)
    assert len(text) > 2**20
    (found,) = window_texts(TOKENIZER, [text], size=512)
    assert found.tokens == 310_000
    assert len(found.ids) == -(-(310_000 - 64) // (510 - 64))


def test_an_empty_text_is_its_special_tokens() -> None:
    assert (
        window_texts(TOKENIZER, ["", " \n"], size=16)
        == [Windowed([[CLS, SEP]], [[0, 0]], tokens=0)] * 2
    )


def test_a_text_without_tokens_is_named_by_number() -> None:
    for texts in (["w0", ""], ["w0", " \t"]):
        with pytest.raises(ConfigError, match=r"^text 1, .* has no tokens, and the tokenizer adds"):
            window_texts(BARE, texts, size=16)


def test_windows_that_are_not_allowed() -> None:
    texts = ["w0", words(14), words(15)]
    with pytest.raises(ConfigError, match=r"text 2 needs 2 windows. Allowed: at most 16 tokens"):
        window_texts(TOKENIZER, texts, size=16, allow=False)
    assert len(window_texts(TOKENIZER, texts[:2], size=16, allow=False)) == 2


@pytest.mark.parametrize("item", [None, 3, b"w0", ("a",), ("a", "b", "c"), ["a", None], {"a": "b"}])
def test_what_is_no_text(item: Any) -> None:
    with pytest.raises((ConfigError, TokenizerError), match=r"text 1"):
        window_texts(TOKENIZER, ["w0", item], size=16)


def test_one_text_is_not_a_list_of_characters() -> None:
    with pytest.raises(ConfigError, match=r"a list of texts is wanted. Next: write \[text\]"):
        window_texts(TOKENIZER, "w0 w1", size=16)


def test_half_a_character_is_named_by_number() -> None:
    with pytest.raises(TokenizerError, match=r"^text 1: .*half of a surrogate pair"):
        window_texts(TOKENIZER, ["w0", "\ud83d"], size=16)


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_window_without_room(size: int) -> None:
    with pytest.raises(TokenizerError, match=r"^text 0: a window of \d tokens has no room"):
        window_texts(TOKENIZER, ["w0"], size=size)


def test_a_stride_that_does_not_advance() -> None:
    with pytest.raises(TokenizerError, match=r"Allowed: a stride from 0 to 13"):
        window_texts(TOKENIZER, [words(20)], size=16, stride=14)


def test_numbers_count_from_the_first() -> None:
    with pytest.raises(TokenizerError, match=r"^text 41: "):
        window_texts(TOKENIZER, ["w0", "\ud83d"], size=16, first=40)
    with pytest.raises(ConfigError, match=r"^text 41 is None"):
        window_texts(TOKENIZER, ["w0", None], size=16, first=40)  # type: ignore[list-item]
