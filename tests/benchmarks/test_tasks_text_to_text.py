"""The benchmark of translation and summaries runs, on a few rows and a model of no size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from training.tiny import tiny_model

import headway
from headway import Dataset
from headway.model import Model
from headway.tokenizer import Tokenizer

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

ROWS = {
    "translation": [{"source": f"w{n} w{n + 1}", "target": f"Ü{n} ß{n}"} for n in range(8)],
    "summarization": [
        {"source": [f"w{n} w{n + 1}.", "w9."], "target": [f"W{n}", "w9 é"]} for n in range(8)
    ],
}


@pytest.fixture
def benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import common
    import tasks_text_to_text

    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "ROOT", tmp_path)
    monkeypatch.setattr(headway, "load", lambda name: tiny_model())
    return tasks_text_to_text


@pytest.mark.parametrize("name", ROWS)
def test_it_runs(
    name: str, benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ROWS[name]
    splits = {
        "train": Dataset.from_rows(rows[:4]),
        "validation": Dataset.from_rows(rows[4:6]),
        "test": Dataset.from_rows(rows[6:]),
    }
    part = benchmark.dataclasses.replace(benchmark.PARTS[name], data=lambda: splits)
    monkeypatch.setitem(benchmark.PARTS, name, part)
    words = "0" if name == "translation" else "60"  # the checkpoint's own, and learnt
    benchmark.main(
        [name, "--tuned", "2", "--rates", "1e-3", "1e-2", "--words", words, "--layers", "1"]
    )
    kept = json.loads((tmp_path / f"tasks_{name}.json").read_text())
    assert set(kept["scores"]) == set(part.metrics)
    for scores in kept["scores"].values():
        assert scores["difference"] == pytest.approx(scores["checkpoint"] - scores["scratch"])
        low, high = scores["confidence_interval_95"]["checkpoint"]
        assert 0 <= low <= high and 0 < scores["p_value"] <= 1
    assert kept["loss_of_a_target_token"]["checkpoint"] != kept["loss_of_a_target_token"]["scratch"]
    assert all(1 <= count <= 2 for count in kept["different_texts"].values())
    assert ("its own word pieces" if name == "translation" else "60 word pieces") in kept["work"]
    assert set(kept["loss_of_mending"]) == (
        set() if name == "translation" else {"checkpoint", "scratch"}
    )
    assert set(kept["loss_by_rate"]["scratch"]) == {"0.001", "0.01"}
    assert len(kept["texts"]) == 2 and set(kept["texts"][0]) >= {"right", "checkpoint", "scratch"}


def test_scores_that_differ_end_it(benchmark: Any) -> None:
    part = benchmark.dataclasses.replace(
        benchmark.PARTS["translation"], theirs=lambda texts, right: {"bleu": 50.0, "chrf": 50.0}
    )
    texts = {"checkpoint": ["ein Haus"], "scratch": ["kein Haus"]}
    with pytest.raises(SystemExit, match=r"bleu of checkpoint: .* the reference says 50"):
        benchmark.judged(part, texts, [["ein Haus"]])


def test_word_pieces_start_as_what_they_are_cut_into(benchmark: Any) -> None:
    one = tiny_model().checkpoint
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "w3", "w1 w2", "new"]
    document = {
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {piece: n for n, piece in enumerate(pieces)},
        }
    }
    made = benchmark.with_words(one, Tokenizer.from_document(document))
    old, new = (each.body.embeddings.words.weight for each in (one, made))
    known = one.tokenizer.vocabulary
    assert new.shape == (len(pieces), 32)
    assert torch.equal(new[4], old[known["w3"]])
    torch.testing.assert_close(new[5], (old[known["w1"]] + old[known["w2"]]) / 2)
    theirs = one.body.layers.state_dict()
    assert all(tensor.equal(theirs[at]) for at, tensor in made.body.layers.state_dict().items())


def test_the_lowest_blocks_alone(benchmark: Any) -> None:
    one = tiny_model().checkpoint
    made = benchmark.first_layers(one, 1)
    assert len(made.body.layers) == 1 and made.config.layers == 1
    ids = [[5, 6, 7]]
    expected = Model(one).eval().forward(ids, record=["hidden"]).hidden[1][0]
    found = Model(made).eval().forward(ids, record=["hidden"]).hidden[1][0]
    assert torch.equal(found, expected)
