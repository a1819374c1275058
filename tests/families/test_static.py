"""Static word vectors: a text's vector is the mean of its tokens', whatever stands around."""

from __future__ import annotations

import random

import pytest
import torch

from headway.core.layout import Layout
from headway.core.pooling import mean
from headway.errors import CheckpointError
from headway.families import static


def test_a_token_has_its_vector_and_a_text_their_mean() -> None:
    torch.manual_seed(0)
    body = static.build(static.Config(vocabulary=50, hidden=7)).eval()
    table = body.embeddings.words.weight.detach().numpy()
    draw = random.Random(0)
    texts = [draw.choices(range(50), k=length) for length in (5, 1, 9)]
    layout = Layout.of(texts)
    flat = torch.tensor([token for text in texts for token in text])
    with torch.no_grad():
        rows = body(flat, layout)
        vectors = mean(rows, layout)
    assert torch.equal(rows, torch.from_numpy(table[flat]))
    for text, vector in zip(texts, vectors, strict=True):
        torch.testing.assert_close(vector, torch.from_numpy(table[text].mean(0)))


def test_configs_both_ways() -> None:
    """As model2vec has them, and as we write them."""
    released = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "tokenizer_name": "baai/bge-base-en-v1.5",
        "apply_pca": 256,
        "apply_zipf": True,
        "hidden_dim": 256,
        "seq_length": 1000000,
        "normalize": True,
    }
    config = static.from_hf({**released, "vocab_size": 29528})
    assert config == static.Config(29528, 256, normalise=True)
    assert static.from_hf(static.to_hf(config)) == config
    with pytest.raises(CheckpointError, match="pooling = 'max' is not supported"):
        static.from_hf({**released, "pooling": "max"})
    with pytest.raises(CheckpointError, match="hidden_dim = 0"):
        static.from_hf({**released, "hidden_dim": 0})
