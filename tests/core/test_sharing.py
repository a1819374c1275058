"""Blocks applied several times: one set of parameters, taps for each application."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headway.core.sharing import applications
from headway.core.taps import Tap, record, taps


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.out = Tap()

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.linear(x))


def test_parameters_are_shared_and_taps_are_not() -> None:
    torch.manual_seed(0)
    a, b = Block(), Block()
    model = nn.Sequential(*applications([a, b, a, a]))
    assert [name for name, _ in model.named_parameters()] == [
        "0.linear.weight",
        "0.linear.bias",
        "1.linear.weight",
        "1.linear.bias",
    ]
    assert list(taps(model)) == ["0.out", "1.out", "2.out", "3.out"]
    x = torch.randn(2, 3)
    with record(model, ["*.out"]) as seen:
        last = model(x)
    wanted = x
    for number, block in enumerate([a, b, a, a]):
        wanted = block(wanted)
        assert torch.equal(seen[f"{number}.out"], wanted)  # type: ignore[arg-type]  # a tensor
    assert torch.equal(last, wanted)


def test_every_application_adds_to_the_gradient() -> None:
    torch.manual_seed(0)
    block, x = Block(), torch.randn(2, 3)
    nn.Sequential(*applications([block, block]))(x).square().sum().backward()
    found = block.linear.weight.grad
    assert found is not None
    block.zero_grad()
    block(block(x)).square().sum().backward()
    torch.testing.assert_close(found, block.linear.weight.grad)


def test_sharing_outlives_a_change_of_type() -> None:
    model = nn.Sequential(*applications([Block()] * 2)).to(torch.bfloat16)
    assert model[1].linear.weight is model[0].linear.weight
    assert model[0].linear.weight.dtype == torch.bfloat16
