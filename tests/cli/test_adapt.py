from __future__ import annotations

import json
import os
import pty
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import headway as package
from headway.adaptation import Settings
from headway.adaptation.methods import METHODS
from headway.cli.adapt import command
from headway.heads.own import OWN_HEADS, TEXT_POOLINGS
from headway.training.optimisers import OPTIMISERS
from headway.training.options import KEEPS, PRECISIONS, SHARDINGS
from headway.training.schedule import SCHEDULES

from .calls import document, error_of, headway, start
from .tiny import LONGEST, rows, write_csv, write_jsonl

QUICK = ("--epochs", "1", "--precision", "fp32", "--no-contrast")
LEFT_TO_PYTHON = {"probe", "warmup", "weight_decay", "clip", "most_windows"}


def test_options_are_the_settings() -> None:
    """What a user may decide in Python is an option too, but for what few people touch."""
    options = {option.name: option for option in command.params}
    fields = Settings.__dataclass_fields__
    assert fields.keys() - options.keys() == LEFT_TO_PYTHON
    more = {"model", "data", "task", "out", "test", "seeds", "as_json", "advice_seconds"}
    assert options.keys() - fields.keys() == more
    choices = {name: set(getattr(one.type, "choices", ())) for name, one in options.items()}
    assert choices["pooling"] == set(TEXT_POOLINGS)
    assert choices["head"] == {"family", "choice"}.union(*OWN_HEADS.values())
    assert choices["precision"] == set(PRECISIONS)
    assert choices["method"] == set(METHODS)
    assert choices["keep"] == set(KEEPS)
    assert choices["optimiser"] == set(OPTIMISERS) and choices["schedule"] == set(SCHEDULES)
    for name in options.keys() & fields.keys():
        if options[name].default not in (None, fields[name].default):
            # An option that was not given has no value, or the setting's own.
            assert "UNSET" in str(options[name].default), name


def test_a_pattern_is_learned_measured_saved_and_told(run: str) -> None:
    """The run of the fixture: what is on disk agrees with what a person reads."""
    report = json.loads(Path(run, "report.json").read_text())
    assert report["test"]["accuracy"] >= 0.9
    assert report["command"].startswith("headway adapt ")
    assert {"report.html", "README.md", "run.json"} <= {path.name for path in Path(run).iterdir()}


def test_what_is_printed(model: str, tickets: str, tmp_path: Path) -> None:
    out = tmp_path / "run with space"
    result = headway("adapt", model, tickets, "--out", str(out), *QUICK)
    assert result.exit_code == 0, result.stderr
    report = json.loads((out / "report.json").read_text())
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80 + len(str(out))
    percent = f"{100 * report['test']['accuracy']:.1f}%"
    assert any(line.split()[:2] == ["Accuracy", percent] for line in lines)
    assert "TF-IDF" in result.stdout
    assert f"Saved in {out}: the model, report.html and README.md." in lines
    assert f"Next: headway predict '{out}' \"your text\"" in lines
    start_of_examples = next(n for n, line in enumerate(lines) if "for example" in line) + 2
    told = [line.split()[0] for line in lines[start_of_examples : start_of_examples + 3]]
    assert len(set(told) & {one["text"].split()[0] for one in report["examples"]}) == len(set(told))
    assert "text column 'text', label column 'label' (3 labels)" in result.stderr
    assert "1 epoch" in result.stderr
    assert "\x1b" not in result.output


def test_json_is_the_report_and_nothing_else(model: str, tickets: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    told = document(headway("adapt", model, tickets, "--out", str(out), *QUICK, "--json"))
    assert told == json.loads((out / "report.json").read_text())


OPTIONS = [
    ("--task", "text-classification"),
    ("--text", "text", "--label", "label"),
    ("--pair", "other"),
    ("--encoding", "latin-1"),
    ("--format", "csv"),
    ("--kind", "single-label"),
    ("--kind", "multi-label"),
    ("--kind", "regression"),
    ("--max-labels-per-class", "4"),
    ("--validation", "0.2", "--patience", "1"),
    ("--lr", "0.01"),
    ("--batch-tokens", "64"),
    ("--class-weights",),
    ("--head", "linear"),
    ("--head", "family"),
    *(("--pooling", name) for name in ("first", "last", "max", "mean")),
    ("--window", "16", "--stride", "2"),
    *(("--precision", name) for name in ("auto", "fp32", "bf16")),
    ("--no-baseline",),
    ("--threads", "1"),
    ("--seed", "7"),
    ("--seeds", "1"),
    ("--head", "mlp"),
    ("--head", "lstm", "--pooling", "attention"),
    *(("--method", name) for name in METHODS),
    ("--method", "last-layers", "--layers", "1"),
    ("--method", "lora", "--rank", "2"),
    ("--method", "adapters", "--width", "3"),
    ("--layer-decay", "0.5"),
    *(("--optimiser", name) for name in OPTIMISERS),
    *(("--schedule", name) for name in SCHEDULES),
    ("--micro-batch-tokens", "20"),
    *(("--sharding", name) for name in SHARDINGS),
    ("--checkpoint-activations",),
    ("--contrast",),
    ("--no-contrast",),
    ("--average", "0.9"),
    ("--max-steps", "2", "--batch-tokens", "64"),
    ("--max-seconds", "100"),
    ("--find-lr",),
    ("--save-every", "0"),
    ("--resume",),
    ("--validation", "0.2", "--validate-every", "1"),
    ("--validation", "0.2", "--validate-seconds", "0.001"),
    ("--keep", "best"),
    ("--validation", "0.2", "--keep", "last"),
    ("--tensorboard",),
]

EFFECTS: dict[tuple[str, ...], Any] = {
    ("--pair", "other"): lambda report: report["data"]["columns"]["pair"] == "other",
    ("--kind", "multi-label"): lambda report: report["kind"] == "multi-label",
    ("--kind", "regression"): lambda report: report["kind"] == "regression",
    OPTIONS[8]: lambda report: report["data"]["rows"] == {"train": 12, "validation": 0, "test": 18},
    OPTIONS[9]: lambda report: report["data"]["rows"]["validation"] == 5,
    ("--lr", "0.01"): lambda report: report["settings"]["learning_rate"] == 0.01,
    ("--batch-tokens", "64"): lambda report: report["settings"]["batch_tokens"] == 64,
    ("--class-weights",): lambda report: report["settings"]["class_weights"] is True,
    ("--head", "family"): lambda report: report["settings"]["head"] == "family",
    OPTIONS[19]: lambda report: report["settings"]["window"] == 16,
    ("--precision", "bf16"): lambda report: report["settings"]["precision"] == "bf16",
    ("--threads", "1"): lambda report: report["versions"]["threads"] == "1",
    ("--no-baseline",): lambda report: report["baseline"] is None,
    ("--seed", "7"): lambda report: report["seed"] == 7,
    ("--method", "lora", "--rank", "2"): lambda report: report["settings"]["rank"] == 2,
    ("--method", "adapters", "--width", "3"): lambda report: report["adapters"] == 3,
    ("--optimiser", "muon"): lambda report: report["settings"]["optimiser"] == "muon",
    ("--schedule", "wsd"): lambda report: report["settings"]["schedule"] == "wsd",
    ("--max-steps", "2", "--batch-tokens", "64"): lambda report: len(report["curve"]["train"]) == 2,
    ("--contrast",): lambda report: report["settings"]["contrast"] is True,
    ("--no-contrast",): lambda report: report["settings"]["contrast"] is False,
    ("--find-lr",): lambda report: len(report["curve"]["rates"]) > 5,
    OPTIONS[-5]: lambda report: report["settings"]["validate_every"] == 1,
    OPTIONS[-4]: lambda report: len(report["curve"]["validation"]) >= 1,
    OPTIONS[-2]: lambda report: not any("was kept" in note for note in report["notes"]),
}


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_every_value_of_every_option(model: str, tmp_path: Path, options: tuple[str, ...]) -> None:
    made: list[dict[str, Any]] = [{**row, "other": "word1 word2"} for row in rows(30)]
    if "--pair" not in options:
        for row in made:
            del row["other"]
    data = tmp_path / "data.csv"
    if "multi-label" in options:
        data = write_jsonl(
            tmp_path / "data.jsonl", [{**row, "label": [row["label"]]} for row in made]
        )
    elif "regression" in options:
        write_csv(data, [{**row, "label": len(row["text"]) / 7} for row in made])
    else:
        write_csv(data, made)
    out = tmp_path / "run"
    given = ("--epochs", "1") if "--precision" in options else QUICK
    report = document(
        headway("adapt", model, str(data), "--out", str(out), *given, *options, "--json")
    )
    assert EFFECTS.get(options, lambda report: report["test"]["n"])(report)
    assert headway("predict", str(out), "word1 late").exit_code == 0


def test_advice_is_given_in_a_table_or_as_json(model: str, tickets: str) -> None:
    options = ("--advise", "20", *QUICK)
    shown = headway("adapt", model, tickets, *options)
    assert shown.exit_code == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert any({"method", "Accuracy", "learned"} <= set(line.split()) for line in lines)
    assert max(map(len, lines)) <= 80
    assert all(any(line.split()[:1] == [name] for line in lines) for name in METHODS)
    assert lines[-1].startswith("Next: headway adapt ... --method ")
    found = document(headway("adapt", model, tickets, *options, "--json"))
    assert [one["method"] for one in found["tried"]] == list(METHODS)
    assert found["method"] in METHODS and found["method"] in found["why"]  # time decides, too


def test_without_a_folder_there_is_advice_alone(model: str, tickets: str) -> None:
    assert "Missing option '--out'" in error_of(headway("adapt", model, tickets))


def test_a_run_is_done_once_more(run: str, tmp_path: Path) -> None:
    again = headway("rerun", run, "--out", str(tmp_path / "again"))
    assert again.exit_code == 0, again.stderr
    assert "Every measure is what it was." in again.stdout
    found = document(headway("rerun", f"{run}/run.json", "--out", str(tmp_path / "b"), "--json"))
    assert found["compared"] and found["changed"] == {}
    assert "has no run.json" in error_of(headway("rerun", str(tmp_path), "--out", "x"))


def test_test_rows_of_their_own_judge(model: str, tickets: str, tmp_path: Path) -> None:
    judge = write_csv(tmp_path / "judge.csv", rows(21, seed=9))
    options = ("--out", str(tmp_path / "run"), "--test", str(judge), *QUICK, "--json")
    report = document(headway("adapt", model, tickets, *options))
    assert (report["data"]["rows"]["train"], report["test"]["n"]) == (90, 21)


def test_texts_of_no_label(model: str, tickets: str, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    options = ("--out-of-scope", "praise", "--validation", "0.3", "--epochs", "15", "--lr", "0.005")
    result = headway("adapt", model, tickets, "--out", out, *options)
    assert result.exit_code == 0, result.stderr
    assert "praise is the answer to texts of no other label" in result.stderr
    assert "scope" in result.stdout
    assert "oos_recall" in json.loads(Path(out, "report.json").read_text())["test"]
    told = headway("predict", out, "word1 thanks thanks word2").stdout.split()
    assert told[0] == "praise"


def test_several_seeds(model: str, tickets: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ("--out", str(out), "--seed", "3", "--seeds", "3", *QUICK)
    result = headway("adapt", model, tickets, *options)
    assert result.exit_code == 0, result.stderr
    report = json.loads((out / "report.json").read_text())
    folders = [out, out / "seed-4", out / "seed-5"]
    single = [json.loads((folder / "report.json").read_text()) for folder in folders]
    assert report["seed"] == 3
    assert report["seeds"] == [
        {
            "seed": seed,
            "accuracy": one["test"]["accuracy"],
            "macro_f1": one["test"]["macro_f1"],
            "baseline_accuracy": one["baseline"]["accuracy"],
        }
        for seed, one in zip((3, 4, 5), single, strict=True)
    ]
    mean = sum(row["accuracy"] for row in report["seeds"]) / 3
    assert f"{100 * mean:.1f}% ±" in result.stdout
    assert "3 seeds" in result.stdout
    for name in ("report.html", "README.md"):
        assert "3 seeds" in (out / name).read_text()
    assert [package.load(folder).labels for folder in folders] == [
        ("delivery", "praise", "quality")
    ] * 3
    # A single run afterwards leaves nothing of the seeds.
    assert headway("adapt", model, tickets, "--out", str(out), *QUICK).exit_code == 0
    assert not list(out.glob("seed-*"))
    assert "seeds" not in json.loads((out / "report.json").read_text())


def test_no_baseline_and_seeds(model: str, tickets: str, tmp_path: Path) -> None:
    options = ("--out", str(tmp_path / "run"), "--seeds", "2", "--no-baseline", *QUICK, "--json")
    report = document(headway("adapt", model, tickets, *options))
    assert [set(row) for row in report["seeds"]] == [{"seed", "accuracy", "macro_f1"}] * 2


def test_nothing_of_it_needs_a_network(
    model: str, tickets: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    out = str(tmp_path / "run")
    assert headway("adapt", model, tickets, "--out", out, *QUICK).exit_code == 0
    assert headway("evaluate", out, tickets).exit_code == 0
    assert headway("predict", out, "word1").exit_code == 0


# Interruptions


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Presses Ctrl-C in the middle of the step of that number, or of several."""
    clip, steps = nn.utils.clip_grad_norm_, [0]

    def at(*numbers: int) -> None:
        def pressed(*arguments: Any, **options: Any) -> Any:
            steps[0] += 1
            for _ in range(numbers.count(steps[0])):
                signal.raise_signal(signal.SIGINT)
            return clip(*arguments, **options)

        monkeypatch.setattr(nn.utils, "clip_grad_norm_", pressed)

    return at


MANY = ("--epochs", "50", "--precision", "fp32", "--no-contrast")


def test_ctrl_c_saves_the_model_as_it_is(  # type: ignore[no-untyped-def]
    model: str, tickets: str, tmp_path: Path, ctrl_c
) -> None:
    ctrl_c(3)
    out = tmp_path / "run"
    said = error_of(headway("adapt", model, tickets, "--out", str(out), *MANY))
    assert said.startswith("interrupted behind step 3 of ")
    assert said.endswith(f"the model as it was then is saved in {out}")
    assert json.loads((out / "run.json").read_text())["state"] == "interrupted"
    assert not (out / "report.json").exists()
    assert len(package.load(out).labels) == 3
    assert headway("predict", str(out), "word1 late").exit_code == 0


def test_ctrl_c_before_there_is_a_head(  # type: ignore[no-untyped-def]
    model: str, tickets: str, tmp_path: Path, ctrl_c
) -> None:
    ctrl_c(3)
    out = tmp_path / "run"
    options = ("--epochs", "50", "--precision", "fp32", "--contrast")
    said = error_of(headway("adapt", model, tickets, "--out", str(out), *options))
    assert said.startswith("interrupted behind step 0 of ")
    assert headway("predict", str(out), "word1 late").exit_code == 0


def test_ctrl_c_with_json_is_one_document(  # type: ignore[no-untyped-def]
    model: str, tickets: str, tmp_path: Path, ctrl_c
) -> None:
    ctrl_c(1)
    out = tmp_path / "run"
    result = headway("adapt", model, tickets, "--out", str(out), *MANY, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {"state": "interrupted", "folder": str(out)}


def test_a_second_ctrl_c_ends_at_once_and_leaves_no_model(  # type: ignore[no-untyped-def]
    model: str, tickets: str, tmp_path: Path, ctrl_c
) -> None:
    ctrl_c(3, 3)
    out = tmp_path / "run"
    assert error_of(headway("adapt", model, tickets, "--out", str(out), *MANY)) == "interrupted"
    assert {path.name for path in out.iterdir()} == {"live.html", "training"}
    assert headway("adapt", model, tickets, "--out", str(out), *QUICK).exit_code == 0


def test_ctrl_c_between_seeds_keeps_what_was_done(  # type: ignore[no-untyped-def]
    model: str, tickets: str, tmp_path: Path, ctrl_c
) -> None:
    out = tmp_path / "run"
    options = ("--out", str(out), "--seeds", "3", *QUICK)
    steps = len((_history(model, tickets, tmp_path / "before")).splitlines())
    ctrl_c(steps + 1)
    said = error_of(headway("adapt", model, tickets, *options))
    assert said.endswith(f"is saved in {out / 'seed-1'}")
    states = [
        json.loads((folder / "run.json").read_text())["state"] for folder in (out, out / "seed-1")
    ]
    assert states == ["done", "interrupted"]
    assert not (out / "seed-2").exists()


def _history(model: str, data: str, out: Path) -> str:
    """The steps of a quick run, a line each."""
    assert headway("adapt", model, data, "--out", str(out), *QUICK).exit_code == 0
    return (out / "metrics.jsonl").read_text()


def test_ctrl_c_on_a_terminal(model: str, tickets: str, tmp_path: Path) -> None:
    """The whole command as a person runs it: training is said to begin, Ctrl-C is pressed."""
    out = tmp_path / "run"
    theirs, ours = pty.openpty()
    options = ("--out", str(out), "--epochs", "5000", "--precision", "fp32")
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    process = start("adapt", model, tickets, *options, stderr=ours, stdout=ours, env=environment)
    os.close(ours)
    seen = b""
    deadline = time.monotonic() + 60
    while b"5,000 epochs at" not in seen and time.monotonic() < deadline:
        seen += os.read(theirs, 65536)
    time.sleep(2)  # the last note before training: by now it runs
    process.send_signal(signal.SIGINT)
    while True:
        try:
            seen += (more := os.read(theirs, 65536))
        except OSError:  # the other end is closed
            break
        if not more:
            break
    os.close(theirs)
    assert process.wait(60) == 2
    assert b"the model as it was then is saved in" in seen and b"Traceback" not in seen
    assert json.loads((out / "run.json").read_text())["state"] == "interrupted"
    assert len(package.load(out).labels) == 3


# Wrong input


def _config(folder: Path, **changes: Any) -> None:
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, **changes}))


@pytest.fixture
def spoilt(model: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    """A copy of the model's folder that may be changed."""
    import shutil

    return Path(shutil.copytree(model, tmp_path / "model"))


BAD_DATA = {
    "missing file": (None, ["no file or folder", "data.csv", "Next: check the path"]),
    "empty file": (b"", ["data.csv", "empty"]),
    "ragged row": (
        b"text,label\na b,x\nc d,y,z\n",
        ["data.csv", "line 3", "3"],
    ),
    "one class": (b"text,label\na b,x\nc d,x\ne f,x\n", ["one class", "x", "Allowed", "Next"]),
    "not UTF-8": (b"text,label\ncaf\xe9 x,a\nb c,b\n", ["data.csv", "UTF-8", "--encoding"]),
    "NUL bytes": (b"text,label\na\x00 b,x\nc d,y\n", ["data.csv", "NUL"]),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_data_that_cannot_be_used(model: str, tmp_path: Path, case: str) -> None:
    content, named = BAD_DATA[case]
    data, out = tmp_path / "data.csv", tmp_path / "out"
    if content is not None:
        data.write_bytes(content)
    said = error_of(headway("adapt", model, str(data), "--out", str(out), *QUICK))
    assert [part for part in named if part.casefold() not in said.casefold()] == [], said
    assert not out.exists()


@pytest.mark.parametrize("option", ["--text", "--pair", "--label"])
def test_a_column_that_is_not_there(model: str, tickets: str, tmp_path: Path, option: str) -> None:
    out = tmp_path / "out"
    said = error_of(headway("adapt", model, tickets, "--out", str(out), option, "txt"))
    assert "'txt'" in said and "text" in said and "label" in said and option in said
    assert not out.exists()


def test_a_label_that_only_test_rows_have(model: str, tickets: str, tmp_path: Path) -> None:
    judge = write_csv(tmp_path / "judge.csv", [{"text": "word1 word2", "label": "refund"}])
    out = tmp_path / "out"
    said = error_of(headway("adapt", model, tickets, "--test", str(judge), "--out", str(out)))
    assert "'refund'" in said and "delivery, praise, quality" in said and "Next:" in said
    assert not out.exists()


def test_a_folder_without_config(tickets: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    out = tmp_path / "out"
    said = error_of(headway("adapt", str(tmp_path / "model"), tickets, "--out", str(out)))
    assert str(tmp_path / "model") in said and "config.json" in said
    assert not out.exists()


def test_an_unknown_architecture(spoilt: Path, tickets: str, tmp_path: Path) -> None:
    _config(spoilt, model_type="berta")
    out = tmp_path / "out"
    said = error_of(headway("adapt", str(spoilt), tickets, "--out", str(out)))
    assert "'berta'" in said and "distilbert" in said and "did you mean 'bert'?" in said
    assert not out.exists()


def test_a_vocabulary_larger_than_the_embedding(spoilt: Path, tickets: str, tmp_path: Path) -> None:
    with (spoilt / "vocab.txt").open("a") as more:
        more.write("onemore\n")
    out = tmp_path / "out"
    said = error_of(headway("adapt", str(spoilt), tickets, "--out", str(out)))
    assert "1000" in said and "Allowed: ids below 1000" in said and "Next:" in said
    assert not out.exists()


def test_event_files_without_their_package(
    model: str, tickets: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    out = tmp_path / "out"
    said = error_of(headway("adapt", model, tickets, "--out", str(out), "--tensorboard", *QUICK))
    assert "tensorboard" in said and "pip install 'headway[tensorboard]'" in said
    assert not out.exists()


def test_an_unknown_task(model: str, tickets: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = error_of(headway("adapt", model, tickets, "--out", str(out), "--task", "text-clasify"))
    assert "'text-clasify'" in said and "did you mean 'text-classification'?" in said
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [("epochs", "0"), ("lr", "nan"), ("batch_tokens", "0"), ("validation", "1"), ("window", "2")],
)
def test_a_number_outside_its_range(
    model: str, tickets: str, tmp_path: Path, option: str, value: str
) -> None:
    out = tmp_path / "out"
    flag = f"--{option.replace('_', '-')}"
    said = error_of(headway("adapt", model, tickets, "--out", str(out), flag, value))
    assert option in said and value in said and "Allowed:" in said
    assert not out.exists()


def test_a_window_longer_than_the_model(model: str, tickets: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = error_of(headway("adapt", model, tickets, "--out", str(out), "--window", "1000"))
    assert "window = 1000" in said and str(LONGEST) in said
    assert not out.exists()


def test_an_output_folder_that_holds_something_else(
    model: str, tickets: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    said = error_of(headway("adapt", model, tickets, "--out", str(out)))
    assert str(out) in said and "holds no model" in said and "Next:" in said
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("seeds", ["1", "2"])
def test_an_output_folder_that_is_a_file(
    model: str, tickets: str, tmp_path: Path, seeds: str
) -> None:
    out = tmp_path / "out"
    out.write_text("mine")
    said = error_of(headway("adapt", model, tickets, "--out", str(out), "--seeds", seeds))
    assert str(out) in said and "Next:" in said
    assert out.read_text() == "mine"


def test_an_output_folder_that_cannot_be_made(model: str, tickets: str) -> None:
    out = Path("/proc/headway/out")
    said = error_of(headway("adapt", model, tickets, "--out", str(out)))
    assert str(out) in said and "cannot be written" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_output_folder(model: str, tickets: str, tmp_path: Path) -> None:
    place = tmp_path / "closed"
    place.mkdir(mode=0o500)
    said = error_of(headway("adapt", model, tickets, "--out", str(place / "out")))
    assert "cannot be written: Permission denied" in said
    assert not list(place.iterdir())


def test_a_full_disk(
    model: str, tickets: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    out = tmp_path / "out"
    said = error_of(headway("adapt", model, tickets, "--out", str(out)))
    assert str(out) in said and "are free" in said and "make room" in said
    assert not out.exists()
