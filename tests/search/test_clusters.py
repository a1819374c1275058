from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training.tiny import SIGNS, WORDS, tiny_model

from headway import Dataset, cluster
from headway.data.cache import Store
from headway.errors import ConfigError, DataError


def planted(n: int = 60) -> tuple[list[str], list[str]]:
    """Texts that say one sign often, and the sign."""
    draw = random.Random(0)
    signs = [SIGNS[k % 3] for k in range(n)]
    return [" ".join(draw.choices(WORDS[:4], k=2) + [sign] * 6) for sign in signs], signs


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "steps")


@pytest.mark.parametrize("count", [None, 3], ids=["looked for", "given"])
def test_planted_groups_are_found_and_named(store: Store, count: int | None) -> None:
    texts, signs = planted()
    found = cluster(tiny_model(), texts, clusters=count, store=store)
    assert len(found.clusters) == 3 and found.silhouette > 0.3
    for number, each in enumerate(found.clusters):
        rows = [row for row, label in enumerate(found.labels) if label == number]
        assert each["size"] == len(rows) == 20
        assert {signs[row] for row in rows} == {each["words"][0]}
        assert each["name"].startswith(each["words"][0])
        assert all(one["row"] in rows and texts[one["row"]] == one["text"]
                   for one in each["nearest"])  # fmt: skip
        scores = [one["score"] for one in each["nearest"]]
        assert scores == sorted(scores, reverse=True)


def test_the_same_seed_gives_the_same_groups_and_the_largest_is_first(store: Store) -> None:
    texts, _ = planted()
    data = Dataset.from_columns({"text": texts[:40] + [texts[0]] * 20})
    first, second = (cluster(tiny_model(), data, clusters=4, seed=3, store=store) for _ in "ab")
    assert first == second
    sizes = [each["size"] for each in first.clusters]
    assert sizes == sorted(sizes, reverse=True) and sum(sizes) == 60
    assert np.bincount(first.labels).tolist() == sizes


def test_texts_without_words_have_a_number(store: Store) -> None:
    found = cluster(tiny_model(), ["!", "! !", "? ? ?", "."], clusters=2, store=store)
    assert [each["name"] for each in found.clusters] == ["cluster 1", "cluster 2"]


def test_an_untuned_model_is_said(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    cluster(tiny_model(), planted()[0], clusters=2, store=store)
    assert "was not tuned to" in caplog.text
    caplog.clear()
    model = tiny_model()
    object.__setattr__(model.checkpoint.embedding, "declared", True)
    cluster(model, planted()[0], clusters=2, store=store)
    assert "tuned" not in caplog.text


@pytest.mark.parametrize(
    ("texts", "options", "said"),
    [
        ([], {}, "no texts"),
        (["w1"] * 9, {}, "2 clusters of 1 different texts"),
        (["w1", "w2", "red"], {"clusters": 4}, "4 clusters of 3 different"),
        (["w1", "w2", "red"], {"clusters": 1}, "2 clusters or more"),
    ],
)
def test_what_cannot_be_sorted(texts: list[str], options: Any, said: str, store: Store) -> None:
    with pytest.raises((ConfigError, DataError), match=said):
        cluster(tiny_model(), texts, store=store, **options)
