"""Optimisers against their papers, and what they promise alike."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headway.training.optimisers import OPTIMISERS, parameter_groups, set_rates
from headway.training.optimisers.adamw8bit import code, packed, unpacked
from headway.training.optimisers.together import Together
from headway.training.optimisers.uncompiled import Uncompiled


def groups_of(*parts: Any, decay: float = 0.0, outer: Any = ()) -> Any:
    return parameter_groups(parts, weight_decay=decay, outer=outer)


def members(groups: Any) -> list[int]:
    return [id(p) for group in groups for p in group["params"]]


def test_vectors_do_not_decay() -> None:
    module = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3), nn.LayerNorm(3))
    groups = groups_of((0.1, module.parameters()), decay=0.5)
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert [decays[id(p)] for p in module.parameters()] == [0.5, 0.5, 0, 0, 0]


def test_inner_are_matrices_that_are_not_at_the_ends() -> None:
    module = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3), nn.Conv1d(2, 2, 1))
    groups = groups_of((0.1, module.parameters()), outer=[module[0].weight])
    inner = [p for group in groups if group["inner"] for p in group["params"]]
    assert [p is module[1].weight for p in inner] == [True]
    assert len(members(groups)) == len(set(members(groups))) == 5


@pytest.mark.parametrize("name", OPTIMISERS)
def test_parts_have_rates_of_their_own(name: str) -> None:
    body, head = nn.Linear(2, 2), nn.Linear(2, 1)
    groups = groups_of((0.1, body.parameters()), (0.4, head.parameters()), outer=[head.weight])
    optimiser = OPTIMISERS[name].over(groups)
    set_rates(optimiser, 0.5)
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    assert [rates[id(p)] for p in body.parameters()] == [0.05, 0.05]
    assert [rates[id(p)] for p in head.parameters()] == [0.2, 0.2]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_rate_of_zero_moves_nothing(name: str) -> None:
    module = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    optimiser = OPTIMISERS[name].over(groups_of((0.1, module.parameters()), decay=0.1))
    before = [p.detach().clone() for p in module.parameters()]
    set_rates(optimiser, 0.0)
    module(torch.ones(2, 3)).sum().backward()
    optimiser.step()
    assert all(torch.equal(p, old) for p, old in zip(module.parameters(), before, strict=True))


def test_equal_rates_and_shared_parameters() -> None:
    body, head = nn.Linear(2, 2), nn.Linear(2, 2)
    head.weight = body.weight
    groups = groups_of((0.1, body.parameters()), (0.1, head.parameters()))
    assert len(members(groups)) == len(set(members(groups))) == 3


def test_what_is_frozen_is_left_out() -> None:
    module = nn.Linear(2, 2)
    module.weight.requires_grad_(False)
    assert members(groups_of((0.1, module.parameters()))) == [id(module.bias)]


def moved(name: str, gradients: list[list[list[float]]], decay: float, rate: float) -> Tensor:
    """A matrix that began at [[1, -2], [0.5, 3]], behind these gradients."""
    weight = nn.Parameter(torch.tensor([[1.0, -2.0], [0.5, 3.0]]))
    optimiser = OPTIMISERS[name].over(groups_of((rate, [weight]), decay=decay))
    for gradient in gradients:
        weight.grad = torch.tensor(gradient)
        optimiser.step()
    return weight.detach()


START = torch.tensor([[1.0, -2.0], [0.5, 3.0]])


def test_one_step_of_adamw_is_that_of_the_paper() -> None:
    """Loshchilov & Hutter, algorithm 2, by hand: the first step is the sign, after decay."""
    found = moved("adamw", [[[0.3, -7.0], [2.0, 1e-3]]], 0.5, 0.1)
    signs = torch.tensor([[1.0, -1.0], [1.0, 1.0]])
    torch.testing.assert_close(found, START * (1 - 0.1 * 0.5) - 0.1 * signs, atol=1e-5, rtol=1e-5)


def test_two_steps_of_lion_are_those_of_the_paper() -> None:
    """Chen et al., program 1, by hand: the second follows the momentum where it outweighs."""
    gradients = [[[1.0, -1.0], [1.0, -1.0]], [[-0.05, 0.05], [-1.0, -2.0]]]
    momentum, weight = torch.zeros(2, 2), START.clone()
    for gradient in map(torch.tensor, gradients):
        update = (0.9 * momentum + 0.1 * gradient).sign()
        weight = weight - 0.1 * (update + 0.5 * weight)
        momentum = 0.99 * momentum + 0.01 * gradient
    torch.testing.assert_close(moved("lion", gradients, 0.5, 0.1), weight)


def test_lion_begins_its_momentum_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made, zeros = list[torch.Tensor](), torch.zeros_like

    def noted(tensor: torch.Tensor) -> torch.Tensor:
        made.append(tensor)
        return zeros(tensor)

    monkeypatch.setattr(torch, "zeros_like", noted)
    moved("lion", [[[1.0, -1.0], [1.0, -1.0]]] * 3, 0.5, 0.1)
    assert len(made) == 1


def test_a_step_of_muon_has_equal_singular_values() -> None:
    """As far as five iterations bring them."""
    found = moved("muon", [[[3.0, 0.1], [0.2, 0.5]]], 0.0, 0.1)
    sizes = torch.linalg.svdvals(START - found)
    assert (
        sizes[0] / sizes[1] < 1.6 < 4.0 < torch.linalg.cond(torch.tensor([[3.0, 0.1], [0.2, 0.5]]))
    )


def test_muon_leaves_vectors_and_ends_to_adamw() -> None:
    first, second = (
        nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4), nn.LayerNorm(4)) for _ in "ab"
    )
    second.load_state_dict(first.state_dict())
    for name, module in (("muon", first), ("adamw", second)):
        groups = groups_of((0.1, module.parameters()), decay=0.1, outer=[module[0].weight])
        optimiser = OPTIMISERS[name].over(groups)
        (module(torch.tensor([1, 2])) * torch.arange(8.0).view(2, 4)).sum().backward()
        optimiser.step()
    pairs = zip(first.named_parameters(), second.parameters(), strict=True)
    assert [name for (name, p), other in pairs if not torch.equal(p, other)] == ["1.weight"]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_learns_and_goes_on_from_its_state(name: str) -> None:
    def learning(steps: int, state: Any = None, module: nn.Module | None = None) -> Any:
        if module is None:
            torch.manual_seed(0)
            module = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
        rate = 0.01 * OPTIMISERS[name].rate
        outer = [module[2].weight]  # type: ignore[index]
        optimiser = OPTIMISERS[name].over(groups_of((rate, module.parameters()), outer=outer))
        if state is not None:
            optimiser.load_state_dict(state)
        x = torch.linspace(-1, 1, 32).view(8, 4)
        loss = torch.zeros(())
        for _ in range(steps):
            loss = (module(x) - 0.5 * x[:, :1]).square().mean()
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
        return module, optimiser, float(loss.detach())

    _, _, first = learning(1)
    whole, _, last = learning(60)
    assert last < 0.2 * first
    half, optimiser, _ = learning(30)
    again, _, _ = learning(30, optimiser.state_dict(), half)
    assert all(
        torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters(), strict=True)
    )


def test_together_numbers_parameters_over_all_groups() -> None:
    module = nn.Linear(2, 2)
    groups = groups_of((0.1, module.parameters()))
    optimiser = OPTIMISERS["muon"].over(groups)
    assert isinstance(optimiser, Together)
    module(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    state = optimiser.state_dict()
    assert sorted(state["state"]) == [0, 1]
    assert [group["params"] for group in state["param_groups"]] == [[0], [1]]
    assert "momentum_buffer" in state["state"][0] and "exp_avg" in state["state"][1]


def test_a_byte_is_the_nearest_of_its_values() -> None:
    """The values of the paper's dynamic tree, by hand: seven powers of ten, each evenly."""
    for signed in (True, False):
        table = code(signed)
        assert len(table) == len(table.unique()) == 256 and table.equal(table.sort().values)
        assert table.max() == 1 and table.min() == (-0.99296875 if signed else 0)
        assert (table == 0).sum() == 1
        values = torch.randn(3, 1000, generator=torch.Generator().manual_seed(0))
        values = values if signed else values.abs()
        bytes_, largest = packed(values, signed=signed)
        assert bytes_.dtype == torch.uint8 and bytes_.shape == values.shape and len(largest) == 12
        found = unpacked(bytes_, largest, signed=signed)
        for place in range(0, 3000, 37):
            scale = values.flatten()[place // 256 * 256 :][:256].abs().max()
            nearest = (table * scale - values.flatten()[place]).abs().min()
            mine = (found.flatten()[place] - values.flatten()[place]).abs()
            assert mine <= nearest + 1e-3 * scale


def test_a_block_of_zeros_and_what_is_just_above_them() -> None:
    values = torch.zeros(2, 256)
    values[1, :2] = torch.tensor([1.0, 1e-12])
    bytes_, largest = packed(values, signed=False)
    found = unpacked(bytes_, largest, signed=False)
    assert not found[0].any() and not found[1, 2:].any()
    assert found[1, 0] == 1 and 0 < found[1, 1] < 1e-6


def learned_matrix(name: str, seed: int) -> tuple[float, torch.optim.Optimizer]:
    """The loss of two layers of 128 and a word table behind 150 steps, and what moved them."""
    torch.manual_seed(seed)
    table, target = nn.Embedding(400, 128), torch.randn(400, 128)
    module = nn.Sequential(table, nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, 128))
    optimiser = OPTIMISERS[name].over(groups_of((3e-3, module.parameters()), decay=0.01))
    for _ in range(150):
        ids = (torch.rand(64) ** 3 * 400).long()  # most rows are rare
        loss = (module(ids) - target[ids]).square().mean()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    with torch.no_grad():
        every = (module(torch.arange(400)) - target).square().mean(dim=1)
    assert every.max() < 20  # of rows without gradients, none has run away
    return float(every.mean()), optimiser


def test_bytes_learn_as_well_as_floats_in_a_quarter_of_the_state() -> None:
    whole = [learned_matrix("adamw", seed) for seed in range(3)]
    bytes_ = [learned_matrix("adamw8bit", seed) for seed in range(3)]
    losses = [torch.tensor([loss for loss, _ in found]) for found in (whole, bytes_)]
    assert (losses[1].mean() - losses[0].mean()).abs() < 0.02 * losses[0].mean()
    sizes = [
        sum(value.nbytes for state in found[0][1].state.values() for value in state.values())
        for found in (whole, bytes_)
    ]
    assert sizes[1] < 0.27 * sizes[0]


def test_bytes_go_on_from_their_state_to_the_bit() -> None:
    def moved_on(parameter: nn.Parameter, optimiser: torch.optim.Optimizer, first: int) -> None:
        for step in range(first, first + 3):
            torch.manual_seed(step)
            parameter.grad = torch.randn_like(parameter)
            optimiser.step()

    whole, half = (nn.Parameter(torch.ones(70, 70)) for _ in "ab")
    optimiser = OPTIMISERS["adamw8bit"].over(groups_of((0.1, [whole])))
    moved_on(whole, optimiser, 0)
    half.data.copy_(whole)
    again = OPTIMISERS["adamw8bit"].over(groups_of((0.1, [half])))
    again.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    dtypes = [{name: v.dtype for name, v in one.state_dict()["state"][0].items()}
              for one in (optimiser, again)]  # fmt: skip
    assert dtypes[0] == dtypes[1] and dtypes[0]["mean"] == dtypes[0]["root"] == torch.uint8
    moved_on(whole, optimiser, 3)
    moved_on(half, again, 3)
    assert whole.equal(half)


THEIRS = {
    "adamw": lambda groups: torch.optim.AdamW(groups, fused=True),
    "adafactor": torch.optim.Adafactor,
    "muon": lambda groups: torch.optim.Muon(groups, adjust_lr_fn="match_rms_adamw"),
}


@pytest.mark.parametrize("name", THEIRS)
def test_moves_and_state_are_torchs_to_the_bit(name: str) -> None:
    parameters, optimisers = [], []
    for make in (OPTIMISERS[name].over, THEIRS[name]):
        torch.manual_seed(0)
        parameters.append(nn.Parameter(torch.randn(9, 7)))
        optimisers.append(make(groups_of((0.1, parameters[-1:]), decay=0.01)))
    for step in range(4):
        for parameter, optimiser in zip(parameters, optimisers, strict=True):
            torch.manual_seed(step)
            parameter.grad = torch.randn_like(parameter)
            optimiser.step()
        assert torch.equal(*parameters)
    states = [optimiser.state_dict() for optimiser in optimisers]
    assert states[0]["param_groups"] == states[1]["param_groups"]
    ours, theirs = (state["state"][0] for state in states)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(torch.as_tensor(ours[key]), torch.as_tensor(theirs[key]))
               for key in ours)  # fmt: skip
    optimisers[0].load_state_dict(states[1])
    optimisers[0].zero_grad()
    assert parameters[0].grad is None and parameters[1].grad is not None


@pytest.mark.parametrize("name", OPTIMISERS)
def test_who_watches_steps_sees_each(name: str) -> None:
    weight, seen = nn.Parameter(torch.ones(3, 3)), []
    optimiser = OPTIMISERS[name].over(groups_of((0.1, [weight])))
    optimiser.register_step_post_hook(lambda *given: seen.append(weight.detach().clone()))
    for _ in range(2):
        weight.grad = torch.ones_like(weight)
        optimiser.step()
    assert len(seen) == 2 and not torch.equal(*seen)
    assert weight.requires_grad and torch.is_grad_enabled()


def test_the_compiler_is_not_imported() -> None:
    program = """
import sys, torch
from headway.training.optimisers import OPTIMISERS, parameter_groups
for one in OPTIMISERS.values():
    matrix, vector = (torch.nn.Parameter(torch.ones(*shape)) for shape in ((3, 3), (3,)))
    made = one.over(parameter_groups([(0.1, [matrix, vector])], weight_decay=0.1))
    for p in (matrix, vector):
        p.grad = torch.ones_like(p)
    made.step()
    made.load_state_dict(made.state_dict())
    made.zero_grad()
assert "torch._dynamo" not in sys.modules
torch.optim.SGD([matrix])  # torch's own do it: the day they do not, the detour can go
assert "torch._dynamo" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_optimiser_of_its_own_is_found_behind_it() -> None:
    class Twice(Uncompiled, torch.optim.SGD):
        def step(self, closure: Any = None) -> None:
            super().step()
            super().step()

    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    Twice([weight], lr=0.25).step()
    assert weight.tolist() == [0.5, 0.5]


def test_a_closure_tells_the_loss() -> None:
    weight = nn.Parameter(torch.ones(2))
    optimiser = OPTIMISERS["adamw"].over(groups_of((0.1, [weight])))

    def closure() -> float:
        loss = weight.square().sum()
        loss.backward()
        return loss.item()

    assert optimiser.step(closure) == 2.0 and weight.grad is not None
