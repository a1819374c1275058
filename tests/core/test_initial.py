"""Fresh weights have the spread that is asked for."""

from __future__ import annotations

import subprocess
import sys

import torch
from torch import nn

from headway.core.initial import Undrawn, initialise
from headway.core.positions import SinusoidalPositions


def test_weights_biases_and_norms() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Embedding(200, 50), nn.Linear(50, 100), nn.LayerNorm(100), nn.RMSNorm(100)
    )
    for parameter in model.parameters():
        parameter.data.fill_(9.0)
    initialise(model, 0.02)
    for table in (model[0].weight, model[1].weight):
        assert abs(table.std().item() / 0.02 - 1) < 0.05
        assert abs(table.mean().item()) < 0.001
    assert not model[1].bias.any()
    assert not model[2].bias.any()
    assert (model[2].weight == 1).all()
    assert (model[3].weight == 1).all()


def test_shared_parameters_are_left_alone() -> None:
    body, head = nn.Embedding(5, 3), nn.Linear(3, 5)
    head.weight = body.weight
    before = body.weight.detach().clone()
    initialise(head, 7.0, shared_with=body)
    assert torch.equal(body.weight, before)
    assert not head.bias.any()


def test_sinusoidal_tables_start_as_sines() -> None:
    table = SinusoidalPositions(6, 4)
    fresh = table.weight.detach().clone()
    table.weight.data.zero_()
    initialise(table, 0.02)
    assert torch.equal(table.weight, fresh)
    assert fresh[0].tolist() == [0.0, 1.0, 0.0, 1.0]


def test_nothing_is_drawn_and_no_compiler_comes_with_it() -> None:
    """torch would import its compiler to fill a table that has no memory."""
    code = """
import sys
import subprocess
import sys

import torch
from torch import nn
from headway.core.initial import Undrawn

with torch.device("meta"), Undrawn():
    parts = [nn.Embedding(5, 2), nn.Linear(3, 4), nn.LayerNorm(3), nn.RMSNorm(3), nn.LSTM(2, 3)]
assert all(p.is_meta for part in parts for p in part.parameters())
print("torch._dynamo" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
    torch.manual_seed(0)
    with Undrawn():
        nn.Embedding(5, 2)
    after = torch.randn(3)
    torch.manual_seed(0)
    assert torch.equal(after, torch.randn(3))
    assert nn.Embedding(5, 2).weight.std() > 0.3  # outside of it all is as before
