"""The Tokenizer: loading, roles, saving, and what it says when something is wrong."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import tokenizers
from transformers import AutoTokenizer, MPNetTokenizer, PreTrainedTokenizerFast

from headway.errors import OutputError, TokenizerError
from headway.tokenizer import Tokenizer

from .oracles import assert_same, data, hostile, lines, random_peer

BERT = "bert_base_uncased_vocab.txt"
TEXTS = ("Hello, world!", "naïve  café ﬁne", "it's 42 😀", "", " ", "[MASK] a </s>")


@pytest.fixture(scope="module")
def bert() -> Tokenizer:
    return Tokenizer.load(data("tokenizer-assets", BERT))


def folder_of(folder: Path, config: dict[str, Any] | None = None, **files: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("files", "special", "max_length"),
    [
        (
            ["bert_base_cased_vocab.txt"],
            {"cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]", "unk": "[UNK]"},
            None,
        ),
        (
            ["gpt2_bpe_encoder.json", "gpt2_bpe_vocab.bpe"],
            {"bos": "<|endoftext|>", "eos": "<|endoftext|>"},
            None,
        ),
        (["openai-gpt-vocab.json", "openai-gpt-merges.txt"], {"unk": "<unk>"}, None),
        (["t5_tokenizer_base.model"], {"pad": "<pad>", "unk": "<unk>", "eos": "</s>"}, None),
    ],
)
def test_every_kind_of_file_alone_and_in_a_folder(
    files: list[str], special: dict[str, str], max_length: int | None, tmp_path: Path
) -> None:
    paths = [data("tokenizer-assets", name) for name in files]
    for path in paths:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    alone, inside = Tokenizer.load(str(paths[0])), Tokenizer.load(tmp_path)
    assert alone.special == inside.special == special
    assert alone.special_ids == {role: alone.id(token) for role, token in special.items()}
    assert alone.max_length is max_length
    for text in TEXTS:
        assert alone.encode(text) == inside.encode(text)
        alone.save(tmp_path / "saved")
    again = Tokenizer.load(tmp_path / "saved")
    assert again.special == special
    assert again.vocabulary == alone.vocabulary
    peer = tokenizers.Tokenizer.from_file(str(tmp_path / "saved" / "tokenizer.json"))
    for text in TEXTS[:-1]:
        assert again.encode(text).ids == alone.encode(text).ids
        assert_same(again, peer, text)


@pytest.mark.parametrize("name", [BERT, "bert_base_cased_vocab.txt", "gpt2_bpe_encoder.json"])
def test_transformers_open_what_is_saved(name: str, tmp_path: Path) -> None:
    tok = Tokenizer.load(data("tokenizer-assets", name))
    tok.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(str(tmp_path))
    by_class = PreTrainedTokenizerFast.from_pretrained(str(tmp_path))
    for text in [*TEXTS, *lines("trec")[:50]]:
        assert theirs(text)["input_ids"] == by_class(text)["input_ids"] == tok.encode(text).ids
    for role, token in tok.special.items():
        assert getattr(theirs, f"{role}_token") == token


@pytest.mark.parametrize("case", ["uncased", "cased"])
def test_case_is_told_by_the_vocabulary_or_by_the_configuration(case: str, tmp_path: Path) -> None:
    vocabulary = data("tokenizer-assets", f"bert_base_{case}_vocab.txt")
    bare = Tokenizer.load(vocabulary).encode("HOUSE").tokens
    assert (bare == Tokenizer.load(vocabulary).encode("house").tokens) == (case == "uncased")
    (tmp_path / "vocab.txt").write_bytes(vocabulary.read_bytes())
    for lower in (True, False):
        folder_of(tmp_path, {"do_lower_case": lower, "model_max_length": 512})
        tok = Tokenizer.load(tmp_path)
        assert tok.max_length == 512
        assert (tok.encode("HOUSE").ids == tok.encode("house").ids) == lower


def test_mpnets_marks_stand_around_berts_words(tmp_path: Path) -> None:
    berts = data("tokenizer-assets", BERT).read_text("utf-8")
    (tmp_path / "vocab.txt").write_text(f"<s>\n<pad>\n</s>\n<unk>\n{berts}<mask>\n", "utf-8")
    tok, theirs = Tokenizer.load(tmp_path), MPNetTokenizer.from_pretrained(tmp_path)
    assert tok.special_ids["cls"] == theirs.cls_token_id == 0
    assert tok.special_ids["mask"] == theirs.mask_token_id == 30526
    rng = random.Random(0)
    texts = ["The  House", "a <mask>, [MASK]", "<s> x</s>", "", *(hostile(rng) for _ in range(50))]
    for text in filter(lambda text: text.isascii(), texts):
        assert tok.encode(text).ids == theirs(text)["input_ids"], text
    assert tok.encode("a b", "c").ids == theirs("a b", "c")["input_ids"]
    tok.save(tmp_path / "saved")
    assert Tokenizer.load(tmp_path / "saved").encode("a <mask>").ids == tok.encode("a <mask>").ids
    tok.export(tmp_path / "exported", "wordpiece")
    for again in (Tokenizer.load(tmp_path / "exported"), tok):
        assert again.encode("a", "b").ids == theirs("a", "b")["input_ids"]
    elsewhere = AutoTokenizer.from_pretrained(tmp_path / "exported")
    assert elsewhere("a", "b")["input_ids"] == tok.encode("a", "b").ids


def test_settings_for_truncation_and_padding_are_set_aside(bert: Tokenizer, tmp_path: Path) -> None:
    bert.save(tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text("utf-8"))
    content["truncation"] = {
        "direction": "Right",
        "max_length": 8,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    content["padding"] = {
        "strategy": {"Fixed": 64},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    content["made_by"] = {"another": "program"}
    folder_of(tmp_path, tokenizer=content)
    tok = Tokenizer.load(tmp_path)
    text = "a text of more than eight tokens in all, and fewer than sixty-four"
    assert tok.encode(text) == bert.encode(text)
    tok.save(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved" / "tokenizer.json").read_text("utf-8"))
    assert saved == {**content, "truncation": None, "padding": None}


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "byte-bpe", "unigram", "wordlevel"])
@pytest.mark.parametrize("seed", range(3))
def test_save_and_load_changes_nothing(kind: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"save {kind} {seed}")
    first = Tokenizer.from_document(json.loads(random_peer(rng, kind).to_str()))
    first.save(tmp_path)
    again = Tokenizer.load(tmp_path / "tokenizer.json")
    for _ in range(20):
        text = hostile(rng)
        assert again.encode(text) == first.encode(text)


def test_roles_come_from_the_configuration_first(bert: Tokenizer, tmp_path: Path) -> None:
    bert.save(tmp_path)
    folder_of(
        tmp_path,
        {"pad_token": {"content": "[unused0]", "lstrip": False}, "mask_token": None},
        special_tokens_map={"cls_token": "[unused1]", "pad_token": "[unused9]"},
    )
    tok = Tokenizer.load(tmp_path)
    assert tok.special == {
        "cls": "[unused1]",
        "sep": "[SEP]",
        "pad": "[unused0]",
        "unk": "[UNK]",
    }
    assert tok.special_ids["pad"] == 1


def test_vocabulary(bert: Tokenizer) -> None:
    assert len(bert) == 30522
    assert (bert.id("[CLS]"), bert.token(101), bert.id("no such token")) == (101, "[CLS]", None)
    assert bert.token(10**6) is None
    assert all(bert.token(number) == token for token, number in bert.vocabulary.items())
    assert repr(bert) == "Tokenizer(WordPiece, 30522 tokens, max_length=None)"


def test_another_length_changes_nothing_else(bert: Tokenizer, tmp_path: Path) -> None:
    long = bert.with_max_length(4096)
    assert long.max_length == 4096
    assert long.encode("good day") == bert.encode("good day")
    long.save(tmp_path)
    assert Tokenizer.load(tmp_path).max_length == 4096
    assert bert.max_length != 4096


def test_a_fingerprint_is_that_of_all_that_decides_tokens(bert: Tokenizer) -> None:
    document = json.loads(json.dumps(bert._document))
    same = Tokenizer.from_document(document, dict(bert._config))
    assert same.fingerprint == bert.fingerprint
    vocabulary = document["model"]["vocab"]
    first, second = [*vocabulary][-2:]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    other = Tokenizer.from_document(document, dict(bert._config))
    assert other.fingerprint != bert.fingerprint


def test_batches_and_counts(bert: Tokenizer) -> None:
    texts = ["one", "two three"]
    assert bert.encode_batch(texts) == [bert.encode(text) for text in texts]
    assert bert.encode_batch(texts, texts, special=False)[1].ids == [2048, 2093, 2048, 2093]
    assert bert.count("two three") == 4
    assert bert.count("two three", "one", special=False) == 3
    with pytest.raises(TokenizerError, match="do not make pairs"):
        bert.encode_batch(texts, ["only one"])


@pytest.mark.parametrize("large", [False, True])
def test_columns(bert: Tokenizer, large: bool) -> None:
    kind = pa.large_string() if large else pa.string()
    column = pa.array(["one two", None, "", "ünï"], kind)
    expected = [None if t is None else bert.encode(t) for t in column.to_pylist()]
    batch = bert.encode_arrow(column, offsets=True)
    assert batch.schema.names == ["ids", "starts", "ends"]
    assert batch.schema.field("ids").type == pa.list_(pa.int32())
    assert batch["ids"].to_pylist() == [e and e.ids for e in expected]
    places = zip(batch["starts"].to_pylist(), batch["ends"].to_pylist(), strict=True)
    for encoding, (starts, ends) in zip(expected, places, strict=True):
        assert (encoding and encoding.offsets) == (starts and [*zip(starts, ends, strict=True)])
    chunked = pa.chunked_array([column, column.slice(1, 2)])
    plain = bert.encode_arrow(chunked, special=False, threads=1)
    assert plain.schema.names == ["ids"]
    assert plain["ids"].to_pylist() == [
        None if t is None else bert.encode(t, special=False).ids for t in chunked.to_pylist()
    ]
    with pytest.raises(TokenizerError, match="int64"):
        bert.encode_arrow(pa.array([1]))


@pytest.mark.parametrize(("text", "place"), [("\ud800", 0), ("ab\udfff c", 2), ("é😀\ud83d", 2)])
def test_half_a_surrogate_pair(bert: Tokenizer, text: str, place: int) -> None:
    with pytest.raises(TokenizerError, match=f"character {place} of the text .* Next: "):
        bert.encode(text)
    with pytest.raises(TokenizerError, match=f"character {place} "):
        bert.windows("fine", 10, text)


def test_what_is_no_text_or_no_token(bert: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="NoneType"):
        bert.encode(None)  # type: ignore[arg-type]  # what a careless caller gives
    with pytest.raises(TokenizerError, match="-100"):
        bert.decode([101, -100])
    assert bert.decode([101, 2023, 10**9, 102]) == "this"
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        bert.save(tmp_path / "file")


def test_ten_thousand_added_tokens_are_found_quickly() -> None:
    def seconds(count: int) -> float:
        entries = [{"id": i + 1, "content": f"<t{i}>", "special": False} for i in range(count)]
        tok = Tokenizer.from_document(
            {
                "added_tokens": entries,
                "pre_tokenizer": {"type": "Whitespace"},
                "model": {"type": "WordLevel", "vocab": {"<unk>": 0}, "unk_token": "<unk>"},
            }
        )
        text = " ".join(f"word <t{i % count}> <x{i}>" for i in range(2_000))
        assert tok.encode(text).ids.count(0) == 2_000 * 4
        start = time.perf_counter()
        tok.encode(text)
        return time.perf_counter() - start

    few = min(seconds(10) for _ in range(3))
    many = min(seconds(10_000) for _ in range(3))
    assert many < 4 * few + 0.05


def test_an_article_takes_milliseconds(bert: Tokenizer) -> None:
    article = " ".join(lines("wikitext")[3:12])[:2_600]
    fresh = Tokenizer.load(data("tokenizer-assets", BERT))
    start = time.perf_counter()
    assert len(fresh.encode(article)) > 400
    assert time.perf_counter() - start < 0.25  # 3 ms on an idle machine


def test_the_import_is_light() -> None:
    code = (
        "import sys, headway.tokenizer\n"
        "heavy = ('torch', 'numpy', 'pyarrow', 'tokenizers')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
