"""ALBERT keeps every promise; its blocks stay shared, and each application can be seen."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from contracts import PROMISES, promise_name, small_case
from transformers import AlbertConfig

from headway.core.taps import record, replace, taps
from headway.errors import CheckpointError
from headway.families import albert
from headway.loading import load

SEEDS = range(4)


def config(draw: random.Random) -> Any:
    heads, layers = draw.choice([1, 2, 3]), draw.choice([1, 2, 3, 5])
    return AlbertConfig(
        vocab_size=draw.randint(30, 99),
        embedding_size=draw.randint(5, 13),
        hidden_size=heads * draw.choice([5, 7, 12]),
        num_hidden_layers=layers,
        num_hidden_groups=draw.randint(1, min(3, layers)),
        inner_group_num=draw.choice([1, 2]),
        num_attention_heads=heads,
        intermediate_size=draw.randint(9, 41),
        hidden_act=draw.choice(["gelu", "relu", "gelu_new"]),
        max_position_embeddings=draw.randint(12, 40),
        type_vocab_size=draw.choice([1, 2, 3]),
        layer_norm_eps=draw.choice([1e-12, 1e-5]),
        tie_word_embeddings=draw.choice([True, True, False]),
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", SEEDS)
def test_promise(promise: Any, seed: int) -> None:
    promise(small_case("albert", config, seed))


def four_times(**more: Any) -> Any:
    sizes = {"hidden_size": 6, "num_attention_heads": 2, "intermediate_size": 9}
    made = AlbertConfig(vocab_size=30, embedding_size=4, num_hidden_layers=4, **sizes, **more)
    return small_case("albert", lambda draw: made, 0)


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_sharing_outlives_loading_and_saving(groups: int, tmp_path: Path) -> None:
    case = four_times(num_hidden_groups=groups)
    case.theirs.save_pretrained(tmp_path / "theirs")
    model = load(tmp_path / "theirs")
    model.save(tmp_path / "ours")
    for made in (model, load(tmp_path / "ours"), load(tmp_path / "ours", dtype=torch.bfloat16)):
        weights = [layer.feedforward.up.weight for layer in made.body.layers]
        assert len({id(weight) for weight in weights}) == groups
        assert sum(p.numel() for p in made.parameters()) == case.theirs.num_parameters()
    with torch.no_grad():
        weights[0].zero_()
    assert not made.body.layers[1].feedforward.up.weight.any()


def test_each_application_has_its_own_taps() -> None:
    case = four_times()
    assert [name for name in taps(case.body) if name.endswith("attention.map")] == [
        f"layers.{number}.attention.map" for number in range(4)
    ]
    with torch.no_grad(), record(case.body, ["layers.*.out"]) as seen:
        plain = case.forward(case.body)
        states = [seen[f"layers.{number}.out"] for number in range(4)]
    assert all(not torch.allclose(a, b) for a, b in itertools.pairwise(states))
    with torch.no_grad(), replace(case.body, {"layers.2.out": lambda _: states[1]}):
        skipped = case.forward(case.body)  # one application less, since all are the same block
    wanted = states[2].split([len(text) for text in case.texts])
    for got, want, before in zip(skipped, wanted, plain, strict=True):
        torch.testing.assert_close(got, want)
        assert not torch.allclose(got, before)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"num_hidden_groups": 13}, r"num_hidden_groups = 13 is more than .* Allowed: 1 to 12"),
        ({"inner_group_num": 84}, r"inner_group_num = 84\. Allowed: up to 1000 together"),
        ({"position_embedding_type": "relative_key"}, r"position_embedding_type = 'relative_key'"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        albert.from_hf({"model_type": "albert", **values})
