"""The native engine: its shortcuts give what the steps give, on any number of threads."""

from __future__ import annotations

import json
import os
import random
import threading
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from tokenizers import AddedToken, decoders, models, normalizers, trainers
from tokenizers import Tokenizer as Peer
from tokenizers import pre_tokenizers as pre

from headway.errors import TokenizerError
from headway.tokenizer import Tokenizer
from headway.tokenizer.engine import NativePipeline
from headway.tokenizer.reference import Pipeline

from .oracles import GPT4, HOSTILE, TRAINING, Regex, data, hostile, lines


def bert(**options: Any) -> dict[str, Any]:
    """A WordPiece pipeline as BERT's."""
    peer = Peer(models.WordPiece(unk_token="<unk>", max_input_chars_per_word=20))
    peer.normalizer = normalizers.BertNormalizer(**options)
    peer.pre_tokenizer = pre.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=["<unk>"])
    return trained(peer, trainer)


def byte_level(prefix: bool, *splits: Any, ignore_merges: bool = False) -> dict[str, Any]:
    """A byte-level BPE."""
    peer = Peer(models.BPE(ignore_merges=ignore_merges))
    last = pre.ByteLevel(prefix, True, not splits)
    peer.pre_tokenizer = pre.Sequence([*splits, last]) if splits else last
    trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=pre.ByteLevel.alphabet())
    return trained(peer, trainer)


def unigram(*steps: Any) -> dict[str, Any]:
    """A Unigram with marks for spaces."""
    peer = Peer(models.Unigram())
    if steps:
        peer.normalizer = normalizers.Sequence(list(steps))
    peer.pre_tokenizer = pre.Sequence([pre.WhitespaceSplit(), pre.Metaspace()])
    peer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=150, unk_token="<unk>", special_tokens=["<unk>"])
    return trained(peer, trainer)


def trained(peer: Peer, trainer: Any) -> dict[str, Any]:
    trainer.show_progress = False
    peer.train_from_iterator(TRAINING, trainer)
    peer.add_special_tokens([AddedToken("<tok>", lstrip=True)])
    document: dict[str, Any] = json.loads(peer.to_str())
    return document


def sentencepiece_document() -> dict[str, Any]:
    """T5's rules with the marks that our own conversion puts."""
    return Tokenizer.load(data("tokenizer-assets", "t5_tokenizer_base.model"))._document


def t5_rules() -> dict[str, Any]:
    document = unigram(normalizers.NFKC())
    document["normalizer"] = sentencepiece_document()["normalizer"]["normalizers"][0]
    return document


SMALL = pre.Split(Regex(GPT4), "isolated")
DOCUMENTS = {
    "BERT": lambda: bert(),
    "BERT cased": lambda: bert(lowercase=False),
    "BERT untidied": lambda: bert(clean_text=False, strip_accents=True, lowercase=False),
    "GPT-2": lambda: byte_level(False),
    "RoBERTa": lambda: byte_level(True),
    "GPT-4": lambda: byte_level(False, SMALL),
    "Llama 3": lambda: byte_level(False, SMALL, ignore_merges=True),
    "StarCoder": lambda: byte_level(False, pre.Digits(True)),
    "marks alone": lambda: unigram(),
    "marks, lower case": lambda: unigram(normalizers.Replace("``", '"'), normalizers.Lowercase()),
    "T5": t5_rules,
    "T5 converted": sentencepiece_document,
}


# SentencePiece's own way, in models that come apart into words.
MODELS = ("t5_tokenizer_base.model", "spm_example.model", "test_model.model")


class Both:
    """A pipeline step by step in Python, and natively."""

    def __init__(self, native: NativePipeline) -> None:
        self.twin, self.native = native.reference, native

    @classmethod
    def of(cls, document: dict[str, Any]) -> Both:
        return cls(NativePipeline(document, Pipeline.from_document(document)))

    def same(self, text: str) -> None:
        expected = self.twin.encode_text(text, 0)
        assert self.native.encode_text(text, 0) == expected, ascii(text)
        slow = self.native.engine.encode_text(text, step_by_step=True)
        fast = self.native.engine.encode_text(text)
        assert slow == fast, ascii(text)
        assert slow[0] == expected.ids
        assert list(zip(slow[1], slow[2], strict=True)) == expected.offsets


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Both]:
    made = {name: Both.of(make()) for name, make in DOCUMENTS.items()}
    for name in MODELS:
        made[name] = Both(Tokenizer.load(data("tokenizer-assets", name))._pipeline)
    return made


@pytest.mark.parametrize("name", [*DOCUMENTS, *MODELS])
def test_shortcuts_at_random(name: str, pipelines: dict[str, Both]) -> None:
    rng = random.Random(name)
    for _ in range(400):
        words = [rng.choice(["the", "Botchan's", "don't", "a", "\u0301", ",", "x" * 70, "é", "."])]
        plain = " ".join(words * rng.randrange(4))
        pipelines[name].same(hostile(rng) + plain + hostile(rng))


@pytest.mark.parametrize("name", [*DOCUMENTS, *MODELS])
@given(text=HOSTILE)
@settings(max_examples=80, deadline=None)
def test_shortcuts_on_any_text(name: str, pipelines: dict[str, Both], text: str) -> None:
    pipelines[name].same(text)


@pytest.mark.parametrize("name", [*DOCUMENTS, *MODELS])
def test_every_word_length_at_every_place(name: str, pipelines: dict[str, Both]) -> None:
    for length in (1, 7, 8, 14, 15, 16, 17, 31, 62, 63, 64, 65, 130):
        for before in (0, 1, 7, 47, 48, 49, 60, 63):
            for end in ("", " ", "\n", "'s", "é", "..", "  "):
                pipelines[name].same("a " * (before // 2) + "b" * (before % 2) + "w" * length + end)


@pytest.mark.parametrize("name", [*DOCUMENTS, *MODELS])
@pytest.mark.parametrize("corpus", ["trec", "botchan", "xquad"])
def test_shortcuts_on_real_text(name: str, corpus: str, pipelines: dict[str, Both]) -> None:
    for text in lines(corpus)[:1500:5]:
        pipelines[name].same(text)


ADDED = [
    "Botchan", "the end", "éa", "Red", "re", "red shirt", "'t", "x\u0301", "  y", "you", "é b",
    "ab", "ﬁn", "ＡＢ", "de rien", "z", "一", "longer words", "a\tb", "\u0130s", "Straße", "_",
    "rien, et",
]  # fmt: skip


@pytest.mark.parametrize("name", ["BERT", "BERT cased", "GPT-2", "T5", "marks, lower case"])
@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("looks_around", [True, False])
def test_many_added_tokens(name: str, normalized: bool, looks_around: bool) -> None:
    document = DOCUMENTS[name]()
    rng = random.Random(1)
    for number, word in enumerate(ADDED):
        token = {
            "id": 10_000 + number,
            "content": word,
            "special": False,
            "normalized": normalized,
            "single_word": looks_around and rng.random() < 0.5,
            "lstrip": looks_around and rng.random() < 0.3,
            "rstrip": looks_around and rng.random() < 0.3,
        }
        document["added_tokens"].append(token)
    both = Both.of(document)
    pieces = [*ADDED, *" .a\n", "Red Shirt", "你", "fin", "\x07", "\u0301", "e\u0301", "quelques "]
    for _ in range(400):
        both.same("".join(rng.choices(pieces, k=rng.choice([3, 9, 30]))))
        both.same(hostile(rng) + rng.choice(pieces) + hostile(rng) + "words in between, " * 5)


@pytest.mark.parametrize("shortest", [1, 2, 4, 7, 9])
def test_added_tokens_of_every_length(shortest: int) -> None:
    rng = random.Random(shortest)
    document = DOCUMENTS["BERT"]()
    words = {"".join(rng.choices("abC1 -é\x07", k=rng.randint(shortest, 12))) for _ in range(300)}
    for number, word in enumerate(sorted(words)):
        token = {"id": 10_000 + number, "content": word, "special": False, "normalized": True}
        flags = {"single_word": False, "lstrip": False, "rstrip": False}
        document["added_tokens"].append({**token, **flags})
    both = Both.of(document)
    for _ in range(60):
        text = "".join(rng.choices("abcABC1 -é\t\x07", k=rng.randrange(150)))
        both.same(text + rng.choice(sorted(words)) + "ab")


def columns(batch: pa.RecordBatch) -> dict[str, Any]:
    return {name: batch[name].to_pylist() for name in batch.schema.names}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_columns_are_the_texts_one_by_one_on_any_threads(name: str) -> None:
    tok = Tokenizer.from_document(DOCUMENTS[name]())
    rng = random.Random(name)
    texts: list[str | None] = [hostile(rng) + "word " * rng.randrange(160) for _ in range(1500)]
    texts[5] = texts[77] = None
    texts[9] = ""
    expected = [None if text is None else tok.encode(text) for text in texts]
    array = pa.array(texts)
    chunked = pa.chunked_array([array[:10], array[10:10], array[10:700], array[700:]])
    large, views = array.cast(pa.large_string()), array.cast(pa.string_view())
    ways = [(array, 1), (array, 2), (array, 5), (chunked, 2), (chunked, 5), (large, 5), (views, 2)]
    batches = []
    for column, threads in ways:
        batches.append(tok.encode_arrow(column, offsets=True, words=True, threads=threads))
        batches[-1].validate(full=True)
    assert all(batch.equals(batches[0]) for batch in batches)
    found = columns(batches[0])
    for at, row in enumerate(expected):
        if row is None:
            assert [found[name][at] for name in found] == [None] * 4
            continue
        assert found["ids"][at] == row.ids
        assert [*zip(found["starts"][at], found["ends"][at], strict=True)] == row.offsets
        assert found["words"][at] == [-1 if w is None else w for w in row.word_ids]
    only_ids = tok.encode_arrow(array, special=False)
    assert only_ids.schema == pa.schema([("ids", pa.list_(pa.int32()))])
    assert columns(only_ids)["ids"][9] == []


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_as_many_tokens_as_bytes(threads: int) -> None:
    peer = Peer(models.BPE())
    peer.pre_tokenizer = pre.ByteLevel(False)
    vocabulary = {token: i for i, token in enumerate(sorted(pre.ByteLevel.alphabet()))}
    document = json.loads(peer.to_str())
    document["model"]["vocab"] = vocabulary
    tok = Tokenizer.from_document(document)
    texts = [chr(97 + i % 26) * (20_000 + i) for i in range(100)]
    batch = tok.encode_arrow(texts, offsets=True, words=True, threads=threads)
    for text, ids, starts in zip(texts, batch["ids"], batch["starts"], strict=True):
        assert np.array_equal(ids.values, np.full(len(text), vocabulary[text[0]]))
        assert np.array_equal(starts.values, np.arange(len(text)))


def test_what_a_column_can_be() -> None:
    tok = Tokenizer.from_document(bert())
    texts = ["the cat", "a dog", "the cat"]
    expected = columns(tok.encode_arrow(pa.array(texts)))
    encoded = pa.array(texts).dictionary_encode()
    for column in (texts, np.array(texts), encoded, pa.array([t.encode() for t in texts])):
        assert columns(tok.encode_arrow(column)) == expected
    for column in (pa.array([], pa.string()), pa.chunked_array([], pa.string()), []):
        assert columns(tok.encode_arrow(column, offsets=True)) == {
            "ids": [],
            "starts": [],
            "ends": [],
        }


def test_what_a_column_cannot_be() -> None:
    tok = Tokenizer.from_document(byte_level(False))
    with pytest.raises(TokenizerError, match="int64 has no text"):
        tok.encode_arrow(pa.array([1, 2]))
    with pytest.raises(TokenizerError, match="threads is 0"):
        tok.encode_arrow(pa.array(["a"]), threads=0)
    with pytest.raises(TokenizerError, match="no column of texts"):
        tok.encode_arrow(["a", 3])  # type: ignore[list-item]
    rows = [b"good", b"also good \xc3\xa9", b"bad \xc3"] + [b"\xff"] * 2000
    for threads in (1, 3):
        with pytest.raises(TokenizerError, match="row 2 is not UTF-8 from its byte 4 on"):
            tok.encode_arrow(pa.array(rows * 50), threads=threads)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"abc\x80", 3),
        (b"\xc0\xaf", 0),  # overlong
        (b"a\xed\xa0\x80", 1),  # half of a surrogate pair
        (b"\xf4\x90\x80\x80", 0),  # beyond Unicode
        (b"x" * 100 + b"\xe2\x82", 100),
        (b"\xf0\x80\x80\x80", 0),
        (b"ok \xe2\x82\xac \xff", 7),
    ],
)
def test_the_first_byte_that_is_not_utf8(text: bytes, place: int) -> None:
    tok = Tokenizer.from_document(byte_level(False))
    with pytest.raises(TokenizerError, match=f"from its byte {place} on"):
        tok.encode_arrow(pa.array([text]))


def test_many_callers_at_once() -> None:
    tok = Tokenizer.from_document(byte_level(False))
    texts = pa.array([f"{text} {number}" for number, text in enumerate(TRAINING * 20)])
    expected = tok.encode_arrow(texts, threads=1)
    found: list[pa.RecordBatch] = []
    callers = [
        threading.Thread(target=lambda: found.append(tok.encode_arrow(texts, threads=2)))
        for _ in range(6)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 6
    assert all(batch.equals(expected) for batch in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_encodes() -> None:
    tok = Tokenizer.from_document(byte_level(False))
    texts = pa.array(TRAINING * 50)
    expected = tok.encode_arrow(texts, threads=3)
    child = os.fork()
    if child == 0:
        try:
            same = tok.encode_arrow(texts, threads=3).equals(expected)
        finally:
            os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_cache_of_words_forgets_and_stays_right() -> None:
    tok = Tokenizer.from_document(byte_level(False))
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghij", k=rng.randint(1, 24))) for _ in range(60_000)]
    texts = pa.array([" ".join(words[i : i + 20]) for i in range(0, len(words), 20)])
    once = tok.encode_arrow(texts, threads=1, offsets=True)
    again = tok.encode_arrow(texts, threads=1, offsets=True)
    assert once.equals(again)
    fresh = Tokenizer.from_document(byte_level(False))
    for row in (0, 1500, 2999):
        assert once["ids"][row].as_py() == fresh.encode(texts[row].as_py()).ids


@pytest.mark.parametrize(("lstrip", "rstrip"), [(True, True), (False, True), (True, False)])
def test_added_tokens_in_spaces_that_another_has_taken_in(lstrip: bool, rstrip: bool) -> None:
    peer = Peer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    token = AddedToken("  ", lstrip=lstrip, rstrip=rstrip, normalized=False)
    peer.add_tokens([token, AddedToken(" a", lstrip=lstrip, normalized=False)])
    tok = Tokenizer.from_document(json.loads(peer.to_str()))
    for text in (" " * n + end for n in range(9) for end in ("", "a", "a  ", " a a")):
        expected = peer.encode(text)
        found = tok.encode(text)
        assert (found.ids, found.offsets) == (expected.ids, expected.offsets), text
