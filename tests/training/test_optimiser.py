from __future__ import annotations

import torch
from torch import nn

from headway.training.optimiser import adamw, set_rates


def test_vectors_do_not_decay() -> None:
    module = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3), nn.LayerNorm(3))
    groups = adamw([(0.1, module.parameters())], weight_decay=0.5).param_groups
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert [decays[id(p)] for p in module.parameters()] == [0.5, 0.5, 0, 0, 0]


def test_parts_have_rates_of_their_own() -> None:
    body, head = nn.Linear(2, 2), nn.Linear(2, 1)
    optimiser = adamw([(0.1, body.parameters()), (0.4, head.parameters())], weight_decay=0)
    set_rates(optimiser, 0.5)
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    assert [rates[id(p)] for p in body.parameters()] == [0.05, 0.05]
    assert [rates[id(p)] for p in head.parameters()] == [0.2, 0.2]


def test_equal_rates_and_shared_parameters() -> None:
    body, head = nn.Linear(2, 2), nn.Linear(2, 2)
    head.weight = body.weight
    optimiser = adamw([(0.1, body.parameters()), (0.1, head.parameters())], weight_decay=0)
    members = [id(p) for group in optimiser.param_groups for p in group["params"]]
    assert len(members) == len(set(members)) == 3


def test_what_is_frozen_is_left_out() -> None:
    module = nn.Linear(2, 2)
    module.weight.requires_grad_(False)
    groups = adamw([(0.1, module.parameters())], weight_decay=0).param_groups
    assert [p is module.bias for group in groups for p in group["params"]] == [True]


def test_one_step_is_that_of_the_paper() -> None:
    """Loshchilov & Hutter, algorithm 2, by hand: the first step is the sign, after decay."""
    weight = nn.Parameter(torch.tensor([[1.0, -2.0]]))
    optimiser = adamw([(0.1, [weight])], weight_decay=0.5)
    weight.grad = torch.tensor([[0.3, -7.0]])
    optimiser.step()
    expected = torch.tensor([[1.0, -2.0]]) * (1 - 0.1 * 0.5) - 0.1 * torch.tensor([[1.0, -1.0]])
    torch.testing.assert_close(weight.detach(), expected)
