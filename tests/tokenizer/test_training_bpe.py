"""Vocabularies and merges are those that the `tokenizers` package learns from the same words."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from tokenizers import models, trainers
from tokenizers import pre_tokenizers as pre

from headway.tokenizer import Tokenizer, _native
from headway.tokenizer.training import KINDS, train_tokenizer

from .oracles import lines

Words = dict[str, int]


def theirs(words: Words, prefix: str = "", **options: Any) -> tuple[list[str], list[Any]]:
    """Tokens by id, and merges."""
    peer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]") if prefix else models.BPE())
    peer.pre_tokenizer = pre.WhitespaceSplit()
    make = trainers.WordPieceTrainer if prefix else trainers.BpeTrainer
    texts = [" ".join([word] * count) for word, count in words.items()]
    peer.train_from_iterator(texts, make(show_progress=False, **options))
    return learnt(json.loads(peer.to_str())["model"])


def learnt(model: dict[str, Any]) -> tuple[list[str], list[Any]]:
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return tokens, [tuple(merge) for merge in model.get("merges", [])]


def ours(words: Words, **options: Any) -> tuple[list[str], list[Any]]:
    counted = _native.WordList([(word.encode(), count) for word, count in words.items()])
    tokens, merges, _ = _native.train_bpe(counted, **options)
    return tokens, [(tokens[left], tokens[right]) for left, right in merges]


def random_words(rng: random.Random, letters: str) -> Words:
    """A small corpus of few letters, in which many pairs come equally often."""
    longest = rng.choice([4, 12, 30])
    words: Counter[str] = Counter()
    for _ in range(rng.randrange(1, 120)):
        length = rng.randrange(1, longest)
        words["".join(rng.choice(letters) for _ in range(length))] += rng.randrange(1, 4)
    return words


SPECIAL = [[], ["<s>", "ab"], ["a", "[UNK]"]]


@pytest.mark.parametrize("seed", range(120))
def test_bpe_of_words_with_many_ties(seed: int) -> None:
    rng = random.Random(seed)
    words = random_words(rng, "abcdé你😀#"[: rng.randrange(1, 9)])
    mine: dict[str, Any] = {"size": rng.choice([5, 20, 60, 200, 1000])}
    mine |= {"least_count": rng.choice([0, 1, 2, 3]), "special": rng.choice(SPECIAL)}
    peer = {"vocab_size": mine["size"], "min_frequency": mine["least_count"]}
    peer["special_tokens"] = mine["special"]
    if rng.random() < 0.4:
        mine["longest_token"] = peer["max_token_length"] = rng.choice([1, 2, 3, 5])
    if rng.random() < 0.4:
        mine["alphabet"], peer["initial_alphabet"] = "xyz", list("xyz")
    assert ours(words, **mine) == theirs(words, **peer)


@pytest.mark.parametrize("seed", range(60))
def test_wordpiece_of_words_with_many_ties(seed: int) -> None:
    """Their ids of continuing characters follow a random order, unless they are special tokens."""
    rng = random.Random(seed)
    letters = "abcdé你#"[: rng.randrange(1, 8)]
    words = random_words(rng, letters)
    special = ["[UNK]", *("##" + letter for letter in letters)]
    size, least = rng.choice([10, 40, 200, 1000]), rng.choice([0, 1, 2])
    peer = {"vocab_size": size, "min_frequency": least, "special_tokens": special}
    mine = {"size": size, "least_count": least, "special": special}
    assert ours(words, prefix="##", **mine)[0] == theirs(words, prefix="##", **peer)[0]


def test_the_alphabet_keeps_the_most_frequent_characters() -> None:
    words = {"aaab": 5, "bbc": 4, "dc": 3, "e": 1, "xe": 1}
    assert ours(words, size=4, most_characters=3)[0][:3] == ["a", "b", "c"]
    peer = theirs(words, vocab_size=100, limit_alphabet=3)
    assert ours(words, size=100, most_characters=3) == peer
    peer = theirs(words, vocab_size=100, limit_alphabet=4, initial_alphabet=["q"])
    assert ours(words, size=100, most_characters=4, alphabet="q") == peer


def test_a_token_that_arises_in_two_ways_is_merged_as_theirs_is() -> None:
    words = {"abc": 9, "xab": 5, "bcy": 8, "abcab": 3, "zabcz": 2, "bcabc": 4, "aabcc": 6}
    for size in range(8, 40):
        assert ours(words, size=size) == theirs(words, vocab_size=size)


def test_words_of_bytes_are_those_of_their_characters() -> None:
    texts = ["né 你", "a  b\t", "né né"]
    table = {bytes([byte]): chr(code) for byte, code in _byte_alphabet().items()}
    raw = Counter(text.encode() for text in texts for _ in range(3))
    written = {
        "".join(table[word[i : i + 1]] for i in range(len(word))): n for word, n in raw.items()
    }
    tokens, merges, pieces = _native.train_bpe(
        _native.WordList(list(raw.items())), size=40, is_bytes=True
    )
    assert (tokens, [(tokens[a], tokens[b]) for a, b in merges]) == ours(written, size=40)
    assert pieces < sum(len(word) * count for word, count in raw.items())


def _byte_alphabet() -> dict[int, int]:
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: byte for byte in printable} | {b: 256 + i for i, b in enumerate(others)}


CASES = [("wikitext", False), ("multi30k-de", True), ("xquad", False), ("botchan", True)]


@pytest.mark.parametrize(("corpus", "lowercase"), CASES)
@pytest.mark.parametrize("kind", ["byte-bpe", "bpe", "wordpiece"])
def test_real_text(tmp_path: Path, corpus: str, kind: str, lowercase: bool) -> None:
    texts = lines(corpus)
    letters = sorted({*"".join(texts), *"".join(texts).lower()}) if kind == "wordpiece" else []
    special = ["##" + letter for letter in letters]
    options: dict[str, Any] = {"special": special, "size": 6000 + 2 * len(special)}
    if kind != "byte-bpe":
        options["coverage"] = 1
    tok = train_tokenizer(iter(texts), kind=kind, lowercase=lowercase, **options)
    tok.save(tmp_path)
    peer = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    made = learnt(json.loads(peer.to_str())["model"])
    common = {"vocab_size": options["size"], "min_frequency": 2, "show_progress": False}
    common["special_tokens"] = [*KINDS[kind].special, *special]
    make = trainers.WordPieceTrainer if kind == "wordpiece" else trainers.BpeTrainer
    if kind == "byte-bpe":
        common["initial_alphabet"] = pre.ByteLevel.alphabet()
    fresh = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]") if special else models.BPE())
    fresh.pre_tokenizer = peer.pre_tokenizer
    if peer.normalizer is not None:
        fresh.normalizer = peer.normalizer
    fresh.train_from_iterator(texts, make(**common))
    assert learnt(json.loads(fresh.to_str())["model"]) == made
    assert_same_ids(tok, peer, texts[:300])


def assert_same_ids(tok: Tokenizer, peer: tokenizers.Tokenizer, texts: list[str]) -> None:
    for text in texts:
        assert tok.encode(text).ids == peer.encode(text).ids
