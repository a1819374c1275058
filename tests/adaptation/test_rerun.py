"""A saved run once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pretraining.texts import small
from training.tiny import rows, tiny_model

from headway import rerun
from headway.data import Label, Text
from headway.errors import ConfigError

from .quick import quick


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A model and rows on disk."""
    tiny_model().save(tmp_path / "model")
    lines = [json.dumps(row) for row in rows(n=40)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return str(tmp_path / "model"), str(tmp_path / "rows.jsonl")


def test_every_measure_is_what_it_was(files: tuple[str, str], tmp_path: Path) -> None:
    first = quick(files[0], files[1], out=tmp_path / "run", seed=3, lr=3e-3)
    for run in (tmp_path / "run", tmp_path / "run" / "run.json"):
        again = rerun(run, out=tmp_path / "again", command="headway rerun")
        assert again.known and again.changed == {}
        assert again.result.report["seed"] == 3
        assert again.result.report["test"] == first.report["test"]
    saved = json.loads((tmp_path / "again" / "run.json").read_text("utf-8"))
    assert saved["command"] == "headway rerun"


def test_as_many_threads_compute_again(files: tuple[str, str], tmp_path: Path) -> None:
    now = torch.get_num_threads()
    quick(files[0], files[1], out=tmp_path / "run", threads=now + 1)
    path = tmp_path / "run" / "run.json"
    about = json.loads(path.read_text("utf-8"))
    assert about["threads"] == now + 1
    about["settings"]["threads"] = None  # as where the machine was asked
    path.write_text(json.dumps(about), encoding="utf-8")
    again = rerun(path, out=tmp_path / "again")
    assert again.changed == {} and torch.get_num_threads() == now
    saved = json.loads((tmp_path / "again" / "run.json").read_text("utf-8"))
    assert saved["threads"] == now + 1


def test_several_files_are_read_again(files: tuple[str, str], tmp_path: Path) -> None:
    model, data = files
    other = tmp_path / "more.jsonl"
    lines = [json.dumps(row) for row in rows(n=20, seed=9)]
    other.write_text("\n".join(lines), encoding="utf-8")
    quick(model, [data, str(other)], test=other, out=tmp_path / "run")
    about = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert about["data"] == [data, str(other)] and about["test"] == str(other)
    assert rerun(tmp_path / "run").changed == {}


def test_rows_that_changed_are_said(
    files: tuple[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    quick(files[0], files[1], out=tmp_path / "run")
    lines = [json.dumps(row) for row in rows(n=50, seed=5)]
    Path(files[1]).write_text("\n".join(lines), encoding="utf-8")
    again = rerun(tmp_path / "run")
    assert "the rows are others than they were" in caplog.text
    assert "n" in again.changed


def test_other_versions_are_said(
    files: tuple[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    quick(files[0], files[1], out=tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    about = json.loads(path.read_text("utf-8"))
    about["versions"] |= {"torch": "1.0", "gone": "2"}
    path.write_text(json.dumps(about), encoding="utf-8")
    with caplog.at_level("INFO", logger="headway"):
        rerun(path)
    assert "torch was 1.0 and is 2" in caplog.text and "gone was 2 and is not there" in caplog.text


def test_a_run_without_a_report_has_nothing_to_compare(
    files: tuple[str, str], tmp_path: Path
) -> None:
    quick(files[0], files[1], out=tmp_path / "run")
    (tmp_path / "run" / "report.json").unlink()
    again = rerun(tmp_path / "run")
    assert not again.known and again.changed == {} and again.result.report


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "names no model|names no data"),
        ({"model": "files"}, "names no data: the run was started"),
    ],
)
def test_a_run_of_python_cannot_be_repeated(
    given: dict[str, Any], said: str, files: tuple[str, str], tmp_path: Path
) -> None:
    quick(files[0] if given else None, rows(n=40), out=tmp_path / "run")
    with pytest.raises(ConfigError, match=said):
        rerun(tmp_path / "run")


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no run.json"):
        rerun(tmp_path / "nothing")


def test_a_run_is_not_written_over(files: tuple[str, str], tmp_path: Path) -> None:
    quick(files[0], files[1], out=tmp_path / "run")
    with pytest.raises(ConfigError, match="is the run itself"):
        rerun(tmp_path / "run", out=tmp_path / "run")
    assert (tmp_path / "run" / "report.json").exists()


def test_features_are_what_they_were(files: tuple[str, str], tmp_path: Path) -> None:
    features = {"text": Text(), "label": Label(("green", "red"))}
    quick(files[0], files[1], out=tmp_path / "run", features=features)
    again = rerun(tmp_path / "run", out=tmp_path / "again")
    assert again.known and again.changed == {}
    for run in ("run", "again"):
        about = json.loads((tmp_path / run / "run.json").read_text("utf-8"))
        assert about["settings"]["features"] == {
            "text": "text", "label": {"label": ["green", "red"]}
        }  # fmt: skip


def test_features_of_a_file_are_read_again(files: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "features.toml"
    file.write_text('label = {label = ["green", "red"]}', encoding="utf-8")
    quick(files[0], files[1], out=tmp_path / "run", features=file)
    assert rerun(tmp_path / "run").changed == {}


@pytest.mark.parametrize("command", ["", "headway pretrain bert texts.txt --out run"])
def test_a_pretraining_is_said_to_be_one(tmp_path: Path, command: str) -> None:
    small(out=tmp_path / "run", max_steps=1, command=command)
    with pytest.raises(ConfigError, match="is of the task 'pretraining'") as caught:
        rerun(tmp_path / "run")
    assert caught.value.next_step.endswith(command)
    assert bool(caught.value.next_step) == bool(command)


def rewrite(path: Path, **changes: Any) -> None:
    """Values of a JSON file; None takes them away."""
    values = json.loads(path.read_text("utf-8")) | changes
    kept = {name: value for name, value in values.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def test_a_run_json_that_is_not_whole_is_told_from_none(
    files: tuple[str, str], tmp_path: Path
) -> None:
    quick(files[0], files[1], out=tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    whole = path.read_text("utf-8")
    for name in ("settings", "test"):
        rewrite(path, **{name: None})
        with pytest.raises(ConfigError, match=f"run.json says no {name}"):
            rerun(path)
        path.write_text(whole, encoding="utf-8")
    path.write_text(whole[: len(whole) // 2], encoding="utf-8")
    with pytest.raises(ConfigError, match=r"run\.json is damaged"):
        rerun(path)


@pytest.mark.parametrize("changes", [{"data": None}, {"data": {"rows": 3}}, {"test": None}])
def test_a_report_that_says_too_little_is_nothing_to_compare(
    changes: dict[str, Any], files: tuple[str, str], tmp_path: Path
) -> None:
    quick(files[0], files[1], out=tmp_path / "run")
    rewrite(tmp_path / "run" / "report.json", **changes)
    again = rerun(tmp_path / "run")
    assert not again.known and again.changed == {} and again.result.report
