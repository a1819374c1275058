"""A run on its way, kept on disk: after a crash it goes on where it was, bit for bit.

A state is a folder `step-N` of tensors, as safetensors (`states.py`), and state.json, which has the
hash of each file and of all else that it says. It takes its name when all of it is on the disk.
What is damaged all the same is passed over, and the newest sound one is taken.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from headway.checkpoints.folders import HIDDEN
from headway.errors import ConfigError, OutputError
from headway.logs import log
from headway.training.loop import History
from headway.training.processes import crew
from headway.training.states import STATE, States, Whole

__all__ = ["AnotherRunError", "Keeper", "Stateful", "kept_threads"]

FORMAT = 3
KEPT = 2
"""States that are kept: the newest, and one in case that it is damaged."""

LEARNED, OPTIMISER = "learned", "optimiser"

SAID = "sha256"
"""The field of state.json with the hash of all its others."""


class AnotherRunError(ConfigError):
    """What is kept in a folder is the state of another run."""


class Stateful(Protocol):
    """Something whose state belongs to that of a run."""

    def tensors(self) -> dict[str, Tensor]:
        """What is kept of it as tensors."""

    def numbers(self) -> dict[str, Any]:
        """What is kept of it as JSON."""

    def take(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """The inverse of both."""


class Keeper:
    """Keeps the states of one run, the last two of them.

    Args:
        folder: where the states lie; it is made with the first one. Those of an earlier run there
            are left until then.
        run: what makes the run what it is, as JSON can hold it. One that differs in anything is
            another run, and does not go on from these states.
        seconds: how long a run goes on until it is kept again.
        resume: whether it goes on from the newest sound state there.
    """

    def __init__(
        self, folder: Path, run: Mapping[str, Any], *, seconds: float, resume: bool
    ) -> None:
        self.folder, self.run = folder, dict(run)
        self.seconds, self.resume = seconds, resume
        self.own: list[Path] = []

    def begin(
        self,
        learner: nn.Module,
        optimiser: torch.optim.Optimizer,
        history: History,
        others: Mapping[str, Stateful],
        states: States | None = None,
    ) -> None:
        """Says what is to be kept, and brings it to the state that the run goes on from.

        Args:
            learner: what is trained.
            optimiser: over its parameters.
            history: of the run.
            others: name -> what else has a state, such as the best epoch so far.
            states: how tensors lie on disk; None = whole.

        Raises:
            AnotherRunError: what is kept there is the state of another run.
            ConfigError: other processes see another state; all of them raise that.
        """
        self.learner, self.optimiser = learner, optimiser
        self.history, self.others = history, dict(others)
        self.states = Whole() if states is None else states
        self.last = time.monotonic()
        if crew().main:
            _remove_halves(self.folder)
        kept = _states(self.folder)
        if not self.resume:
            if kept:
                log.info("%s holds a run on its way: --resume would go on with it", self.folder)
            return
        self._check_together(_step_of(kept[0]) if kept else 0)
        self._restore(kept)
        self._check_together(history.step)  # a disk that one of them cannot read
        if history.step:
            log.info("going on behind step %d", history.step)
        else:
            log.info("nothing is kept in %s: the run begins at its first step", self.folder)

    def after_step(self, history: History) -> None:
        """Keeps the state where it is time to."""
        due = time.monotonic() - self.last >= self.seconds
        if self.states.by_all:  # by any clock
            due = bool(crew().most(due)[0])
        if due:
            self.keep()

    def keep(self) -> None:
        """Keeps the state now. A disk that will not take it is said, and the run goes on."""
        main = crew().main
        if not (main or self.states.by_all):
            return
        place = self.folder / f"step-{self.history.step:08d}"
        try:
            self._write(place)
        except OutputError as error:
            log.warning("the run's state is not kept: %s", error)
        else:
            others = [path for path in self.own if path != place]
            self.own = [*others[1 - KEPT :], place]
            for old in _states(self.folder) if main else ():
                if old not in self.own:
                    shutil.rmtree(old, ignore_errors=True)
        self.last = time.monotonic()

    def _write(self, place: Path) -> None:
        tensors = {
            LEARNED: {name: p.detach() for name, p in self.learner.named_parameters()},
            OPTIMISER: dict(_flat(self.optimiser)),
        }
        tensors |= {name: other.tensors() for name, other in self.others.items()}
        with self.states.folder(place) as new:
            files = self.states.write(tensors, new)
            if not crew().main:
                return
            state = {
                "format": FORMAT,
                "run": self.run,
                "history": dataclasses.asdict(self.history),
                "threads": torch.get_num_threads(),
                "numbers": {name: other.numbers() for name, other in self.others.items()},
                "files": files,
            }
            state[SAID] = _hash_of(state)
            (new / STATE).write_text(json.dumps(state), encoding="utf-8")

    def _check_together(self, step: int) -> None:
        """Whether all processes are at one step."""
        last, first = (abs(int(found)) for found in crew().most(step, -step))
        if first != last:
            raise ConfigError(
                f"{self.folder}: some processes find a state behind step {first} in it, others one "
                f"behind step {last}",
                next_step="let all see one folder, or give each of them a copy of it",
            )

    def _restore(self, kept: Sequence[Path]) -> None:
        """Takes the newest sound state."""
        for place in kept:
            state = self._sound(place)
            if state is None:
                log.warning("%s is damaged, and passed over", place)
                continue
            self._check_run(state["run"], place)
            self._take(place, state)
            self.history.stopped = ""  # it goes on
            self.own = [place]
            return

    def _check_run(self, kept: Mapping[str, Any], place: Path) -> None:
        now = json.loads(json.dumps(self.run))
        names = sorted({*now, *kept})
        changed = [name for name in names if now.get(name) != kept.get(name)]
        if changed:
            told = ", ".join(
                f"{name} was {kept.get(name)!r:.60} and is {now.get(name)!r:.60}"
                for name in changed[:3]
            )
            raise AnotherRunError(
                f"{place.parent} holds another run: {told}",
                next_step="go on with what it was begun with, or begin anew without --resume",
            )

    def _take(self, place: Path, state: Mapping[str, Any]) -> None:
        tensors = self.states.read(place)
        with torch.no_grad():
            for name, parameter in self.learner.named_parameters():
                parameter.copy_(tensors[LEARNED][name])
        _fill(self.optimiser, tensors.get(OPTIMISER, {}))
        for field in dataclasses.fields(History):
            setattr(self.history, field.name, state["history"][field.name])
        for name, other in self.others.items():
            other.take(tensors.get(name, {}), state["numbers"][name])

    def _sound(self, place: Path) -> dict[str, Any] | None:
        """What state.json says, where every file is what it was."""
        state = _said(place)
        try:
            sound = state is not None and self.states.sound(dict(state["files"]), place)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return state if sound else None


def kept_threads(folder: Path) -> int | None:
    """How many threads the run computed with whose states are kept there; None where there are no
    states, or they do not say.

    Args:
        folder: of the states.
    """
    found = (state for place in _states(folder) if (state := _said(place)) is not None)
    number: int | None = next((state.get("threads") for state in found), None)
    return number


def _said(place: Path) -> dict[str, Any] | None:
    """What state.json says; None where it cannot be read, is of another format, or says something
    else than what was written."""
    try:
        state = json.loads((place / STATE).read_text(encoding="utf-8"))
        return state if state["format"] == FORMAT and state[SAID] == _hash_of(state) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _states(folder: Path) -> list[Path]:
    """The states in a folder, the newest first."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if re.fullmatch(r"step-\d+", path.name)]
    return sorted(found, key=_step_of, reverse=True)


def _step_of(place: Path) -> int:
    return int(place.name.partition("-")[2])


def _hash_of(state: Mapping[str, Any]) -> str:
    """Of what a state says, but for this hash; the same for what is read as for what is written."""
    told = json.dumps({name: value for name, value in state.items() if name != SAID})
    return hashlib.sha256(told.encode()).hexdigest()


def _remove_halves(folder: Path) -> None:
    """Of states: what is left where a run was killed while it wrote one."""
    for path in folder.glob(f"{HIDDEN}*"):
        shutil.rmtree(path, ignore_errors=True)


def _flat(optimiser: torch.optim.Optimizer) -> Iterator[tuple[str, Tensor]]:
    """The tensors of an optimiser's state: (number of the parameter and name, tensor)."""
    for number, values in optimiser.state_dict()["state"].items():
        for name, value in values.items():
            assert isinstance(value, Tensor), name
            yield f"{number}.{name}", value


def _fill(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `_flat`; an optimiser that has taken no step has no tensors."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict(
        {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}
    )
