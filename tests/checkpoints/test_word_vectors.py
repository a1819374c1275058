"""Word vectors of every kind of file are read, and open in the ecosystem's programs."""

from __future__ import annotations

import gzip
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizer.oracles import package

import headway
from checkpoints.models import tensors
from headway.checkpoints import load_checkpoint
from headway.checkpoints.sources import FILES
from headway.checkpoints.word_vectors import read_text_vectors
from headway.errors import CheckpointError, InputError, ResolveError
from headway.hub import MODEL_FILES

WORDS = ["the", "of", "king", "queen", ",", ".", "naïve", "東京", "state-of-the-art", "unk"]
TABLE = np.random.default_rng(0).normal(size=(len(WORDS), 6)).astype(np.float32)


def lines(words: list[str] = WORDS, *, end: str = "\n") -> str:
    rows = zip(words, TABLE, strict=False)
    return "".join(f"{word} {' '.join(map(repr, row.tolist()))}{end}" for word, row in rows)


def binary(words: list[str] = WORDS, *, newline: bytes = b"\n") -> bytes:
    out = f"{len(words)} 6\n".encode()
    for word, row in zip(words, TABLE, strict=False):
        out += word.encode() + b" " + row.tobytes() + newline
    return out


KINDS: dict[str, bytes] = {
    "glove.txt": lines().encode(),
    "windows.txt": lines(end="\r\n").encode(),
    "fast.vec": f"{len(WORDS)} 6\n{lines(end=' ' + chr(10))}".encode(),
    "glove.txt.gz": gzip.compress(lines().encode()),
    "fast.vec.gz": gzip.compress(f"{len(WORDS)} 6\n{lines()}".encode()),
    "google.bin": binary(),
    "plain.bin": binary(newline=b""),
    "google.bin.gz": gzip.compress(binary()),
}


def mean_of(*words: str) -> Any:
    """The mean of their vectors, of length 1; a word that is not there has zeros."""
    rows = [TABLE[WORDS.index(word)] if word in WORDS else np.zeros(6) for word in words]
    vector = np.mean(rows, axis=0)
    return vector / np.linalg.norm(vector)


def test_the_lists_of_endings_agree() -> None:
    assert set(FILES) == set(MODEL_FILES)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(KINDS[name])
    model = headway.load(path)
    got = model.embed(["The king, of NAÏVE", "queen", "東京 xyz king."])
    wanted = [
        mean_of("the", "king", ",", "of", "naïve"),
        mean_of("queen"),
        mean_of("東京", "xyz", "king", "."),
    ]
    np.testing.assert_allclose(got, wanted, atol=1e-6)
    model.save(tmp_path / "saved")
    np.testing.assert_array_equal(headway.load(tmp_path / "saved").embed(["The king"])[0],
                                  model.embed(["The king"])[0])  # fmt: skip
    table = tensors(tmp_path / "saved")["embeddings"].numpy()
    np.testing.assert_array_equal(table, np.vstack([TABLE, np.zeros((1, 6))]))


def test_capitals_count_where_the_file_has_some(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(lines(["king", "King", "<unk>"]))
    model = headway.load(tmp_path / "v.txt")
    assert model.tokenizer is not None
    assert [model.tokenizer.encode(text).ids for text in ("king", "King", "KING")] == [
        [0],
        [1],
        [2],
    ]
    assert len(model.tokenizer) == 3  # the file has a vector for words that it does not have


@pytest.mark.parametrize("lowercase", [True, False])
def test_small_letters_as_asked(lowercase: bool, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(lines(["king", "of"]))
    source = read_text_vectors(tmp_path / "v.txt", lowercase=lowercase)
    tokenizer = load_checkpoint(source).tokenizer
    assert tokenizer is not None
    assert tokenizer.encode("King of").ids == ([0, 1] if lowercase else [2, 1])


def test_a_word_with_spaces_and_a_word_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "v.txt").write_text(lines(["king", ". . .", "king", "queen"]))
    model = headway.load(tmp_path / "v.txt")
    assert model.tokenizer is not None
    assert list(model.tokenizer.vocabulary) == ["king", ". . .", "queen", "[UNK]"]
    assert "1 words are there again" in caplog.text
    table = model.body.get_parameter("embeddings.words.weight").detach().numpy()
    np.testing.assert_array_equal(table[:3], TABLE[[0, 1, 3]])


BROKEN: dict[str, tuple[str, str]] = {
    "a number less": ("king 1 2 3\nqueen 1 2\n", r"line 2: a word and 3 numbers"),
    "a number more is a word": ("king 1 2\nqueen x 1 2 z\n", r"line 2: b'z' is no number"),
    "no number": ("king 1 2\nof 1 2\nqueen 1 two\n", r"line 3: b'two' is no number"),
    "not a number": ("king 1 2\nqueen nan 2\n", r"line 2: b'nan' is no number"),
    "beyond 32 bits": ("king 1 2\nqueen 1e50 2\n", "lines 1 to 2: a number beyond 32 bits"),
    "a word alone": ("king\n", "line 1: it has no word and numbers"),
    "nothing": ("", "line 1: it has no word and numbers"),
    "an empty line": ("king 1 2\n\nqueen 1 2\n", "line 2: a word and 2 numbers"),
    "no word": ("king 1 2\n 1 2\n", "line 2: a word and 2 numbers"),
    "fewer words": ("3 2\nking 1 2\nqueen 1 2\n", "announces 3 words, and there are 2"),
    "more words": ("1 2\nking 1 2\nqueen 1 2\n", "announces 1 words, and there are 2"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_line_is_named(name: str, tmp_path: Path) -> None:
    content, message = BROKEN[name]
    (tmp_path / "v.txt").write_text(content)
    with pytest.raises(CheckpointError, match=message) as caught:
        headway.load(tmp_path / "v.txt")
    assert "v.txt" in str(caught.value)


def test_a_word_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_bytes(b"king 1 2\nna\xefve 1 2\n")
    with pytest.raises(CheckpointError, match=r"row 2: .*is not UTF-8"):
        headway.load(tmp_path / "v.txt")


def test_lines_beyond_those_read_at_once(tmp_path: Path) -> None:
    rows = [f"w{n} {n} {n / 8}" for n in range(10_001)]
    (tmp_path / "v.txt").write_text("\n".join(rows))
    table = headway.load(tmp_path / "v.txt").body.get_parameter("embeddings.words.weight")
    wanted = torch.arange(10_001.0)
    assert torch.equal(table.detach()[:-1], torch.stack([wanted, wanted / 8], 1))
    rows[9_000] = "w 1"
    (tmp_path / "v.txt").write_text("\n".join(rows))
    with pytest.raises(CheckpointError, match="line 9001: "):
        headway.load(tmp_path / "v.txt")


def test_cut_and_damaged_binary_files(tmp_path: Path) -> None:
    path, whole, rng = tmp_path / "v.bin", binary(newline=b""), random.Random(0)
    for end in (*range(20), *(rng.randrange(len(whole)) for _ in range(20)), len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError):
            headway.load(path)
    path.write_bytes(whole + b"king \0")
    with pytest.raises(CheckpointError, match="goes on behind 10 words"):
        headway.load(path)
    path.write_bytes(b"2 6\nking" + struct.pack("<6f", *range(6)))
    with pytest.raises(CheckpointError, match="word 1 of 2"):
        headway.load(path)
    (tmp_path / "v.vec.gz").write_bytes(gzip.compress(lines().encode())[:-9])
    with pytest.raises(CheckpointError, match=r"v\.vec\.gz cannot be read"):
        headway.load(tmp_path / "v.vec.gz")


def test_sentence_transformers_reads_and_writes_the_same(tmp_path: Path) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    (tmp_path / "v.txt").write_text(lines())
    model, texts = headway.load(tmp_path / "v.txt"), ["The king, of NAÏVE", "queen zzz", "東京"]
    model.save(tmp_path / "ours")
    theirs = sentence_transformers.SentenceTransformer(str(tmp_path / "ours"), device="cpu")
    np.testing.assert_allclose(model.embed(texts), theirs.encode(texts), atol=1e-6)
    # What it saves has no config.json; whether vectors have length 1 is said by its modules.
    static = theirs[0]
    for number, modules in enumerate(([static, theirs[1]], [static])):
        again = sentence_transformers.SentenceTransformer(modules=modules, device="cpu")
        again.save(str(tmp_path / f"theirs{number}"))
        assert not (tmp_path / f"theirs{number}/config.json").exists()
        got = headway.load(tmp_path / f"theirs{number}").embed(texts)
        np.testing.assert_allclose(got, again.encode(texts), atol=1e-6)


def test_folders_of_model2vec(tmp_path: Path) -> None:
    """One row for several tokens, a weight a token, and a post-processor that is left aside."""
    (tmp_path / "v.txt").write_text(lines())
    headway.load(tmp_path / "v.txt").save(tmp_path / "m")
    (tmp_path / "m/config.json").write_text(
        '{"model_type": "model2vec", "hidden_dim": 6, "seq_length": 512, "normalize": false}'
    )
    (tmp_path / "m/modules.json").unlink()
    document = (tmp_path / "m/tokenizer.json").read_text()
    around = '"post_processor": {"type": "BertProcessing", "cls": ["the", 0], "sep": ["of", 1]}'
    assert '"post_processor": null' in document
    (tmp_path / "m/tokenizer.json").write_text(document.replace('"post_processor": null', around))
    mapping = torch.tensor([0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5])
    weights = torch.linspace(0.5, 1.5, 11)
    table = torch.from_numpy(TABLE[:6].copy())
    stored = {"embeddings": table, "mapping": mapping, "weights": weights}
    save_file(stored, tmp_path / "m/model.safetensors")
    model = headway.load(tmp_path / "m")
    rows = (table[mapping] * weights[:, None]).numpy()
    np.testing.assert_allclose(model.embed(["king queen ."]), [rows[[2, 3, 5]].mean(0)], rtol=1e-6)
    for bad, message in (
        ({"embeddings": table, "mapping": mapping + 1}, "mapping leads beyond the 6 rows"),
        ({"embeddings": table, "weights": weights}, r"\[11\] weights for 6 tokens"),
        ({"table": table}, "holds no table of word vectors: table"),
    ):
        save_file(bad, tmp_path / "m/model.safetensors")
        with pytest.raises(CheckpointError, match=message):
            headway.load(tmp_path / "m")


def test_a_file_of_a_models_folder_is_not_the_model(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(lines())
    headway.load(tmp_path / "v.txt").save(tmp_path / "m")
    with pytest.raises(ResolveError, match="name its folder"):
        headway.load(tmp_path / "m/model.safetensors")


def test_layers_that_are_not_there_are_not_recorded(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(lines())
    out = headway.load(tmp_path / "v.txt").forward([[1, 2]], record=["hidden", "attention"])
    assert out.hidden is not None and len(out.hidden) == 1 and out.attention == []
    np.testing.assert_array_equal(out.hidden[0][0].detach().numpy(), TABLE[1:3])


def test_adaptation_learns_from_word_vectors(tmp_path: Path) -> None:
    """Texts of two subjects, told apart by words that a fresh head has to weigh."""
    (tmp_path / "v.txt").write_text(lines())
    draw = random.Random(0)
    rows = []
    for number in range(160):
        label = ("ruler", "sign")[number % 2]
        inside = ["king", "queen"] if label == "ruler" else ["naïve", "東京"]
        text = " ".join(draw.choices(["the", "of", "."], k=4) + draw.choices(inside, k=2))
        rows.append(f"{text}\t{label}")
    (tmp_path / "d.tsv").write_text("text\tlabel\n" + "\n".join(rows) + "\n")
    model = headway.load(tmp_path / "v.txt")
    result = headway.adapt(
        model,
        headway.read(tmp_path / "d.tsv"),
        task="text-classification",
        out=tmp_path / "run",
        seed=0,
    )
    assert result.report["test"]["accuracy"] > 0.9
    classify = headway.pipeline(tmp_path / "run")
    assert [answer["label"] for answer in classify(["the king", "東京 of"])] == ["ruler", "sign"]


@pytest.mark.slow
def test_a_released_table() -> None:
    """WordLlama: the mean over a text's tokens, <s> left out."""
    table = package("wordllama", "wordllama/weights/l2_supercat_256.safetensors")
    model = headway.load("pkg:wordllama")
    assert model.tokenizer is not None and model.checkpoint.config.vocabulary == 32000
    import tokenizers

    place = table.parents[1] / "tokenizers/l2_supercat_tokenizer_config.json"
    peer = tokenizers.Tokenizer.from_file(str(place))
    from safetensors.numpy import load_file

    rows = load_file(table)["embedding.weight"].astype(np.float32)
    texts = ["Where is my parcel?", "the king and the queen", "naïve 東京 🙂"]
    for text, vector in zip(texts, model.embed(texts), strict=True):
        mean = rows[peer.encode(text, add_special_tokens=False).ids].mean(0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)
