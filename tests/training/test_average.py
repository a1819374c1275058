from __future__ import annotations

import pytest
import torch
from torch import nn

from headway.training.average import Average


def moved(module: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(value)


def test_it_is_the_average_by_hand() -> None:
    module = nn.Linear(2, 1)
    moved(module, 4.0)
    average = Average(module, 0.25)
    wanted = 4.0
    for step, value in enumerate((1.0, -2.0, 8.0), start=1):
        moved(module, value)
        average.see()
        left = min(0.25, (1 + step) / (10 + step))
        wanted = left * wanted + (1 - left) * value
    assert average.values[0].tolist() == [pytest.approx([wanted, wanted])]
    assert average.steps == 3


def test_while_it_is_used_the_module_has_it() -> None:
    module = nn.Linear(2, 1)
    moved(module, 0.0)
    average = Average(module, 0.5)
    moved(module, 8.0)
    with pytest.raises(RuntimeError), average.used():
        assert module.weight.tolist() == [[0.0, 0.0]]
        raise RuntimeError
    assert module.weight.tolist() == [[8.0, 8.0]]
    average.put()
    assert module.bias.tolist() == [0.0]


def test_it_goes_on_from_what_was_kept() -> None:
    first, second = nn.Linear(2, 1), nn.Linear(2, 1)
    one, other = Average(first, 0.9), Average(second, 0.9)
    moved(first, 3.0)
    one.see()
    other.take(one.tensors(), one.numbers())
    assert other.steps == 1
    assert all(torch.equal(a, b) for a, b in zip(one.values, other.values, strict=True))
