"""Training throughput on TREC-6 beside transformers' Trainer: full epochs, real tokens a second."""

from __future__ import annotations

import argparse
import tempfile
import time
from typing import Any

from common import MODEL, keep, median, trec

import headway
from headway.data import Dataset
from headway.hub import resolve_model

RATE, BATCH = 1e-4, 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="full epochs of each, in turn")
    options = parser.parse_args()
    train, test = trec("train_5500"), trec("TREC_10")
    runs: dict[str, list[dict[str, Any]]] = {
        "headway": [],
        "Trainer, bf16 and group_by_length": [],
        "Trainer, defaults": [],
    }
    for seed in range(options.seeds):
        for name, found in runs.items():
            if name == "headway":
                found.append(ours(train, test, seed))
            else:
                found.append(theirs(train, test, seed, best_flags="bf16" in name))
            print(name, found[-1], flush=True)
    speed = {
        name: median([run["tokens_per_second"] for run in found]) for name, found in runs.items()
    }
    keep(
        "training",
        {
            "work": f"one epoch of TREC-6, MiniLM-L6, learning rate {RATE}, {BATCH} texts a step",
            "runs": runs,
            "tokens_per_second": speed,
            "headway_over": {name: speed["headway"] / s for name, s in speed.items()},
        },
    )


Rows = tuple[list[str], list[str]]


def ours(train: Rows, test: Rows, seed: int) -> dict[str, Any]:
    """Through `headway.adapt`, with the package's defaults."""
    data, judge = (Dataset.from_columns({"text": t, "label": y}) for t, y in (train, test))
    report = headway.adapt(
        MODEL, data, test=judge, seed=seed, epochs=1, lr=RATE, validation=0.0, baseline=False
    ).report
    return {
        "seed": seed,
        "accuracy": report["test"]["accuracy"],
        "seconds": report["seconds"]["train"],
        "tokens_per_second": report["tokens_per_second"]["train"],
    }


def theirs(train: Rows, test: Rows, seed: int, *, best_flags: bool) -> dict[str, Any]:
    """Through transformers' Trainer, on texts tokenized beforehand."""
    import numpy as np
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    folder = resolve_model(MODEL)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    names = sorted(set(train[1]))
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(names))
    parts = []
    for texts, labels in (train, test):
        encoded = tokenizer(texts, truncation=True, max_length=512, padding=False)["input_ids"]
        parts.append(
            [
                {"input_ids": ids, "labels": names.index(label)}
                for ids, label in zip(encoded, labels, strict=True)
            ]
        )
    flags: dict[str, Any] = {}
    if best_flags:
        flags = {"bf16": True, "train_sampling_strategy": "group_by_length"}
    with tempfile.TemporaryDirectory() as out:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=out,
                num_train_epochs=1,
                per_device_train_batch_size=BATCH,
                learning_rate=RATE,
                seed=seed,
                report_to="none",
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
                **flags,
            ),
            train_dataset=parts[0],
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        start = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - start
        judged = trainer.predict(parts[1])  # in an order of its own where it groups by length
        answers = np.argmax(judged.predictions, axis=1)
    tokens = sum(len(row["input_ids"]) for row in parts[0])
    return {
        "seed": seed,
        "accuracy": float(np.mean(answers == judged.label_ids)),
        "seconds": seconds,
        "tokens_per_second": tokens / seconds,
    }


if __name__ == "__main__":
    main()
