"""The first GPT: a decoder with learned positions and norms behind each half-block.

Source: Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from torch import nn

from headway.core.attention import SelfAttention
from headway.core.blocks import PostNormBlock
from headway.core.embeddings import Embeddings
from headway.core.feedforward import FeedForward, activation
from headway.core.fields import (
    Choice,
    Count,
    Depth,
    NotNegative,
    Rate,
    Rows,
    Size,
    read_fields,
    write_fields,
)
from headway.core.names import Row, Transposed
from headway.core.positions import LearnedPositions
from headway.core.stacks import Decoder
from headway.heads import Classifier, HeadSpec, LanguageModelHead

BENDS = {"gelu": "gelu_new", "relu": "relu", "silu": "silu", "swish": "silu"}
"""`afn` -> name in core.feedforward.ACTIVATIONS; GELU's tanh form is what this model calls GELU."""


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are those of the released model."""

    vocabulary: Rows = 40478
    """Rows of the word table."""
    hidden: Size = 768
    """Size of a hidden state; four times that inside the feed-forward layer."""
    layers: Depth = 12
    """Blocks."""
    heads: Count = 12
    """Attention heads a block."""
    activation: Annotated[str, Choice(tuple(BENDS))] = "gelu"
    """Name of the one in the feed-forward layer, in BENDS."""
    positions: Rows = 512
    """Longest text, in tokens."""
    norm_epsilon: NotNegative = 1e-5
    """Added to the variance in norms."""
    dropout: Rate = 0.1
    """Rate on what each half-block adds while training."""
    embedding_dropout: Rate = 0.1
    """Rate on the embeddings while training."""
    attention_dropout: Rate = 0.1
    """Rate on attention maps while training."""
    tied: bool = True
    """Whether the language head shares the word table."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("vocabulary", "vocab_size"),
    ("hidden", "n_embd"),
    ("layers", "n_layer"),
    ("heads", "n_head"),
    ("activation", "afn"),
    ("positions", "n_positions"),
    ("norm_epsilon", "layer_norm_epsilon"),
    ("dropout", "resid_pdrop"),
    ("embedding_dropout", "embd_pdrop"),
    ("attention_dropout", "attn_pdrop"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

IGNORED_KEYS = frozenset(
    {
        "n_ctx",
        "n_special",
        "predict_special_tokens",
        "summary_activation",
        "summary_first_dropout",
        "summary_proj_to_labels",
        "summary_type",
        "summary_use_proj",
    }
)
"""Of the released model: an older name of n_positions, what once counted special tokens, and what
only the two-headed model reads."""

CLASSES = {"openai-gpt": "OpenAIGPT"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    return read_fields(Config, FIELDS, values, ignored=IGNORED_KEYS)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "openai-gpt", **write_fields(config, FIELDS)}


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> Decoder:
    """The decoder, with fresh weights."""

    def norm() -> nn.LayerNorm:
        return nn.LayerNorm(config.hidden, eps=config.norm_epsilon)

    embeddings = Embeddings(
        nn.Embedding(config.vocabulary, config.hidden),
        positions=LearnedPositions(config.positions, config.hidden),
        word_segments=True,
        dropout=config.embedding_dropout,
    )
    layers = [
        PostNormBlock(
            attention=SelfAttention(config.hidden, config.heads, dropout=config.attention_dropout),
            attention_norm=norm(),
            feedforward=FeedForward(
                config.hidden, 4 * config.hidden, activation(BENDS[config.activation])
            ),
            feedforward_norm=norm(),
            dropout=config.dropout,
        )
        for _ in range(config.layers)
    ]
    return Decoder(embeddings, layers)


PREFIX = "transformer."

NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "tokens_embed.weight"),
    ("embeddings.positions.weight", "positions_embed.weight"),
    ("layers.#.attention.qkv.weight", Transposed("h.#.attn.c_attn.weight")),
    ("layers.#.attention.qkv.bias", "h.#.attn.c_attn.bias"),
    ("layers.#.attention.output.weight", Transposed("h.#.attn.c_proj.weight")),
    ("layers.#.attention.output.bias", "h.#.attn.c_proj.bias"),
    ("layers.#.attention_norm.*", "h.#.ln_1.*"),
    ("layers.#.feedforward.up.weight", Transposed("h.#.mlp.c_fc.weight")),
    ("layers.#.feedforward.up.bias", "h.#.mlp.c_fc.bias"),
    ("layers.#.feedforward.down.weight", Transposed("h.#.mlp.c_proj.weight")),
    ("layers.#.feedforward.down.bias", "h.#.mlp.c_proj.bias"),
    ("layers.#.feedforward_norm.*", "h.#.ln_2.*"),
)

OTHER_HEADS = ("lm_head.*", "score.*", "multiple_choice_head.*")
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = (
    "position_ids",
    "transformer.position_ids",
    "h.#.attn.bias",
    "transformer.h.#.attn.bias",
)
"""Numbers of positions and the causal mask, which older checkpoints hold."""

SPARES = ()


def language_head(config: Config, body: Decoder, labels: int) -> LanguageModelHead:
    """The word table turned around."""
    output = nn.Linear(config.hidden, config.vocabulary, bias=False)
    if config.tied:
        output.weight = body.embeddings.words.weight
    return LanguageModelHead(output)


def classifier(config: Config, body: Decoder, labels: int) -> Classifier:
    """The last token's state, which has seen all others, through one linear layer."""
    return Classifier("last", nn.Linear(config.hidden, labels, bias=False))


HEADS = {
    "text-generation": HeadSpec(
        "LMHeadModel", language_head, (("output.weight", "lm_head.weight"),)
    ),
    "text-classification": HeadSpec(
        "ForSequenceClassification", classifier, (("output.weight", "score.weight"),)
    ),
}
