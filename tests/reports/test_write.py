"""The three files: complete, readable by anyone, and never half written."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from headway.errors import OutputError
from headway.reports import write_report
from headway.reports.plain import plain, to_json

from .frozen import REPORTS, single_label

FILES = ["README.md", "report.html", "report.json"]


@pytest.mark.parametrize("kind", REPORTS)
def test_three_files_and_the_report_comes_back(tmp_path, kind):
    report = REPORTS[kind]()
    write_report(report, tmp_path / "new" / "run")
    assert sorted(p.name for p in (tmp_path / "new" / "run").iterdir()) == FILES
    text = (tmp_path / "new" / "run" / "report.json").read_text(encoding="utf-8")
    assert json.loads(text) == report
    assert list(json.loads(text)) == list(report)
    assert text.startswith('{\n  "task"')


def test_numbers_of_numpy_and_what_json_cannot_say():
    report = {
        "a": np.float32(0.5),
        "b": np.int64(3),
        "c": np.array([[1.0, np.nan]]),
        "d": float("inf"),
        "e": (True, None),
        "f": Path("x"),
        7: np.bool_(False),
    }
    expected = {"a": 0.5, "b": 3, "c": [[1.0, None]], "d": None, "e": [True, None], "f": "x"}
    assert json.loads(to_json(report)) == expected | {"7": False}


def test_letters_of_any_script_stay_and_half_characters_survive():
    text = to_json({"text": "Grüße 中文 \ud800 \x00"})
    assert "Grüße 中文" in text
    assert json.loads(text.encode("utf-8"))["text"] == "Grüße 中文 \ud800 \x00"


def test_what_a_report_cannot_hold_is_named():
    with pytest.raises(TypeError, match=r"report\.test\.bins\[1\] is a set"):
        plain({"test": {"bins": [1, {2}]}})


def test_half_characters_do_not_stop_any_file(tmp_path):
    report = single_label()
    report["examples"][0]["text"] = report["data"]["name"] = "\ud800 \x00"
    write_report(report, tmp_path)
    for name in FILES:
        (tmp_path / name).read_text(encoding="utf-8")


def test_a_report_that_cannot_be_made_changes_nothing(tmp_path):
    write_report(single_label(), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    with pytest.raises(KeyError):
        write_report(single_label() | {"kind": "unheard-of"}, tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    write_report(single_label(), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}

    def full(self, *_args, **_options):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_report(single_label() | {"seed": 9}, tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "run").write_text("x")
    with pytest.raises(OutputError, match="cannot write the report to"):
        write_report(single_label(), tmp_path / "run")


@pytest.mark.parametrize(("name", "shown"), [("", "tickets"), ("runs/tickets", "runs/tickets")])
def test_the_card_says_the_folders_name_or_the_one_that_is_given(tmp_path, name, shown):
    write_report(single_label(), tmp_path / "tickets", name=name)
    text = (tmp_path / "tickets" / "README.md").read_text(encoding="utf-8")
    assert f"headway predict {shown} " in text
    assert f'headway.pipeline("{shown}")' in text


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    flushed, fsync, replace = {}, os.fsync, Path.replace

    def flushes(handle):
        fsync(handle)
        flushed[os.fstat(handle).st_ino] = os.fstat(handle).st_size

    def named(self, target):
        assert flushed[self.stat().st_ino] == self.stat().st_size > 0
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", flushes)
    monkeypatch.setattr(Path, "replace", named)
    write_report(single_label(), tmp_path)
    assert len(flushed) == len(FILES)
