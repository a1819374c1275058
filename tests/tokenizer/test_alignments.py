"""Every token knows its place: what its span holds, and who covers a character."""

from __future__ import annotations

import random
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from headway.tokenizer import Tokenizer
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.formats.documents import document
from headway.tokenizer.normal_forms import normal_form

from .oracles import ANY_CHARACTER, HOSTILE, hostile

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
