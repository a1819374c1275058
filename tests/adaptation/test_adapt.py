from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from training.tiny import SIGNS, WORDS, rows, tiny_model

from headway import evaluate, load
from headway.adaptation import fit as fitting
from headway.data import Dataset
from headway.errors import ConfigError, InputError, OutputError
from headway.heads import Classifier
from headway.model import Model
from headway.reading import read_windows
from headway.tasks import text_classification as classifying
from headway.training import output
from headway.training.collate import Batch, text_logits
from headway.windows import window_texts

from .quick import LEARNS, changed, digest, quick

adapting = import_module("headway.adaptation.adapt")  # the package's name means the function
RUN_FILES = {"live.html", "run.json", "metrics.jsonl", "report.json", "report.html", "README.md"}
MODEL_FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def answers(model: Model, texts: list[Any]) -> Tensor:
    windows = window_texts(model.need_tokenizer(), texts, size=model.longest)
    assert model.head is not None
    return read_windows(model, windows, model.head)


@pytest.mark.parametrize("pair", [False, True], ids=["text", "pair"])
@pytest.mark.parametrize("kind", ["single-label", "multi-label", "regression"])
def test_learns_a_planted_pattern_and_opens_again(kind: str, pair: bool, tmp_path: Path) -> None:
    data, test = (rows(kind, n=n, seed=n, signs=3, pair=pair) for n in (240, 60))
    columns = {"text": "text", "pair": "other" if pair else None}
    result = quick(data=data, test=test, out=tmp_path / "run", **columns, **LEARNS)
    scores = result.report["test"]
    assert scores["n"] == 60
    main = {"single-label": "accuracy", "multi-label": "micro_f1", "regression": "pearson"}[kind]
    assert scores[main] > 0.93
    assert result.report["label_names"] == (["score"] if kind == "regression" else sorted(SIGNS))

    again = load(tmp_path / "run")
    assert again.task == "text-classification"
    assert list(again.labels) == result.report["label_names"]
    texts = list(zip(test["text"], test["other"], strict=True)) if pair else test["text"]
    torch.testing.assert_close(answers(again, texts), answers(result.model, texts), rtol=0, atol=0)

    measured = evaluate(tmp_path / "run", test, **columns)
    assert measured["test"] == scores
    assert names(tmp_path / "run") == RUN_FILES | MODEL_FILES
    assert json.loads((tmp_path / "run" / "report.json").read_text()) == result.report


@pytest.mark.parametrize(
    ("head", "pooling"), [("mlp", "mean"), ("lstm", "max"), ("linear", "attention")]
)
def test_every_head_of_ours_learns(head: str, pooling: str, tmp_path: Path) -> None:
    data, test = rows(n=120), rows(n=60, seed=1)
    settings = {**LEARNS, "probe": None, "head": head, "pooling": pooling}
    result = quick(tiny_model(), data, test=test, out=tmp_path / "run", **settings)
    assert not result.interrupted and result.report["test"]["accuracy"] >= 0.9
    assert not any("probe" in note for note in result.report["notes"])
    again = load(tmp_path / "run")
    assert again.checkpoint.plan is not None
    assert again.checkpoint.plan.stored == {"type": head, "pooling": pooling}


@pytest.mark.parametrize(
    ("kind", "head", "pooling"),
    [
        ("bert", "family", "first"),
        ("distilbert", "linear", "mean"),
        ("distilbert", "family", "first"),
        ("gpt2", "linear", "last"),
        ("gpt2", "family", "last"),
        ("llama", "linear", "last"),
        ("llama", "family", "last"),
        ("roberta", "linear", "mean"),
        ("roberta", "family", "first"),
    ],
)
def test_every_architecture_learns(kind: str, head: str, pooling: str, tmp_path: Path) -> None:
    data, test = rows(n=200), rows(n=40, seed=9)
    result = quick(tiny_model(kind), data, test=test, head=head, out=tmp_path / "run", **LEARNS)
    assert result.report["test"]["accuracy"] > 0.93
    assert isinstance(result.model.head, Classifier) and result.model.head.pooling == pooling
    again = load(tmp_path / "run")
    assert torch.equal(answers(again, test["text"]), answers(result.model, test["text"]))


def test_the_same_seed_gives_the_same_bits() -> None:
    """Whatever random numbers were drawn before, and those of the caller go on undisturbed."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = quick(seed=3, epochs=2)
    assert torch.equal(torch.rand(3), expected)
    torch.rand(1234)
    again = quick(seed=3, epochs=2)
    assert not changed(first.model, again.model)
    changing = ("created", "seconds", "tokens_per_second", "utilisation", "energy",
                "peak_memory_mb")  # fmt: skip
    one, two = ({k: v for k, v in r.report.items() if k not in changing} for r in (first, again))
    assert one == two
    assert changed(first.model, quick(seed=4, epochs=2).model)


def test_nothing_depends_on_the_hash_seed() -> None:
    """This process has a hash seed drawn at random, the other one a fixed one."""
    program = "from adaptation.quick import digest; print(digest())"
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "1",
        "OMP_NUM_THREADS": str(torch.get_num_threads()),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == digest(), done.stderr


def test_a_word_beyond_the_first_window_decides_and_is_learned() -> None:
    """The sign is in the last of two or three windows: whoever cuts off learns nothing."""

    def long(data: Dataset) -> Dataset:
        draw = random.Random(len(data))
        ahead = [" ".join(draw.choices(WORDS, k=draw.randint(23, 40))) for _ in range(len(data))]
        texts = [f"{text} {sign} w3" for text, sign in zip(ahead, data["label"], strict=True)]
        return Dataset.from_columns({"text": texts, "label": data["label"]})

    data, test = long(rows(n=160)), long(rows(n=40, seed=9))
    result = quick(data=data, test=test, **{**LEARNS, "epochs": 15})
    assert result.report["lengths"]["windowed"] == 200
    assert result.report["test"]["accuracy"] > 0.93
    cut = [" ".join(text.split()[:22]) for text in data["text"]]
    first = Dataset.from_columns({"text": cut, "label": data["label"]})
    blind = quick(data=first, test=test, **LEARNS)
    assert blind.report["test"]["accuracy"] < 0.8


def test_a_text_of_a_megabyte_trains_and_judges() -> None:
    draw = rows(n=40)
    huge = " ".join(WORDS * 9000)
    assert len(huge) > 500_000
    texts = [f"{huge} red", *draw["text"]]
    data = Dataset.from_columns({"text": texts, "label": ["red", *draw["label"]]})
    test = Dataset.from_columns({"text": [f"{huge} w1 green", "w1 red"], "label": ["green", "red"]})
    result = quick(data=data, test=test, most_windows=2)
    assert result.report["lengths"]["max_seen"] >= 180_002
    assert result.report["lengths"]["windowed"] == 2
    assert (
        "1 of them train with 2 of their windows, drawn anew each epoch" in result.report["notes"]
    )
    longest = max(len(example["text"]) for example in result.report["examples"])
    assert longest < 3000
    assert result.report["settings"]["batch_tokens"] < 400


def test_the_best_epoch_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation says that the second epoch is best; later ones are trained and given up."""
    states = []

    def see(self: Any, score: float) -> bool:
        states.append([p.detach().clone() for p in self.module.parameters()])
        return original(self, {1: 0.5, 2: 0.9, 3: 0.8, 4: 0.7}[len(states)])

    original = fitting.Best.see
    monkeypatch.setattr(fitting.Best, "see", see)
    result = quick(epochs=6, validation=0.25, patience=2)
    assert len(states) == 4
    assert re.fullmatch(r"no better validation score: ended behind step \d+", result.stopped)
    assert not result.interrupted
    assert result.stopped in result.report["notes"]
    assert re.fullmatch(
        r"the state behind step \d+, in epoch 2, was kept: the best on the validation rows",
        result.report["notes"][-1],
    )
    assert [row["epoch"] for row in result.report["curve"]["validation"]] == [1, 2, 3, 4]
    heads = [state[-1] for state in states]
    kept = list(result.model.parameters())[-1]
    assert torch.equal(kept, heads[1]) and not torch.equal(kept, heads[3])


def press_ctrl_c(after: int, monkeypatch: pytest.MonkeyPatch, again: bool = False) -> None:
    """Ctrl-C while the loss of that step is computed."""
    seen = []

    def pressed(model: Model, batch: Batch) -> Tensor:
        seen.append(batch)
        if len(seen) == after:
            for _ in range(1 + again):
                os.kill(os.getpid(), signal.SIGINT)
        return text_logits(model, batch)

    monkeypatch.setattr(classifying, "text_logits", pressed)


def test_an_interrupted_run_is_saved_and_leaves_nothing_of_an_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    quick(out=out)
    (out / "notes.txt").write_text("mine")
    (out / "seed-1").mkdir()
    (out / "seed-1" / "config.json").write_text("{}")
    assert names(out) == RUN_FILES | MODEL_FILES | {"notes.txt", "seed-1"}
    press_ctrl_c(3, monkeypatch)
    result = quick(out=out, epochs=5, batch_tokens=64)
    assert result.interrupted and result.report == {}
    assert result.stopped.startswith("interrupted behind step 3 of ")
    there = {"live.html", "run.json", "metrics.jsonl", "notes.txt", "training"}
    assert names(out) == there | MODEL_FILES
    run = json.loads((out / "run.json").read_text())
    assert (run["state"], run["stopped"]) == ("interrupted", result.stopped)
    assert len((out / "metrics.jsonl").read_text().splitlines()) == 3
    assert not changed(load(out), result.model)


def test_a_second_ctrl_c_ends_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    press_ctrl_c(2, monkeypatch, again=True)
    model = tiny_model()
    table = model.body.embeddings.words
    with pytest.raises(KeyboardInterrupt):
        quick(model, out=tmp_path / "run", epochs=2, batch_tokens=64)
    left = sorted(path.name for path in (tmp_path / "run").rglob("*"))
    assert left == ["live.html", "metrics.jsonl", "training"]  # no model, but how far it came
    assert "Interrupted" in (tmp_path / "run" / "live.html").read_text("utf-8")
    assert model.body.embeddings.words is table and not model.training
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_measuring_keeps_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*args: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(adapting, "score_texts", pressed)
    result = quick(out=tmp_path / "run")
    assert result.interrupted and "before all was measured" in result.stopped
    assert not changed(load(tmp_path / "run"), result.model)
    assert "report.json" not in names(tmp_path / "run")


def test_a_loss_without_end_is_an_error_and_the_best_epoch_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, steps = [], []

    def broken(model: Model, batch: Batch) -> Tensor:
        steps.append(batch)
        if batch_epochs and len(steps) > batch_epochs[0]:
            return text_logits(model, batch) * float("nan")
        return text_logits(model, batch)

    def see(self: Any, score: float) -> bool:
        kept.append([p.detach().clone() for p in self.module.parameters()][-1])
        batch_epochs.append(len(steps) + 1)
        return original(self, score)

    batch_epochs: list[int] = []
    original = fitting.Best.see
    monkeypatch.setattr(fitting.Best, "see", see)
    monkeypatch.setattr(classifying, "text_logits", broken)
    out = tmp_path / "run"
    with pytest.raises(
        ConfigError, match=r"loss became nan in step .* at a learning rate of"
    ) as error:
        quick(out=out, epochs=3, validation=0.2, batch_tokens=64)
    assert f"the last good state and the step's rows are in {out}" in error.value.next_step
    failed = [json.loads(line) for line in (out / "failed-rows.jsonl").read_text().splitlines()]
    assert [row["number"] for row in failed] == sorted(steps[-1].rows)
    assert set(failed[0]) == {"number", "text", "label"}
    run = json.loads((out / "run.json").read_text())
    assert run["state"] == "diverged" and run["stopped"].startswith("the loss became nan")
    assert run["kept"]["epoch"] == 1
    model = load(out)
    assert torch.equal(list(model.parameters())[-1], kept[0])
    last = json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["loss"] is None


def test_a_loss_without_end_and_without_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(model: Model, batch: Batch) -> Tensor:
        return text_logits(model, batch) * float("inf")

    monkeypatch.setattr(classifying, "text_logits", broken)
    model = tiny_model()
    with pytest.raises(ConfigError, match="in step 1 of") as error:
        quick(model)
    assert "state is in" not in error.value.next_step
    assert all(p.isfinite().all() for p in model.parameters()) and not model.training


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    out = tmp_path / "run"
    quick(out=out)
    second = quick(data=rows(n=60, signs=3), out=out, seed=1)
    assert json.loads((out / "report.json").read_text()) == second.report
    assert load(out).labels == tuple(sorted(SIGNS))


def test_a_model_may_be_replaced_by_its_own_adaptation(tmp_path: Path) -> None:
    """Its old weights are still being read from the file that goes."""
    tiny_model().save(tmp_path / "model")
    first = quick(str(tmp_path / "model"), out=tmp_path / "elsewhere")
    second = quick(str(tmp_path / "model"), out=tmp_path / "model")
    assert not changed(first.model, second.model)
    assert not changed(load(tmp_path / "model"), second.model)


def test_a_model_by_name_and_files_by_name(tmp_path: Path) -> None:
    tiny_model().save(tmp_path / "base")
    data = rows(n=40)
    lines = (json.dumps(row) for row in data)
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    out = tmp_path / "deep" / "er" / "run"
    result = quick(
        str(tmp_path / "base"), tmp_path / "rows.jsonl", out=out, command="headway adapt ..."
    )
    run = json.loads((out / "run.json").read_text())
    assert run["model"] == str(tmp_path / "base") == result.report["model"]
    assert run["data"] == str(tmp_path / "rows.jsonl") and run["test"] == ""
    assert run["command"] == result.report["command"] == "headway adapt ..."
    assert not changed(result.model, quick(str(tmp_path / "base"), data).model)


MIXED = Dataset.from_columns({"text": ["a b", "c d"] * 4, "label": ["x", None] * 4})
ONE_CLASS = Dataset.from_columns({"text": ["a b", "c d", "e f", "g h"], "label": ["x"] * 4})
OBJECTS = Dataset.from_columns({"text": ["a b", "c d"], "label": [{"k": 1}, {"k": 2}]})
HALVES = {"train": rows(n=30), "test": rows(n=10, seed=3, signs=3)}
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("no-such-column", {"text": "nothing"}, "nothing"),
    ("no-such-label", {"label": "nothing"}, "nothing"),
    ("text-is-label", {"text": "label", "label": "label"}, "a column of its own for each"),
    ("no-such-file", {"data": "no/such/file.csv"}, "no/such/file.csv"),
    ("no-such-model", {"model": "no/such/model"}, "no/such/model"),
    ("no-such-task", {"task": "sorting"}, "sorting"),
    ("no-such-setting", {"epoch": 3}, "did you mean 'epochs'"),
    ("no-such-kind", {"kind": "many"}, "kind = 'many'"),
    ("no-such-head", {"head": "huge"}, "head 'huge' is not known"),
    ("no-such-pooling", {"pooling": "median"}, "pooling 'median' is not known"),
    ("two-poolings", {"head": "family", "pooling": "max"}, "that head has its own"),
    ("probe-of-a-deep-head", {"head": "family", "probe": True}, "a head of one linear layer"),
    ("probe-of-an-lstm", {"head": "lstm", "probe": True}, "a head of one linear layer"),
    ("absent-labels", {"data": MIXED}, "row 2 of the train rows: there is no label .and 3 more"),
    ("absent-test-labels", {"test": MIXED}, "row 2 of the test rows: there is no label"),
    ("one-class", {"data": ONE_CLASS}, r"one class only \(x\)"),
    ("objects-as-labels", {"data": OBJECTS}, "is not one label"),
    ("unknown-test-labels", {"data": HALVES}, r"not among the training labels: 'blue'"),
    ("texts-as-lists", {"kind": "multi-label"}, "'.*' is not a list"),
    ("texts-as-numbers", {"kind": "regression"}, "'.*' is not a finite number"),
    ("lists-as-texts", {"data": Dataset.from_columns(
        {"tokens": [["a"], ["b"]] * 3, "label": ["x", "y"] * 3})}, "is no text"),
    ("train-is-test", {"test": rows(n=40)}, "texts of all are also test texts"),
    ("empty-test", {"test": rows(n=1).select([])}, "no test rows"),
    ("no-train-split", {"data": {"test": rows(n=9)}}, "the splits are test"),
    ("few-of-numbers", {"data": rows("regression"), "max_labels_per_class": 3}, "one label each"),
    ("weights-of-numbers", {"data": rows("regression"), "class_weights": True}, "rows with labels"),
    ("window-too-long", {"window": 25}, "at most the model's 24 tokens"),
    ("window-too-short", {"window": 3}, "window = 3"),
    ("stride-too-long", {"window": 8, "stride": 6}, "share"),
    ("no-room-for-a-pair", {"data": Dataset.from_columns(
        {"text": ["w1 " * 30] * 2 + ["w2"] * 4, "text_pair": [f"w{n} " * 30 for n in range(6)],
         "label": ["x", "y"] * 3})}, "no room for text"),
    ("encoder-decoder", {"model": tiny_model("t5")}, "encoder-decoder"),
    ("negative-seed", {"seed": -1}, "seed = -1"),
    ("rate-of-nothing", {"lr": 0}, "lr = 0"),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "said"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input_is_said_before_any_training(
    inputs: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(*args: Any) -> None:
        raise AssertionError("training began")

    monkeypatch.setattr(adapting, "fit", fit)
    out = tmp_path / "deep" / "run"
    with pytest.raises(InputError, match=said):
        quick(**{"out": out, **inputs})
    assert list(tmp_path.iterdir()) == []


def test_an_empty_text_needs_a_token(tmp_path: Path) -> None:
    """GPT-2 puts nothing around a text."""
    data = Dataset.from_columns({"text": ["w1", "", "w2 w3", "w4"], "label": ["x", "y"] * 2})
    with pytest.raises(InputError, match="'', has no tokens"):
        quick(tiny_model("gpt2"), data, out=tmp_path / "run", seed=1)
    assert list(tmp_path.iterdir()) == []


def test_bad_places_are_said_before_any_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "config.json").write_text('{"app": 1}')
    before = sorted(tmp_path.rglob("*"))
    for place, said in (
        (tmp_path / "file", "file"),
        (tmp_path / "file" / "run", "file"),
        (tmp_path / "full", "holds no model"),
        (tmp_path / ("x" * 300), "too long"),
        ("nul\0", "null byte"),
    ):
        with pytest.raises(OutputError, match=said):
            quick(out=place)
    assert sorted(tmp_path.rglob("*")) == before


def test_no_space_is_said_before_any_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
    with pytest.raises(OutputError, match="0 MB are free"):
        quick(out=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
