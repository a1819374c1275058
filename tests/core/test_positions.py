"""Positions: learned, rotary, relative, against what the papers say."""

from __future__ import annotations

import math

import pytest
import torch
from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding
from transformers.models.t5.modeling_t5 import T5Attention

from headway.core.positions import (
    LearnedPositions,
    RelativeBias,
    Rotary,
    SinusoidalPositions,
    StaticPositions,
    llama3_frequencies,
    rotary_frequencies,
)
from headway.errors import CheckpointError


def test_learned_positions_count_from_the_offset() -> None:
    table = LearnedPositions(7, 3, offset=2)
    assert torch.equal(table(torch.tensor([0, 4])), table.weight[[2, 6]])


@pytest.mark.parametrize("hidden", [1, 2, 7, 12])
def test_static_positions_are_the_references(hidden: int) -> None:
    positions = StaticPositions(50, hidden)
    assert not positions.weight.requires_grad
    positions.reset_parameters()
    wanted = MarianSinusoidalPositionalEmbedding(50, hidden).create_weight()
    torch.testing.assert_close(positions(torch.arange(50)), wanted, rtol=0, atol=1e-7)


def test_rotation_keeps_lengths_and_depends_on_distance_only() -> None:
    torch.manual_seed(0)
    rotary = Rotary(rotary_frequencies(8, 100.0))
    q, k = torch.randn(1, 2, 8).double(), torch.randn(1, 2, 8).double()

    def at(x: torch.Tensor, position: int) -> torch.Tensor:
        return rotary(x, rotary.angles(torch.tensor([position])))

    torch.testing.assert_close(at(q, 17).norm(dim=-1), q.norm(dim=-1), rtol=1e-6, atol=1e-6)
    near = (at(q, 5) * at(k, 2)).sum(-1)
    torch.testing.assert_close((at(q, 45) * at(k, 42)).sum(-1), near, rtol=1e-5, atol=1e-5)
    assert not torch.allclose((at(q, 5) * at(k, 3)).sum(-1), near, atol=1e-3)
    torch.testing.assert_close(at(q, 0), q)


def test_a_pair_turns_by_its_frequency() -> None:
    rotary = Rotary(torch.tensor([0.5, 0.01]))
    x = torch.tensor([[[1.0, 0.0, 0.0, 0.0]]])
    turned = rotary(x, rotary.angles(torch.tensor([3])))
    wanted = torch.tensor([[[math.cos(1.5), 0.0, math.sin(1.5), 0.0]]])
    torch.testing.assert_close(turned, wanted)


def test_llama3_keeps_fast_turns_and_slows_slow_ones() -> None:
    plain = rotary_frequencies(64, 500000.0)
    slowed = llama3_frequencies(64, 500000.0, factor=8.0, low=1.0, high=4.0, original=8192)
    turns = 8192 * plain / (2 * math.pi)
    torch.testing.assert_close(slowed[turns > 4], plain[turns > 4])
    torch.testing.assert_close(slowed[turns < 1], plain[turns < 1] / 8)
    between = (turns > 1) & (turns < 4)
    assert between.any()
    assert ((plain / 8 < slowed) & (slowed < plain))[between].all()


@pytest.mark.parametrize("both_ways", [True, False])
@pytest.mark.parametrize(("buckets", "farthest"), [(32, 128), (8, 17), (13, 40), (4, 5)])
def test_buckets_are_the_references(both_ways: bool, buckets: int, farthest: int) -> None:
    bias = RelativeBias(1, buckets=buckets, farthest=farthest, both_ways=both_ways)
    distance = torch.arange(-300, 301)
    wanted = T5Attention._relative_position_bucket(
        distance, bidirectional=both_ways, num_buckets=buckets, max_distance=farthest
    )
    assert torch.equal(bias.bucket(distance), wanted)
    assert bias.bucket(distance).max() < buckets


def test_bias_is_one_number_a_head_and_distance() -> None:
    bias = RelativeBias(3, buckets=8, farthest=20, both_ways=True)
    added = bias(torch.arange(4)[:, None], torch.arange(6))
    assert added.shape == (3, 4, 6)
    assert torch.equal(added[:, 1, 2], added[:, 3, 4])
    assert torch.equal(added[:, 2, 2], bias.values.weight[0])


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(CheckpointError, match="heads of size 7 cannot turn"):
        rotary_frequencies(7, 10000.0)
    with pytest.raises(CheckpointError, match="3 buckets up to distance 128"):
        RelativeBias(1, buckets=3, farthest=128, both_ways=True)


def test_a_sinusoidal_table_on_the_meta_device_takes_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("headway.core.positions.sinusoids", None)  # whose call would fail
    with torch.device("meta"):
        assert SinusoidalPositions(2**30, 4).weight.shape == (2**30, 4)
