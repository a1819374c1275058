"""Masked beside causal at equal compute: what each knows behind so many seconds and tokens.

One model of the same size is pre-trained for each budget by itself, so that every point stands at
the end of its own schedule. What it knows is asked twice: by the text that was held out, in the
objective's own measure, and by questions of TREC-6 that it learns from a thousand labels.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from common import keep, trec
from corpus import FOLDER, some_english
from starts import scores_of

import headway
from headway.data import Dataset

MODELS = {"masked": "bert", "causal": "gpt2"}
PLACE = FOLDER / "objectives"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=40, help="of documentation")
    parser.add_argument("--steps", type=int, nargs="+", default=[200, 400, 800, 1_600])
    parser.add_argument("--batch-tokens", type=int, default=2_048, help="of a step")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--vocabulary", type=int, default=12_000)
    parser.add_argument("--rows", type=int, default=1_000, help="questions with labels")
    parser.add_argument("--rates", type=float, nargs="+", default=[3e-4, 1e-3], help="of the task")
    parser.add_argument("--seeds", type=int, default=3, help="of the task")
    options = parser.parse_args()
    texts = some_english(options.megabytes)
    train, test = (
        Dataset.from_columns({"text": text, "label": label})
        for text, label in (trec("train_5500"), trec("TREC_10"))
    )
    curves: dict[str, list[dict[str, Any]]] = {name: [] for name in MODELS}
    tokenizer = headway.train_tokenizer(
        iter(texts["text"]), kind="wordpiece", size=options.vocabulary
    )
    tokenizer.save(PLACE / "tokenizer")
    for steps in options.steps:
        for name, family in MODELS.items():  # in turn, as the machine drifts
            folder = PLACE / f"{name}-{steps}"
            report = headway.pretrain(
                family, texts, out=folder, tokenizer=PLACE / "tokenizer", max_steps=steps,
                layers=options.layers, hidden=options.hidden, batch_tokens=options.batch_tokens,
            ).report  # fmt: skip
            starts = {name: (folder, False)}
            if not curves[name]:  # fresh weights are the same behind any budget
                starts["scratch"] = (folder, True)
            task = scores_of(
                starts, "text-classification", train[: options.rows], test,
                rates=options.rates, seeds=options.seeds, epochs=3,
            )  # fmt: skip
            curves[name].append(
                {
                    "steps": steps,
                    "tokens": report["tokens"],
                    "seconds": report["seconds"]["train"],
                    "held_out": report["after"]["held-out"],
                    "accuracy_percent": task["starts"][name]["mean_accuracy_percent"],
                    "task": task,
                }
            )
            print(name, curves[name][-1], flush=True)
    keep("objectives", {"curves": curves, "verdict": verdict(curves)})


def verdict(curves: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """How many times as fast as masked causal reaches the accuracies that both reach.

    A ratio of 2 says: in half the seconds, or with half the tokens.
    """
    found: dict[str, Any] = {}
    for cost in ("seconds", "tokens"):
        ratios = []
        reached = {name: _reached(points, cost) for name, points in curves.items()}
        low, high = (
            pick(ends)
            for pick, ends in (
                (max, [scores[0] for scores, _ in reached.values()]),
                (min, [scores[-1] for scores, _ in reached.values()]),
            )
        )
        if low < high:
            for score in np.linspace(low, high, 9):
                masked, causal = (np.interp(score, *reached[name]) for name in MODELS)
                ratios.append(float(np.exp(masked - causal)))
        found[cost] = {
            "accuracies_percent": [low, high] if ratios else None,
            "causal_as_fast_times": float(np.median(ratios)) if ratios else None,
        }
    return found


def _reached(points: list[dict[str, Any]], cost: str) -> tuple[list[float], list[float]]:
    """The best accuracy so far, rising, and the logarithm of what it cost."""
    scores: list[float] = []
    costs: list[float] = []
    for point in points:
        if not scores or point["accuracy_percent"] > scores[-1]:
            scores.append(point["accuracy_percent"])
            costs.append(float(np.log(point[cost])))
    return scores, costs


if __name__ == "__main__":
    main()
