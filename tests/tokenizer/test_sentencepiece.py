"""A .model runs as sentencepiece does; what is saved from it runs so in other programs."""

from __future__ import annotations

import functools
import json
import random
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from hypothesis import given, settings
from transformers import AutoTokenizer, DebertaV2Tokenizer

from headway.errors import TokenizerError
from headway.tokenizer import Tokenizer
from headway.tokenizer.formats.protobuf import read_fields

from .oracles import DATA, HOSTILE, TRAINING, damaged, data, hostile, lines, peer_of, refused

MODELS = ("t5_tokenizer_base.model", "spm_example.model", "test_model.model")

# One option or two of sentencepiece's trainer away from the usual model, each.
TRAINED: dict[str, dict[str, Any]] = {
    "unigram": {},
    "bpe": {"model_type": "bpe"},
    "bpe, bytes": {"model_type": "bpe", "byte_fallback": True, "vocab_size": 420},
    "unigram, bytes": {"byte_fallback": True, "vocab_size": 420},
    "symbols": {"user_defined_symbols": ["the", "[MASK]", "ab", "▁dog"]},
    "bpe, symbols": {"model_type": "bpe", "user_defined_symbols": ["the", "[MASK]", "ab"]},
    "llama": {
        "model_type": "bpe",
        "byte_fallback": True,
        "vocab_size": 420,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
    },
    "gemma": {
        "model_type": "bpe",
        "byte_fallback": True,
        "vocab_size": 420,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "add_dummy_prefix": False,
    },
    "suffix": {"treat_whitespace_as_suffix": True},
    "bpe, suffix": {"model_type": "bpe", "treat_whitespace_as_suffix": True},
    "across spaces": {"split_by_whitespace": False, "model_type": "bpe"},
    "case folded": {"normalization_rule_name": "nmt_nfkc_cf"},
    "nfkc": {"normalization_rule_name": "nfkc", "add_dummy_prefix": False},
    "word": {"model_type": "word"},
    "word, suffix": {"model_type": "word", "treat_whitespace_as_suffix": True},
    "word, symbols": {"model_type": "word", "user_defined_symbols": ["the", "[MASK]", "▁dog"]},
    "word, as it is": {
        "model_type": "word",
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "add_dummy_prefix": False,
    },
    "char": {"model_type": "char", "vocab_size": 80},
    "char, suffix": {"model_type": "char", "treat_whitespace_as_suffix": True},
    "char, bytes": {"model_type": "char", "byte_fallback": True, "vocab_size": 300},
    "char, symbols": {"model_type": "char", "user_defined_symbols": ["the", "[MASK]", "▁dog"]},
    "own ids": {"pad_id": 0, "unk_id": 3, "bos_id": 1, "eos_id": 2, "unk_surface": "?"},
}


@functools.cache
def trained(name: str, folder: Path) -> Path:
    """A model trained on a few lines."""
    options = {"vocab_size": 190, "hard_vocab_limit": False, "minloglevel": 2, **TRAINED[name]}
    path = folder / f"{name.replace(', ', '-').replace(' ', '-')}.model"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING),
        model_prefix=str(path.with_suffix("")),
        num_threads=1,
        **options,
    )
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def assert_as_sentencepiece(
    tok: Tokenizer, peer: sentencepiece.SentencePieceProcessor, text: str
) -> None:
    encoding = tok.encode(text)
    assert encoding.ids == peer.encode(text), text
    assert encoding.tokens == peer.encode(text, out_type=str), text
    assert tok.decode(encoding.ids) == peer.decode(encoding.ids), text
    places = encoding.offsets
    assert places == sorted(places)
    assert all(0 <= start <= end <= len(text) for start, end in places)


@pytest.mark.parametrize("name", TRAINED)
def test_every_option_of_a_model(name: str, folder: Path) -> None:
    path = trained(name, folder)
    tok = Tokenizer.load(path)
    peer = sentencepiece.SentencePieceProcessor(model_file=str(path))
    assert len(tok) == peer.vocab_size()
    rng = random.Random(name)
    texts = [*set(TRAINING), "<s> a </s>", "<unk> ▁the▁", "a " * 2_000, "é" * 2_000]
    for text in [*texts, *(hostile(rng) for _ in range(250))]:
        assert_as_sentencepiece(tok, peer, text)
    for _ in range(50):
        ids = [rng.randrange(len(tok)) for _ in range(rng.randrange(12))]
        assert tok.decode(ids) == peer.decode(ids), ids


@pytest.mark.parametrize("name", [name for name in TRAINED if name[:4] in ("word", "char")])
def test_the_engine_gives_what_its_twin_gives(name: str, folder: Path) -> None:
    pipeline = Tokenizer.load(trained(name, folder))._pipeline
    rng = random.Random(name)
    for text in [*set(TRAINING), *(hostile(rng) + " the dog " + hostile(rng) for _ in range(200))]:
        twin = pipeline.reference.encode_text(text, 0)
        ids, starts, ends, words, _ = pipeline.engine.encode_text(text)
        places = list(zip(starts, ends, strict=True))
        assert (ids, places, words) == (twin.ids, twin.offsets, twin.word_ids), ascii(text)


@pytest.mark.parametrize("name", MODELS)
def test_models_of_others_on_real_text(name: str) -> None:
    path = data("tokenizer-assets", name)
    tok = Tokenizer.load(path)
    peer = sentencepiece.SentencePieceProcessor(model_file=str(path))
    for corpus in ("botchan", "wikitext", "xquad", "multi30k-de"):
        texts = lines(corpus)
        for text in texts[:: max(1, len(texts) // 60)]:
            assert_as_sentencepiece(tok, peer, text)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_models_of_others_on_much_text(name: str) -> None:
    path = data("tokenizer-assets", name)
    tok = Tokenizer.load(path)
    peer = sentencepiece.SentencePieceProcessor(model_file=str(path))
    for corpus in ("botchan", "wikitext", "xquad"):
        for text in lines(corpus)[::12]:
            assert tok.encode(text).ids == peer.encode(text), text
    whole = " ".join(lines("botchan"))  # so long that scores start anew
    assert tok.encode(whole).ids == peer.encode(whole)


@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there")
@pytest.mark.parametrize("name", MODELS)
def test_any_text(name: str) -> None:
    path = data("tokenizer-assets", name)
    tok = Tokenizer.load(path)
    peer = sentencepiece.SentencePieceProcessor(model_file=str(path))

    @given(HOSTILE)
    @settings(max_examples=150, deadline=None)
    def check(text: str) -> None:
        assert_as_sentencepiece(tok, peer, text)

    check()


def saved_as(text: str, tok: Tokenizer) -> bool:
    """False for a text with a control piece, which a tokenizer.json takes for what it means."""
    reserved = [*tok.special.values(), "<s>", "</s>", "<unk>", "<pad>"]
    return not any(token in text for token in reserved)


@pytest.mark.parametrize("name", MODELS)
def test_the_saved_model_opens_elsewhere(name: str, tmp_path: Path) -> None:
    tok = Tokenizer.load(data("tokenizer-assets", name))
    peer = peer_of(tok, tmp_path)
    again = Tokenizer.load(tmp_path)
    for corpus in ("botchan", "wikitext", "xquad", "multi30k-fr"):
        texts = lines(corpus)
        for text in filter(lambda text: saved_as(text, tok), texts[:: len(texts) // 60]):
            assert peer.encode(text).ids == tok.encode(text).ids, text
            assert again.encode(text).ids == tok.encode(text).ids, text
            assert again.encode(text).offsets == peer.encode(text).offsets, text


@pytest.mark.parametrize("name", TRAINED)
def test_each_saved_option_opens_elsewhere(name: str, folder: Path, tmp_path: Path) -> None:
    tok = Tokenizer.load(trained(name, folder))
    peer = peer_of(tok, tmp_path)
    again = Tokenizer.load(tmp_path)
    # A letter with two marks is one cluster of more than 5 bytes: see charsmap.py.
    known = [text.replace("e\u0301\u0323 a\u030a", "") for text in sorted(set(TRAINING))]
    texts = [*known, "", " ", "  two  spaces ", "the  dog ab", "1905 don't!", "Zwei Männer"]
    for text in filter(lambda text: saved_as(text, tok), texts):
        assert peer.encode(text).ids == again.encode(text).ids, text
        # Elsewhere symbols are cut out before a text is normalized, and unknown words not joined.
        if "symbols" not in name and "word" not in name:
            assert peer.encode(text).ids == tok.encode(text).ids, text


def test_a_control_piece_in_a_text_is_text(folder: Path) -> None:
    tok = Tokenizer.load(trained("unigram", folder))
    end = tok.special_ids["eos"]
    assert end not in tok.encode("a </s> b").ids
    assert tok.decode([*tok.encode("a").ids, end]) == "a"
    assert tok.decode([*tok.encode("a").ids, end], skip_special=False) == "a</s>"


@pytest.mark.parametrize(
    ("config", "around"),
    [
        ({}, ([], [])),
        ({"tokenizer_class": "T5Tokenizer"}, ([], ["</s>"])),
        ({"tokenizer_class": "T5TokenizerFast"}, ([], ["</s>"])),
        ({"tokenizer_class": "LlamaTokenizer"}, (["<s>"], [])),
        ({"tokenizer_class": "LlamaTokenizer", "add_eos_token": True}, (["<s>"], ["</s>"])),
        ({"tokenizer_class": "LlamaTokenizer", "add_bos_token": False}, ([], [])),
        ({"add_eos_token": True}, ([], ["</s>"])),
    ],
)
def test_a_folder_says_what_stands_around(
    config: dict[str, Any], around: tuple[list[str], list[str]], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "spiece.model").write_bytes(trained("unigram", folder).read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    tok = Tokenizer.load(tmp_path)
    inner = tok.encode("the dog", special=False).tokens
    assert tok.encode("the dog").tokens == [*around[0], *inner, *around[1]]
    assert tok.count("the dog", "the dog") == 2 * len(tok.encode("the dog"))
    saved = peer_of(tok, tmp_path / "saved")
    by_transformers = AutoTokenizer.from_pretrained(str(tmp_path / "saved"))
    ids = tok.encode("the dog").ids
    assert saved.encode("the dog").ids == ids == by_transformers("the dog")["input_ids"]
    if config.get("tokenizer_class", "").startswith("T5"):
        assert tok.id("<extra_id_0>") == saved.token_to_id("<extra_id_0>") == len(tok) - 1


def test_a_class_with_ids_of_its_own_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "sentencepiece.bpe.model").write_bytes(trained("unigram", folder).read_bytes())
    config = '{"tokenizer_class": "XLMRobertaTokenizer"}'
    (tmp_path / "tokenizer_config.json").write_text(config)
    with pytest.raises(TokenizerError, match="XLMRobertaTokenizer"):
        Tokenizer.load(tmp_path)


def test_words_that_fall_back_to_bytes_are_refused(tmp_path: Path) -> None:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING),
        model_prefix=str(tmp_path / "m"),
        model_type="word",
        byte_fallback=True,
        vocab_size=400,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    with pytest.raises(TokenizerError, match="word model that falls back to bytes"):
        Tokenizer.load(tmp_path / "m.model")


@pytest.mark.parametrize("name", ["unigram", "word", "char, bytes"])
def test_every_cut_of_a_model_is_an_error_or_a_model(
    name: str, folder: Path, tmp_path: Path
) -> None:
    whole = trained(name, folder).read_bytes()
    path = tmp_path / "cut.model"
    rng = random.Random(0)
    lengths = [0, 1, 2, *(rng.randrange(len(whole)) for _ in range(60))]
    text = "the dog ﬁne"
    assert refused(path, (whole[:length] for length in lengths), text) > 30
    # Pieces stand first; most of the rest is a table of characters, where little can be wrong.
    head, rest = whole[:600], whole[600:]
    flips = (changed + rest for changed in damaged(head, times=150, most=4))
    assert refused(path, flips, text) > 60


def test_wire_format() -> None:
    message = bytes([0x09, *range(8), 0x15, 0, 0, 0x80, 0x3F])
    assert list(read_fields(message)) == [(1, 0x0706050403020100), (2, 1.0)]
    for wrong in (b"\x08", b"\x12\x05ab", b"\x0b", b"\x08" + b"\xff" * 11, b"\x0d\x00"):
        with pytest.raises(TokenizerError):
            list(read_fields(wrong))


BERT_PIECES = {
    "pad_id": 0,
    "pad_piece": "[PAD]",
    "bos_id": 1,
    "bos_piece": "[CLS]",
    "eos_id": 2,
    "eos_piece": "[SEP]",
    "unk_id": 3,
    "unk_piece": "[UNK]",
}


@pytest.mark.parametrize(
    "files",
    [
        {"tokenizer_config.json": {"tokenizer_class": "DebertaV2Tokenizer"}},
        {"tokenizer_config.json": {"tokenizer_class": "DebertaV2TokenizerFast"}},
        {
            "config.json": {"model_type": "deberta-v2"},
            "tokenizer_config.json": {"vocab_type": "spm"},
        },
        {"config.json": {"model_type": "x", "tokenizer_class": "DebertaV2Tokenizer"}},
    ],
)
@pytest.mark.parametrize("symbols", [[], ["[MASK]"]])
def test_debertas_vocabulary(files: dict[str, Any], symbols: list[str], tmp_path: Path) -> None:
    trained = {**BERT_PIECES, "user_defined_symbols": symbols}
    path = spm_folder(tmp_path, files, **trained)
    tok = Tokenizer.load(tmp_path)
    peer = sentencepiece.SentencePieceProcessor(model_file=str(path))
    pieces = peer.vocab_size()
    assert tok.special_ids == {
        "cls": 1,
        "sep": 2,
        "pad": 0,
        "unk": 3,
        "mask": 4 if symbols else pieces,
    }
    saved = peer_of(tok, tmp_path / "saved")
    by_transformers = DebertaV2Tokenizer.from_pretrained(tmp_path)
    rng = random.Random(0)
    for text in [*sorted(set(TRAINING)), *(hostile(rng) for _ in range(100))]:
        if "[" in text:
            continue
        assert tok.encode(text).ids == [1, *peer.encode(text), 2], text
        if text.isascii() and text.isprintable():
            assert by_transformers(text)["input_ids"] == tok.encode(text).ids, text
            assert saved.encode(text).ids == tok.encode(text).ids, text
    pair = tok.encode("the dog", "two [MASK] [SEP]")
    wanted = by_transformers("the dog", "two [MASK] [SEP]")
    assert (pair.ids, pair.type_ids) == (wanted["input_ids"], wanted["token_type_ids"])
    assert Tokenizer.load(tmp_path / "saved").encode("the dog", "two [MASK] [SEP]").ids == pair.ids


def spm_folder(path: Path, files: dict[str, Any], **options: Any) -> Path:
    """A folder with a .model, and with what stands beside it."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING),
        model_prefix=str(path / "spm"),
        num_threads=1,
        vocab_size=190,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    for name, values in files.items():
        (path / name).write_text(json.dumps(values))
    return path / "spm.model"


@pytest.mark.parametrize(
    ("config", "kind", "said"),
    [
        ({"do_lower_case": True}, "deberta-v2", "with do_lower_case, which changes texts"),
        ({"split_by_punct": True}, "deberta-v2", "with split_by_punct, which changes texts"),
        ({"do_lower_case": "no"}, "deberta-v2", "do_lower_case"),
        ({}, "albert", "is for AlbertTokenizer, which prepares texts"),
        ({}, "xlm-roberta", "is for XLMRobertaTokenizer, which prepares texts"),
    ],
)
def test_what_a_kind_of_model_does_otherwise_is_refused(
    config: dict[str, Any], kind: str, said: str, tmp_path: Path
) -> None:
    files = {"tokenizer_config.json": config, "config.json": {"model_type": kind}}
    spm_folder(tmp_path, files, **BERT_PIECES)
    with pytest.raises(TokenizerError, match=said):
        Tokenizer.load(tmp_path)


def test_a_model_without_debertas_pieces_is_refused(tmp_path: Path) -> None:
    spm_folder(tmp_path, {"config.json": {"model_type": "deberta-v2"}})
    with pytest.raises(TokenizerError, match=r"has no \[CLS\], so it is no DeBERTa vocabulary"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize(
    ("values", "last"),
    [({"model_type": "t5"}, "</s>"), ({"model_type": "other"}, "g"), ({"model_type": ["t5"]}, "g")],
)
def test_the_kind_of_model_says_what_stands_around(
    values: dict[str, Any], last: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "spiece.model").write_bytes(trained("unigram", folder).read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert Tokenizer.load(tmp_path).encode("the dog").tokens[-1] == last
    # What the tokenizer's own file says comes first.
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer"}')
    assert Tokenizer.load(tmp_path).encode("the dog").tokens[0] == "<s>"
