"""The benchmark of writing text runs, on a model of no size."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tokenizer.oracles import data

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import common
    import generation
    from generate.letters import letters_model

    data("model-stories260K", "stories260K.bin")  # or a skip
    letters_model("llama").save(tmp_path / "model")
    (tmp_path / "README.md").write_text("words to go on with, " * 60, encoding="utf-8")
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "ROOT", tmp_path)
    monkeypatch.setattr(generation, "resolve_model", lambda name: tmp_path / "model")
    monkeypatch.setattr(generation, "BLOCK", 2**10)
    monkeypatch.setattr(sys, "argv", ["benchmarks/generation.py", "--rounds", "1", "--new", "5"])
    generation.main()
    kept = json.loads((tmp_path / "generation.json").read_text())
    for name in ("fp32", "bf16"):
        assert set(kept[name]["tokens_per_second"]) == {"headway", "transformers"}
        assert kept[name]["over_transformers"] > 0
    assert kept["fp32"]["texts_equal"] >= 7
    assert kept["published_story_equal"]
    assert kept["command"].startswith("scripts/bench generation --rounds 1")


def test_texts_that_differ_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import generation
    from generate.letters import letters_model

    model = letters_model()
    (text,) = model.generate_ids([[1, 2]], 3, stop_tokens=())
    other = [text[0], (text[1] + 1) % 200, text[2]]
    assert generation.same_but_for_ties(model, [[1, 2]], [text], [text], exact=True) == 1
    assert generation.same_but_for_ties(model, [[1, 2]], [text], [other], exact=False) == 0
    with pytest.raises(SystemExit, match="behind a prompt of 2 tokens the texts differ"):
        generation.same_but_for_ties(model, [[1, 2]], [text], [other], exact=True)
