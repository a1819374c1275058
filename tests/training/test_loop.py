from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headway.errors import ConfigError
from headway.training import History, Options, train
from headway.training.collate import Batch, Ready
from headway.training.interrupt import StopFlag
from headway.training.loop import COUNTED, Epochs, counted, last_batch
from headway.training.optimisers import OPTIMISERS, parameter_groups

X = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
WANTED = torch.tensor([[2.0], [-1.0]])
EPOCHS = [[0, 1, 0, 1]] * 5


def linear() -> nn.Linear:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return nn.Linear(2, 1)


def error_of(module: nn.Module, row: int) -> Tensor:
    return (module(X[row]) - WANTED[row]).square().sum()


class Line(nn.Module):
    """Learns one row at a time, by an error of its own if need be."""

    def __init__(
        self, module: nn.Module, loss_of: Callable[[nn.Module, int], Tensor] = error_of
    ) -> None:
        super().__init__()
        self.module, self.loss_of = module, loss_of

    def forward(self, part: Ready) -> tuple[Tensor]:
        return (self.loss_of(self.module, part.wanted),)


def parts_of(row: int, chance: torch.Generator) -> list[Ready]:
    return [Ready(Batch([row], [], [], []), row, (1.0,))]


def run(module: nn.Module, epochs: Any = EPOCHS, **more: Any) -> History:
    options = Options(**{"learning_rate": 0.5, "weight_decay": 0.0} | more.pop("options", {}))
    usual = OPTIMISERS[options.optimiser].over(
        parameter_groups([(options.learning_rate, module.parameters())], weight_decay=0.0)
    )
    optimiser = more.pop("optimiser", usual)
    learner = Line(module, more.pop("loss_of", error_of))
    given: dict[str, Any] = {"options": options, "precision": "fp32", "stop": StopFlag()}
    given |= {"parts_of": parts_of, "cost_of": lambda row: (3, 5.0)} | more
    history = train(learner, optimiser, epochs, **given)
    assert not learner.training
    return history


def test_loss_falls_and_history_says_what_happened() -> None:
    module = linear()
    history = run(module, [[0, 1] * 10] * 4)
    assert [row["step"] for row in history.train] == list(range(1, 81))
    assert [row["epoch"] for row in history.train] == [n for n in (1, 2, 3, 4) for _ in range(20)]
    assert history.train[-1]["loss"] < 0.05 < history.train[0]["loss"]
    assert history.tokens == 3 * 80 and history.flops == 5 * 80 and history.seconds > 0
    assert history.stopped == "" and not module.training


def test_rate_warms_up_and_falls() -> None:
    rates = [row["learning_rate"] for row in run(linear(), options={"warmup": 0.25}).train]
    assert rates[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert rates[5] == 0.5 and rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] == pytest.approx(0.5 / 15)


def test_a_large_gradient_is_clipped() -> None:
    module = linear()
    seen: list[float] = []

    def loss_of(module: nn.Module, row: int) -> Tensor:
        return 1e6 * error_of(module, row)

    class Watched(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:
            gradients = torch.cat([p.grad.flatten() for p in module.parameters()])
            seen.append(float(gradients.norm()))

    optimiser = Watched([{"params": list(module.parameters()), "lr": 0.1, "peak": 0.1}])
    run(module, [[0, 1]], optimiser=optimiser, loss_of=loss_of, options={"clip": 0.25})
    assert seen == pytest.approx([0.25, 0.25], rel=1e-4)


def test_validation_may_end_it() -> None:
    seen = []

    def after_epoch(number: int, history: History) -> bool:
        seen.append((number, len(history.train)))
        return number == 2

    history = run(linear(), after_epoch=after_epoch)
    assert seen == [(1, 4), (2, 8)]
    assert history.stopped == "no better validation score: ended behind step 8"


def test_the_last_epoch_cannot_end_early() -> None:
    assert run(linear(), after_epoch=lambda number, history: number == 5).stopped == ""


def test_asked_to_stop_it_ends_behind_the_step() -> None:
    module, stop = linear(), StopFlag()

    def loss_of(module: nn.Module, row: int) -> Tensor:
        stop.asked = len(history.train) == 5
        return error_of(module, row)

    history = History()
    run(module, loss_of=loss_of, stop=stop, history=history)
    assert len(history.train) == 6
    assert history.stopped == "interrupted behind step 6 of 20"
    assert not module.training


def test_asked_to_stop_while_validating_it_trains_no_more() -> None:
    stop = StopFlag()

    def after_epoch(number: int, history: History) -> bool:
        stop.asked = True
        return False

    history = run(linear(), after_epoch=after_epoch, stop=stop)
    assert history.stopped == "interrupted behind step 4 of 20"


def test_asked_to_stop_at_the_very_end_it_says_so() -> None:
    stop = StopFlag()

    def after_epoch(number: int, history: History) -> bool:
        stop.asked = number == 5
        return False

    history = run(linear(), after_epoch=after_epoch, stop=stop)
    assert history.stopped == "interrupted behind step 20 of 20"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_impossible_loss_is_an_error_and_leaves_the_state_before_it(value: float) -> None:
    module, history = linear(), History()
    states = []

    def loss_of(module: nn.Module, row: int) -> Tensor:
        states.append([p.detach().clone() for p in module.parameters()])
        return error_of(module, row) * (value if len(states) == 3 else 1.0)

    with pytest.raises(ConfigError, match=rf"loss became {value} in step 3 of 20.* rate of 0\.5"):
        run(module, loss_of=loss_of, history=history)
    assert history.stopped and len(history.train) == 3
    for now, before in zip(module.parameters(), states[2], strict=True):
        assert torch.equal(now, before)


def test_an_impossible_gradient_is_an_error_before_it_is_used() -> None:
    module = linear()

    def loss_of(module: nn.Module, row: int) -> Tensor:
        return (module(X[row]) - module(X[row]).detach()).abs().sqrt().sum()  # 0, slope infinite

    with pytest.raises(ConfigError, match="gradient became nan in step 1 of 20"):
        run(module, loss_of=loss_of)
    assert all(p.isfinite().all() for p in module.parameters())


def test_bf16_computes_in_bf16() -> None:
    module = linear()
    kinds = set()

    def loss_of(module: nn.Module, row: int) -> Tensor:
        kinds.add(module(X[row][None]).dtype)
        return error_of(module, row)

    run(module, loss_of=loss_of, precision="bf16")
    assert kinds == {torch.bfloat16}
    assert module.weight.dtype == torch.float32


def test_what_a_step_draws_depends_on_seed_and_step_alone() -> None:
    def drawn(seed: int, epochs: list[list[int]]) -> list[tuple[float, float]]:
        found: list[float] = []
        noise: list[float] = []

        def parts(row: int, chance: torch.Generator) -> list[Ready]:
            found.append(float(torch.rand((), generator=chance)))
            return parts_of(row, chance)

        def loss_of(module: nn.Module, row: int) -> Tensor:
            noise.append(float(torch.rand(())))
            return error_of(module, row)

        torch.manual_seed(len(epochs))  # what was drawn before does not matter
        run(linear(), epochs, parts_of=parts, loss_of=loss_of, options={"seed": seed})
        return list(zip(found, noise, strict=True))

    once, again, other = drawn(3, [[0, 1, 0, 1]]), drawn(3, [[0, 1], [0, 1]]), drawn(4, [[0] * 4])
    assert once == again
    assert len({number for pair in (*once, *other) for number in pair}) == 16


def test_most_steps_end_it_and_its_schedule() -> None:
    seen: list[int] = []

    def after_epoch(number: int, history: History) -> bool:
        seen.append(number)
        return False

    options = {"max_steps": 6, "warmup": 0.0}
    history = run(linear(), after_epoch=after_epoch, options=options)
    assert history.step == 6 and history.stopped == "" and seen == [1, 2]
    rates = [row["learning_rate"] for row in history.train]
    assert rates[-1] == pytest.approx(0.5 / 5)
    assert run(linear(), options={"max_steps": 999}).step == 20


def test_most_seconds_end_it_behind_what_comes_after_an_epoch() -> None:
    seen: list[int] = []

    def loss_of(module: nn.Module, row: int) -> Tensor:
        time.sleep(0.01)
        return error_of(module, row)

    def after_epoch(number: int, history: History) -> bool:
        seen.append(number)
        return False

    history = run(linear(), loss_of=loss_of, after_epoch=after_epoch, options={"max_seconds": 0.05})
    assert 2 <= history.step <= 6 and seen == list(range(1, len(seen) + 1))
    assert history.stopped == f"0.05 seconds are over: ended behind step {history.step}"


def lazy(asked: list[int], epochs: int = 10**9) -> Epochs[int]:
    """Epochs of two steps that note when they are made."""

    def made(number: int) -> list[int]:
        asked.append(number)
        return [0, 1]

    return Epochs(made, epochs=epochs, steps=2 * epochs)


def test_epochs_are_made_when_they_are_read() -> None:
    asked: list[int] = []
    history = run(linear(), lazy(asked), options={"max_steps": 5, "schedule": "constant"})
    assert history.step == 5 and asked == [0, 1, 2]
    ended = run(linear(), lazy(asked), options={"max_seconds": 0.02})
    assert ended.step > 0 and ended.stopped.startswith("0.02 seconds are over")


def test_a_run_that_goes_on_makes_no_epoch_that_is_behind_it() -> None:
    stop, history, asked = StopFlag(), History(), list[int]()

    def loss_of(module: nn.Module, row: int) -> Tensor:
        stop.asked = history.step == 6
        return error_of(module, row)

    run(linear(), lazy(asked, 5), loss_of=loss_of, stop=stop, history=history)
    assert history.step == 7 and history.epochs == 3
    asked.clear()
    run(linear(), lazy(asked, 5), history=history)
    assert asked == [3, 4]
    assert [row["epoch"] for row in history.train] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_what_the_last_step_read() -> None:
    epochs = [["a", "b", "c"], ["d", "e"]]
    for step, batch in enumerate("abcde", start=1):
        rows = [{"epoch": 1.0 + (n > 3)} for n in range(1, step + 1)]
        assert last_batch(epochs, History(train=rows)) == batch


def test_steps_are_counted_of_no_more_epochs_than_a_run_comes_to() -> None:
    asked: list[int] = []

    def steps(epoch: int) -> int:
        asked.append(epoch)
        return 3 + epoch % 2

    assert counted(steps, 10**9, 8) == [3, 4, 3] and asked == [0, 1, 2]
    assert len(counted(steps, COUNTED, None)) == COUNTED
    asked.clear()
    with pytest.raises(ConfigError, match=f"epochs = {COUNTED + 1} that differ.* up to {COUNTED}"):
        counted(steps, COUNTED + 1, None)
    assert asked == [0]
