"""Small BERT and GPT pre-trained here on documentation, beside the same from scratch on two tasks.

The recipe of each is one command, which the result holds: anyone can make the model with it. Judged
are the questions of TREC-6 and the parts of speech of UD-EWT, on official test rows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from common import keep, need_data, trec
from corpus import FOLDER, english
from starts import scores_of

import headway
from headway.data import Dataset

MODELS = {"bert": 5_000, "gpt2": 2_500}
"""Steps that take about an hour of two cores at 60 billion operations a second: a masked model
counts the logits of few tokens, a causal one those of all."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=", ".join(MODELS))
    parser.add_argument("--steps", type=int, help="of pre-training; as many as an hour has")
    parser.add_argument("--batch-tokens", type=int, default=2_048, help="of such a step")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--vocabulary", type=int, default=24_000)
    parser.add_argument("--made", action="store_true", help="take the models of an earlier call")
    parser.add_argument("--rates", type=float, nargs="+", default=[3e-4, 1e-3], help="of each task")
    parser.add_argument("--seeds", type=int, default=3, help="of each task")
    parser.add_argument("--epochs", type=int, default=3, help="of each task")
    parser.add_argument("--rows", type=int, help="that train each task, the first ones")
    parser.add_argument("--judged", type=int, help="test rows of each task, the first ones")
    options = parser.parse_args()
    if unknown := set(options.models) - {*MODELS}:
        parser.error(f"no model {unknown.pop()}: {', '.join(MODELS)}")
    for name in options.models or MODELS:
        keep(f"small_models_{name}", measured(name, options))


def measured(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """A model is made, and learns both tasks from its weights and from fresh ones."""
    folder = FOLDER / f"small-{name}"
    if not options.made:
        english()
        make(name, folder, options)
    starts = {"pre-trained": (folder, False), "scratch": (folder, True)}
    found = {
        task: scores_of(
            starts,
            task,
            _first(train, options.rows),
            _first(test, options.judged),
            rates=options.rates,
            seeds=options.seeds,
            epochs=options.epochs,
        )
        for task, (train, test) in sets().items()
    }
    return {"model": about(folder), "tasks": found}


def make(name: str, folder: Path, options: argparse.Namespace) -> None:
    """Runs the recipe."""
    sizes = {
        "layers": options.layers, "hidden": options.hidden, "vocabulary": options.vocabulary,
        "max-steps": options.steps or MODELS[name], "batch-tokens": options.batch_tokens,
        "weights": "fp16",
    }  # fmt: skip
    given = [part for key, value in sizes.items() for part in (f"--{key}", str(value))]
    command = ["pretrain", name, str(FOLDER / "english.arrow"), "--out", str(folder), *given]
    subprocess.run([sys.executable, "-m", "headway", *command], check=True)


def about(folder: Path) -> dict[str, Any]:
    """What the pre-training's report and folder say."""
    report = json.loads((folder / "report.json").read_text("utf-8"))
    names = (
        *("command", "objective", "tokens", "before", "after", "seconds", "tokens_per_second"),
        *("utilisation", "peak_memory_mb", "parameters"),
    )
    size = (folder / "model.safetensors").stat().st_size / 1e6
    found = {name: report[name] for name in names}
    found["command"] = found["command"].replace(str(Path.home()), "~")
    return {"megabytes": size, **found, "curve": report["curve"]["validation"]}


def sets() -> dict[str, tuple[Dataset, Dataset]]:
    """Task -> rows that train and rows that judge."""
    questions = [
        Dataset.from_columns({"text": texts, "label": labels})
        for texts, labels in (trec("train_5500"), trec("TREC_10"))
    ]
    words = []
    for part in ("train.rebuilt", "test"):
        file = need_data("ud-english-ewt") / f"en_ewt-ud-{part}.conllu"
        read = headway.read(file, format="conll")
        assert isinstance(read, Dataset)
        words.append(read)
    return {
        "text-classification": (questions[0], questions[1]),
        "token-classification": (words[0], words[1]),
    }


def _first(rows: Dataset, count: int | None) -> Dataset:
    return rows if count is None else rows[:count]


if __name__ == "__main__":
    main()
