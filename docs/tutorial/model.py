"""The model of the tutorial: a small decoder wired from Headway's bricks, and its two heads.

Shapes: a batch is ragged. `ids` are the tokens of all texts laid end to end, [tokens], and a
`Layout` says how many belong to each text; nothing is padded.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from headway.core.attention import SelfAttention
from headway.core.blocks import PreNormBlock
from headway.core.embeddings import Embeddings
from headway.core.feedforward import FeedForward, activation
from headway.core.initial import initialise
from headway.core.layout import Layout
from headway.core.pooling import last
from headway.core.positions import LearnedPositions
from headway.core.stacks import Decoder


@dataclass(frozen=True)
class Config:
    """Sizes of the model."""

    vocabulary: int
    """Words the model knows."""
    hidden: int = 128
    """Size of a hidden state."""
    heads: int = 4
    """Attention heads a block."""
    layers: int = 3
    """Blocks."""
    positions: int = 256
    """Longest text, in tokens."""
    dropout: float = 0.1
    """Rate while training."""


def build_body(config: Config) -> Decoder:
    """Embeddings, then blocks in which each token sees itself and what came before (GPT-2)."""
    embeddings = Embeddings(
        nn.Embedding(config.vocabulary, config.hidden),
        positions=LearnedPositions(config.positions, config.hidden),
        dropout=config.dropout,
    )
    layers = [
        PreNormBlock(
            attention=SelfAttention(config.hidden, config.heads, dropout=config.dropout),
            attention_norm=nn.LayerNorm(config.hidden),
            feedforward=FeedForward(config.hidden, 4 * config.hidden, activation("gelu")),
            feedforward_norm=nn.LayerNorm(config.hidden),
            dropout=config.dropout,
        )
        for _ in range(config.layers)
    ]
    return Decoder(embeddings, layers, norm=nn.LayerNorm(config.hidden))


class Model(nn.Module):
    """A body, the head it learns language with, and the head of the task, once there is one."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.body = build_body(config)
        self.language_head = nn.Linear(config.hidden, config.vocabulary, bias=False)
        self.language_head.weight = self.body.embeddings.words.weight  # tied: one table for both
        self.task_head: nn.Linear | None = None
        initialise(self, std=0.02)

    def forward(self, ids: Tensor, layout: Layout) -> Tensor:
        """int64 [tokens] -> hidden states [tokens, hidden]."""
        return self.body(ids, layout)

    def language_loss(self, states: Tensor, ids: Tensor, layout: Layout) -> Tensor:
        """How badly each token's state predicts the next token; a text's last has none."""
        has_next = layout.within + 1 < layout.counts[layout.sequence]  # bool [tokens]
        logits = self.language_head(states[has_next])  # [predictions, vocabulary]
        return F.cross_entropy(logits, ids.roll(-1)[has_next])

    def classify(self, states: Tensor, layout: Layout) -> Tensor:
        """[tokens, hidden] -> logits [texts, labels], from the token that has seen all others."""
        assert self.task_head is not None, "add_task_head comes first"
        return self.task_head(last(states, layout))

    def add_task_head(self, labels: int) -> None:
        """The head of the new task, the only weights that start from nothing."""
        self.task_head = nn.Linear(self.config.hidden, labels)
        initialise(self.task_head, std=0.02)


class Adapter(nn.Module):
    """Narrow, bend, widen, add: a few new weights that bend a frozen model's states.

    Source: Houlsby et al. 2019, arXiv 1902.00751.
    """

    def __init__(self, hidden: int, inner: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(hidden, inner), nn.Linear(inner, hidden)
        nn.init.zeros_(self.up.weight)  # at first it changes nothing
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden]."""
        return x + self.up(F.gelu(self.down(x)))  # [tokens, inner] between the two


def freeze(model: Model) -> None:
    """Only what is added after this call will learn."""
    model.body.requires_grad_(False)


def add_adapters(model: Model, inner: int = 32) -> None:
    """An adapter behind every feed-forward layer."""
    for layer in model.body.layers:
        assert isinstance(layer, PreNormBlock)
        layer.feedforward = nn.Sequential(layer.feedforward, Adapter(model.config.hidden, inner))
