from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from headway.training import precision
from headway.training.precision import chosen_precision, precision_context

CPU = torch.device("cpu")


@pytest.fixture
def probes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """An empty cache, and a machine whose bf16 is as fast as the list's last number says."""
    found = [2.0]
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(precision, "_bf16_speedup", lambda: found.append(found[-1]) or found[-1])
    return found


def test_what_is_asked_is_taken(probes: list[float]) -> None:
    assert [chosen_precision(name, CPU) for name in ("fp32", "bf16")] == ["fp32", "bf16"]
    assert len(probes) == 1


@pytest.mark.parametrize(("speedup", "choice"), [(2.0, "bf16"), (1.0, "fp32"), (0.2, "fp32")])
def test_the_faster_is_chosen_once_and_remembered(
    probes: list[float], speedup: float, choice: str
) -> None:
    probes.append(speedup)
    assert chosen_precision("auto", CPU) == choice
    asked = len(probes)
    probes[-1] = 3.0 - speedup  # would decide otherwise now
    assert chosen_precision("auto", CPU) == choice
    assert len(probes) == asked


@pytest.mark.parametrize(
    "damage", ["", "{", "[1]", "null", '{"%s": 5}', '{"%s": {"precision": 8}}']
)
def test_a_damaged_cache_is_measured_anew(probes: list[float], tmp_path: Path, damage: str) -> None:
    chosen_precision("auto", CPU)
    path = tmp_path / "cache" / "precision.json"
    key = next(iter(json.loads(path.read_text())))
    path.write_text(damage.replace("%s", key))
    asked = len(probes)
    assert chosen_precision("auto", CPU) == "bf16"
    assert len(probes) == asked + 1
    assert json.loads(path.read_text())[key]["precision"] == "bf16"
    assert [file.name for file in path.parent.iterdir()] == ["precision.json"]


def test_other_machines_verdicts_are_kept(probes: list[float], tmp_path: Path) -> None:
    path = tmp_path / "cache" / "precision.json"
    path.parent.mkdir()
    other = {"another machine": {"precision": "fp32", "bf16_speedup": 0.5}}
    path.write_text(json.dumps(other))
    assert chosen_precision("auto", CPU) == "bf16"
    assert other.items() <= json.loads(path.read_text()).items()


def test_without_a_place_for_the_cache_it_still_decides(
    probes: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "file"))
    assert chosen_precision("auto", CPU) == "bf16"


def test_the_measurement_measures() -> None:
    assert 0.001 < precision._bf16_speedup() < 1000


def test_a_processor_without_bf16_is_known_by_few_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole layer would take it minutes."""
    tried: list[int] = []
    found = {32: 0.02, 1024: 9.0}
    monkeypatch.setattr(precision, "_speedup", lambda tokens: tried.append(tokens) or found[tokens])
    assert precision._bf16_speedup() == 0.02 and tried == [32]
    found[32] = 0.5
    assert precision._bf16_speedup() == 9.0


def test_context() -> None:
    x = torch.ones(2, 2)
    with precision_context("bf16", CPU):
        assert (x @ x).dtype == torch.bfloat16
    with precision_context("fp32", CPU):
        assert (x @ x).dtype == torch.float32
