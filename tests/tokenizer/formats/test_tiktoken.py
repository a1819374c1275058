"""A file of ranks gives tiktoken's ids."""

from __future__ import annotations

import base64
import functools
import itertools
import json
import random
import tempfile
import unicodedata
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings
from tiktoken_ext import openai_public
from transformers import AutoTokenizer

from headway.errors import TokenizerError
from headway.tokenizer import Tokenizer
from headway.tokenizer.byte_alphabet import BYTE_VALUES
from headway.tokenizer.formats.ranks import last_merge
from headway.tokenizer.formats.tiktoken_encodings import ENCODINGS
from headway.tokenizer.training import train_tokenizer

from ..oracles import HOSTILE, TRAINING, damaged, data, hostile, lines, peer_of, refused

QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA = QWEN.replace(r"\p{N}|", r"\p{N}{1,3}|")
SPLIT = {"gpt2": "gpt-2", "r50k": "gpt-2", "p50k": "gpt-2", "o200k": "gpt-4o", "qwen": "qwen-2"}


def split_of(name: str) -> str:
    return next((split for start, split in SPLIT.items() if name.startswith(start)), "gpt-4")


@functools.cache
def trained(split: str) -> dict[bytes, int]:
    """The ranks of a small vocabulary."""
    document = train_tokenizer(iter(TRAINING), size=700, split=split)._document
    special = {token["content"] for token in document["added_tokens"]}
    vocabulary = sorted(document["model"]["vocab"].items(), key=lambda item: item[1])
    tokens = [
        bytes(BYTE_VALUES[c] for c in token) for token, _ in vocabulary if token not in special
    ]
    return {token: rank for rank, token in enumerate(tokens)}


def file_of(ranks: dict[bytes, int], path: Path) -> Path:
    rows = [b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranks.items()]
    path.write_bytes(b"".join(rows))
    return path


def published(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, int]]:
    """The pattern and special tokens that tiktoken itself has for an encoding."""
    for load in ("load_tiktoken_bpe", "data_gym_to_mergeable_bpe_ranks"):
        monkeypatch.setattr(openai_public, load, lambda *args, **kwargs: {})
    said = openai_public.ENCODING_CONSTRUCTORS[name]()
    return said["pat_str"], said["special_tokens"]


def peer(name: str, ranks: dict[bytes, int], monkeypatch: pytest.MonkeyPatch) -> tiktoken.Encoding:
    if name in openai_public.ENCODING_CONSTRUCTORS:
        pattern, special = published(name, monkeypatch)
    else:
        pattern = QWEN if "qwen" in name else LLAMA
        special = ENCODINGS[name].special(len(ranks))
    special = {token: i for token, i in special.items() if token != "<|reserved_200018|>"}
    return tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)


def assert_as_tiktoken(tok: Tokenizer, encoding: tiktoken.Encoding, text: str) -> None:
    ids = tok.encode(text, special=False).ids
    assert ids == encoding.encode(text, allowed_special="all"), text
    assert tok.decode(ids, skip_special=False) == encoding.decode(ids), text


@pytest.mark.parametrize("name", ENCODINGS)
def test_ids_are_those_of_tiktoken(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranks = trained(split_of(name))
    if name == "p50k_base":  # has gaps
        ranks = {token: rank + 3 * (rank > 400) for token, rank in ranks.items()}
    tok = Tokenizer.load(file_of(ranks, tmp_path / f"{name}.tiktoken"))
    encoding = peer(name, ranks, monkeypatch)
    assert {**dict(encoding._special_tokens)} == {
        token: tok.id(token) for token in encoding._special_tokens
    }
    rng = random.Random(name)
    special = sorted(encoding.special_tokens_set)
    texts = [*set(TRAINING), "a \n  ", "\n \n", "!\n\n ", "  \r\n\t", "it'S 1234567 x\u2028 \n "]
    texts += [hostile(rng) for _ in range(300)]
    texts += [f"{hostile(rng)}{rng.choice(special)}{hostile(rng)}" for _ in range(100)]
    for text in texts:
        if "qwen" in name:
            text = unicodedata.normalize("NFC", text)
        assert_as_tiktoken(tok, encoding, text)
    tokenizers = peer_of(tok, tmp_path / "saved")
    by_transformers = AutoTokenizer.from_pretrained(str(tmp_path / "saved"))
    for text in texts[:150]:
        ids = tok.encode(text).ids
        assert tokenizers.encode(text).ids == ids, text
        assert by_transformers(text)["input_ids"] == ids, text


def gpt2_ranks() -> dict[bytes, int]:
    vocabulary = json.loads(data("tokenizer-assets", "gpt2_bpe_encoder.json").read_text("utf-8"))
    del vocabulary["<|endoftext|>"]
    return {bytes(BYTE_VALUES[c] for c in token): rank for token, rank in vocabulary.items()}


def test_gpt2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The merges that were learnt are found again from the ranks, and real text is cut alike."""
    ranks = gpt2_ranks()
    tok = Tokenizer.load(file_of(ranks, tmp_path / "gpt2.tiktoken"))
    merges = data("tokenizer-assets", "gpt2_bpe_vocab.bpe").read_text("utf-8").split("\n")[1:-1]
    found = tok._document["model"]["merges"]
    assert found == [pair.split(" ") for pair in merges]
    encoding = peer("gpt2", ranks, monkeypatch)
    for corpus in ("botchan", "xquad", "multi30k-de", "wikitext"):
        texts = lines(corpus)
        for text in texts[:: max(1, len(texts) // 200)]:
            assert_as_tiktoken(tok, encoding, text)


@given(text=HOSTILE)
@settings(max_examples=200, deadline=None)
def test_any_text(text: str) -> None:
    ranks, pattern = RANDOM[len(text) % len(RANDOM)], tiktoken_pattern()
    encoding = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    tok = OURS[len(text) % len(RANDOM)]
    assert tok.encode(text, special=False).ids == encoding.encode(text)


def tiktoken_pattern() -> str:
    with pytest.MonkeyPatch.context() as patch:
        return published("cl100k_base", patch)[0]


def random_ranks(seed: int) -> dict[bytes, int]:
    """Tokens that no training would give: some no pair of lower rank makes, in any order."""
    rng = random.Random(seed)
    letters = [" ", "t", "h", "e", "a", "b", "é", "好", "\n"]
    pieces = {
        "".join(rng.choices(letters, k=rng.choice([2, 2, 3, 3, 4, 5]))).encode() for _ in range(300)
    }
    pieces |= {piece[: rng.randint(2, len(piece))] for piece in sorted(pieces)}
    tokens = [*sorted(pieces), *(bytes([byte]) for byte in range(256))]
    rng.shuffle(tokens)
    return {token: rank for rank, token in enumerate(tokens)}


def _load(ranks: dict[bytes, int]) -> Tokenizer:
    with tempfile.TemporaryDirectory() as folder:
        return Tokenizer.load(file_of(ranks, Path(folder) / "cl100k_base.tiktoken"))


RANDOM = [random_ranks(seed) for seed in range(6)]
OURS = [_load(ranks) for ranks in RANDOM]


@pytest.mark.parametrize("seed", range(len(RANDOM)))
def test_ranks_in_any_order(seed: int) -> None:
    encoding = tiktoken.Encoding(
        "x", pat_str=tiktoken_pattern(), mergeable_ranks=RANDOM[seed], special_tokens={}
    )
    rng = random.Random(seed)
    for _ in range(1000):
        text = "".join(rng.choices([*" thehabé好\n", " the", "tha"], k=rng.randrange(1, 25)))
        assert OURS[seed].encode(text, special=False).ids == encoding.encode(text), text


def test_a_token_that_no_pair_makes() -> None:
    ranks = {b"a": 0, b"b": 1, b"c": 2, b"abc": 3}
    assert last_merge(b"abc", ranks) is None
    assert last_merge(b"abc", {**ranks, b"bc": 9}) == (b"a", b"bc")


def llama_file(path: Path, size: int) -> Path:
    tokens = [bytes([byte]) for byte in range(256)]
    pairs = (
        bytes(pair) for length in (2, 3) for pair in itertools.product(range(256), repeat=length)
    )
    tokens += itertools.islice(pairs, size - 256)
    return file_of({token: rank for rank, token in enumerate(tokens)}, path)


def test_llama_3_by_its_usual_name(tmp_path: Path) -> None:
    tok = Tokenizer.load(llama_file(tmp_path / "tokenizer.model", 128_000).parent)
    assert len(tok) == 128_256
    assert tok.special["bos"] == "<|begin_of_text|>" and tok.special["eos"] == "<|end_of_text|>"
    assert (tok.id("<|eot_id|>"), tok.id("<|reserved_special_token_250|>")) == (128_009, 128_255)
    assert tok.encode("a").ids[0] == 128_000 == tok.encode("a", "b").ids[2]
    (tmp_path / "tokenizer_config.json").write_text('{"add_bos_token": false}')
    assert tok.encode("a").ids[1:] == Tokenizer.load(tmp_path).encode("a").ids
    with pytest.raises(TokenizerError, match=r"400 ranks.*llama-3\.1"):
        Tokenizer.load(llama_file(tmp_path / "tokenizer.model", 400))


def test_special_tokens_of_llama_31(tmp_path: Path) -> None:
    tok = Tokenizer.load(llama_file(tmp_path / "llama-3.1.model", 300))
    named = {"<|begin_of_text|>": 0, "<|finetune_right_pad_id|>": 4, "<|start_header_id|>": 6}
    named |= {"<|eom_id|>": 8, "<|eot_id|>": 9, "<|python_tag|>": 10}
    named |= {"<|reserved_special_token_2|>": 5, "<|reserved_special_token_247|>": 255}
    assert {token: tok.id(token) for token in named} == {t: 300 + i for t, i in named.items()}
    assert len(tok) == 556


def test_a_configuration_says_which_special_tokens_there_are(tmp_path: Path) -> None:
    file_of(trained("gpt-4"), tmp_path / "cl100k_base.tiktoken")
    config = {"added_tokens_decoder": {"9001": {"content": "<|x|>", "special": True}}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    tok = Tokenizer.load(tmp_path)
    assert tok.encode("a<|x|>").ids[1:] == [9001] and tok.id("<|endoftext|>") is None
    for number in ("-1", "x", "", "1" * 5000, "²"):
        wrong = {"added_tokens_decoder": {number: {"content": "<|x|>"}}}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(wrong))
        with pytest.raises(TokenizerError, match="added_tokens_decoder has the id"):
            Tokenizer.load(tmp_path)


def row(token: bytes, rank: int) -> bytes:
    return base64.b64encode(token) + b" %d\n" % rank


ALL_BYTES = b"".join(row(bytes([byte]), byte) for byte in range(256))
BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no token for the byte 0x00"),
    "cut off": (ALL_BYTES[:900], "line|no token for the byte"),
    "not base64": (ALL_BYTES + b"%%% 256\n", "line 257 .*base64"),
    "half of base64": (ALL_BYTES + b"YWI 256\n", "line 257 .*base64"),
    "no rank": (ALL_BYTES + b"YWI=\n", "line 257"),
    "two spaces": (ALL_BYTES + b"YWI=  256\n", "line 257"),
    "a rank below 0": (ALL_BYTES + b"YWI= -1\n", "line 257"),
    "a rank of many digits": (ALL_BYTES + b"YWI= " + b"9" * 5000 + b"\n", "line 257"),
    "a rank over 32 bits": (ALL_BYTES + b"YWI= 4294967296\n", "line 257"),
    "a rank that is no number": (ALL_BYTES + b"YWI= x\n", "line 257"),
    "an empty token": (ALL_BYTES + b"= 256\n", "line 257"),
    "a token without end": (ALL_BYTES + row(b"a" * 5000, 256), "line 257 .*1024 bytes"),
    "a token twice": (ALL_BYTES + row(b"ab", 256) + row(b"ab", 257), "line 258 .*second time"),
    "a rank twice": (ALL_BYTES + row(b"ab", 65), "line 257 .*rank 65"),
    "a special token's id": (ALL_BYTES + row(b"ab", 100257), "special token .* id 100257"),
    "a special token": (ALL_BYTES + row(b"<|endoftext|>", 256), "special token .* id 100257"),
    "a pickle": (b"\x80\x04cos\nsystem\n", "line 1 of"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(name: str, tmp_path: Path) -> None:
    content, message = BAD[name]
    path = tmp_path / "cl100k_base.tiktoken"
    path.write_bytes(content)
    with pytest.raises(TokenizerError, match=f"(?is){message}") as caught:
        Tokenizer.load(path)
    assert str(path) in str(caught.value)


def test_a_name_that_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match=r"did you mean 'cl100k_base'\?.*o200k_harmony"):
        Tokenizer.load(file_of(trained("gpt-4"), tmp_path / "cl100k_bas.tiktoken"))


def test_every_damage_is_an_error_or_a_vocabulary(tmp_path: Path) -> None:
    whole = ALL_BYTES + row(b"ab", 256) + row(b"abc", 257)
    rng = random.Random(0)
    path = tmp_path / "cl100k_base.tiktoken"
    cuts = (whole[: rng.randrange(1, len(whole))] for _ in range(200))
    assert refused(path, cuts, "abc é") > 150
    assert refused(path, damaged(whole, times=200, most=3), "abc é") > 50


def test_long_tokens_take_no_long_time(tmp_path: Path) -> None:
    rng = random.Random(0)
    tokens = {bytes(rng.choices(b"ab", k=1024)) for _ in range(100)}
    tokens |= {bytes(rng.choices(b"ab", k=n)) for n in range(2, 40) for _ in range(20)}
    ranks = {bytes([byte]): byte for byte in range(256)}
    ranks |= {token: 256 + i for i, token in enumerate(sorted(tokens))}
    tok = Tokenizer.load(file_of(ranks, tmp_path / "gpt2.tiktoken"))
    longest = max(tokens, key=len)
    assert tok.encode(longest.decode()).ids == [ranks[longest]]
