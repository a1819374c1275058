"""DeBERTa keeps every promise, with every use of distances, and reads heads under later names."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from contracts import PROMISES, Case, close, promise_name, small_case, stir
from transformers import DebertaV2Config, DebertaV2ForMaskedLM

from headway.core.taps import record
from headway.errors import CheckpointError
from headway.families import deberta_v2
from headway.loading import load

SEEDS = range(5)


def config(draw: random.Random, *, relative: bool = True) -> Any:
    heads = draw.choice([1, 2, 3])
    terms = draw.choice([["p2c", "c2p"], ["p2c", "c2p"], ["c2p"], ["p2c"], "c2p|p2c"])
    return DebertaV2Config(
        vocab_size=draw.randint(30, 99),
        hidden_size=heads * draw.choice([5, 7, 12]),
        num_hidden_layers=draw.choice([1, 2, 3]),
        num_attention_heads=heads,
        intermediate_size=draw.randint(9, 41),
        hidden_act=draw.choice(["gelu", "relu"]),
        max_position_embeddings=draw.randint(16, 40),
        position_biased_input=draw.choice([True, False]),
        type_vocab_size=draw.choice([0, 0, 2]),
        relative_attention=relative,
        pos_att_type=terms if relative else draw.choice([None, terms]),
        max_relative_positions=draw.choice([-1, 9]),
        position_buckets=draw.choice([4, -1, 7, -1, 8]),
        share_att_key=draw.choice([True, False]),
        norm_rel_ebd=draw.choice(["layer_norm", "none"]) if relative else "none",
        layer_norm_eps=draw.choice([1e-7, 1e-5]),
        pooler_dropout=draw.choice([0, 0.2]),
        pooler_hidden_act=draw.choice(["gelu", "tanh"]),
        cls_dropout=draw.choice([None, 0.3]),
        tie_word_embeddings=draw.choice([True, True, False]),
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", SEEDS)
def test_promise(promise: Any, seed: int) -> None:
    promise(small_case("deberta-v2", config, seed))


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", [1])
def test_promise_without_distances(promise: Any, seed: int) -> None:
    promise(small_case("deberta-v2", lambda draw: config(draw, relative=False), seed))


def version_3(**more: Any) -> Case:
    made = DebertaV2Config(
        **{
            "vocab_size": 40,
            "hidden_size": 12,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 17,
            "relative_attention": True,
            "pos_att_type": "p2c|c2p",
            "position_buckets": 8,
            "max_position_embeddings": 64,
            "share_att_key": True,
            "norm_rel_ebd": "layer_norm",
            "position_biased_input": False,
            **more,
        }
    )
    return Case("deberta-v2", made, 0)


def test_every_use_of_distances_is_drawn() -> None:
    used = [config(random.Random(seed)) for seed in SEEDS]
    for key in ("share_att_key", "norm_rel_ebd", "position_biased_input"):
        assert len({getattr(each, key) for each in used}) == 2, key
    assert len({len(each.pos_att_type) for each in used}) == 2
    assert {each.position_buckets > 0 for each in used} == {True, False}


@pytest.mark.parametrize("terms", ["c2p", "p2c", "p2c|c2p"])
def test_texts_longer_than_the_farthest_distance(terms: str) -> None:
    case = version_3(pos_att_type=terms, max_relative_positions=20)
    case.texts = case.some_texts((60, 3, 33), 0)
    with torch.no_grad(), record(case.body, ["*.map"]) as seen:
        watched = case.forward(case.body)
    with torch.no_grad():
        ours = case.forward(case.body)
    for number in range(3):
        theirs = case.their_forward(case.theirs, number, output_attentions=True)
        close(ours[number], theirs.last_hidden_state[0])
        close(watched[number], theirs.last_hidden_state[0])
        close(seen["layers.1.attention.map"][number], theirs.attentions[1][0])


def test_a_masked_word_head_under_its_later_names(tmp_path: Path) -> None:
    case = version_3()
    torch.manual_seed(0)
    theirs = DebertaV2ForMaskedLM(DebertaV2Config(**{**case.config.to_dict(), "legacy": False}))
    stir(theirs)
    theirs.eval().save_pretrained(tmp_path / "theirs")
    model = load(tmp_path / "theirs")
    assert model.task == "fill-mask"
    assert not model.notes
    model.save(tmp_path / "ours")
    again = DebertaV2ForMaskedLM.from_pretrained(tmp_path / "ours").eval()
    assert again.config.legacy
    for ours in (model, load(tmp_path / "ours")):
        found = ours.forward(case.texts).logits
        assert found is not None
        for number, logits in enumerate(found):
            close(logits, case.their_forward(theirs, number).logits[0])
            close(logits, case.their_forward(again, number).logits[0])
    body = load(tmp_path / "theirs", keep_head=False)
    assert len(body.notes) == 1
    assert "lm_predictions.lm_head.bias" in body.notes[0]


def test_all_blocks_share_the_vectors_of_distances() -> None:
    body = version_3().body
    assert len({id(layer.attention.positions) for layer in body.layers}) == 1
    theirs = version_3().theirs
    assert sum(p.numel() for p in body.parameters()) == theirs.num_parameters()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"conv_kernel_size": 3}, r"conv_kernel_size = 3 is not supported\. Allowed: 0"),
        ({"z_steps": 2}, r"z_steps = 2 is not supported"),
        ({"embedding_size": 128}, r"embedding_size = 128 beside .* Allowed: 1536"),
        ({"attention_head_size": 32}, r"attention_head_size = 32 beside .* Allowed: 64"),
        ({"pooler_hidden_size": 7}, r"pooler_hidden_size = 7 beside .* Allowed: 1536"),
        ({"relative_attention": True}, r"pos_att_type names no use of it\. Allowed: c2p, p2c"),
        ({"pos_att_type": ["p2p"]}, r"pos_att_type = 'p2p'\. Allowed: none, c2p"),
        ({"pos_att_type": [3]}, r"pos_att_type = \[3\]\. Allowed: none, c2p"),
        ({"norm_rel_ebd": "layer_norm"}, r"norm_rel_ebd = 'layer_norm' without"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        deberta_v2.from_hf({"model_type": "deberta-v2", **values})
