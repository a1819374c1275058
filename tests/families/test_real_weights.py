"""A released model computes here what it computes in transformers, in every layer and head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from contracts import close, flat
from safetensors.torch import load_file
from torch import nn
from transformers import AutoTokenizer, BertModel

from headway.checkpoints.assign import Mismatch, assign
from headway.core.layout import Layout
from headway.core.names import matches_any
from headway.core.taps import record
from headway.families import bert

TEXTS = [
    "Where is my parcel?",
    "a",
    "The quick brown fox jumps over the lazy dog, and nobody minds; so it goes every Tuesday.",
    "naïve café 東京 🙂 " * 12,
    "",
]


@pytest.fixture(scope="module")
def ids(minilm_folder: Path) -> list[list[int]]:
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder)
    return [tokenizer(text)["input_ids"] for text in TEXTS]


@pytest.fixture(scope="module")
def theirs(minilm_folder: Path) -> Any:
    return BertModel.from_pretrained(minilm_folder, attn_implementation="eager").eval()


@pytest.fixture(scope="module")
def ours(minilm_folder: Path) -> nn.Module:
    config = bert.from_hf(json.loads((minilm_folder / "config.json").read_text()))
    tensors = load_file(minilm_folder / "model.safetensors")
    with torch.device("meta"):
        body = bert.build(config).eval()
    mismatch = Mismatch()
    used = assign(body, bert.NAMES, tensors, mismatch)
    mismatch.raise_if_any(str(minilm_folder))
    known = (*bert.OTHER_HEADS, *bert.IGNORED)
    assert all(matches_any(name, known) for name in tensors.keys() - used)
    return body


def test_all_hidden_states_and_attention_maps(ours: Any, theirs: Any, ids: Any) -> None:
    layout = Layout.of(ids)
    with torch.no_grad(), record(ours, ["*"]) as seen:
        ours(flat(ids), layout)
    with torch.no_grad():
        fast = layout.split(ours(flat(ids), layout))
    for number, text in enumerate(ids):
        with torch.no_grad():
            wanted = theirs(torch.tensor([text]), output_hidden_states=True, output_attentions=True)
        names = ["embeddings.out", *(f"layers.{n}.out" for n in range(6))]
        for name, state in zip(names, wanted.hidden_states, strict=True):
            close(layout.split(seen[name])[number], state[0])
        for n, weights in enumerate(wanted.attentions):
            close(seen[f"layers.{n}.attention.map"][number], weights[0])
        close(fast[number], wanted.last_hidden_state[0])


def test_segments(ours: Any, theirs: Any, ids: Any) -> None:
    text = ids[0] + ids[2][1:]
    segments = [0] * len(ids[0]) + [1] * (len(ids[2]) - 1)
    with torch.no_grad():
        got = ours(torch.tensor(text), Layout((len(text),)), torch.tensor(segments))
        wanted = theirs(torch.tensor([text]), token_type_ids=torch.tensor([segments]))
    close(got, wanted.last_hidden_state[0])
