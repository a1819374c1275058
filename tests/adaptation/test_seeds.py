"""Several seeds: the report of all, and no more than one finished model in memory."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
from training.tiny import rows, tiny_model

from headway import adapt
from headway.adaptation import seeds
from headway.model import Model


def test_only_the_first_model_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[Model]] = []
    alive = []

    def watched(*given: Any, **options: Any) -> Any:
        gc.collect()
        alive.append(sum(model() is not None for model in made))
        result = adapt(*given, **options)
        made.append(weakref.ref(result.model))
        return result

    monkeypatch.setattr(seeds, "adapt", watched)
    tiny_model().save(tmp_path / "model")
    options = {"epochs": 1, "precision": "fp32", "baseline": False}
    out = tmp_path / "run"
    result = seeds.adapt_seeds(tmp_path / "model", rows(n=40), out=out, first=3, count=4, **options)
    assert alive == [0, 1, 1, 1]
    assert result.model is made[0]()
    assert [row["seed"] for row in result.report["seeds"]] == [3, 4, 5, 6]
    assert f"headway predict {out} " in (out / "README.md").read_text()
    assert f"headway predict {out}/seed-4 " in (out / "seed-4/README.md").read_text()
