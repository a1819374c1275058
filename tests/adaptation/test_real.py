"""A released model on real questions: what the package is for, in under a minute."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from headway import adapt, evaluate
from headway.data import Dataset

TREC = Path(__file__).parents[3] / "shared" / "data" / "trec"


def questions(name: str) -> Dataset:
    """TREC's questions with their coarse class."""
    path = TREC / name
    if not path.is_file():
        pytest.skip(f"the TREC questions are not at {path}")
    lines = path.read_text(encoding="latin-1").splitlines()
    labels, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    return Dataset.from_columns({"text": texts, "label": [label.split(":")[0] for label in labels]})


@pytest.mark.slow
def test_one_epoch_on_1500_questions(
    minilm_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    everything = questions("train_5500.label")
    some = sorted(random.Random(0).sample(range(len(everything)), 1500))
    test = questions("TREC_10.label")
    result = adapt(
        str(minilm_folder), everything.select(some), test=test, out=tmp_path / "run", epochs=1
    )
    report = result.report
    assert report["test"]["n"] == 500
    assert report["test"]["accuracy"] > 0.85
    assert report["test"]["accuracy"] > report["baseline"]["accuracy"]
    assert report["parameters"]["head"] == 384 * 6 + 6
    assert evaluate(tmp_path / "run", test)["test"] == report["test"]
