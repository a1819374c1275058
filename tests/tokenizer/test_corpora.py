"""The vocabularies people use, on real text: equal to the `tokenizers` package."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tokenizers
from tokenizers import decoders, models
from tokenizers import pre_tokenizers as pre
from tokenizers.implementations import BertWordPieceTokenizer

from headway.tokenizer import Tokenizer

from .oracles import CORPORA, assert_same, data, lines

ASSETS = ("bert-uncased", "bert-cased", "gpt2", "openai-gpt")


@pytest.fixture(scope="module")
def loaded() -> dict[str, tuple[Tokenizer, tokenizers.Tokenizer]]:
    """Each vocabulary as Headway reads it, and as the package does by its own recipe for it."""
    assets = data("tokenizer-assets")
    pairs = {}
    for case in ("uncased", "cased"):
        path = assets / f"bert_base_{case}_vocab.txt"
        peer = BertWordPieceTokenizer(str(path), lowercase=case == "uncased")._tokenizer
        pairs[f"bert-{case}"] = (Tokenizer.load(path), peer)
    gpt2 = tokenizers.Tokenizer(
        models.BPE.from_file(
            str(assets / "gpt2_bpe_encoder.json"), str(assets / "gpt2_bpe_vocab.bpe")
        )
    )
    gpt2.add_special_tokens(["<|endoftext|>"])
    gpt2.pre_tokenizer, gpt2.decoder = pre.ByteLevel(False), decoders.ByteLevel()
    pairs["gpt2"] = (Tokenizer.load(assets / "gpt2_bpe_encoder.json"), gpt2)
    first = tokenizers.Tokenizer(
        models.BPE.from_file(
            str(assets / "openai-gpt-vocab.json"),
            str(assets / "openai-gpt-merges.txt"),
            unk_token="<unk>",
            end_of_word_suffix="</w>",
        )
    )
    first.add_special_tokens(["<unk>"])
    first.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    first.pre_tokenizer = pre.BertPreTokenizer()
    first.decoder = decoders.BPEDecoder("</w>")
    pairs["openai-gpt"] = (Tokenizer.load(assets / "openai-gpt-vocab.json"), first)
    return pairs


@pytest.mark.parametrize("asset", ASSETS)
@pytest.mark.parametrize("corpus", CORPORA)
def test_a_part_of_each_corpus(
    loaded: dict[str, tuple[Tokenizer, tokenizers.Tokenizer]], asset: str, corpus: str
) -> None:
    texts = lines(corpus)
    for text in texts[:: max(1, len(texts) // 60)]:
        assert_same(*loaded[asset], text)


@pytest.mark.slow
@pytest.mark.parametrize("asset", ASSETS)
@pytest.mark.parametrize("corpus", CORPORA)
def test_each_corpus_as_a_whole(
    loaded: dict[str, tuple[Tokenizer, tokenizers.Tokenizer]], asset: str, corpus: str
) -> None:
    tok, peer = loaded[asset]
    for text in lines(corpus):
        ours, theirs = tok.encode(text), peer.encode(text)
        assert ours.ids == theirs.ids, text
        assert ours.offsets == theirs.offsets, text


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
