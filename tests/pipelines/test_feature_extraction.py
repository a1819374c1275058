from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from training.tiny import tiny_model

from headway import Dataset
from headway.errors import ConfigError
from headway.pipelines import FeatureExtraction


def test_vectors_are_those_of_the_model(tmp_path: Path) -> None:
    model = tiny_model()
    embed = FeatureExtraction(model)
    texts = ["w1 w2", "w3 " * 60, ""]
    vectors = embed(texts)
    assert np.array_equal(vectors, model.embed(texts))
    assert vectors.shape == (3, 32)
    assert np.allclose(np.stack(list(embed(iter(texts)))), vectors)
    assert np.allclose(embed(Dataset.from_columns({"text": texts})), vectors)
    (tmp_path / "texts.jsonl").write_text("\n".join(json.dumps({"text": one}) for one in texts))
    assert np.allclose(embed(tmp_path / "texts.jsonl"), vectors)
    assert embed([]).shape == (0, 32)
    with pytest.raises(ConfigError, match="text 1"):
        embed(["w1", 3])  # type: ignore[list-item]
    assert np.allclose(FeatureExtraction(model, batch_tokens=1)(texts), vectors, atol=1e-6)


def test_one_text_gives_one_vector() -> None:
    embed = FeatureExtraction(tiny_model())
    assert embed("w1").shape == (32,)
    assert np.array_equal(embed("w1"), embed(["w1"])[0])


def test_a_model_without_a_tokenizer_is_refused() -> None:
    model = tiny_model()
    model.checkpoint.tokenizer = None
    with pytest.raises(ConfigError, match="no tokenizer"):
        FeatureExtraction(model)
