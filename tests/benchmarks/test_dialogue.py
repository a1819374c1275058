"""The benchmark of dialogues runs, on a few of them and a model of no size."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "convai2-2018"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the ConvAI2 exports are not on this machine")
def test_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import common
    import dialogue

    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "ROOT", tmp_path)
    options = "--dialogues 60 --words 300 --hidden 32 --layers 1 --before 1 --epochs 1"
    monkeypatch.setattr(sys, "argv", ["benchmarks/dialogue.py", *options.split()])
    dialogue.main()
    kept = json.loads((tmp_path / "dialogue.json").read_text())
    assert [one["model"] for one in kept["table"]["runs"]] == ["one-text", "two-stacks"]
    assert {row["key"] for row in kept["table"]["measures"]} >= {"hits_at_1", "f1", "perplexity"}
    assert 0 <= kept["baseline"]["hits_at_1"] <= 1
    assert len(kept["replies"]["two-stacks"]) == 3
    assert "Hits@1" in capsys.readouterr().out
