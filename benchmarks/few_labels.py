"""TREC-6 with few labels: Headway as it comes beside SetFit as it comes, on the same rows.

Both begin with MiniLM-L6 and are judged once on the official test questions. Time is that of
training and of nothing else.
`pip install 'headway[bench]'` brings SetFit.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from typing import Any

from common import MODEL, keep, trec

import headway
from headway.data import Dataset, few_per_class
from headway.hub import resolve_model

LABELS = (8, 16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--labels", type=int, nargs="+", default=list(LABELS))
    parser.add_argument("--ours", action="store_true", help="Headway alone; nothing is kept")
    options = parser.parse_args()
    train, test = (
        Dataset.from_columns({"text": texts, "label": labels})
        for texts, labels in (trec("train_5500"), trec("TREC_10"))
    )
    ways = {"headway": ours} if options.ours else {"headway": ours, "setfit": theirs}
    found: dict[str, Any] = {}
    for count in options.labels:
        runs: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
        for seed in range(options.seeds):
            rows, _ = few_per_class(train, "label", count, seed=seed)
            for way, run in ways.items():
                runs[way].append({"seed": seed, **run(rows, test, seed)})
                print(count, way, runs[way][-1], flush=True)
        found[f"{count} per class"] = summary(runs)
        print(count, found[f"{count} per class"], flush=True)
    if not options.ours:
        about = {"model": MODEL, "setfit": version(), "test_rows": len(test)}
        keep("few_labels", {**about, **found})


def ours(rows: Dataset, test: Dataset, seed: int) -> dict[str, Any]:
    """`headway adapt` with its defaults."""
    report = headway.adapt(
        MODEL, {"train": rows}, test=test, seed=seed, validation=0.0, baseline=False
    ).report
    stages = ("probe", "contrast", "train")
    return {
        "accuracy": report["test"]["accuracy"],
        "seconds": sum(report["seconds"].get(stage, 0.0) for stage in stages),
    }


def theirs(rows: Dataset, test: Dataset, seed: int) -> dict[str, Any]:
    """SetFit with its defaults."""
    import datasets
    from setfit import SetFitModel, Trainer, TrainingArguments

    names = sorted(set(rows["label"]))
    model = SetFitModel.from_pretrained(str(resolve_model(MODEL)), labels=names)
    given = datasets.Dataset.from_dict({"text": list(rows["text"]), "label": list(rows["label"])})
    with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as folder:
        asked = TrainingArguments(output_dir=folder, seed=seed, report_to="none")
        trainer = Trainer(model=model, args=asked, train_dataset=given)
        start = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - start
    said = [str(label) for label in model.predict(list(test["text"]))]
    right = sum(one == other for one, other in zip(said, test["label"], strict=True))
    return {"accuracy": right / len(test), "seconds": seconds}


def summary(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Means over the seeds, and, of two ways, what lies between them."""
    found: dict[str, Any] = {
        way: {
            "mean_accuracy_percent": 100 * statistics.mean(run["accuracy"] for run in each),
            "mean_seconds": statistics.mean(run["seconds"] for run in each),
            "runs": each,
        }
        for way, each in runs.items()
    }
    if len(runs) == 2:
        points = [
            100 * (one["accuracy"] - other["accuracy"])
            for one, other in zip(runs["headway"], runs["setfit"], strict=True)
        ]
        found["points_above"] = statistics.mean(points)
        found["points_above_by_seed"] = points
        found["time_ratio"] = found["headway"]["mean_seconds"] / found["setfit"]["mean_seconds"]
    return found


def version() -> str:
    """Of SetFit."""
    import importlib.metadata

    return importlib.metadata.version("setfit")


if __name__ == "__main__":
    main()
