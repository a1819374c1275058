"""Replies on the ConvAI2 dialogues: one text beside two stacks, or a choice head beside none, from
one small decoder."""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from common import keep, need_data

import headway
from headway.checkpoints import Checkpoint, HeadPlan
from headway.checkpoints.generation import Generation
from headway.cli.terminal.comparison import show_comparison
from headway.core.initial import initialise
from headway.data import Dataset, dialogues
from headway.families import gpt2
from headway.model import Model

WAYS: dict[str, dict[str, str]] = {
    "one-text": {"design": "one-text"},
    "one-text, choice head": {"design": "one-text", "head": "choice"},
    "two-stacks": {"design": "two-stacks"},
    "two-stacks, choice head": {"design": "two-stacks", "head": "choice"},
}
"""Name -> settings."""
END = "<|endoftext|>"
SHOWN = 3
"""Replies of each way that are kept for people."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialogues", type=int, default=None, help="all where not said")
    parser.add_argument("--turns", type=int, default=5, help="of a history, the last ones")
    parser.add_argument("--words", type=int, default=4000, help="of the vocabulary")
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--positions", type=int, default=512)
    parser.add_argument("--before", type=int, default=3, help="epochs of the texts alone, first")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=0)
    both = ["one-text", "two-stacks"]
    parser.add_argument("--ways", nargs=2, default=both, choices=list(WAYS), metavar="WAY")
    keep("dialogue", ways(parser.parse_args()))


def ways(options: argparse.Namespace) -> dict[str, Any]:
    """Both ways made of one model that has read the texts, and measured on the same rows."""
    train, test = rows(options.dialogues, options.turns, options.seed)
    settings = {"lr": options.lr, "seed": options.seed, "precision": "fp32", "validation": 0.0}
    with tempfile.TemporaryDirectory() as place:
        start = str(Path(place, "start"))
        learned_texts(options, train, settings).save(start)
        runs, reports, replies = [], {}, {}
        for name in options.ways:
            runs.append(str(Path(place, name)))
            reports[name] = headway.adapt(
                start,
                train,
                test=test,
                task="dialogue",
                out=runs[-1],
                epochs=options.epochs,
                **WAYS[name],
                **settings,
            ).report
            replies[name] = answers(runs[-1], test)
            print(name, reports[name]["test"], flush=True)
        found = headway.compare(*runs, test)
        named = zip(found["runs"], options.ways, strict=True)
        found["runs"] = [{**one, "model": name} for one, name in named]
    show_comparison(found)
    return {
        "work": f"ConvAI2 dialogues of 2018, replies of users: {len(train)} train, {len(test)} "
        f"judge, each behind at most {options.turns} turns; a GPT-2 of {options.layers} layers of "
        f"{options.hidden}, {options.before} epochs of the texts alone, then {options.epochs} of "
        "replies",
        "table": found,
        "baseline": reports[options.ways[0]]["baseline"],
        "seconds_of_training": {
            name: report["seconds"]["train"] for name, report in reports.items()
        },
        "replies": replies,
    }


def rows(most: int | None, turns: int, seed: int) -> tuple[Dataset, Dataset]:
    """Replies of nine tenths of the dialogues, and of the others; each with its own distractors."""
    talks: list[Any] = []
    for path in sorted(need_data("convai2-2018").glob("*.json")):
        talks += json.loads(path.read_text(encoding="utf-8"))
    random.Random(seed).shuffle(talks)
    talks = talks[:most]
    judged = max(1, len(talks) // 10)
    train, test = (
        dialogues(part, side="user", seed=seed).map(
            lambda row: {"history": row["history"][-turns:]}
        )
        for part in (talks[judged:], talks[:judged])
    )
    return train, test


def texts_of(data: Dataset) -> Iterator[str]:
    """Everything that is said, row after row."""
    for row in data:
        yield " ".join([*row["persona"], *row["history"], row["reply"]])


def learned_texts(options: argparse.Namespace, train: Dataset, settings: dict[str, Any]) -> Model:
    """A small decoder that has read the texts of the training rows."""
    tokenizer = headway.train_tokenizer(texts_of(train), size=options.words, special=[END])
    config = gpt2.Config(
        vocabulary=len(tokenizer),
        hidden=options.hidden,
        layers=options.layers,
        heads=max(1, options.hidden // 32),
        positions=options.positions,
    )
    torch.manual_seed(options.seed)
    body = gpt2.build(config)
    initialise(body, config.initial_std)
    end = tokenizer.vocabulary[END]
    stored = {"bos_token_id": end, "eos_token_id": end}
    parts = Checkpoint(
        gpt2,
        config,
        body,
        tokenizer=tokenizer,
        generation=Generation(end, frozenset({end}), stored),
        values={"model_type": "gpt2", **stored},
    )
    model = Model(parts, source="a small GPT-2").eval()
    model.put_head(HeadPlan("text-generation", gpt2.HEADS["text-generation"]))
    if options.before:
        texts = Dataset.from_columns({"text": list(texts_of(train))}, name="texts")
        made = {"baseline": False, "epochs": options.before, **settings}
        model = headway.adapt(model, texts, task="text-generation", **made).model
    return model


def answers(run: str, test: Dataset) -> list[dict[str, Any]]:
    """The first replies beside what people said."""
    reply = headway.pipeline(run)
    first = [test[number] for number in range(min(SHOWN, len(test)))]
    told = [reply(history=row["history"], persona=row["persona"]) for row in first]
    return [
        {"history": row["history"][-2:], "reply": row["reply"], "written": one["text"]}
        for row, one in zip(first, told, strict=True)
    ]


if __name__ == "__main__":
    main()
