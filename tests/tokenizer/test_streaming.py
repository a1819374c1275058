"""Decoding token by token: the same text, and each piece of it as early as can be."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import TokenizerError
from headway.tokenizer import Tokenizer
from headway.tokenizer.byte_alphabet import BYTE_CHARACTERS
from headway.tokenizer.decoders import DECODERS, build_decoder
from headway.tokenizer.formats.documents import document
from headway.tokenizer.streaming import STREAMS, build_stream

from .oracles import DATA, HOSTILE, TRAINING, data, hostile, lines, random_peer

# What decoders look at, and characters of one byte to four, whole and as their bytes.
TOKENS = st.lists(
    st.sampled_from(
        [
            *("", "a", "aa", "b", "ab", " ", "  ", "▁", "▁a", "a▁", "##a", "##", "</w>", "b</w>a"),
            *("</w", "<", "|", "<pad>", ".", " .", "n't", " ' ", "é", "你", "Ġ", "Ġa", "Ã", "©"),
            *("ä½", "ł", "\ufffd", "<0x41>", "<0xC3>", "<0xA9>", "<0xF0>", "<0x9F>", "<0x98>"),
            *("<0x80>", "<0xFF>", "<0xE4>", "<0xBD>", "<0xA0>", "<0x4", "1>", "bab", "aba"),
        ]
    )
    | st.text(max_size=3).filter(lambda text: text.isprintable()),
    max_size=14,
)
CHARACTERS, COUNTS = st.sampled_from(["a", " ", "b"]), st.integers(0, 3)


def of_kind(kind: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


SIMPLE = st.one_of(
    of_kind("BPEDecoder", suffix=st.sampled_from(["</w>", "", "a"])),
    of_kind("ByteFallback"),
    of_kind("ByteLevel"),
    of_kind(
        "CTC",
        pad_token=st.sampled_from(["<pad>", "a", ""]),
        word_delimiter_token=st.just("|"),
        cleanup=st.booleans(),
    ),
    of_kind("Fuse"),
    of_kind(
        "Metaspace",
        replacement=st.sampled_from(["▁", "a"]),
        prepend_scheme=st.sampled_from(["always", "first", "never"]),
    ),
    of_kind(
        "Replace",
        pattern=st.sampled_from(["▁", "a", "aba", "", "</w>", "ab"]).map(lambda s: {"String": s})
        | st.sampled_from(["a+", "^a", "b|$"]).map(lambda s: {"Regex": s}),
        content=st.sampled_from(["", " ", "aa", r"\1"]),
    ),
    of_kind("Strip", content=CHARACTERS, start=COUNTS, stop=COUNTS),
    of_kind("WordPiece", prefix=st.sampled_from(["##", ""]), cleanup=st.booleans()),
)
DECODER = st.recursive(
    SIMPLE, lambda parts: of_kind("Sequence", decoders=st.lists(parts, max_size=4)), max_leaves=6
)


def test_every_decoder_has_a_stream() -> None:
    assert STREAMS.keys() == DECODERS.keys()


@given(DECODER, TOKENS)
@settings(max_examples=500, deadline=None)
def test_the_tokens_of_any_decoder(values: dict[str, Any], tokens: list[str]) -> None:
    made, open_token = [], ""
    for text, ends in build_stream(values)(iter([(token, True) for token in tokens])):
        open_token += text
        if ends:
            made.append(open_token)
            open_token = ""
    assert (made, open_token) == (build_decoder(values)(tokens), "")


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "byte-bpe", "unigram", "wordlevel"])
@pytest.mark.parametrize("seed", range(8))
def test_a_random_pipeline(kind: str, seed: int) -> None:
    rng = random.Random(f"stream {kind} {seed}")
    tok = Tokenizer.from_document(json.loads(random_peer(rng, kind).to_str()))
    for _ in range(40):
        if rng.random() < 0.5:
            ids = tok.encode(hostile(rng) + rng.choice(TRAINING)[: rng.randrange(60)]).ids
        else:
            ids = [rng.randrange(len(tok) + 3) for _ in range(rng.randrange(12))]
        for skip in (True, False):
            pieces = list(tok.decode_stream(iter(ids), skip))
            assert "".join(pieces) == tok.decode(ids, skip), ids
            assert "" not in pieces


SENTENCEPIECE = ("t5_tokenizer_base.model", "spm_example.model", "test_model.model")


@pytest.mark.parametrize("name", SENTENCEPIECE)
def test_a_sentencepiece_model(name: str) -> None:
    tok, rng = Tokenizer.load(data("tokenizer-assets", name)), random.Random(name)
    texts = [*lines("botchan")[:50], *(hostile(rng) for _ in range(100))]
    rows = [tok.encode(text).ids for text in texts]
    rows += [[rng.randrange(len(tok)) for _ in range(rng.randrange(12))] for _ in range(100)]
    for ids in rows:
        assert "".join(tok.decode_stream(ids)) == tok.decode(ids)


def bytes_of(decoder: dict[str, Any] | None, tokens: list[str]) -> Tokenizer:
    """A tokenizer whose vocabulary is some tokens."""
    vocabulary = {token: i for i, token in enumerate(tokens)}
    return Tokenizer.from_document(
        document({"type": "BPE", "vocab": vocabulary, "merges": []}, decoder=decoder)
    )


BYTE_TOKENS = [f"<0x{byte:02X}>" for byte in range(256)]
LLAMA = {
    "type": "Sequence",
    "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ],
}
PROMPT: dict[str, tuple[dict[str, Any] | None, list[str], list[str]]] = {
    "none": (None, ["a", "b"], ["a", " b"]),
    "ByteLevel": (
        {"type": "ByteLevel"},
        ["Ġa", "Ã", "©", "Ã", "b"],
        [" a", "", "é", "", "\ufffdb"],
    ),
    "Llama": (
        LLAMA,
        ["▁a", "▁b", "<0xC3>", "<0xA9>", "▁c", "<0xFF>", "<0x41>"],
        ["a", " b", "", "", "é c", "\ufffd", "\ufffd"],
    ),
    "WordPiece": (
        {"type": "WordPiece", "prefix": "##", "cleanup": True},
        ["un", "##do", "it", "."],
        ["un", "do", " it", "."],
    ),
    "Metaspace": (
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        ["▁a", "b", "▁c"],
        ["a", "b", " c"],
    ),
    "BPEDecoder": ({"type": "BPEDecoder", "suffix": "</w>"}, ["a", "b</w>", "c"], ["a", "b", " c"]),
    "CTC": (
        {
            "type": "CTC",
            "pad_token": "<pad>",
            "word_delimiter_token": "|",
            "cleanup": True,
        },
        ["a", "a", "<pad>", "a", "|", "b"],
        ["a", "", "", "a", " ", "b"],
    ),
    "replaced after bytes": (
        {
            "type": "Sequence",
            "decoders": [
                {"type": "ByteLevel"},
                {"type": "Replace", "pattern": {"String": "</w>"}, "content": " "},
            ],
        },
        ["a</w>", "b", "</", "w>", "c<"],
        ["a ", "b", "", " ", "c"],
    ),
}


@pytest.mark.parametrize("name", PROMPT)
def test_a_piece_comes_as_soon_as_it_is_known(name: str) -> None:
    decoder, tokens, expected = PROMPT[name]
    tok = bytes_of(decoder, sorted({*tokens, *BYTE_TOKENS}))
    read = 0
    came = [""] * len(tokens)

    def ids() -> Iterator[int]:
        nonlocal read
        for token in tokens:
            read += 1
            yield tok.vocabulary[token]

    stream = tok.decode_stream(ids())
    for piece in stream:
        came[read - 1] += piece
    whole = tok.decode([tok.vocabulary[token] for token in tokens])
    assert "".join(came) == whole
    rest = whole.removeprefix("".join(expected))
    assert came == [*expected[:-1], expected[-1] + rest]


@given(HOSTILE)
def test_no_piece_has_half_of_a_character(text: str) -> None:
    """Each byte is a token, and every character comes whole with its last byte."""
    tok = bytes_of({"type": "ByteLevel"}, BYTE_CHARACTERS)
    ids = [tok.vocabulary[BYTE_CHARACTERS[byte]] for byte in text.encode()]
    assert list(tok.decode_stream(ids)) == list(text)


@pytest.mark.parametrize("name", PROMPT)
@pytest.mark.parametrize("token", ["a", "<0xC3>", "Ã", "b</w>", "▁a"])
def test_endless_streams_take_a_bounded_time_a_token(name: str, token: str) -> None:
    tok = bytes_of(PROMPT[name][0], sorted({token, *BYTE_TOKENS}))
    begin = time.perf_counter()
    for _ in tok.decode_stream([tok.vocabulary[token]] * 20_000):
        pass
    # Some 0.1 s; decoding all again for each token would take half a minute and more.
    assert time.perf_counter() - begin < 10


def test_ids_are_read_one_by_one_and_refused_where_they_are_wrong() -> None:
    tok = bytes_of(None, ["a", "b"])
    endless = tok.decode_stream(itertools.cycle([0, 1]))
    assert "".join(itertools.islice(endless, 4)) == "a b a b"
    assert list(tok.decode_stream([])) == list(tok.decode_stream([7, 8])) == []
    stream = tok.decode_stream(iter([0, -100]))
    assert next(stream) == "a"
    with pytest.raises(TokenizerError, match="-100 is no token's number"):
        next(stream)


@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there")
@pytest.mark.parametrize("asset", ["bert_base_cased_vocab.txt", "gpt2_bpe_encoder.json"])
def test_a_piece_a_token_on_real_text(asset: str) -> None:
    tok = Tokenizer.load(data("tokenizer-assets", asset))
    for text in lines("botchan")[:200]:
        ids = tok.encode(text).ids
        pieces = list(tok.decode_stream(ids))
        assert "".join(pieces) == tok.decode(ids)
        if text.isascii() and "bert" not in asset:
            assert len(pieces) == len(ids)
