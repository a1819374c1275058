"""What is exported opens in the programs of each format, with the same ids; or it is refused."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import tiktoken
from tiktoken.load import load_tiktoken_bpe
from transformers import AutoTokenizer

from headway.errors import OutputError, TokenizerError
from headway.tokenizer import Tokenizer
from headway.tokenizer.formats.equivalence import difference
from headway.tokenizer.formats.export import WRITERS
from headway.tokenizer.training import SPLITS, train_tokenizer

from ..oracles import TRAINING, data, hostile
from ..test_sentencepiece import TRAINED, trained
from .test_gguf import spm_file, train_spm


def learnt(kind: str, **options: Any) -> Tokenizer:
    return train_tokenizer(iter(TRAINING), kind=kind, size=600, **options)


def changed(tok: Tokenizer, **parts: Any) -> Tokenizer:
    return Tokenizer.from_document({**tok._document, **parts})


def gpt2(folder: Path, **config: Any) -> Tokenizer:
    for name in ("encoder.json", "vocab.bpe"):
        shutil.copy(data("tokenizer-assets", f"gpt2_bpe_{name}"), folder / name)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return Tokenizer.load(folder)


def texts(seed: str) -> list[str]:
    rng = random.Random(seed)
    return [*sorted(set(TRAINING)), "", "  a  b\n", *(hostile(rng) for _ in range(150))]


def same_in_transformers(tok: Tokenizer, folder: Path, seed: str) -> None:
    peer = AutoTokenizer.from_pretrained(str(folder))
    again = Tokenizer.load(folder)
    for text in texts(seed):
        assert peer(text)["input_ids"] == tok.encode(text).ids, text
        assert again.encode(text).ids == tok.encode(text).ids
        assert again.encode(text, "b").type_ids == tok.encode(text, "b").type_ids
    assert again.special == tok.special


@pytest.mark.parametrize("name", ["bert_base_uncased_vocab.txt", "bert_base_cased_vocab.txt"])
def test_wordpiece_of_a_released_model(name: str, tmp_path: Path) -> None:
    tok = Tokenizer.load(data("tokenizer-assets", name))
    written = tok.export(tmp_path, "wordpiece")
    assert [path.name for path in written] == ["tokenizer_config.json", "vocab.txt"]
    assert (tmp_path / "vocab.txt").read_bytes() == data("tokenizer-assets", name).read_bytes()
    same_in_transformers(tok, tmp_path, name)


@pytest.mark.parametrize("lowercase", [True, False])
def test_wordpiece_that_was_learnt(lowercase: bool, tmp_path: Path) -> None:
    tok = learnt("wordpiece", lowercase=lowercase)
    tok.export(tmp_path, "wordpiece")
    same_in_transformers(tok, tmp_path, "learnt")


@pytest.mark.parametrize("prefix", [True, False])
@pytest.mark.parametrize("begins", [True, False])
def test_gpt2(prefix: bool, begins: bool, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    tok = gpt2(tmp_path / "in", add_prefix_space=prefix, add_bos_token=begins)
    tok.export(tmp_path / "out", "bpe")
    again = Tokenizer.load(tmp_path / "out")
    assert again.encode("the dog", "a").ids == tok.encode("the dog", "a").ids
    if not begins:
        same_in_transformers(tok, tmp_path / "out", "gpt2")


def test_roberta(tmp_path: Path) -> None:
    special = ["<s>", "</s>", "<pad>", "<unk>", "<mask>"]
    tok = learnt("byte-bpe", special=special)
    vocab, merges = tok._document["model"]["vocab"], tok._document["model"]["merges"]
    (tmp_path / "vocab.json").write_text(json.dumps(vocab), "utf-8")
    (tmp_path / "merges.txt").write_text("\n".join(map(" ".join, merges)), "utf-8")
    tok = Tokenizer.load(tmp_path)
    tok.export(tmp_path / "out", "bpe")
    same_in_transformers(tok, tmp_path / "out", "roberta")
    assert tok.encode("a").tokens == ["<s>", "a", "</s>"]


def test_the_first_gpt(tmp_path: Path) -> None:
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(data("tokenizer-assets", f"openai-gpt-{name}"), tmp_path / name)
    tok = Tokenizer.load(tmp_path)
    tok.export(tmp_path / "out", "bpe")
    same_in_transformers(tok, tmp_path / "out", "first")


def same_in_tiktoken(tok: Tokenizer, path: Path) -> None:
    (pattern,) = [
        step["pattern"]["Regex"]
        for step in tok._document["pre_tokenizer"].get("pretokenizers", [])[:1]
    ] or [tiktoken_gpt2()]
    special = {token["content"]: token["id"] for token in tok._document["added_tokens"]}
    encoding = tiktoken.Encoding(
        "x",
        pat_str=pattern,
        mergeable_ranks=load_tiktoken_bpe(str(path)),
        special_tokens=special,
    )
    again = Tokenizer.load(path.parent)
    for text in [*texts(path.name), f"a{next(iter(special))}b"]:
        ids = tok.encode(text, special=False).ids
        assert encoding.encode(text, allowed_special="all") == ids, text
        assert again.encode(text).ids == tok.encode(text).ids
    assert again.special == tok.special and again.vocabulary == tok.vocabulary


def tiktoken_gpt2() -> str:
    return r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


@pytest.mark.parametrize("split", [split for split in SPLITS if split != "qwen-2"])
def test_ranks(split: str, tmp_path: Path) -> None:
    tok = learnt("byte-bpe", split=split, special=["<|x|>"])
    (path,) = [path for path in tok.export(tmp_path, "tiktoken") if path.suffix == ".tiktoken"]
    names = {"gpt-2": "gpt2", "gpt-4": "llama-3", "gpt-4o": "o200k_base"}
    assert path.stem == names[split]
    same_in_tiktoken(tok, path)


def test_ranks_of_gpt2_are_those_of_the_published_file(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    tok = gpt2(tmp_path / "in")
    config, path = tok.export(tmp_path / "out", "tiktoken")[::-1]
    config, path = sorted((config, path), key=lambda file: file.suffix)
    assert path.name == "gpt2.tiktoken"
    assert "added_tokens_decoder" not in json.loads(config.read_text())
    same_in_tiktoken(tok, path)
    lines = path.read_bytes().splitlines()
    assert len(lines) == 50256 and lines[0] == b"IQ== 0" and lines[-1] == b"IGdhemVk 50255"


def test_ranks_of_a_file_of_ranks(tmp_path: Path) -> None:
    tok = learnt("byte-bpe", split="gpt-4")
    pairs = tok._document["model"]["vocab"]
    (tmp_path / "in").mkdir()
    first = tok.export(tmp_path / "in", "tiktoken")
    again = Tokenizer.load(tmp_path / "in")
    again.export(tmp_path / "out", "tiktoken")
    for path in first:
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert again._document["model"]["vocab"] == pairs


def test_merges_of_every_pair_are_those_of_the_last(tmp_path: Path) -> None:
    """transformers writes each pair of tokens that makes a token, not only the one that does."""
    tok = learnt("byte-bpe", split="gpt-4")
    vocab = tok._document["model"]["vocab"]
    every = [
        [token[:i], token[i:]]
        for token in sorted(vocab, key=vocab.__getitem__)
        for i in range(1, len(token))
        if token[:i] in vocab and token[i:] in vocab
    ]
    model = {**tok._document["model"], "merges": every, "ignore_merges": True}
    assert len(every) > len(tok._document["model"]["merges"])
    changed(tok, model=model).export(tmp_path, "tiktoken")
    assert Tokenizer.load(tmp_path)._document["model"]["merges"] == tok._document["model"]["merges"]
    model["merges"] = every[::-1]
    with pytest.raises(TokenizerError, match="its model is"):
        changed(tok, model=model).export(tmp_path, "tiktoken")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.mark.parametrize("name", TRAINED)
def test_sentencepiece(name: str, folder: Path, tmp_path: Path) -> None:
    source = trained(name, folder)
    tok = Tokenizer.load(source)
    tok.export(tmp_path, "sentencepiece")
    before = sentencepiece.SentencePieceProcessor(model_file=str(source))
    after = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    again = Tokenizer.load(tmp_path)
    for text in texts(name):
        ids = before.encode(text)
        assert after.encode(text) == ids == again.encode(text).ids, text
        assert after.decode(ids) == before.decode(ids)
    for role in ("unk_id", "bos_id", "eos_id", "pad_id"):
        assert getattr(after, role)() == getattr(before, role)()


@pytest.mark.parametrize(
    "config",
    [
        {"tokenizer_class": "T5Tokenizer", "extra_ids": 7},
        {"tokenizer_class": "LlamaTokenizer", "add_eos_token": True},
        {"add_eos_token": True},
    ],
)
def test_sentencepiece_in_a_folder(config: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(trained("unigram", folder), tmp_path / "in" / "spiece.model")
    (tmp_path / "in" / "tokenizer_config.json").write_text(json.dumps(config))
    tok = Tokenizer.load(tmp_path / "in")
    tok.export(tmp_path / "out", "sentencepiece")
    again = Tokenizer.load(tmp_path / "out")
    for text in ("the dog", "a</s> <unk>", "<extra_id_0>"):
        assert again.encode(text, "b").ids == tok.encode(text, "b").ids
    assert again.special == tok.special


def test_a_gguf_becomes_a_model(tmp_path: Path) -> None:
    source = train_spm(tmp_path, model_type="bpe", byte_fallback=True, vocab_size=420)
    tok = Tokenizer.load(spm_file(tmp_path / "m.gguf", source, "llama"))
    tok.export(tmp_path / "out", "sentencepiece")
    again = Tokenizer.load(tmp_path / "out")
    for text in texts("gguf"):
        assert again.encode(text).ids == tok.encode(text).ids


@pytest.mark.parametrize("split", sorted({*SPLITS} - {"qwen-2"}))
def test_a_gguf_of_byte_level_bpe(split: str, tmp_path: Path) -> None:
    tok = with_added(learnt("byte-bpe", split=split, special=["<|x|>"]), special=False)
    tok.export(tmp_path, "gguf")
    again = Tokenizer.load(tmp_path)
    for text in [*texts(split), "a<|x|> <new>b"]:
        assert again.encode(text).ids == tok.encode(text).ids, text
    assert again.special == tok.special and again.vocabulary == tok.vocabulary


def test_a_gguf_of_wordpiece(tmp_path: Path) -> None:
    tok = Tokenizer.load(data("tokenizer-assets", "bert_base_uncased_vocab.txt"))
    tok.export(tmp_path, "gguf")
    again = Tokenizer.load(tmp_path)
    assert again._document == tok._document and again.special == tok.special


@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_a_gguf_of_a_gguf(model_type: str, tmp_path: Path) -> None:
    source = train_spm(tmp_path, model_type=model_type, byte_fallback=True, vocab_size=420)
    model = "llama" if model_type == "bpe" else "t5"
    tok = Tokenizer.load(
        spm_file(tmp_path / "m.gguf", source, model, remove_extra_whitespaces=True)
    )
    tok.export(tmp_path / "out", "gguf")
    again = Tokenizer.load(tmp_path / "out")
    for text in texts("gguf"):
        assert again.encode(text).ids == tok.encode(text).ids
    assert again.special == tok.special


def with_added(tok: Tokenizer, **flags: Any) -> Tokenizer:
    token = {"id": len(tok), "content": "<new>", "special": True, "normalized": False}
    token |= {"single_word": False, "lstrip": False, "rstrip": False, **flags}
    return changed(tok, added_tokens=[*tok._document["added_tokens"], token])


REFUSED: dict[str, tuple[str, Any, str]] = {
    "bpe as wordpiece": ("wordpiece", lambda: learnt("byte-bpe"), "WordPiece, and .* 'BPE'"),
    "wordpiece as bpe": ("bpe", lambda: learnt("wordpiece"), "BPE, and .* 'WordPiece'"),
    "unigram as ranks": ("tiktoken", lambda: learnt("unigram"), "byte-level BPE"),
    "characters as ranks": ("tiktoken", lambda: learnt("bpe"), "byte-level BPE"),
    "a json as .model": ("sentencepiece", lambda: learnt("unigram"), "what was read from one"),
    "another pattern": ("bpe", lambda: learnt("byte-bpe", split="gpt-4"), "its pre_tokenizer is"),
    "a pattern of no encoding": (
        "tiktoken",
        lambda: changed(learnt("byte-bpe"), normalizer={"type": "NFKC"}),
        "no encoding of tiktoken's.*cl100k_base",
    ),
    "a normalizer": (
        "wordpiece",
        lambda: changed(learnt("wordpiece"), normalizer={"type": "NFC"}),
        "its normalizer is",
    ),
    "no special tokens around": (
        "wordpiece",
        lambda: changed(learnt("wordpiece"), post_processor=None),
        "its post_processor is None",
    ),
    "another decoder": ("bpe", lambda: changed(learnt("byte-bpe"), decoder=None), "its decoder is"),
    "an added token": ("bpe", lambda: with_added(learnt("byte-bpe")), "its added_tokens is"),
    "an added token that is not special": (
        "tiktoken",
        lambda: with_added(learnt("byte-bpe"), special=False),
        "its added_tokens is",
    ),
    "short words": (
        "wordpiece",
        lambda: changed(
            learnt("wordpiece"),
            model={**learnt("wordpiece")._document["model"], "max_input_chars_per_word": 9},
        ),
        "its model is .*9",
    ),
    "gaps": (
        "wordpiece",
        lambda: Tokenizer.from_document(
            {
                **learnt("wordpiece")._document,
                "model": {
                    **learnt("wordpiece")._document["model"],
                    "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[PAD]": 3, "[MASK]": 9},
                },
            }
        ),
        "gaps",
    ),
    "a merge that is missing": (
        "tiktoken",
        lambda: changed(
            learnt("byte-bpe"),
            model={
                **learnt("byte-bpe")._document["model"],
                "merges": learnt("byte-bpe")._document["model"]["merges"][:-1],
            },
        ),
        "its model is",
    ),
    "a split without a name": (
        "gguf",
        lambda: learnt("byte-bpe", split="qwen-2"),  # Qwen's own normalizes too
        "this one has no name.*qwen2",
    ),
    "unigram without a .model": ("gguf", lambda: learnt("unigram"), "cannot say a Unigram"),
    "a model's own text": (
        "gguf",
        lambda: changed(learnt("byte-bpe"), decoder={"type": "Fuse"}),
        "cannot say a BPE",
    ),
    "no such format": ("wordpeice", lambda: learnt("wordpiece"), "did you mean 'wordpiece'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_format_cannot_say_is_refused(name: str, tmp_path: Path) -> None:
    format, make, message = REFUSED[name]
    (tmp_path / "vocab.txt").write_text("mine")
    with pytest.raises(TokenizerError, match=f"(?s){message}"):
        make().export(tmp_path, format)
    assert [path.name for path in tmp_path.iterdir()] == ["vocab.txt"]
    assert (tmp_path / "vocab.txt").read_text() == "mine"


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        learnt("wordpiece").export(tmp_path / "x", "wordpiece")


def test_every_format_is_named_in_the_documentation() -> None:
    assert Tokenizer.export.__doc__ is not None
    assert all(name in Tokenizer.export.__doc__ for name in WRITERS)


def template(single: list[Any], pair: list[Any]) -> dict[str, Any]:
    def slot(name: str, kind: int) -> dict[str, Any]:
        part = "Sequence" if name in "AB" else "SpecialToken"
        return {part: {"id": name, "type_id": kind}}

    ids = {"[C]": 7, "[S]": 8}
    return {
        "type": "TemplateProcessing",
        "single": [slot(*one) for one in single],
        "pair": [slot(*one) for one in pair],
        "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for t, i in ids.items()},
    }


CLS, SEP = ["[C]", 7], ["[S]", 8]
SINGLE = [("[C]", 0), ("A", 0), ("[S]", 0)]
BERT = {"type": "BertProcessing", "cls": CLS, "sep": SEP}
ROBERTA = {"type": "RobertaProcessing", "cls": CLS, "sep": SEP, "trim_offsets": True}
PIECE = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
WHOLE = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def split(pattern: str, behavior: str, invert: bool) -> dict[str, Any]:
    return {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": behavior,
        "invert": invert,
    }


@pytest.mark.parametrize(
    ("part", "ours", "theirs", "same"),
    [
        ("post_processor", BERT, template(SINGLE, [*SINGLE, ("B", 1), ("[S]", 1)]), True),
        ("post_processor", BERT, template(SINGLE, [*SINGLE, ("B", 0), ("[S]", 0)]), False),
        ("post_processor", ROBERTA,
         template(SINGLE, [*SINGLE, ("[S]", 0), ("B", 0), ("[S]", 0)]), True),
        ("post_processor", ROBERTA, BERT, False),
        ("post_processor", PIECE, None, True),
        ("post_processor", {"type": "Sequence", "processors": [PIECE, BERT]}, BERT, True),
        ("pre_tokenizer", PIECE, {**PIECE, "use_regex": True, "trim_offsets": False}, True),
        ("pre_tokenizer", PIECE, {**PIECE, "use_regex": False}, False),
        ("pre_tokenizer", PIECE, {**PIECE, "add_prefix_space": True}, False),
        ("pre_tokenizer", split(WHOLE, "Isolated", False), split(WHOLE, "Removed", True), True),
        ("pre_tokenizer", split(WHOLE, "Isolated", False), split(WHOLE, "Removed", False), False),
        ("pre_tokenizer", split("a", "Isolated", False), split("a", "Removed", True), False),
        ("pre_tokenizer", {"type": "Sequence", "pretokenizers": []}, None, True),
        ("normalizer", {"type": "Sequence", "normalizers": [{"type": "NFC"}]}, {"type": "NFC"},
         True),
        ("normalizer", {"type": "NFD"}, {"type": "NFC"}, False),
        ("decoder", {"type": "ByteLevel"}, {**PIECE, "type": "ByteLevel"}, True),
        ("decoder", None, PIECE, False),
        ("model", {"type": "BPE", "vocab": {}, "merges": ["a b"]},
         {"type": "BPE", "vocab": {}, "merges": [["a", "b"]], "unk_token": None, "dropout": None},
         True),
        ("model", {"type": "BPE", "vocab": {}, "merges": [], "fuse_unk": True},
         {"type": "BPE", "vocab": {}, "merges": []}, False),
    ],
)  # fmt: skip
def test_difference(part: str, ours: Any, theirs: Any, same: bool) -> None:
    rest: dict[str, Any] = {"model": {}}
    found = difference({**rest, part: ours}, {**rest, part: theirs})
    assert found == (None if same else part)
