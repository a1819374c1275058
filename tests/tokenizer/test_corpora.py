"""The vocabularies people use, on real text: equal to the `tokenizers` package.

More of it is in test_exactness.py.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tokenizers

from headway.tokenizer import Tokenizer

from .oracles import ASSETS, CORPORA, assert_same, data, lines, published


@pytest.fixture(scope="module")
def loaded() -> dict[str, tuple[Tokenizer, tokenizers.Tokenizer]]:
    return published()


@pytest.mark.parametrize("asset", ASSETS)
@pytest.mark.parametrize("corpus", CORPORA)
def test_a_part_of_each_corpus(
    loaded: dict[str, tuple[Tokenizer, tokenizers.Tokenizer]], asset: str, corpus: str
) -> None:
    texts = lines(corpus)
    for text in texts[:: max(1, len(texts) // 60)]:
        assert_same(*loaded[asset], text)


@pytest.mark.parametrize("asset", ["bert-uncased", "gpt2"])
def test_a_megabyte_in_one_piece(
    loaded: dict[str, tuple[Tokenizer, tokenizers.Tokenizer]], asset: str
) -> None:
    tok, peer = loaded[asset]
    text = "\n".join(lines("shakespeare"))[:1_000_000]
    ours, theirs = tok.encode(text), peer.encode(text)
    assert ours.ids == theirs.ids
    assert ours.offsets == theirs.offsets


@pytest.mark.parametrize("word", ["a" * 100_000, "ab1é" * 25_000])
def test_an_enormous_word(
    loaded: dict[str, tuple[Tokenizer, tokenizers.Tokenizer]], word: str
) -> None:
    for tok, peer in loaded.values():
        assert tok.encode(word).ids == peer.encode(word).ids


def test_merges_are_found_from_either_name(tmp_path: Path) -> None:
    assets = data("tokenizer-assets")
    shutil.copy(assets / "gpt2_bpe_encoder.json", tmp_path / "vocab.json")
    shutil.copy(assets / "gpt2_bpe_vocab.bpe", tmp_path / "merges.txt")
    by_folder, by_merges = Tokenizer.load(tmp_path), Tokenizer.load(tmp_path / "merges.txt")
    by_bpe = Tokenizer.load(assets / "gpt2_bpe_vocab.bpe")
    text = "It's  a\n\n tést 12345 😀"
    assert by_folder.encode(text) == by_merges.encode(text) == by_bpe.encode(text)
