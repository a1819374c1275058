"""Entities (WNUT-17) and parts of speech (UD-EWT) beside transformers: fine-tuning, then speed.

Each set is measured by name, and kept apart: `scripts/bench tasks_tokens wnut ewt`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from common import MODEL, keep, need_data, seconds_of

import headway
from headway.data import Dataset
from headway.hub import resolve_model
from headway.metrics import confidence_interval

RATE, BATCH, EPOCHS = 5e-5, 8, 3
"""What transformers' example for token classification does where it is not told otherwise."""

IGNORED = -100
"""What the example gives to tokens that speak for no word."""


class Set(NamedTuple):
    """A data set: its files, and the measure that counts."""

    train: str
    test: str
    measure: str


SETS = {
    "wnut": Set("wnut17/wnut17train.conll", "wnut17/emerging.test.annotated", "f1"),
    "ewt": Set(
        "ud-english-ewt/en_ewt-ud-train.rebuilt.conllu",
        "ud-english-ewt/en_ewt-ud-test.conllu",
        "accuracy",
    ),
}

Sentences = list[list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each, in turn")
    parser.add_argument("--rounds", type=int, default=3, help="of tagging")
    parser.add_argument("--rows", type=int, default=None, help="of each part; all where not said")
    options = parser.parse_args()
    chosen = options.sets or list(SETS)
    if unknown := set(chosen) - SETS.keys():
        parser.error(f"no set {unknown.pop()}: {', '.join(SETS)}")
    for name in chosen:
        keep(f"tasks_tokens_{name}", measured(name, options))


def measured(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Both trained on the same sentences in turn, and measured on the same others."""
    chosen = SETS[name]
    train, test = (_read(part)[: options.rows] for part in chosen[:2])
    runs: dict[str, list[dict[str, Any]]] = {"headway": [], "transformers": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        for seed in range(options.seeds):
            runs["headway"].append(ours(train, test, seed, folder))
            runs["transformers"].append(theirs(train, test, seed))
            print(name, runs["headway"][-1], runs["transformers"][-1], flush=True)
        tagging = compare(folder, test, options.rounds)
    seconds = {who: median([run["seconds"] for run in found]) for who, found in runs.items()}
    figures = {who: [run["figure"] for run in found] for who, found in runs.items()}
    return {
        "work": f"{name}: {len(train)} sentences train, {len(test)} judge; {MODEL}",
        "measure": chosen.measure,
        "mean": {who: sum(found) / len(found) for who, found in figures.items()},
        "runs": runs,
        "training_time_of_transformers": seconds["headway"] / seconds["transformers"],
        "tagging": tagging,
    }


def _read(path: str) -> Dataset:
    folder, file = path.split("/")
    data = headway.read(need_data(folder) / file, format="conll")
    assert isinstance(data, Dataset)
    return data


def ours(train: Dataset, test: Dataset, seed: int, out: Path) -> dict[str, Any]:
    """Through `headway.adapt` as it comes, with the head that transformers knows."""
    report = headway.adapt(
        MODEL,
        train,
        task="token-classification",
        test=test,
        out=out,
        seed=seed,
        head="family",
        validation=0.0,
        baseline=False,
    ).report
    scores = report["test"]
    return {
        "seed": seed,
        "figure": scores["f1" if "f1" in scores else "accuracy"],
        "interval_95": scores["confidence_interval_95"],
        "epochs": report["settings"]["epochs"],
        "rate": report["settings"]["learning_rate"],
        "seconds": report["seconds"]["train"],
    }


def theirs(train: Dataset, test: Dataset, seed: int) -> dict[str, Any]:
    """Through transformers' Trainer, as its example for token classification does."""
    import numpy as np
    import torch
    from transformers import (
        AutoModelForTokenClassification,
        AutoTokenizer,
        DataCollatorForTokenClassification,
        Trainer,
        TrainingArguments,
    )

    folder = resolve_model(MODEL)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    names = sorted({tag for tags in train["tags"] for tag in tags})
    torch.manual_seed(seed)
    model = AutoModelForTokenClassification.from_pretrained(folder, num_labels=len(names))
    parts = [features(tokenizer, part, names) for part in (train, test)]
    with tempfile.TemporaryDirectory() as out:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=out,
                num_train_epochs=EPOCHS,
                per_device_train_batch_size=BATCH,
                learning_rate=RATE,
                seed=seed,
                report_to="none",
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
            ),
            train_dataset=parts[0],
            data_collator=DataCollatorForTokenClassification(tokenizer),
        )
        seconds = seconds_of(trainer.train)
        judged = trainer.predict(parts[1])
    said: Sentences = []
    for row, right, tags in zip(judged.predictions, judged.label_ids, test["tags"], strict=True):
        found = [names[number] for number in np.argmax(row[right != IGNORED], axis=1).tolist()]
        said.append(found + ["O"] * (len(tags) - len(found)))  # words that were cut off
    return {"seed": seed, **scored(said, list(test["tags"])), "seconds": seconds}


def scored(said: Sentences, right: Sentences) -> dict[str, Any]:
    """Strict F1 of spans where the tags are of entities, else the share of right tags."""
    if any(tag.startswith(("B-", "I-")) for tags in right for tag in tags):
        name, columns = "entity_f1", (said, right)
        figure = headway.metric(name, *columns)["entity_f1"]
    else:
        name = "accuracy"
        columns = ([tag for tags in said for tag in tags], [tag for tags in right for tag in tags])
        figure = headway.metric(name, *columns)["accuracy"]
    return {"figure": figure, "interval_95": list(confidence_interval(name, *columns))}


def features(tokenizer: Any, rows: Dataset, names: Sequence[str]) -> list[dict[str, Any]]:
    """Sentences with the number of a word's tag at its first token, as the example makes them."""
    read = tokenizer(
        list(rows["tokens"]), is_split_into_words=True, truncation=True, max_length=512
    )
    numbers = {name: number for number, name in enumerate(names)}
    found = []
    for row, tags in enumerate(rows["tags"]):
        labels, before = [], None
        for word in read.word_ids(row):
            new = word is not None and word != before
            labels.append(numbers.get(tags[word], 0) if new else IGNORED)
            before = word
        found.append({"input_ids": read["input_ids"][row], "labels": labels})
    return found


def compare(folder: Path, rows: Dataset, rounds: int) -> dict[str, Any]:
    """The same weights asked both ways in turn, as texts; answers are compared first.

    Tags: each of ours beside what transformers says of the token that begins there. Entities: the
    spans of a text beside those of its strategy "first"; tags that cannot follow each other (an
    I- behind an O) begin an entity there and are never an answer here, so such texts are counted.
    """
    import transformers

    texts = [" ".join(words) for words in rows["tokens"]]
    ours, half = headway.pipeline(folder), headway.pipeline(folder, precision="bf16")
    theirs = transformers.pipeline("token-classification", model=str(folder), device="cpu")
    ways: dict[str, Any] = {
        "headway": lambda: ours(texts),
        "headway bf16": lambda: half(texts),
        "transformers": lambda: theirs(texts),
    }
    if "entities" in ours(texts[0]):
        ways["transformers"] = lambda: theirs(texts, aggregation_strategy="first")
        told, pieces = ways["transformers"](), theirs(texts)
        same = {name: equal_entities(ways[name](), told, pieces) for name in list(ways)[:2]}
    else:
        told = ways["transformers"]()
        same = {name: equal_tags(ways[name](), told) for name in list(ways)[:2]}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(seconds_of(way))
    speed = {name: len(texts) / median(values) for name, values in times.items()}
    return {
        "equal": same,
        "texts_per_second": speed,
        "over_transformers": {name: value / speed["transformers"] for name, value in speed.items()},
    }


Answers = Sequence[Any]


def equal_tags(ours: Answers, theirs: Answers) -> dict[str, Any]:
    """How many tags are equal, and how far scores are apart at most."""
    words = equal = 0
    far = 0.0
    for mine, other in zip(ours, theirs, strict=True):
        said = {one["start"]: one for one in other}
        for tag in mine["tags"]:
            peer = said.get(tag["start"])
            words += 1
            if peer is not None and peer["entity"] == tag["label"]:
                equal += 1
                far = max(far, abs(float(peer["score"]) - tag["score"]))
    return {"words": words, "words_equal": equal, "largest_difference_of_scores": far}


def equal_entities(ours: Answers, theirs: Answers, tokens: Answers) -> dict[str, Any]:
    """How many texts have equal entities, and how many of the others have tags that cannot be."""
    equal = impossible = 0
    for mine, other, said in zip(ours, theirs, tokens, strict=True):
        spans = [(one["start"], one["end"], one["label"]) for one in mine["entities"]]
        if spans == [(one["start"], one["end"], one["entity_group"]) for one in other]:
            equal += 1
        else:
            impossible += _impossible(said)
    return {"texts": len(ours), "texts_equal": equal, "others_with_impossible_tags": impossible}


def _impossible(said: Answers) -> bool:
    """Whether a token is inside an entity that none before it began."""
    inside = {(one["index"] + 1, one["entity"][2:]) for one in said}
    return any(
        one["entity"].startswith("I-") and (one["index"], one["entity"][2:]) not in inside
        for one in said
    )


if __name__ == "__main__":
    main()
