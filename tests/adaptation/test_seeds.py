"""Several seeds: the report of all, and no more than one finished model in memory."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from typing import Any

import pytest
from training.tiny import rows, tiny_model

from headway import adapt
from headway.adaptation import seeds
from headway.model import Model
from headway.training.keeper import Keeper
from headway.training.loop import History

SEEDS: dict[str, Any] = {"first": 0, "count": 3, "epochs": 2, "batch_tokens": 120,
                         "precision": "fp32", "baseline": False, "save_every": 0,
                         "probe": False}  # fmt: skip


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
    options = {"epochs": 1, "precision": "fp32", "baseline": False, "probe": False}
    out = tmp_path / "run"
    result = seeds.adapt_seeds(tmp_path / "model", rows(n=40), out=out, first=3, count=4, **options)
    assert alive == [0, 1, 1, 1]
    assert result.model is made[0]()
    assert [row["seed"] for row in result.report["seeds"]] == [3, 4, 5, 6]
    assert f"headway predict {out} " in (out / "README.md").read_text()
    assert f"headway predict {out}/seed-4 " in (out / "seed-4/README.md").read_text()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    tiny_model().save(tmp_path / "model")
    return tmp_path / "model"


def killed(model: Path, out: Path, monkeypatch: pytest.MonkeyPatch, **given: Any) -> None:
    """A run that ends in the middle of its second seed."""
    kept = Keeper.after_step

    def dies(self: Keeper, history: History) -> None:
        kept(self, history)
        if "seed-1" in str(self.folder) and history.step == 3:
            raise SystemExit(1)

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "after_step", dies)
        with pytest.raises(SystemExit):
            seeds.adapt_seeds(model, rows(n=60), out=out, **{**SEEDS, **given})


def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """(folder, first step) of each run that is trained from now on."""
    kept, seen = Keeper.after_step, {}

    def notes(self: Keeper, history: History) -> None:
        name = self.folder.parent.name
        if name not in seen:
            seen[name] = history.step
            found.append((name, history.step))
        kept(self, history)

    found: list[tuple[str, int]] = []
    monkeypatch.setattr(Keeper, "after_step", notes)
    return found


def test_killed_seeds_go_on(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = seeds.adapt_seeds(model, rows(n=60), out=tmp_path / "whole", **SEEDS)
    out = tmp_path / "run"
    killed(model, out, monkeypatch)
    trained = begun(monkeypatch)
    found = seeds.adapt_seeds(model, rows(n=60), out=out, **SEEDS, resume=True)
    assert trained == [("seed-1", 4), ("seed-2", 1)]
    assert found.report["seeds"] == whole.report["seeds"]
    assert json.loads((out / "report.json").read_text("utf-8"))["seeds"] == whole.report["seeds"]
    weights = found.model.state_dict()
    assert all(value.equal(weights[name]) for name, value in whole.model.state_dict().items())
    again = seeds.adapt_seeds(model, rows(n=60), out=out, **SEEDS, resume=True)
    assert len(trained) == 2 and again.report["seeds"] == whole.report["seeds"]


def test_the_first_seed_goes_on_beside_the_others(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of an earlier end, which are done as well."""
    out = tmp_path / "run"
    whole = seeds.adapt_seeds(model, rows(n=60), out=out, **SEEDS)
    (out / "run.json").unlink()
    trained = begun(monkeypatch)
    found = seeds.adapt_seeds(model, rows(n=60), out=out, **SEEDS, resume=True)
    assert trained == [("run", 1)] and found.report["seeds"] == whole.report["seeds"]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["lr", "rows"])
def test_what_was_done_otherwise_is_not_taken(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    out = tmp_path / "run"
    given: dict[str, Any] = {**SEEDS, "count": 2}
    seeds.adapt_seeds(model, rows(n=60), out=out, **given)
    trained = begun(monkeypatch)
    other = {"lr": 1e-3} if change == "lr" else {}
    data = rows(n=60, seed=change == "rows")
    found = seeds.adapt_seeds(model, data, out=out, **given, **other, resume=True)
    assert trained == [("run", 1), ("seed-1", 1)]
    wanted = seeds.adapt_seeds(model, data, out=tmp_path / "anew", **given, **other)
    assert found.report["seeds"] == wanted.report["seeds"]
