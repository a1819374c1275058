"""What a pre-training takes, told beforehand, beside what it took."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from core.test_recomputed import held
from heads.test_words import peak_memory

from headway.checkpoints.fresh import STARTABLE, Shape, fresh_values
from headway.core.dropout import at_rate
from headway.core.layout import Layout
from headway.core.stacks import EncoderDecoder
from headway.errors import ConfigError
from headway.families import family_for
from headway.heads import LanguageModelHead
from headway.pretraining.estimate import Estimate, Plan, estimate

BERT = {"model_type": "bert"}
GPT2 = {"model_type": "gpt2"}
LLAMA_70B = {
    "model_type": "llama", "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64,
    "num_key_value_heads": 8, "intermediate_size": 28672, "vocab_size": 32000,
    "max_position_embeddings": 4096, "tie_word_embeddings": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("values", "parameters"),
    [
        (BERT, 109_514_298),
        (GPT2, 124_439_808),
        pytest.param(LLAMA_70B, 68_976_648_192, marks=pytest.mark.slow),
    ],
)
def test_parameters_are_those_of_the_released_models(
    values: dict[str, Any], parameters: int
) -> None:
    assert estimate(values, Plan()).parameters == parameters


def taken(values: dict[str, Any], plan: Plan) -> float:
    """Bytes of a token that the real model keeps for its backward pass."""
    family = family_for(values)
    config = family.from_hf(values)
    torch.manual_seed(0)
    body = family.build(config).train()

    def run(windows: int) -> int:
        ids = torch.zeros(windows * plan.window, dtype=torch.int64)
        layout = Layout((plan.window,) * windows)
        given = {"target": ids, "target_layout": layout} if isinstance(body, EncoderDecoder) else {}
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.precision == "bf16"):
            return held(body, lambda: body(ids, layout, **given))

    with at_rate(body, None if plan.dropout else 0.0):
        return (run(3) - run(1)) / (2 * plan.window)


@pytest.mark.filterwarnings("ignore:Mismatch dtype")  # torch's, of Qwen3's norms in bf16
@pytest.mark.parametrize("family", STARTABLE)
@pytest.mark.parametrize(
    ("precision", "dropout"),
    [
        ("fp32", False),
        pytest.param("fp32", True, marks=pytest.mark.slow),
        pytest.param("bf16", False, marks=pytest.mark.slow),
        pytest.param("bf16", True, marks=pytest.mark.slow),
    ],
)
def test_activations_are_those_of_the_real_model(
    family: str, precision: str, dropout: bool
) -> None:
    if family == "albert":
        values = fresh_values(family, Shape(5, 512))
    else:
        values = fresh_values(family, Shape(5, 320, 5))
    plan = Plan(window=96, batch_tokens=96, precision=precision, dropout=dropout)
    told = estimate(values, plan).activations / 96
    assert told == pytest.approx(taken(values, plan), rel=0.12)


NARROW = [
    {"num_attention_heads": 5, "num_key_value_heads": 1},
    {"num_attention_heads": 16, "num_key_value_heads": 2},
    {"num_attention_heads": 4, "num_key_value_heads": 2},
    {"num_attention_heads": 2, "num_key_value_heads": 1},
    {"num_attention_heads": 1, "num_key_value_heads": 1},
]
"""Few key heads, in each way that a small model can be like one that has them."""


@pytest.mark.parametrize("heads", NARROW, ids=str)
@pytest.mark.parametrize("precision", ["fp32", pytest.param("bf16", marks=pytest.mark.slow)])
def test_activations_with_few_key_heads(heads: dict[str, int], precision: str) -> None:
    values = fresh_values("llama", Shape(5, 320, 5)) | heads
    plan = Plan(window=96, batch_tokens=96, precision=precision)
    values["head_dim"] = 320 // heads["num_attention_heads"]
    told = estimate(values, plan).activations / 96
    assert told == pytest.approx(taken(values, plan), rel=0.12)


@pytest.mark.parametrize("heads", [(32, 1), (32, 2), (2, 1), (2, 2), (1, 1)], ids=str)
def test_nothing_of_its_size_is_built(heads: tuple[int, int]) -> None:
    """A block of Llama 7B alone has 200 million parameters, 800 MB."""
    values = {"model_type": "llama", "num_attention_heads": heads[0],
              "num_key_value_heads": heads[1], "head_dim": 4096 // heads[0]}  # fmt: skip
    with peak_memory() as most:
        told = estimate(values, Plan(window=64, precision="fp32"))
    assert told.parameters > 5e9
    assert most() < 500e6


def test_windows_end_where_positions_do() -> None:
    for values in (fresh_values("bert", Shape(2, 64, positions=128)), BERT):
        longest = values.get("max_position_embeddings", 512)
        for fused in (False, True):
            plan = Plan(window=longest, fused_attention=fused, precision="fp32")
            assert estimate(values, plan).activations > 0
        with pytest.raises(ConfigError, match=f"at most the model's {longest} tokens"):
            estimate(values, Plan(window=longest + 1))
    plan = Plan(window=4096, precision="fp32")
    assert estimate(fresh_values("t5", Shape(2, 64)), plan).activations > 0


def plain(**settings: Any) -> Estimate:
    return estimate(fresh_values("gpt2", Shape(6, 256)), Plan(**{"window": 64, **settings}))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_logits_take_what_those_of_a_real_head_take(precision: str) -> None:
    vocabulary, hidden, tokens = 8192, 8, 4096
    values = fresh_values("gpt2", Shape(1, hidden, 1)) | {"vocab_size": vocabulary}
    told = estimate(values, Plan(window=64, batch_tokens=tokens, precision=precision)).logits
    head = LanguageModelHead(torch.nn.Linear(hidden, vocabulary, bias=False))
    states = torch.randn(tokens, hidden, requires_grad=True)
    with (
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"),
        peak_memory() as most,
    ):
        head.loss(states, torch.zeros(tokens, dtype=torch.int64))
    assert most() == pytest.approx(told, rel=0.05)


def test_few_logits_are_there_at_once() -> None:
    few, many = plain(batch_tokens=64), plain(batch_tokens=65536)
    assert few.logits == 12 * 64 * 50257
    assert many.logits == plain(batch_tokens=2**20).logits == 12 * 166 * 50257
    assert plain(batch_tokens=65536, fused_attention=True).logits == 12 * 333 * 50257  # of a GPU


def test_what_is_divided_and_what_is_not() -> None:
    one, many, full = plain(), plain(devices=8), plain(devices=8, sharding="full")
    assert (one.weights, one.gradients) == (6 * one.parameters, 4 * one.parameters)
    assert plain(precision="fp32").weights == 4 * one.parameters
    assert many.memory == one.memory and many.seconds == pytest.approx(one.seconds / 8)
    assert full.gradients == one.gradients / 8 and full.optimiser == one.optimiser / 8
    assert one.weights / 8 < full.weights < one.weights / 2
    assert full.activations == one.activations


def test_optimisers_keep_what_they_keep() -> None:
    states = {name: plain(optimiser=name).optimiser / plain().parameters
              for name in ("adamw", "adamw8bit", "lion", "muon", "adafactor")}  # fmt: skip
    assert states["adamw"] == pytest.approx(8, abs=0.01)
    assert states["adamw8bit"] == pytest.approx(2, abs=0.05)
    assert states["lion"] == pytest.approx(4, abs=0.01)
    assert states["adafactor"] < 0.2


def test_blocks_that_are_computed_twice() -> None:
    once, twice = plain(), plain(checkpoint_activations=True)
    assert twice.activations < 0.6 * once.activations
    assert twice.flops == pytest.approx(once.flops * 4 / 3)


def test_a_long_window_keeps_maps_unless_attention_is_fused() -> None:
    short, long = plain(window=256), plain(window=512)
    fused = plain(window=512, fused_attention=True)
    assert fused.activations < short.activations < long.activations
    values = fresh_values("gpt2", Shape(6, 256))
    whole = taken(values, Plan(window=512, batch_tokens=512)) * 8192
    assert long.activations == pytest.approx(whole, rel=0.12)


@pytest.mark.parametrize("window", [256, 512])
def test_many_maps_with_dropout_are_made_again(window: int) -> None:
    """Beyond 2**22 numbers of a call, which a text of 512 tokens alone has here."""
    values = fresh_values("bert", Shape(4, 160, 20))
    plan = Plan(window=window, batch_tokens=512, precision="fp32", dropout=True)
    told = estimate(values, plan).activations / plan.batch_tokens
    assert told == pytest.approx(taken(values, plan), rel=0.12)


def test_time_is_operations_over_speed() -> None:
    found = plain(tokens=1e6, peak_flops=1e11, utilisation=0.5)
    assert found.seconds == pytest.approx(found.flops / 5e10)
    assert found.tokens_per_second == pytest.approx(1e6 / found.seconds)
    assert plain(tokens=2e6).flops == pytest.approx(2 * plain(tokens=1e6).flops)
    assert plain(window=512).flops > plain().flops


def test_what_cannot_be() -> None:
    for wrong in ({"tokens": 0}, {"devices": 0}, {"sharding": "some"}, {"utilisation": 0},
                  {"utilisation": 1.1}, {"batch_tokens": 32}, {"precision": "auto"}):  # fmt: skip
        with pytest.raises(ConfigError):
            plain(**wrong)
    with pytest.raises(ConfigError, match="learns nothing from raw text"):
        estimate({"model_type": "clip", "text_config": {}, "vision_config": {}}, Plan())


def test_nothing_stays_in_memory() -> None:
    def resident() -> int:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    values, plan = fresh_values("bert", Shape(6, 768)), Plan(window=256, precision="fp32")
    estimate(values, plan)
    before = resident()
    for _ in range(5):
        estimate(values, plan)
    assert resident() - before < 100e6
