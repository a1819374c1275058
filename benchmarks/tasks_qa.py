"""Question answering on XQuAD (English) beside transformers: fine-tuning, then answering speed."""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from common import MODEL, keep, need_data, seconds_of

import headway
from headway.data import Dataset
from headway.hub import resolve_model

RATE = 3e-4
PEER = "transformers' script"
SIZE, STRIDE, BATCH, THEIR_BATCH, LONGEST, CANDIDATES = 384, 128, 12, 8, 30, 20
"""Of transformers' scripts for SQuAD: tokens of a window and of the overlap, windows a step and
windows read at once, tokens of an answer, starts and ends that are tried."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each, in turn")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3, help="of answering")
    parser.add_argument("--rows", type=int, default=None, help="of each side; all where not said")
    options = parser.parse_args()
    keep(
        "tasks_qa",
        question_answering(
            seeds=options.seeds, epochs=options.epochs, rounds=options.rounds, rows=options.rows
        ),
    )


def question_answering(
    *, seeds: int, epochs: int, rounds: int, rows: int | None = None
) -> dict[str, Any]:
    """Both trained on the same four fifths of the paragraphs, and asked about the others."""
    train, test = xquad()
    train, test = train[:rows], test[:rows]
    runs: dict[str, list[dict[str, Any]]] = {"headway": [], "Trainer": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        for seed in range(seeds):
            runs["headway"].append(ours(train, test, seed, epochs, folder))
            runs["Trainer"].append(theirs(train, test, seed, epochs))
            print(runs["headway"][-1], runs["Trainer"][-1], flush=True)
        answering = compare(folder, test, rounds)
    seconds = {name: median([run["seconds"] for run in found]) for name, found in runs.items()}
    return {
        "work": f"XQuAD en, {len(train)} questions train, {len(test)} judge; MiniLM-L6, {epochs} "
        f"epochs, peak learning rate {RATE}",
        "runs": runs,
        "f1": {name: [run["f1"] for run in found] for name, found in runs.items()},
        "training_speed_over_trainer": seconds["Trainer"] / seconds["headway"],
        "answering": answering,
    }


def xquad() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of four fifths of the paragraphs, and of the others; both in a random order."""
    data = headway.read(need_data("xquad") / "xquad.en.json")
    assert isinstance(data, Dataset)
    contexts = sorted(set(data["context"]))
    random.Random(0).shuffle(contexts)
    judged = set(contexts[: len(contexts) // 5])
    rows = list(data)
    random.Random(1).shuffle(rows)
    return (
        [row for row in rows if row["context"] not in judged],
        [row for row in rows if row["context"] in judged],
    )


Rows = list[dict[str, Any]]


def ours(train: Rows, test: Rows, seed: int, epochs: int, out: Path) -> dict[str, Any]:
    """Through `headway.adapt`, with the head that transformers knows."""
    report = headway.adapt(
        MODEL,
        Dataset.from_rows(train),
        task="question-answering",
        test=Dataset.from_rows(test),
        out=out,
        seed=seed,
        epochs=epochs,
        lr=RATE,
        head="family",
        validation=0.0,
        baseline=False,
    ).report
    scores = report["test"]
    return {
        "seed": seed,
        "f1": scores["f1"],
        "exact_match": scores["exact_match"],
        "seconds": report["seconds"]["train"],
    }


def theirs(train: Rows, test: Rows, seed: int, epochs: int) -> dict[str, Any]:
    """Through transformers' Trainer, as its script for SQuAD does."""
    import torch
    from transformers import (
        AutoModelForQuestionAnswering,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    folder = resolve_model(MODEL)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(seed)
    model = AutoModelForQuestionAnswering.from_pretrained(folder)
    with tempfile.TemporaryDirectory() as out:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=out,
                num_train_epochs=epochs,
                per_device_train_batch_size=BATCH,
                learning_rate=RATE,
                warmup_steps=0.1,
                seed=seed,
                report_to="none",
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
                bf16=True,
            ),
            train_dataset=features(tokenizer, train),
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        seconds = seconds_of(trainer.train)
    said = [one["answer"] for one in their_answers(model.eval(), tokenizer, test)]
    scores = headway.metric("squad", said, [row["answers"] for row in test])
    return {
        "seed": seed,
        "f1": scores["squad_f1"] / 100,
        "exact_match": scores["squad_exact_match"] / 100,
        "seconds": seconds,
    }


def features(tokenizer: Any, rows: Rows) -> list[dict[str, Any]]:
    """Windows with the places of the answers, as the script's `prepare_train_features`."""
    read = windows(tokenizer, rows)
    found = []
    for number, of_row in enumerate(read["overflow_to_sample_mapping"]):
        answers, offsets = rows[of_row]["answers"], read["offset_mapping"][number]
        start = answers["answer_start"][0]
        end = start + len(answers["text"][0])
        whose = read.sequence_ids(number)
        inside = [place for place, one in enumerate(whose) if one == 1]
        first = last = 0
        if offsets[inside[0]][0] <= start and offsets[inside[-1]][1] >= end:
            held = [n for n in inside if offsets[n][0] < end and offsets[n][1] > start]
            first, last = held[0], held[-1]
        row = {name: read[name][number] for name in ("input_ids", "token_type_ids")}
        found.append({**row, "start_positions": first, "end_positions": last})
    return found


def windows(tokenizer: Any, rows: Sequence[dict[str, Any]]) -> Any:
    """Questions and contexts in overlapping windows."""
    return tokenizer(
        [row["question"] for row in rows],
        [row["context"] for row in rows],
        truncation="only_second",
        max_length=SIZE,
        stride=STRIDE,
        padding=False,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_token_type_ids=True,
    )


def their_answers(
    model: Any, tokenizer: Any, rows: Rows, padding: str = "longest"
) -> list[dict[str, Any]]:
    """Batches of the script's size, and its `postprocess_qa_predictions`.

    transformers 5 has no pipeline for question answering any more: this is its way. As it comes it
    pads every window to SIZE ("max_length"), as that pipeline did.
    """
    import numpy as np
    import torch

    read = windows(tokenizer, rows)
    best: list[dict[str, Any]] = [{"answer": "", "score": -np.inf} for _ in rows]
    owners = read["overflow_to_sample_mapping"]
    for start in range(0, len(owners), THEIR_BATCH):
        numbers = range(start, min(start + THEIR_BATCH, len(owners)))
        names = ("input_ids", "token_type_ids", "attention_mask")
        some = [{name: read[name][n] for name in names} for n in numbers]
        padded = tokenizer.pad(some, padding=padding, max_length=SIZE, return_tensors="pt")
        with torch.inference_mode():
            out = model(**padded)
        for place, number in enumerate(numbers):
            starts, ends = out.start_logits[place].numpy(), out.end_logits[place].numpy()
            offsets, whose = read["offset_mapping"][number], read.sequence_ids(number)
            for a in np.argsort(starts)[-1 : -CANDIDATES - 1 : -1].tolist():
                for b in np.argsort(ends)[-1 : -CANDIDATES - 1 : -1].tolist():
                    if max(a, b) >= len(offsets) or whose[a] != 1 or whose[b] != 1:
                        continue
                    if b < a or b - a + 1 > LONGEST:
                        continue
                    score = float(starts[a] + ends[b])
                    if score > best[owners[number]]["score"]:
                        context = rows[owners[number]]["context"]
                        text = context[offsets[a][0] : offsets[b][1]]
                        best[owners[number]] = {"answer": text, "score": score}
    return best


def compare(folder: Path, rows: Rows, rounds: int) -> dict[str, Any]:
    """The same weights asked both ways in turn; answers are compared first."""
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    reading = {"window": SIZE, "stride": STRIDE, "max_answer_tokens": LONGEST}
    answer = headway.pipeline(folder, **reading)
    half = headway.pipeline(folder, precision="bf16", **reading)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    asked = [(row["question"], row["context"]) for row in rows]
    ways = {
        "headway": lambda: answer(asked),
        "headway bf16": lambda: half(asked),
        PEER: lambda: their_answers(model, tokenizer, rows, "max_length"),
        "transformers, padded to the longest": lambda: their_answers(model, tokenizer, rows),
    }
    told = {name: [one["answer"] for one in way()] for name, way in ways.items()}
    same = {
        name: sum(a == b for a, b in zip(said, told[PEER], strict=True))
        for name, said in told.items()
    }
    different = [
        {"question": row["question"], **{name: said[n] for name, said in told.items()}}
        for n, row in enumerate(rows)
        if told["headway"][n] != told[PEER][n]
    ]
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(seconds_of(way))
    speed = {name: len(rows) / median(values) for name, values in times.items()}
    return {
        "questions": len(rows),
        "answers_equal": same,
        "different": different[:5],
        "questions_per_second": speed,
        "over_the_script": {name: value / speed[PEER] for name, value in speed.items()},
    }


if __name__ == "__main__":
    main()
