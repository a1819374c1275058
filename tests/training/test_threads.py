"""How many threads: what is asked, what was kept, or what is the fastest here."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from headway.training import threads
from headway.training.processes import Crew
from headway.training.threads import chosen_threads, computing_with

from .tiny import tiny_model


class Machine:
    """One with four processors of two cores, and how long it takes with so many threads."""

    def __init__(self) -> None:
        self.seconds = {1: 1.0, 2: 0.5, 4: 0.8}
        self.asked = 0

    def measured(self, several: Sequence[int], hidden: int, inner: int) -> dict[int, float]:
        assert list(several) == [1, 2, 4] and hidden > 1 and inner > 1
        self.asked += 1
        return self.seconds


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    for name in threads.SET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(threads, "_cores", lambda: 2)
    monkeypatch.setattr(threads, "_measured", found.measured)
    return found


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({1: 1.0, 2: 0.5, 4: 0.8}, 2),
        ({1: 0.3, 2: 0.5, 4: 0.8}, 1),
        ({1: 1.0, 2: 0.75, 4: 0.8}, 4),  # too little is gained
        ({1: 1.0, 2: 0.9, 4: 0.8}, 4),
    ],
)
def test_the_fastest_is_taken_and_remembered(
    machine: Machine, tmp_path: Path, seconds: dict[int, float], chosen: int
) -> None:
    machine.seconds = seconds
    model = tiny_model()
    assert chosen_threads(None, model) == chosen
    machine.seconds = {1: 0.1, 2: 0.1, 4: 9.0}  # would decide otherwise now
    assert chosen_threads(None, model) == chosen and machine.asked == 1
    (path,) = (tmp_path / "cache").iterdir()
    (known,) = json.loads(path.read_text("utf-8")).values()
    assert known["threads"] == chosen
    path.write_text("{", "utf-8")
    assert chosen_threads(None, model) == 1 and machine.asked == 2


def test_an_architecture_that_leaves_its_inner_width_out_has_threads(machine: Machine) -> None:
    model = tiny_model("gpt2")
    config = dataclasses.replace(model.checkpoint.config, inner=None)
    model.checkpoint = dataclasses.replace(model.checkpoint, config=config)
    assert chosen_threads(None, model) == 2 and machine.asked == 1


def test_who_says_how_many_is_not_asked_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = tiny_model()
    assert chosen_threads(3, model) == 3
    assert chosen_threads(3, model, tmp_path) == 3
    with monkeypatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "4")
        assert chosen_threads(None, model) == 4
    with monkeypatch.context() as patch:
        patch.setattr(threads, "crew", lambda: Crew(1, 2))
        assert chosen_threads(None, model) == 4
    with monkeypatch.context() as patch:
        patch.setattr(threads, "kept_threads", lambda folder: 7)
        assert chosen_threads(None, model, tmp_path) == 7
    with monkeypatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: 1)
        assert chosen_threads(None, model) == 1
    assert machine.asked == 0
    assert chosen_threads(None, model, tmp_path) == 2 and machine.asked == 1  # nothing is kept


def test_torch_has_as_many_inside_and_what_it_had_behind() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), computing_with(before + 2):
        assert torch.get_num_threads() == before + 2
        raise KeyError
    assert torch.get_num_threads() == before


def test_the_measurement_measures() -> None:
    before = torch.get_num_threads()
    drawn = torch.random.get_rng_state()
    found = threads._measured([1, 2], 16, 64)
    assert found.keys() == {1, 2} and all(0 < seconds < 10 for seconds in found.values())
    assert torch.get_num_threads() == before
    assert torch.random.get_rng_state().equal(drawn)


def test_the_cores_of_this_machine() -> None:
    found = threads._cores()
    assert found is None or found >= 1
