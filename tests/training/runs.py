"""Runs that several processes share: a module, so that each of them can import it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import torch.distributed as dist
from adaptation.quick import quick
from pretraining.texts import small

from headway import Dataset
from headway.adaptation import Result
from headway.pretraining import Pretrained
from headway.training.keeper import Keeper
from headway.training.processes import RESTARTS
from headway.training.validations import Validations

from .tiny import rows, tiny_model


def adapted(**settings: Any) -> Result:
    given: dict[str, Any] = {"epochs": 2, "batch_tokens": 120, "lr": 3e-3, "validation": 0.2,
                             "save_every": 0, "micro_batch_tokens": 10}  # fmt: skip
    return quick(tiny_model(), rows(n=60), **given | settings)


def embedded(**settings: Any) -> Result:
    """Each step holds the vectors of all processes beside each other."""
    first = [f"word{n} word{n + 1}" for n in range(40)]
    second = [f"word{n + 1} word{n}" for n in range(40)]
    given: dict[str, Any] = {"task": "sentence-similarity", "text": "first", "pair": "second",
                             "epochs": 1, "batch_tokens": 200, "micro_batch_tokens": 1,
                             "lr": 1e-3}  # fmt: skip
    pairs = Dataset.from_columns({"first": first, "second": second})
    return quick(tiny_model(), pairs, **given | settings)


def pretrained(family: str = "bert", **settings: Any) -> Pretrained:
    given: dict[str, Any] = {"max_steps": 6, "micro_batch_tokens": 1, "save_every": 0}
    return small(family, **given | settings)


def lost_once(**settings: Any) -> Result:
    """An adaptation whose second process is killed behind step 5, when it has not been before."""

    def dies(keeper: Keeper) -> None:
        if keeper.history.step == 5 and os.environ[RESTARTS] == "0" and dist.get_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    _behind_each_step(dies)
    return adapted(**settings)


def ended(**settings: Any) -> Result:
    """An adaptation that all processes end behind step 5."""

    def ends(keeper: Keeper) -> None:
        if keeper.history.step == 5:
            raise SystemExit(7)

    _behind_each_step(ends)
    return adapted(**settings)


def counted(*, out: Path, **settings: Any) -> Result:
    """An adaptation of which each process writes to `OUT-RANK` how many numbers it holds."""

    def counts(keeper: Keeper) -> None:
        held = [p.to_local() for p in keeper.learner.parameters()]  # type: ignore[operator]
        moments = [v for state in keeper.optimiser.state.values() for v in state.values()]
        held += [value.to_local() for value in moments if value.ndim]
        count = sum(tensor.numel() for tensor in held)
        Path(f"{out}-{dist.get_rank()}").write_text(str(count))

    _behind_each_step(counts)
    return adapted(out=out, **settings)


def pressed(*, out: Path, place: str, **settings: Any) -> Result:
    """An adaptation of which Ctrl-C reaches the second process alone, when the others have last
    said that they go on; each writes to `OUT-RANK` why it ended.

    Args:
        place: "step", behind the fifth; "epoch", behind the first; or "start", before any.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest may run where it is ignored

    def presses(_: object = None) -> None:
        if dist.get_rank() == 1:
            os.kill(os.getpid(), signal.SIGINT)

    if place == "step":
        _behind_each_step(lambda keeper: presses() if keeper.history.step == 5 else None)
    elif place == "epoch":
        _behind_each_epoch(lambda number: presses() if number == 1 else None)
    else:
        adapting = import_module("headway.adaptation.adapt")
        _replace(adapting, "start_head", lambda run, targets, stop: presses())
    result = adapted(out=out, **settings)
    Path(f"{out}-{os.environ['RANK']}").write_text(result.stopped)
    return result


def enough(*, out: Path, **settings: Any) -> Result:
    """An adaptation whose second process alone finds behind an epoch that it is time to stop; each
    writes to `OUT-RANK` why it ended."""
    _behind_each_epoch(lambda number: dist.get_rank() == 1)
    result = adapted(out=out, **settings)
    Path(f"{out}-{os.environ['RANK']}").write_text(result.stopped)
    return result


def apart(**settings: Any) -> Result:
    """An adaptation whose second process looks for states in a folder of its own."""
    begin = Keeper.begin

    def begins(self: Keeper, *given: Any) -> None:
        if dist.get_rank() == 1:
            self.folder = self.folder.with_name("another")
        begin(self, *given)

    _replace(Keeper, "begin", begins)
    return adapted(resume=True, **settings)


def _behind_each_epoch(do: Callable[[int], bool | None]) -> None:
    """When it is validated."""
    after = Validations.after_epoch

    def then(self: Validations, number: int, history: Any) -> bool:
        return after(self, number, history) | bool(do(number))

    _replace(Validations, "after_epoch", then)


def _behind_each_step(do: Callable[[Keeper], None]) -> None:
    """When its state is kept."""
    after = Keeper.after_step

    def then(self: Keeper, history: Any) -> None:
        after(self, history)
        do(self)

    _replace(Keeper, "after_step", then)


def _replace(owner: object, name: str, what: object) -> None:
    """For good: the process ends with the run."""
    mock.patch.object(owner, name, what).start()
