"""Everything equals the `tokenizers` package, for pipelines put together at random."""

from __future__ import annotations

import json
import random

import pytest
import tokenizers
from hypothesis import given, settings

from headway.tokenizer import Tokenizer
from headway.tokenizer.unigram import Unigram

from .oracles import HOSTILE, TRAINING, assert_same, hostile, random_peer

KINDS = ("wordpiece", "bpe", "byte-bpe", "unigram", "wordlevel")


def compare(seed: int, kind: str, texts: int) -> None:
    rng = random.Random(f"{kind} {seed}")
    peer = random_peer(rng, kind)
    tok = Tokenizer.from_document(json.loads(peer.to_str()))
    for _ in range(texts):
        text = hostile(rng) if rng.random() < 0.8 else rng.choice(TRAINING)
        assert_same(tok, peer, text, hostile(rng) if rng.random() < 0.3 else None)
    assert len(tok) == peer.get_vocab_size()
    assert tok.vocabulary == peer.get_vocab()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(12))
def test_a_random_pipeline(seed: int, kind: str) -> None:
    compare(seed, kind, texts=25)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_random_pipelines(seed: int, kind: str) -> None:
    compare(seed, kind, texts=50)


def test_scores_are_the_numbers_that_the_peer_reads() -> None:
    """A unit in the last place decides between cuts that are otherwise alike."""
    rng = random.Random(0)
    scores = [-rng.choice([rng.random(), 20 * rng.random(), 1e-7 * rng.random(), 12.5, 3e-300])
              for _ in range(3000)]  # fmt: skip
    vocabulary = [[f"t{number}", score] for number, score in enumerate(scores)]
    document = {"model": {"type": "Unigram", "unk_id": 0, "vocab": vocabulary}}
    peer = tokenizers.Tokenizer.from_str(
        json.dumps({"version": "1.0", "added_tokens": [], **document})
    )
    read = [score for _, score in json.loads(peer.to_str())["model"]["vocab"]]
    model = Tokenizer.from_document(document)._pipeline.model
    assert isinstance(model, Unigram)
    assert [score for _, score in model.scores] == read
    assert read != scores


PEERS = {kind: random_peer(random.Random(f"fixed {kind}"), kind) for kind in KINDS}
OURS = {kind: Tokenizer.from_document(json.loads(peer.to_str())) for kind, peer in PEERS.items()}


@pytest.mark.parametrize("kind", KINDS)
@given(text=HOSTILE, pair=HOSTILE)
@settings(max_examples=60, deadline=None)
def test_any_text(kind: str, text: str, pair: str) -> None:
    assert_same(OURS[kind], PEERS[kind], text)
    assert_same(OURS[kind], PEERS[kind], text, pair)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text", ["a", "é", "e\u0301", "😀", " ", "▁", "\u0301", "the ", "👩\u200d💻"]
)
def test_ten_thousand_repeats(kind: str, text: str) -> None:
    assert_same(OURS[kind], PEERS[kind], text * 10_000)
