"""T5 keeps every promise, in version 1.0 and 1.1, whatever says which head it has."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import PROMISES, Case, close, promise_name, small_case
from transformers import T5Config, T5ForConditionalGeneration

from headway.errors import CheckpointError
from headway.families import t5


def config(draw: random.Random, kind: str = "relu") -> Any:
    heads = draw.choice([1, 2, 3])
    return T5Config(
        vocab_size=draw.randint(30, 99),
        d_model=draw.choice([11, 16, 21]),
        d_kv=draw.choice([5, 8]),
        d_ff=draw.randint(9, 41),
        num_layers=draw.choice([1, 2, 3]),
        num_decoder_layers=draw.choice([None, 1, 2]),
        num_heads=heads,
        relative_attention_num_buckets=draw.choice([4, 8, 10, 13]),
        relative_attention_max_distance=draw.choice([9, 17, 128]),
        feed_forward_proj=kind,
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("kind", ["relu", "gated-gelu", "gated-silu"])
def test_promise(promise: Any, kind: str) -> None:
    seed = len(kind)
    promise(small_case("t5", lambda draw: config(draw, kind), seed))


def own_head_model(tmp_path: Any, **told: bool) -> Any:
    """A model of the reference with a head of its own; unscaled, as version 1.1, unless told."""
    torch.manual_seed(0)
    values = config(random.Random(0), "gated-gelu").to_dict()
    del values["scale_decoder_outputs"]
    made = T5Config(**{**values, "tie_word_embeddings": False, **told})
    model = T5ForConditionalGeneration(made)
    model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.shared.weight))
    model.save_pretrained(tmp_path)
    return T5ForConditionalGeneration.from_pretrained(tmp_path).eval()


def logits(config: t5.Config, tensors: Any) -> torch.Tensor:
    """Ours, for one text and one target."""
    from headway.checkpoints.assign import Mismatch, assign
    from headway.core.layout import Layout

    body = t5.build(config)
    head = t5.HEADS["text2text-generation"].build(config, body, 0)
    whole = torch.nn.ModuleDict({"body": body, "head": head}).eval()
    rows = Case("t5", None, 0).rows("text2text-generation")
    mismatch = Mismatch()
    assign(whole, rows, tensors, mismatch)
    mismatch.raise_if_any("t5")
    text, target = Layout((4,)), Layout((3,))
    with torch.no_grad():
        hidden = body(
            torch.tensor([5, 6, 7, 1]), text, target=torch.tensor([0, 8, 9]), target_layout=target
        )
        return head(hidden, target)


def their_logits(model: Any) -> torch.Tensor:
    ids, targets = torch.tensor([[5, 6, 7, 1]]), torch.tensor([[0, 8, 9]])
    with torch.no_grad():
        return model(input_ids=ids, decoder_input_ids=targets).logits[0]


def test_a_head_of_its_own_is_read_from_the_old_file_and_the_new(tmp_path: Any) -> None:
    theirs = own_head_model(tmp_path)
    assert not torch.equal(theirs.lm_head.weight, theirs.shared.weight)
    new = theirs.config.to_dict()
    assert new["tie_word_embeddings"] is True  # what transformers 5 says of every T5
    assert new["scale_decoder_outputs"] is False
    old = {**new, "tie_word_embeddings": False}
    del old["scale_decoder_outputs"]
    for values in (new, old):
        ours = t5.from_hf(values)
        assert (ours.tied, ours.scaled) == (False, False)
        close(logits(ours, theirs.state_dict()), their_logits(theirs))


def test_a_head_of_its_own_opens_in_the_reference(tmp_path: Any) -> None:
    theirs = own_head_model(tmp_path / "a")
    values = t5.to_hf(t5.from_hf(theirs.config.to_dict()))
    T5Config(**values).save_pretrained(tmp_path / "b")
    reopened = T5Config(**values)
    assert reopened.scale_decoder_outputs is False
    again = T5ForConditionalGeneration.from_pretrained(tmp_path / "a", config=reopened).eval()
    assert torch.equal(their_logits(again), their_logits(theirs))


def test_scaled_states_with_a_head_of_its_own(tmp_path: Any) -> None:
    theirs = own_head_model(tmp_path, scale_decoder_outputs=True)
    told = {**theirs.config.to_dict(), "tie_word_embeddings": False}
    close(logits(t5.from_hf(told), theirs.state_dict()), their_logits(theirs))
    values = {"model_type": "t5", "tie_word_embeddings": False, "scale_decoder_outputs": True}
    ours = t5.from_hf(values)
    assert (ours.tied, ours.scaled) == (False, True)
    assert t5.from_hf(t5.to_hf(ours)) == ours


def test_version_1_0_is_tied_and_scaled() -> None:
    for values in ({}, {"tie_word_embeddings": True}):
        ours = t5.from_hf({"model_type": "t5", **values})
        assert (ours.tied, ours.scaled) == (True, True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"feed_forward_proj": "gated"}, "feed_forward_proj = 'gated'. Allowed: gelu,.*gated-gelu"),
        ({"feed_forward_proj": "twice-gelu"}, "feed_forward_proj = 'twice-gelu'"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings = 'no'. Allowed: true or false"),
        ({"scale_decoder_outputs": 2}, "scale_decoder_outputs = 2. Allowed: true or false"),
        ({"tie_encoder_decoder": True}, "tie_encoder_decoder = True is not supported"),
    ],
)
def test_values_that_cannot_be_are_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        t5.from_hf({"model_type": "t5", **values})


@pytest.mark.parametrize(("buckets", "farthest"), [(2, 128), (32, 16)])
def test_buckets_that_cannot_be_are_refused(buckets: int, farthest: int) -> None:
    values = {
        "model_type": "t5",
        "num_layers": 1,
        "relative_attention_num_buckets": buckets,
        "relative_attention_max_distance": farthest,
    }
    with torch.device("meta"), pytest.raises(CheckpointError, match="relative positions"):
        t5.build(t5.from_hf(values))
