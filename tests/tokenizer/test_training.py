"""Training as it is called: what can be given, what comes out, what it takes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tokenizers
import transformers

import headway
from headway.errors import ConfigError, DataError, InputError
from headway.tokenizer import Tokenizer, _native
from headway.tokenizer.training import KINDS, SPLITS, train, train_tokenizer
from headway.tokenizer.training.counting import count_words

from .oracles import TRAINING, hostile, lines

SIZES = {"char": 60, "byte-bpe": 400, "wordpiece": 300}


def small(kind: str, texts: Any = None, **options: Any) -> Tokenizer:
    options = {"size": SIZES.get(kind, 200), **options}
    return train_tokenizer(iter(TRAINING) if texts is None else texts, kind=kind, **options)


def learnt(tok: Tokenizer, folder: Path) -> Any:
    tok.save(folder)
    return json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_other_libraries_give_equal_ids(kind: str, lowercase: bool, tmp_path: Path) -> None:
    tok = small(kind, lowercase=lowercase, special=["<new>"])
    tok.save(tmp_path)
    peer = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    fast = transformers.AutoTokenizer.from_pretrained(tmp_path)
    rng = random.Random(7)
    for text in [*TRAINING[:5], *(hostile(rng) for _ in range(300)), "a <new> b", ""]:
        ours = tok.encode(text)
        theirs = peer.encode(text)
        assert (ours.ids, ours.offsets) == (theirs.ids, theirs.offsets), text
        assert fast(text).input_ids == ours.ids
        assert tok.decode(ours.ids) == peer.decode(ours.ids)
    assert tok.token(len(tok) - 1) is not None
    assert all(token in tok.vocabulary for token in [*KINDS[kind].special, "<new>"])


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_pattern(split: str, tmp_path: Path) -> None:
    tok = small("byte-bpe", split=split)
    tok.save(tmp_path)
    peer = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in ["It's 12345 things,\n\n\tISN'T it?", *TRAINING[:5]]:
        assert tok.encode(text).ids == peer.encode(text).ids
        assert tok.decode(tok.encode(text).ids) == text
    pieces = [token for token in tok.vocabulary if any(c.isdigit() for c in token)]
    longest = {"gpt-2": 4, "gpt-4": 3, "gpt-4o": 3, "qwen-2": 1}[split]
    assert max(sum(c.isdigit() for c in token) for token in pieces) <= longest


@pytest.mark.parametrize("kind", ["bpe", "char", "unigram"])
def test_byte_fallback_leaves_nothing_unknown(kind: str) -> None:
    texts = ["the cat and the dog"] * 9
    plain, whole = (
        train_tokenizer(iter(texts), kind=kind, size=290, byte_fallback=flag)
        for flag in (False, True)
    )
    assert plain.encode("a ☃").ids.count(plain.vocabulary["<unk>"]) == 1
    assert whole.encode("☃").tokens[-3:] == ["<0xE2>", "<0x98>", "<0x83>"]


@pytest.mark.parametrize("kind", KINDS)
def test_threads_and_pieces_do_not_matter(kind: str, tmp_path: Path) -> None:
    texts = [line for line in lines("multi30k-de")[:600] if line]
    file, parts = tmp_path / "all.txt", [tmp_path / "a.txt", tmp_path / "b.txt"]
    file.write_text("\n".join(texts) + "\n", "utf-8")
    for part, some in zip(parts, (texts[:217], texts[217:]), strict=True):
        part.write_text("".join(text + "\n" for text in some), "utf-8")
    made = []
    for threads in (1, 2, 3):
        made.append(learnt(small(kind, file, threads=threads), tmp_path / "out"))
    made.append(learnt(small(kind, parts[::-1], threads=2), tmp_path / "out"))
    column = [text + "\n" for text in texts]
    chunks = [pa.array(column[:10]), pa.array([], pa.string()), pa.array([*column[10:], None])]
    made.append(learnt(small(kind, pa.chunked_array(chunks), threads=2), tmp_path / "out"))
    made.append(learnt(small(kind, pa.array(column, pa.large_string())), tmp_path / "out"))
    made.append(learnt(small(kind, np.array(column, dtype=object)), tmp_path / "out"))
    made.append(learnt(small(kind, iter(column)), tmp_path / "out"))
    assert all(model == made[0] for model in made)


@pytest.mark.parametrize("kind", ["byte-bpe", "wordpiece"])
def test_counts_that_go_through_a_file_are_the_same(kind: str) -> None:
    texts = [line for line in lines("xquad") if line]
    cutter = KINDS[kind].cutter(False, "gpt-2")

    def counted(memory: int, threads: int) -> tuple[list[Any], dict[str, int]]:
        words, summary = count_words(
            iter(texts), cutter, threads=threads, memory=memory, progress=lambda *_: None
        )
        return words.most_frequent(), summary

    whole, summary = counted(10**9, 1)
    assert (summary["runs"], summary["left_out"]) == (0, 0)
    assert summary["distinct"] == len(whole)
    assert summary["words"] == sum(count for _, count in whole)
    kept, spilled = counted(2 * 10**6, 2)
    assert spilled["runs"] > 1
    assert (spilled["words"], spilled["distinct"]) == (summary["words"], summary["distinct"])
    assert 0 < spilled["left_out"] == len(whole) - len(kept)
    assert set(kept) < set(whole)
    least = spilled["least_count"]
    assert [word for word in kept if word[1] > least] == [word for word in whole if word[1] > least]
    assert counted(2 * 10**6, 3)[0] == kept


def test_memory_is_bounded_by_many_distinct_words(tmp_path: Path) -> None:
    """2.4 million distinct words of 10 bytes and more, which would take 100 MB in one table."""
    script = """
import random, resource
from headway.errors import InputError
from headway.tokenizer.training import train
rng = random.Random(0)
texts = (" ".join("%x" % rng.getrandbits(44) for _ in range(100)) for _ in range(24_000))
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
made = train(texts, kind="wordpiece", size=600, memory=16)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((peak - base) // 1000, made.summary["distinct"], made.summary["left_out"], len(made.notes))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    grown, distinct, left_out, notes = map(int, done.stdout.split())
    assert distinct > 2_390_000
    assert 0 < left_out < distinct
    assert notes
    assert grown < 120


def test_a_planted_word_is_learnt() -> None:
    rng = random.Random(3)
    letters = "abcdefghij"
    texts = ["".join(rng.choice(letters) for _ in range(6)) + " zyxzyx" for _ in range(500)]
    for kind, token in [("byte-bpe", "Ġzyxzyx"), ("bpe", "▁zyxzyx"), ("unigram", "▁zyxzyx"),
                        ("wordpiece", "zyxzyx"), ("word", "zyxzyx")]:  # fmt: skip
        tok = train_tokenizer(iter(texts), kind=kind, size=290)
        assert token in tok.encode("so zyxzyx", special=False).tokens, kind


def test_a_mark_at_the_beginning_of_a_file_is_no_text(tmp_path: Path) -> None:
    with_mark, without = tmp_path / "a.txt", tmp_path / "b.txt"
    with_mark.write_bytes(b"\xef\xbb\xbfaab aab")
    without.write_bytes(b"aab aab")
    made = [learnt(small("byte-bpe", path), tmp_path) for path in (with_mark, without)]
    assert made[0] == made[1]


def test_min_frequency_and_coverage() -> None:
    texts = ["aa aa aa bb bb cc", "☃"]
    words = train_tokenizer(iter(texts), kind="word", min_frequency=3)
    assert [word for word in words.vocabulary if word.isalpha()] == ["aa"]
    assert "☃" not in train_tokenizer(iter(texts), kind="unigram", coverage=0.9).vocabulary
    assert "☃" in train_tokenizer(iter(texts), kind="unigram", coverage=1).vocabulary
    assert "☃" not in train_tokenizer(iter(texts), kind="char").vocabulary
    assert "☃" in train_tokenizer(iter(texts), kind="char", min_frequency=1).vocabulary


def test_words_of_any_length_are_counted() -> None:
    made = train(iter(["ab" * 50_000, "é" * 9_000 + " ok"]), kind="bpe", size=60)
    assert made.summary["cut"] == 2
    assert "4,096 bytes" in made.notes[-1]
    assert made.tokenizer.encode("é").tokens == ["▁", "é"]


def test_what_is_said_of_a_training() -> None:
    made = train(iter(["a b", "a"]), kind="word", min_frequency=1)
    assert {name: made.summary[name] for name in ("texts", "bytes", "words", "distinct")} == {
        "texts": 2,
        "bytes": 4,
        "words": 3,
        "distinct": 2,
    }
    assert made.tokens_per_word() == 1
    assert made.notes == ["the texts give 7 tokens, fewer than the 30,000 asked for"]
    made = train(iter(["abab ab"] * 2), kind="bpe", size=9)
    tokens = [len(made.tokenizer.encode(word)) for word in ("abab", "ab")]
    assert made.tokens_per_word(3) == sum(tokens) / 2


WRONG: list[tuple[dict[str, Any], type[InputError], str]] = [
    ({"kind": "byte-bep"}, ConfigError, "did you mean 'byte-bpe'?"),
    ({"size": 0}, ConfigError, "size is 0. Allowed: a whole number, 1 or more."),
    ({"size": 100}, ConfigError, "257 tokens that there have to be"),
    ({"size": 8, "kind": "unigram"}, ConfigError, "no room for the"),
    ({"size": 8, "kind": "wordpiece"}, ConfigError, "no room for the"),
    ({"threads": 0}, ConfigError, "threads is 0"),
    ({"memory": True}, ConfigError, "memory is True"),
    ({"min_frequency": -1}, ConfigError, "min_frequency is -1"),
    ({"split": "gpt-5"}, ConfigError, "no split pattern 'gpt-5'. Allowed: gpt-2, gpt-4"),
    ({"split": "gpt-2", "kind": "bpe"}, ConfigError, "with the kinds byte-bpe"),
    ({"coverage": 0.9}, ConfigError, "coverage means nothing to a tokenizer of kind byte-bpe"),
    ({"coverage": 1.5, "kind": "bpe"}, ConfigError, "a share above 0, up to 1"),
    ({"byte_fallback": True, "kind": "word"}, ConfigError, "byte_fallback means nothing"),
    ({"min_frequency": 2, "kind": "unigram"}, ConfigError, "min_frequency means nothing"),
    ({"special": [""]}, ConfigError, "'' is no special token"),
]


@pytest.mark.parametrize(("options", "error", "said"), WRONG, ids=[str(w[0]) for w in WRONG])
def test_options_out_of_range(options: Any, error: type[InputError], said: str) -> None:
    with pytest.raises(error) as raised:
        train_tokenizer(iter(TRAINING), **options)
    assert said in str(raised.value)


def test_texts_that_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "broken.txt"
    broken.write_bytes(b"fine\nna\xefve\nfine\n")
    said = f"{broken}, line 2: byte 7 of the file is 0xef, which is not UTF-8"
    for threads in (1, 3):
        with pytest.raises(DataError, match=said):
            train_tokenizer(broken, threads=threads)
    far = tmp_path / "far.txt"
    far.write_bytes(b"\xef\xbb\xbf" + b"a line of text\n" * 700_000 + b"no end \xff")
    with pytest.raises(DataError, match="line 700001: byte 10500010 of the file is 0xff"):
        train_tokenizer(far)
    wrong: list[tuple[Any, str]] = [
        (tmp_path / "absent.txt", "absent.txt cannot be read: No such file"),
        (["some text"], "if these are texts themselves, give an iterator"),
        (str(tmp_path), "Is a directory"),
        ([1], "1 among the files is a int"),
        (7, "7 is a int. Allowed: files, a column of strings, or an iterator"),
        (iter(["a", 1]), "text 1 is 1, a int"),
        (iter(["a\ud800"]), "character 1 of text 0 is half of a surrogate pair"),
        (iter([]), "hold no word to learn from"),
        ([], "hold no word to learn from"),
        (pa.array([b"ok", b"a\xff"]), "row 1: byte 1 is not UTF-8"),
        (pa.array([1, 2]), "a column of int64 has no text"),
    ]
    for texts, message in wrong:
        with pytest.raises(InputError) as raised:
            train_tokenizer(texts, kind="word")
        assert message in str(raised.value)
    with pytest.raises(DataError, match="hold no word"):
        train_tokenizer(iter([" \n", "\t"]), kind="unigram")


def test_no_room_for_the_temporary_file() -> None:
    cutter = KINDS["word"].cutter(False, "gpt-2")
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("/dev/full is not there")
    with full.open("rb+", buffering=0) as file:
        counter = _native.WordCounter(
            cutter, threads=1, budget=1, files=(file.fileno(), file.fileno())
        )
        assert counter.add_lines(b"some words\n", None) == ("file", 0, 0)


@pytest.mark.parametrize("kind", ["byte-bpe", "bpe", "unigram"])
def test_an_error_in_progress_ends_it(kind: str) -> None:
    class EnoughError(Exception):
        pass

    stages = []

    def progress(stage: str, done: int, total: int) -> None:
        stages.append(stage)
        if stage != "counting":
            raise EnoughError

    words = _native.WordList([(b"ab%d" % i, 3) for i in range(20_000)])
    with pytest.raises(EnoughError):
        if kind == "unigram":
            _native.train_unigram(words, size=500, alphabet="ab0123456789", progress=progress)
        else:
            _native.train_bpe(words, size=9_000, is_bytes=kind == "byte-bpe", progress=progress)
    assert len(stages) == 1


@pytest.mark.parametrize("kind", ["byte-bpe", "unigram"])
def test_interrupted_while_it_counts_and_learns(kind: str) -> None:
    def texts() -> Iterator[str]:
        rng = random.Random(0)
        while True:
            yield " ".join(f"{rng.getrandbits(40):x}" for _ in range(50))

    def interrupt() -> None:
        time.sleep(0.7)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    start = time.monotonic()
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        train_tokenizer(texts(), kind=kind)
    assert time.monotonic() - start < 10
    thread.join()


def test_it_is_public() -> None:
    assert headway.train_tokenizer is train_tokenizer
