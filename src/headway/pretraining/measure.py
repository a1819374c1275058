"""How well a model tells raw text that it has not learned from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from headway.data import Dataset
from headway.data.batches.buckets import RowCount
from headway.data.batches.loader import Loader
from headway.logs import progress
from headway.model import Model
from headway.pretraining.corpus import Around
from headway.pretraining.steps import Epoch
from headway.training.accumulate import step_counts
from headway.training.chance import generator_for, seed_for
from headway.training.learner import Learner
from headway.training.objectives import ComparesTexts, Objective
from headway.training.precision import precision_context

__all__ = ["Measured", "measure"]

WORDS = ("fill-mask", "text-generation", "text2text-generation")
"""Heads over a vocabulary."""

DRAWS = 0
"""Decides what is hidden of held-out blocks: the same for every model and at any time."""


@dataclass(frozen=True)
class Measured:
    """What was found.

    Attributes:
        terms: name -> mean of each term of the loss, in nats.
        told: how many answers the first term is the mean of.
        tokens: that were read.
        bytes: of the text that these are.
        told_all: whether every token was told, so that bits of a byte mean something.
        words: whether the first term is of words, so that perplexity means something.
    """

    terms: dict[str, float]
    told: float
    tokens: int
    bytes: int
    told_all: bool
    words: bool

    def values(self) -> dict[str, float]:
        """As a report has them: loss in nats, perplexity, and bits a byte where all was told."""
        loss = next(iter(self.terms.values()))
        found = {**self.terms, "tokens": float(self.tokens)}
        if self.words:
            found["perplexity"] = math.exp(min(700.0, loss))
        if self.told_all:
            found["bits_per_byte"] = loss * self.told / math.log(2) / max(1, self.bytes)
        return found


def measure(
    learner: Learner,
    objective: Objective,
    blocks: Dataset,
    put: Around,
    *,
    precision: str,
    batch_tokens: int,
    what: str = "Measuring",
) -> Measured:
    """Means over blocks that are held out; what is hidden of them is the same each time.

    Args:
        learner: the model with the objective's head, and what learns beside it.
        objective: that asks.
        blocks: with the column `ids`.
        put: what stands around a block.
        precision: fp32, bf16 or fp16.
        batch_tokens: most tokens in a forward pass, about.
        what: shown beside the bar.
    """
    window = max(1, max(map(len, blocks["ids"]), default=1) + put.tokens)
    loader = Loader(blocks, RowCount(max(1, batch_tokens // window)), shuffle=False)
    steps = Epoch(loader, 0, len(loader), put)
    sums, parts, tokens = [0.0] * len(objective.terms), [], 0
    model, training = learner.model, learner.training
    learner.train(isinstance(objective, ComparesTexts))  # what tells its two readings apart
    with torch.random.fork_rng([]), torch.no_grad():
        for number, batch in enumerate(progress(steps, what)):
            torch.manual_seed(seed_for(DRAWS, number))
            ready = objective.collate(model, batch, generator_for(DRAWS, number))
            with precision_context(precision, model.device):
                found = objective.loss(model, ready)
            sums = [old + new.item() for old, new in zip(sums, found, strict=True)]
            parts.append(ready)
            tokens += batch.tokens
    learner.train(training)
    told_all = objective.head == "text-generation"
    counts = step_counts(parts)
    means = [total / (count or 1.0) for total, count in zip(sums, counts, strict=True)]
    return Measured(
        dict(zip(objective.terms, means, strict=True)),
        counts[0],
        tokens,
        _bytes(model, blocks) if told_all else 0,
        told_all,
        objective.head in WORDS,
    )


def _bytes(model: Model, blocks: Dataset) -> int:
    """Of the texts that blocks are."""
    tokenizer = model.need_tokenizer()
    return sum(len(tokenizer.decode(ids).encode("utf-8", "replace")) for ids in blocks["ids"])
