"""The first GPT keeps every promise, and its folders are read with their vocabulary."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from contracts import PROMISES, close, flat, promise_name, small_case
from tokenizer.oracles import data
from transformers import OpenAIGPTConfig, OpenAIGPTLMHeadModel, OpenAIGPTTokenizer

import headway
from headway.core.layout import Layout
from headway.core.names import matches_any
from headway.errors import CheckpointError
from headway.families import openai_gpt

SEEDS = range(3)


def config(draw: random.Random) -> Any:
    heads = draw.choice([1, 2, 3])
    return OpenAIGPTConfig(
        vocab_size=draw.randint(30, 99),
        n_embd=heads * draw.choice([5, 7, 12]),
        n_layer=draw.choice([1, 2, 3]),
        n_head=heads,
        afn=draw.choice(["gelu", "relu", "silu"]),
        n_positions=draw.randint(12, 40),
        layer_norm_epsilon=draw.choice([1e-5, 1e-3]),
        tie_word_embeddings=draw.choice([True, True, False]),
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", SEEDS)
def test_promise(promise: Any, seed: int) -> None:
    promise(small_case("openai-gpt", config, seed))


def test_older_checkpoints_have_more_in_them() -> None:
    for name in ("h.11.attn.bias", "position_ids"):
        assert matches_any(name, openai_gpt.IGNORED)
        assert matches_any(f"transformer.{name}", openai_gpt.IGNORED)
    assert not matches_any("h.0.attn.c_attn.bias", openai_gpt.IGNORED)


def test_an_activation_that_the_model_never_had_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"afn = 'tanh'\. Allowed: gelu, relu, silu, swish"):
        openai_gpt.from_hf({"model_type": "openai-gpt", "afn": "tanh"})


def test_a_folder_with_its_vocabulary_writes_what_the_reference_writes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = OpenAIGPTLMHeadModel(OpenAIGPTConfig(n_embd=8, n_layer=1, n_head=2)).eval()
    theirs.save_pretrained(tmp_path)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(data("tokenizer-assets", f"openai-gpt-{name}"), tmp_path / name)
    reference = OpenAIGPTTokenizer.from_pretrained(tmp_path)
    model = headway.load(tmp_path)
    text = "The year's  café: 3.14 trillion, or 日本?"
    ids = model.need_tokenizer().encode(text).ids
    assert ids == reference(text).input_ids
    wanted = theirs.generate(torch.tensor([ids]), max_new_tokens=8, do_sample=False)[0, len(ids) :]
    assert model.generate_ids([ids], max_new_tokens=8) == [wanted.tolist()]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_word_can_be_the_segment_of_a_token(seed: int) -> None:
    case = small_case("openai-gpt", config, seed)
    segments = case.some_texts(tuple(map(len, case.texts)), seed + 3)
    theirs, layout = case.reference("text-generation"), Layout.of(case.texts)
    whole = case.twin(theirs, "text-generation")
    with torch.no_grad():
        logits = whole["head"](whole["body"](flat(case.texts), layout, flat(segments)), layout)
        for ours, ids, marks in zip(layout.split(logits), case.texts, segments, strict=True):
            out = theirs(torch.tensor([ids]), token_type_ids=torch.tensor([marks]))
            close(ours, out.logits[0])
            assert not torch.allclose(ours, theirs(torch.tensor([ids])).logits[0], atol=1e-3)
