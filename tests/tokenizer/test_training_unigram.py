"""Unigram models need no more tokens than SentencePiece's, on text that neither has seen."""

from __future__ import annotations

import math
import random
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
import sentencepiece
import tokenizers
from tokenizers import models

from headway.tokenizer import _native
from headway.tokenizer.training import train_tokenizer

from .oracles import lines


@pytest.mark.parametrize(
    ("corpus", "size"), [("botchan", 2000), ("shakespeare", 4000), ("multi30k-fr", 1000)]
)
def test_tokens_of_unseen_text_are_no_more_than_sentencepiece_needs(
    corpus: str, size: int, tmp_path: Path
) -> None:
    texts = [line for line in lines(corpus) if line.strip()]
    random.Random(0).shuffle(texts)
    cut = len(texts) * 4 // 5
    seen, unseen = texts[:cut], texts[cut:]
    file = tmp_path / "seen.txt"
    file.write_text("\n".join(seen) + "\n", "utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(file),
        model_prefix=str(tmp_path / "peer"),
        vocab_size=size,
        model_type="unigram",
        normalization_rule_name="nfkc",
        minloglevel=2,
    )
    peer = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "peer.model"))
    theirs = sum(map(len, peer.encode(unseen)))
    tok = train_tokenizer(file, kind="unigram", size=size)
    assert len(tok) == size
    ours = len(tok.encode_arrow(pa.array(unseen), special=False).column("ids").values)
    assert ours <= theirs, (ours, theirs)


def test_scores_are_logarithms_of_probabilities_the_highest_first() -> None:
    words = Counter(word for line in lines("botchan") for word in line.split())
    counted = _native.WordList([("▁".encode() + w.encode(), n) for w, n in words.items()])
    alphabet = sorted({*"▁", *"".join(words)})
    pieces = _native.train_unigram(counted, size=900, alphabet="".join(alphabet))
    scores = [score for _, score in pieces]
    assert scores == sorted(scores, reverse=True)
    assert 0.8 < sum(map(math.exp, scores)) <= 1
    assert len({piece for piece, _ in pieces}) == len(pieces) == 900
    assert {piece for piece, _ in pieces if len(piece) == 1} == set(alphabet)
    assert max(len(piece) for piece, _ in pieces) <= 16
    peer = tokenizers.Tokenizer(models.Unigram(pieces, 0))
    assert peer.encode("▁the").tokens == ["▁the"]


@pytest.mark.parametrize("longest", [1, 2, 5])
def test_pieces_are_no_longer_than_they_may_be(longest: int) -> None:
    words = _native.WordList([(b"abcabcabc", 50), (b"bcabc", 30)])
    pieces = _native.train_unigram(words, size=30, alphabet="cba", longest_piece=longest)
    assert max(len(piece) for piece, _ in pieces) == longest


def test_a_piece_mixes_neither_scripts_nor_letters_with_others() -> None:
    words = {"▁слово": 9, "▁word": 9, "▁wordслово": 9, "▁42nd": 9, "▁end.": 9, "▁カタかな漢字": 9}
    counted = _native.WordList([(word.encode(), count) for word, count in words.items()])
    alphabet = "".join(sorted(set("".join(words))))
    found = {piece for piece, _ in _native.train_unigram(counted, size=200, alphabet=alphabet)}
    assert {"▁слово", "слово", "▁word", "▁42", "nd"} <= found
    assert not any("d" in piece and set(piece) & set("слово42.") for piece in found)


def test_characters_outside_the_alphabet_are_in_no_piece() -> None:
    words = _native.WordList([("ab☃ab".encode(), 50)])
    pieces = dict(_native.train_unigram(words, size=10, alphabet="abq"))
    assert set(pieces) == {"ab", "a", "b", "q"}
    assert pieces["q"] < pieces["ab"]


def brute_force(words: dict[str, int], depth: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for start in range(len(word)):
            for end in range(start + 2, min(len(word), start + depth) + 1):
                counts[word[start:end]] += count
    return counts


@pytest.mark.parametrize("seed", range(40))
def test_candidates_are_the_strings_that_come_again(seed: int) -> None:
    """With room for all of them, one fit takes away only what is hardly expected."""
    rng = random.Random(seed)
    letters = "abcd"[: rng.randrange(1, 5)]
    words = {
        "".join(rng.choice(letters) for _ in range(rng.randrange(1, 12))): rng.randrange(1, 4)
        for _ in range(rng.randrange(1, 30))
    }
    counted = _native.WordList([(word.encode(), count) for word, count in words.items()])
    depth = rng.choice([2, 3, 6])
    pieces = _native.train_unigram(counted, size=10_000, alphabet=letters, longest_piece=depth)
    found = {piece for piece, _ in pieces if len(piece) > 1}
    expected = {string: n for string, n in brute_force(words, depth).items() if n > 1}
    assert found <= set(expected)
    # Of strings that always come together only the longest is a candidate.
    for string, count in expected.items():
        around = [other for other in expected if string != other and other.startswith(string)]
        if string not in found:
            assert any(expected[other] == count for other in around), string
