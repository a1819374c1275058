"""Three steps on real text: documentation, then Shakespeare, then telling his characters apart.

What the second pre-training gains and forgets is measured on text that was held out of each; what
the task gains from each step, beside starts that lack one, on speeches that no step has read.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from typing import Any

from common import keep, need_data
from corpus import FOLDER, some_english
from starts import scores_of

import headway
from headway.data import Dataset
from headway.pretraining import TokenizerPlan

CHARACTERS = 8
"""Those who speak most often are told apart."""
WORDS = 8
"""A shorter speech could be anybody's."""
PLACE = FOLDER / "three-steps"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=40, help="of documentation")
    parser.add_argument("--steps", type=int, default=3_000, help="of the first pre-training")
    parser.add_argument("--epochs", type=int, default=6, help="of the second one")
    parser.add_argument("--batch-tokens", type=int, default=2_048, help="of a step of both")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--vocabulary", type=int, default=12_000)
    parser.add_argument("--rates", type=float, nargs="+", default=[3e-4, 1e-3], help="of the task")
    parser.add_argument("--task-epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5, help="of the task")
    options = parser.parse_args()
    general, (plays, train, test) = some_english(options.megabytes), shakespeare()
    shared: dict[str, Any] = {"batch_tokens": options.batch_tokens, "validation": 0.05}
    sizes = {"layers": options.layers, "hidden": options.hidden}
    first = headway.pretrain(
        "bert", general, out=PLACE / "first", max_steps=options.steps,
        tokenizer=TokenizerPlan(size=options.vocabulary), **sizes, **shared,
    )  # fmt: skip
    second = headway.pretrain(
        PLACE / "first", plays, out=PLACE / "second", epochs=options.epochs,
        earlier={"documentation": general}, **shared,
    )  # fmt: skip
    headway.pretrain(
        "bert", plays, out=PLACE / "alone", epochs=options.epochs, tokenizer=PLACE / "first",
        **sizes, **shared,
    )  # fmt: skip
    starts = {
        "documentation, Shakespeare": (PLACE / "second", False),
        "documentation alone": (PLACE / "first", False),
        "Shakespeare alone": (PLACE / "alone", False),
        "scratch": (PLACE / "second", True),
    }
    task = scores_of(
        starts, "text-classification", train, test,
        rates=options.rates, seeds=options.seeds, epochs=options.task_epochs,
    )  # fmt: skip
    found = {
        "work": f"BERT of {options.layers} x {options.hidden}; who of {CHARACTERS} characters says "
        f"it, by {len(train)} speeches that train and {len(test)} that judge",
        "first": measures(first.report),
        "second": measures(second.report),
        "task": task,
    }
    keep("three_steps", found)


def measures(report: dict[str, Any]) -> dict[str, Any]:
    """What one pre-training gained and forgot, in nats a hidden token, and what it took."""
    names = ("before", "after", "gain", "forgotten", "tokens", "tokens_per_second", "parameters")
    return {name: report[name] for name in names} | {"seconds": report["seconds"]["train"]}


def shakespeare() -> tuple[Dataset, Dataset, Dataset]:
    """Speeches without their speakers, to pre-train on; and rows of those who speak most often, of
    which half are in no other part."""
    text = (need_data("tinyshakespeare") / "input.txt").read_text("utf-8")
    said = [(who, speech) for who, _, speech in (p.partition(":\n") for p in text.split("\n\n"))]
    counts = Counter(who for who, speech in said if len(speech.split()) >= WORDS)
    known = {who for who, _ in counts.most_common(CHARACTERS)}
    rows = [one for one in said if one[0] in known and len(one[1].split()) >= WORDS]
    random.Random(0).shuffle(rows)
    test, train = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    judges = set(test)
    plays = [speech for who, speech in said if speech.strip() and (who, speech) not in judges]
    return Dataset.from_columns({"text": plays}), _rows(train), _rows(test)


def _rows(said: list[tuple[str, str]]) -> Dataset:
    return Dataset.from_columns({"text": [t for _, t in said], "label": [who for who, _ in said]})


if __name__ == "__main__":
    main()
