from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training.tiny import SIGNS, WORDS, tiny_model

import headway
from headway import Dataset, SemanticSearch
from headway.data.cache import Store
from headway.errors import ConfigError, DataError, TokenizerError
from headway.model import Model
from headway.search.kept_vectors import kept_vectors, model_fingerprint
from headway.search.passages import cut_texts, source_of


def texts(n: int = 30) -> list[str]:
    draw = random.Random(0)
    return [" ".join(draw.choices(WORDS + SIGNS, k=draw.randint(1, 9))) for _ in range(n)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "steps")


def test_found_is_what_comparing_all_finds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.search.semantic_search.AT_ONCE", 7)
    model = tiny_model()
    rows = texts()
    search = SemanticSearch(model, rows, store=store)
    assert len(search) == 30
    query = "w1 red w3"
    table = model.embed([query, *rows])
    cosines = table[1:] @ table[0]
    found = search.search(query, top=4)
    assert [hit["row"] for hit in found] == np.argsort(-cosines, kind="stable")[:4].tolist()
    for hit in found:
        assert hit["text"] == rows[hit["row"]] and (hit["start"], hit["end"]) == (
            0,
            len(hit["text"]),
        )
        assert hit["score"] == pytest.approx(float(cosines[hit["row"]]), abs=1e-5)
        n = len(hit["text"].split())
        assert hit["tokens"] == {"used": n, "total": n, "windows": 1}
    assert len(search.search(query, top=99)) == 30
    many = search.search([query, rows[7]], top=4)
    assert [hit["row"] for hit in many[0]] == [hit["row"] for hit in found]
    assert many[1][0]["score"] == pytest.approx(1.0, abs=1e-5)
    assert search.search([]) == []


def test_of_equal_texts_the_first_are_told(store: Store) -> None:
    search = SemanticSearch(tiny_model(), ["w1 w2"] * 20 + ["red"], store=store)
    assert [hit["row"] for hit in search.search("w1 w2", top=3)] == [0, 1, 2]


def test_a_long_text_is_found_by_its_passage(store: Store) -> None:
    model = tiny_model()
    long = "  " + " ".join(["w1 w2 w3"] * 20 + ["red red red green"] * 5 + ["w4 w5"] * 30)
    search = SemanticSearch(model, ["w7", long, "w8 w9"], store=store)
    (best, *_) = search.search("red red red green red red red green", top=1)
    assert best["row"] == 1 and best["tokens"]["total"] == 140 and best["tokens"]["windows"] > 5
    assert best["text"] == long[best["start"] : best["end"]] and "red" in best["text"]
    assert len(search.search("red", top=5)) == 3  # a row is told once
    fewer = SemanticSearch(model, [long], window=12, stride=0, store=store)
    assert fewer.search("red", top=1)[0]["tokens"]["windows"] == 14


def test_passages_cover_a_text_and_overlap(store: Store) -> None:
    text = " ".join(WORDS * 6)
    (passages,) = cut_texts(tiny_model(), source_of(["", text], None), window=12, stride=3)
    assert (passages[0].start, passages[0].end, passages[0].tokens) == (0, 0, 0)
    own = passages[1:]
    assert own[0].start == 0 and own[-1].end == len(text)
    words = [text[one.start : one.end].split() for one in own]
    assert all(len(each) == one.tokens <= 10 for each, one in zip(words, own, strict=True))
    for before, after in itertools.pairwise(words):
        assert before[-3:] == after[:3]


def test_the_second_opening_reads_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = texts()
    first = SemanticSearch(tiny_model(), rows, store=store).search("w1 red")
    read: list[int] = []
    embed = Model.embed
    monkeypatch.setattr(
        Model, "embed", lambda self, got, **how: (read.append(len(got)), embed(self, got, **how))[1]
    )
    again = SemanticSearch(tiny_model(), Dataset.from_columns({"text": rows}), store=store)
    assert read == []
    assert again.search("w1 red") == first and read == [1]
    SemanticSearch(tiny_model(seed=1), rows, store=store)
    assert read == [1, 30]  # another model
    SemanticSearch(tiny_model(), [*rows, "w1"], store=store)
    assert read == [1, 30, 31]  # other rows
    SemanticSearch(tiny_model(), rows, window=12, store=store)
    assert read == [1, 30, 31, 30]


def test_any_parameter_or_pooling_makes_another_model() -> None:
    model = tiny_model()
    seen = {model_fingerprint(model)}
    with torch.no_grad():
        next(iter(model.body.parameters()))[0, 0] += 1e-3
    seen.add(model_fingerprint(model))
    object.__setattr__(model.checkpoint.embedding, "pooling", "first")
    seen.add(model_fingerprint(model))
    assert len(seen) == 3
    assert model_fingerprint(tiny_model().half()) != model_fingerprint(tiny_model())


def test_a_prompt_is_before_passages_and_not_in_them(store: Store) -> None:
    model = tiny_model()
    object.__setattr__(model.checkpoint.embedding, "prompt", "green w1 ")
    text = " ".join(WORDS * 2)
    kept = kept_vectors(model, source_of([text], None), store=store)
    for row, start, end, tokens in kept.places.tolist():
        assert row == 0 and len(text[start:end].split()) == tokens <= 20
        ids = model.need_tokenizer().encode("green w1 " + text[start:end]).ids
        assert len(ids) <= 24
    assert kept.places[-1, 2] == len(text)


def test_a_file_of_rows(tmp_path: Path, store: Store) -> None:
    rows = texts(5)
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps({"title": one, "n": 1}) for one in rows))
    tiny_model().save(tmp_path / "model")
    found = SemanticSearch(tmp_path / "model", file, store=store).search(rows[2], top=1)
    assert found[0]["row"] == 2 and found[0]["text"] == rows[2]
    assert headway.SemanticSearch is SemanticSearch


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ([], {}, "there are no texts"),
        (["a", 3], {}, "3 is no text"),
        (Dataset.from_columns({"text": ["a"]}), {"text": "body"}, "body"),
        (["a"], {"window": 3}, "window = 3"),
        (["w1 " * 99], {"window": 8, "stride": 7}, "text 0.*do not advance"),
        (["\ud800"], {}, "surrogate"),
    ],
)
def test_what_cannot_be_searched(data: Any, options: Any, said: str, store: Store) -> None:
    with pytest.raises((ConfigError, DataError, TokenizerError), match=said):
        SemanticSearch(tiny_model(), data, store=store, **options)
    assert store.entries() == []


def test_models_and_queries_that_cannot_be(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ConfigError, match="encoder-decoder"):
        SemanticSearch(tiny_model("t5"), ["a"], store=store)
    with pytest.raises(ConfigError, match="top = 0"):
        SemanticSearch(tiny_model(), ["a"], store=store).search("a", top=0)
    assert "declares no way to embed" in caplog.text


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_texts_without_tokens_are_near_to_nothing(kind: str, store: Store) -> None:
    search = SemanticSearch(tiny_model(kind), ["", "w1 red", "  "], store=store)
    found = search.search("w1 red")
    assert found[0]["row"] == 1 and found[0]["score"] == pytest.approx(1.0, abs=1e-5)
    assert [(hit["row"], hit["score"], hit["tokens"]["total"]) for hit in found[1:]] == [
        (0, 0.0, 0), (2, 0.0, 0),
    ]  # fmt: skip
