"""A report of each kind that is no labels of texts, with examples as its task shows them."""

from __future__ import annotations

from typing import Any

from headway.reports.sheets import SHEETS

from .frozen import REPORTS, single_label

LONG = "We introduce a way of sharing what one model has learned with many smaller ones at once."
PARTED = "Where did she stay? ⏐ She came to Oslo in 1910 and stayed there."
TAGS = [f"word{n} = NOUN" for n in range(20)]

EXAMPLES: dict[str, tuple[str, str, Any, Any, float | None]] = {
    "entities": ("token-classification", "Ada saw Oslo.", ["Ada = person"], ["Oslo = place"], 0.91),
    "nested-entities": ("token-classification", "Ada saw Oslo.", ["Ada = person"], [], None),
    "tags": ("token-classification", " ".join(f"word{n}" for n in range(20)), TAGS, TAGS, 0.4),
    "choice": ("multiple-choice", "It rains. ⏐ cats ⏐ hard", "hard", "cats", 0.7),
    "answer-spans": ("question-answering", PARTED, "Oslo", "1910", 0.31),
    "answer-spans-or-none": ("question-answering", PARTED, "(no answer)", "1910", 0.31),
    "language": ("text-generation", "A text that surprises.", "", "8.11 bits a byte", None),
    "masked-words": ("fill-mask", "A text with words.", "8 hidden", "3 told", 0.375),
    "ranked-replies": ("dialogue", "I like ships. ⏐ Hello!", "Hi there!", "Goodbye!", 0.6),
    "replies": ("dialogue", "I like ships. ⏐ Hello!", "Hi there!", "Goodbye!", None),
    "summaries": ("summarization", "A long document.", LONG, "a a a a", None),
    "translations": ("translation", "a dog runs", "ein Hund rennt", "ein Hund", None),
    "texts": ("text2text-generation", PARTED, "Oslo", "the 1910", None),
    "similarity": ("sentence-similarity", "A man sings. ⏐ A man sang.", 4.5, 0.91, None),
    "pairs": ("sentence-similarity", "A man sings. ⏐ A man sang.", "A man sang.", "No.", 0.8),
}
"""Kind -> task, an input as it is shown, the right answer, the model's, and how sure it is."""


def of_kind(kind: str) -> dict[str, Any]:
    """A report with every measure of the kind, better than its baseline, and one wrong answer."""
    task, text, right, said, sure = EXAMPLES[kind]
    report = single_label()
    report |= {"task": task, "kind": kind, "label_names": [], "examples": [
        {"text": text, "label": right, "prediction": said, "score": sure, "right": False,
         "tokens": {"used": 14, "total": 14, "windows": 1}},
    ]}  # fmt: skip
    better, worse = {"n": 400}, {"name": "a simple method (TF-IDF)"}
    for n, measure in enumerate(SHEETS[kind].measures):
        good, bad = (0.6, 0.4) if measure.share or measure.larger_is_better else (12.5, 480.25)
        better[measure.key], worse[measure.key] = good, bad
        if n == 0:
            better["confidence_interval_95"] = [0.95 * good, 1.05 * good]
            worse["confidence_interval_95"] = [0.95 * bad, 1.05 * bad]
    report["test"], report["baseline"] = better, worse
    report["data"] |= {"labels": {}, "test_name": "judged.jsonl"}
    report["curve"]["validation"] = []
    report["seeds"] = [
        {"seed": seed, **{m.key: better[m.key] for m in SHEETS[kind].measures}} for seed in (0, 1)
    ]
    if kind in ("entities", "nested-entities", "tags"):
        scores = {"precision": 0.5, "recall": 0.5, "f1": 0.5}
        better["per_label"] = {"person": scores | {"support": 40}, "place": scores | {"support": 3}}
    if kind == "similarity":
        better["points"] = [[0.0, 0.3], [2.5, 0.5], [5.0, 0.9]]
    return report


KINDS = {**REPORTS, **{kind: (lambda kind=kind: of_kind(kind)) for kind in EXAMPLES}}
"""Kind -> a report of it."""
