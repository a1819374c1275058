"""The published split patterns, matched by hand, cut as the pattern engine does."""

from __future__ import annotations

import functools
import random
from typing import Any

import pytest
from hypothesis import given, settings

from headway.tokenizer import _native, split_patterns
from headway.tokenizer.patterns import NEWER_THAN_16, compile_pattern, find_spans

from .characters import most
from .oracles import HOSTILE, lines

PATTERNS = {
    "GPT-2": split_patterns.GPT_2,
    "GPT-4 and Llama 3": split_patterns.GPT_4,
    "GPT-4 as it is now": split_patterns.CL100K,
    "Qwen 2": split_patterns.QWEN_2,
    "GPT-4 with whole numbers": split_patterns.QWEN_2.replace(r"\p{N}|", r"\p{N}+|"),
    "GPT-4o": split_patterns.GPT_4O,
    "Mistral": split_patterns.TEKKEN,
    "DeepSeek V3": "\n".join(split_patterns.DEEPSEEK_3),
}
PIECES = [
    *"'\"aAbZ019.,/-_!? \n\r\t",
    *("  ", "\r\n", "'s", "'LL", "'ſ", "'Re", "'v", "é", "É", "ß", "中文", "あ", "ア", "゠", "・"),
    *("٣", "²", "½", "\u0301", "\u00a0", "\u3000", "\u2028", "\x85", "\x1c", "\x00", "ª", "ʰ"),
    *("ǅ", "Σ", "😀", "👩\u200d💻", "ا", "\u200d", "$", "€", "、", "١٢", "123", "1234", "the"),
    *(" The", "McDo", "iPhone", "HELLO", "\U0001e900", "\U0001d7d9", "\ue000", "\u180e", "\u1ce4"),
]


def by_engine(pattern: str, text: str) -> list[str]:
    """Each pattern of a sequence cuts what the ones before it have left."""
    parts = [text]
    for one in pattern.split("\n"):
        parts = [piece for part in parts for piece in _cut(one, part)]
    return parts


@functools.cache
def compiled(pattern: str) -> Any:
    return compile_pattern(pattern, "a test")


def _cut(pattern: str, text: str) -> list[str]:
    pieces, place = [], 0
    for start, end in find_spans(compiled(pattern), text, NEWER_THAN_16):
        pieces += [text[place:start], text[start:end]]
        place = end
    return [piece for piece in [*pieces, text[place:]] if piece]


def by_hand(pattern: str, text: str) -> list[str]:
    splitter = _native.published_splitter(pattern)
    assert splitter is not None, pattern
    ends = splitter.cut(text)
    data = text.encode()
    return [data[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]


def same(pattern: str, text: str) -> None:
    assert by_hand(pattern, text) == by_engine(pattern, text), ascii(text)


@pytest.mark.parametrize("name", PATTERNS)
def test_pieces_at_random(name: str) -> None:
    rng = random.Random(name)
    for _ in range(1500):
        same(PATTERNS[name], "".join(rng.choices(PIECES, k=rng.choice([3, 8, 12, 60]))))


def test_ends_of_texts_that_are_read_64_bytes_at_a_time() -> None:
    rng = random.Random(64)
    for size in [*range(1, 140)] * 20:
        same(split_patterns.GPT_2, "".join(rng.choices("  ab'srelv1.\n\té", k=size)))


@pytest.mark.parametrize("name", PATTERNS)
@given(text=HOSTILE)
@settings(max_examples=200, deadline=None)
def test_any_text(name: str, text: str) -> None:
    same(PATTERNS[name], text)


@pytest.mark.parametrize("name", PATTERNS)
def test_most_characters_among_others(name: str) -> None:
    for first in range(0, len(most()), 512):
        around = [f"a{one} {one}B1{one}\n" for one in most()[first : first + 512]]
        same(PATTERNS[name], "".join(around))


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("corpus", ["trec", "botchan", "multi30k-de"])
def test_real_text(name: str, corpus: str) -> None:
    same(PATTERNS[name], "\n".join(lines(corpus)[:1500]))


def test_an_unknown_pattern_has_no_splitter() -> None:
    assert _native.published_splitter(r"\w+") is None


@pytest.mark.parametrize("individual", [True, False])
def test_digits_apart(individual: bool) -> None:
    text = "a12 b٣٤5½ 6"
    ends = _native.digit_splitter(individual).cut(text)
    data = text.encode()
    pieces = [data[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]
    alone = ["a", "1", "2", " b", "٣", "٤", "5", "½", " ", "6"]
    assert pieces == (alone if individual else ["a", "12", " b", "٣٤5½", " ", "6"])


def test_a_chain_cuts_the_words_of_the_first_with_the_second() -> None:
    chain = _native.chained(
        _native.digit_splitter(True), _native.published_splitter(split_patterns.GPT_2)
    )
    text = "it's  12 o'clock " * 100  # more words than are cut at a time
    data = text.encode()
    ends = chain.cut(text)
    pieces = [data[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]
    digits = _cut(r"\p{N}", text)
    assert pieces == [piece for part in digits for piece in _cut(split_patterns.GPT_2, part)]
