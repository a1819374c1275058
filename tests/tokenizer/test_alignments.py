"""Every token knows its place: what its span holds, and who covers a character."""

from __future__ import annotations

import json
import random
import time
import unicodedata

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import TokenizerError
from headway.tokenizer import ByteOffsets, Encoding, Tokenizer
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.formats.documents import document
from headway.tokenizer.normal_forms import normal_form

from .oracles import ANY_CHARACTER, HOSTILE, hostile, random_peer

CHARACTERS = Tokenizer.from_document(
    document(
        {"type": "WordLevel", "vocab": {"<unk>": 0}, "unk_token": "<unk>"},
        normalizer={"type": "Lowercase"},
        pre_tokenizer={"type": "FixedLength", "length": 1},
    )
)


def bert(text: str) -> Tokenizer:
    """A BERT whose vocabulary is the characters of a text."""
    characters = sorted({c for form in ("NFD", "NFC") for c in unicodedata.normalize(form, text)})
    vocabulary = ["[UNK]", *characters, *(f"##{c}" for c in characters)]
    return Tokenizer.from_document(
        document(
            {
                "type": "WordPiece",
                "vocab": {token: i for i, token in enumerate(vocabulary)},
                "unk_token": "[UNK]",
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
            },
            normalizer={
                "type": "BertNormalizer",
                "clean_text": True,
                "handle_chinese_chars": True,
                "strip_accents": None,
                "lowercase": False,
            },
            pre_tokenizer={"type": "BertPreTokenizer"},
        )
    )


@given(HOSTILE)
def test_every_character_of_a_lowercased_text_has_its_token(text: str) -> None:
    encoding = CHARACTERS.encode(text)
    for i in range(len(text)):
        token = encoding.token_at(i)
        assert token is not None
        assert encoding.span(token) == (i, i + 1)
    assert encoding.token_at(len(text)) is None
    assert encoding.token_at(0, sequence=1) is None


@given(HOSTILE)
def test_spans_are_in_order_and_inside(text: str) -> None:
    encoding = bert(text).encode(text)
    last = 0
    for start, end in encoding.offsets:
        assert last <= start <= end <= len(text)
        last = start
    words = [word for word in encoding.word_ids if word is not None]
    assert words == sorted(words)


@given(st.text(ANY_CHARACTER, max_size=12))
def test_a_span_holds_what_the_token_says(text: str) -> None:
    encoding = bert(text).encode(text)
    for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True):
        if token != "[UNK]":
            source = unicodedata.normalize("NFD", text[start:end])
            assert unicodedata.normalize("NFD", token.removeprefix("##"))[0] in source


@given(HOSTILE, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_normal_forms_of_old_characters_are_python_s(text: str, form: str) -> None:
    # Characters of Unicode 9 only: this is where both must agree.
    old = "".join(c for c in text if ord(c) < 0x2FA1E and unicodedata.ucd_3_2_0.name(c, ""))
    aligned = normal_form(form, AlignedText(old))
    assert aligned.text == unicodedata.normalize(form, old)
    ends = [aligned.span(i, i + 1) for i in range(len(aligned.text))]
    assert all(0 <= start < end <= len(old) for start, end in ends)
    assert ends == sorted(ends)


def test_operations_keep_track() -> None:
    text = AlignedText("a  bß").substitute([(1, 3)], "_")
    assert (text.text, text.span(1, 2), text.span(2, 4)) == ("a_bß", (2, 3), (3, 5))
    expanded = text.expand(["a", "", "b", "ss"])
    assert (expanded.text, expanded.span(2, 4), expanded.span(0, 2)) == ("abss", (4, 5), (0, 4))
    tail = expanded.slice(1, 4).prepend("▁")
    assert (tail.text, tail.origin, tail.span(0, 1)) == ("▁bss", 3, (3, 4))
    assert tail.slice(1, 1).text == ""
    grouped = AlignedText("xyz", 5).regroup([("", 1), ("abc", 2)])
    assert [grouped.span(i, i + 1) for i in range(3)] == [(6, 7), (7, 8), (7, 8)]


def test_slices_of_slices_point_to_the_original() -> None:
    rng = random.Random(0)
    for _ in range(200):
        original = hostile(rng)
        text = AlignedText(original).expand([c * rng.randrange(3) for c in original])
        while len(text.text) > 1:
            start = rng.randrange(len(text.text))
            end = rng.randrange(start, len(text.text)) + 1
            text = text.slice(start, end)
            for i, character in enumerate(text.text):
                assert original[slice(*text.span(i, i + 1))] == character
            if end - start == len(text.text) and rng.random() < 0.5:
                break


# Spans of any kind, out of order too: what a definition says is not what an index assumes.
SPANS = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.integers(0, 4),
        st.sampled_from([0, 0, 0, 1, None]),
        st.integers(0, 4),
    ),
    max_size=12,
)


def encoding_of(rows: list[tuple[int, int, int | None, int]]) -> Encoding:
    """Tokens from (start, length, text, word)."""
    count = len(rows)
    return Encoding(
        [*range(count)],
        ["x"] * count,
        [(start, start + length) for start, length, _, _ in rows],
        [None if text is None else word for _, _, text, word in rows],
        [0] * count,
        [int(text is None) for _, _, text, _ in rows],
        [text for _, _, text, _ in rows],
    )


def assert_as_defined(encoding: Encoding) -> None:
    """Every answer is that of a walk over all tokens."""
    spans, words, texts = encoding.offsets, encoding.word_ids, encoding.sequence_ids
    size = 1 + max([end for _, end in spans], default=0)

    def whole(tokens: list[int]) -> range:
        return range(tokens[0], tokens[-1] + 1) if tokens else range(0)

    for text in (0, 1):
        own = [i for i in range(len(spans)) if texts[i] == text]
        for start in range(size):
            covering = [i for i in own if spans[i][0] <= start < spans[i][1]]
            first = covering[0] if covering else None
            assert encoding.token_at(start, text) == first
            assert encoding.word_at(start, text) == (None if first is None else words[first])
            for end in range(start, min(size, start + 5)):
                touching = [i for i in own if {*range(*spans[i])} & {*range(start, end)}]
                assert encoding.tokens_of(start, end, text) == whole(touching)
        for word in range(-1, 1 + max([w for w in words if w is not None], default=0)):
            tokens = [i for i in own if words[i] == word]
            assert encoding.tokens_of_word(word, text) == whole(tokens)
            covered = [spans[i] for i in tokens if spans[i][0] < spans[i][1]]
            if covered:
                expected = min(start for start, _ in covered), max(end for _, end in covered)
            else:
                expected = spans[tokens[0]] if tokens else None
            assert encoding.word_span(word, text) == expected


@given(SPANS, st.booleans())
def test_bisection_answers_as_a_walk_does(
    rows: list[tuple[int, int, int | None, int]], in_order: bool
) -> None:
    assert_as_defined(encoding_of(sorted(rows, key=lambda row: row[:2]) if in_order else rows))


PEERS = {
    f"{kind} {seed}": random_peer(random.Random(f"alignment {kind} {seed}"), kind)
    for kind in ("wordpiece", "bpe", "byte-bpe", "unigram", "wordlevel")
    for seed in range(3)
}
OURS = {name: Tokenizer.from_document(json.loads(peer.to_str())) for name, peer in PEERS.items()}


@pytest.mark.parametrize("name", PEERS)
@given(text=HOSTILE, pair=HOSTILE | st.none())
def test_alignments_of_any_text(name: str, text: str, pair: str | None) -> None:
    assert_as_defined(OURS[name].encode(text, pair))
    assert_as_the_peer(OURS[name], PEERS[name], text, pair)


def assert_as_the_peer(
    tok: Tokenizer, peer: tokenizers.Tokenizer, text: str, pair: str | None
) -> None:
    """The methods of the `tokenizers` package of the same meaning say the same.

    But for the span of a word with a token that covers nothing, which the package lets end there.
    """
    ours, theirs = tok.encode(text, pair), peer.encode(text, pair)
    for token in range(len(ours)):
        if ours.sequence_ids[token] is not None:
            assert theirs.token_to_chars(token) == ours.span(token)
            assert theirs.token_to_sequence(token) == ours.sequence_ids[token]
    for number, one in enumerate([text] if pair is None else [text, pair]):
        for char in range(len(one) + 1):
            assert theirs.char_to_token(char, number) == ours.token_at(char, number)
            assert theirs.char_to_word(char, number) == ours.word_at(char, number)
        for word in {*ours.word_ids} - {None}:
            assert word is not None
            tokens = ours.tokens_of_word(word, number)
            expected = theirs.word_to_tokens(word, number)
            assert (tokens.start, tokens.stop) == (expected or (0, 0))
            if all(start < end for start, end in ours.offsets[tokens.start : tokens.stop]):
                assert theirs.word_to_chars(word, number) == ours.word_span(word, number)


@given(HOSTILE, HOSTILE | st.none(), st.integers(6, 12))
def test_alignments_of_windows(text: str, pair: str | None, size: int) -> None:
    tok = bert(text)
    room = 0 if pair is None else min(len(tok.encode(side, None, False)) for side in (text, pair))
    for window in tok.windows(text, size + room, pair, stride=2):
        assert_as_defined(window)


def test_a_character_of_several_byte_level_tokens() -> None:
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    tok = Tokenizer.from_document(
        document(
            {"type": "BPE", "vocab": {c: i for i, c in enumerate(sorted(alphabet))}, "merges": []},
            pre_tokenizer={
                "type": "ByteLevel",
                "add_prefix_space": False,
                "trim_offsets": False,
                "use_regex": True,
            },
        )
    )
    encoding = tok.encode("a 😀b")
    assert encoding.offsets == [(0, 1), (1, 2), (2, 3), (2, 3), (2, 3), (2, 3), (3, 4)]
    assert encoding.token_at(2) == 2
    assert encoding.tokens_of(2, 3) == range(2, 6)
    assert encoding.tokens_of_word(1) == range(1, 6)
    assert encoding.word_span(1) == (1, 3)
    assert encoding.word_at(3) == 2


def test_a_million_tokens_are_not_walked_over_for_each_question() -> None:
    encoding = encoding_of([(i, 1, 0, i // 3) for i in range(1_000_000)])
    assert encoding.token_at(0) == 0  # makes the index
    begin = time.perf_counter()
    for char in range(0, 1_000_000, 50):
        assert encoding.token_at(char) == char
        assert encoding.tokens_of(char, char + 2) == range(char, min(char + 2, 1_000_000))
        assert encoding.word_at(char) == char // 3
    # 60,000 questions; walking, each of the later ones alone takes some hundredths of a second.
    assert time.perf_counter() - begin < 10


@given(HOSTILE | st.text(ANY_CHARACTER))
def test_byte_offsets_are_those_of_utf8(text: str) -> None:
    offsets = ByteOffsets(text)
    begins = [len(text[:i].encode()) for i in range(len(text) + 1)]
    assert [offsets.byte(i) for i in range(len(text) + 1)] == begins
    assert len(offsets) == begins[-1]
    owners = [i for i, character in enumerate(text) for _ in character.encode()]
    assert [offsets.char_at(i) for i in range(len(offsets) + 1)] == [*owners, len(text)]
    for start in range(len(offsets)):
        for end in range(start + 1, min(len(offsets), start + 9) + 1):
            assert offsets.chars(start, end) == (owners[start], owners[end - 1] + 1)
        assert offsets.chars(start, start) == (owners[start], owners[start])


@given(HOSTILE)
def test_the_bytes_of_a_token_are_its_characters(text: str) -> None:
    encoding, offsets, data = OURS["byte-bpe 0"].encode(text), ByteOffsets(text), text.encode()
    for token in range(len(encoding)):
        start, end = encoding.span(token)
        assert data[slice(*offsets.span(start, end))].decode() == text[start:end]


def test_bytes_of_no_text_are_refused() -> None:
    with pytest.raises(TokenizerError, match=r"character 1 of the text is '\\ud800'"):
        ByteOffsets("a\ud800")
    offsets = ByteOffsets("é")
    for question in (lambda: offsets.byte(2), lambda: offsets.char_at(3), lambda: offsets.byte(-1)):
        with pytest.raises(TokenizerError, match="Allowed: 0 to"):
            question()


@given(HOSTILE)
def test_a_normalized_text_knows_where_it_comes_from(text: str) -> None:
    made = bert(text).normalize(text)
    peer = tokenizers.normalizers.BertNormalizer(lowercase=False)
    assert made.text == peer.normalize_str(text)
    for i, character in enumerate(made.text):
        start, end = made.span(i, i + 1)
        assert 0 <= start < end <= len(text)
        if character != " ":
            assert character == text[start:end]
