"""A model that starts from nothing starts as the ecosystem's does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers

from headway import train_tokenizer
from headway.checkpoints.fresh import STARTABLE, Shape, fresh_checkpoint, fresh_values
from headway.errors import CheckpointError, ConfigError
from headway.model import Model
from headway.tokenizer import Tokenizer

SMALL = Shape(layers=2, hidden=128)


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return train_tokenizer(iter(["low lower lowest newest wider"] * 5), kind="wordpiece", size=60)


@pytest.mark.parametrize("family", STARTABLE)
def test_fresh_weights_are_as_large_as_in_transformers(
    family: str, words: Tokenizer, tmp_path: Path
) -> None:
    """Theirs of ModernBERT are cut off at two deviations, so that they are an eighth smaller."""
    torch.manual_seed(0)
    made = fresh_checkpoint(fresh_values(family, SMALL), words)
    assert made.config.vocabulary == len(words) and made.head is None
    Model(made).save(tmp_path)
    ours, told = transformers.AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not told["unexpected_keys"]
    theirs = transformers.AutoModel.from_config(ours.config)
    for (name, one), (_, other) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        if name in told["missing_keys"] or other.numel() < 2:
            continue
        if other.std() == 0:
            assert torch.equal(one, other), name
        elif other.numel() > 1000:
            assert (one.std() / other.std()).item() == pytest.approx(1.0, abs=0.17), name


def test_proportions_stay() -> None:
    small = fresh_values("llama", Shape(layers=3, hidden=384))
    assert small["num_attention_heads"] == 3 and small["num_hidden_layers"] == 3
    assert small["intermediate_size"] == round(11008 * 384 / 4096)
    assert fresh_values("bert", Shape(inner=99, heads=8))["intermediate_size"] == 99
    assert fresh_values("bert", Shape(hidden=32))["num_attention_heads"] == 1
    assert fresh_values("electra", Shape(hidden=64))["embedding_size"] == 64


def test_which_tokens_begin_and_end(words: Tokenizer) -> None:
    one = fresh_checkpoint(fresh_values("bert", SMALL), words)
    assert one.values["pad_token_id"] == words.special_ids["pad"]
    assert one.generation.stop == frozenset()
    pieces = train_tokenizer(iter(["low lower lowest"] * 5), kind="unigram", size=40)
    two = fresh_checkpoint(fresh_values("t5", SMALL), pieces)
    assert two.generation.start == pieces.special_ids["pad"]
    assert two.generation.stop == {pieces.special_ids["eos"]}


def test_what_cannot_be(words: Tokenizer) -> None:
    with pytest.raises(ConfigError, match="bert"):
        fresh_values("brt", SMALL)
    with pytest.raises(ConfigError, match="starts no model"):
        fresh_values("clip", SMALL)
    with pytest.raises(ConfigError, match="multiple of the number of heads"):
        fresh_values("bert", Shape(hidden=100, heads=3))
    for heads in (0, -2):
        with pytest.raises(ConfigError, match=f"heads = {heads}. Allowed: .* 1 or more"):
            fresh_values("bert", Shape(heads=heads))
    with pytest.raises(CheckpointError):
        fresh_checkpoint({"model_type": "nothing"}, words)
