from __future__ import annotations

from pathlib import Path

from .calls import document, error_of, headway
from .tiny import rows, write_csv


def test_two_runs_side_by_side(run: str, tickets: str) -> None:
    told = document(headway("compare", run, run, "--data", tickets, "--json"))
    assert [one["model"] for one in told["runs"]] == [run, run]
    result = headway("compare", run, run, "--data", tickets)
    assert result.exit_code == 0, result.stderr
    for word in ("Accuracy", "95% interval", "Parameters", "On disk", "Tokens a second", "McNemar"):
        assert word in result.stdout
    assert "90 rows" in result.stdout and "p = 1.0000" in result.stdout


def test_options_reach_both(run: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", rows(9))
    write_csv(tmp_path / "test.csv", rows(6))
    options = ("--split", "train", "--window", "16", "--stride", "2", "--batch-tokens", "64")
    more = ("--precision", "fp32", "--text", "text", "--label", "label", "--seed", "3")
    told = document(
        headway("compare", run, run, "--data", str(tmp_path), *options, *more, "--json")
    )
    assert [one["test"]["n"] for one in told["runs"]] == [9, 9]


def test_data_is_wanted(run: str) -> None:
    assert "Missing option '--data'" in error_of(headway("compare", run, run))
