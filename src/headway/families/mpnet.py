"""MPNet: RoBERTa's encoder with a relative bias that all blocks share, and no segments.

Source: Song et al. 2020, arXiv 2004.09297.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from headway.core.attention import SelfAttention
from headway.core.blocks import PostNormBlock
from headway.core.embeddings import Embeddings
from headway.core.feedforward import ActivationName, FeedForward, activation
from headway.core.fields import (
    Count,
    Depth,
    NotNegative,
    Rate,
    Rows,
    Size,
    read_fields,
    write_fields,
)
from headway.core.names import Doubled, Fused, Row
from headway.core.positions import LearnedPositions, RelativeBias
from headway.core.stacks import Encoder
from headway.errors import CheckpointError
from headway.heads import Classifier, HeadSpec, LanguageModelHead, SpanHead, TokenClassifier

FIRST_POSITION = 2
"""Number of a text's first position; the padding id, 1, is written into the architecture."""

BUCKETS, FARTHEST = 32, 128
"""Distances that the relative bias tells apart, and the one from which on all share a bucket."""


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are those of the ecosystem's config class."""

    vocabulary: Rows = 30527
    """Rows of the word table."""
    hidden: Size = 768
    """Size of a hidden state."""
    layers: Depth = 12
    """Blocks."""
    heads: Count = 12
    """Attention heads a block."""
    inner: Size = 3072
    """Size inside the feed-forward layer."""
    activation: ActivationName = "gelu"
    """Name of the one in the feed-forward layer."""
    position_rows: Rows = 512
    """Rows of the position table; the first two are never read."""
    norm_epsilon: NotNegative = 1e-12
    """Added to the variance in norms."""
    dropout: Rate = 0.1
    """Rate on hidden states and in the classifiers while training."""
    attention_dropout: Rate = 0.1
    """Rate on attention maps while training."""
    tied: bool = True
    """Whether the masked-word head shares the word table."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("vocabulary", "vocab_size"),
    ("hidden", "hidden_size"),
    ("layers", "num_hidden_layers"),
    ("heads", "num_attention_heads"),
    ("inner", "intermediate_size"),
    ("activation", "hidden_act"),
    ("position_rows", "max_position_embeddings"),
    ("norm_epsilon", "layer_norm_eps"),
    ("dropout", "hidden_dropout_prob"),
    ("attention_dropout", "attention_probs_dropout_prob"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

# The reference takes the number of buckets for the size of a table, and always fills 32.
FIXED = {"relative_attention_num_buckets": (BUCKETS,), "is_decoder": (False,)}

CLASSES = {"mpnet": "MPNet"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    config = read_fields(Config, FIELDS, values, fixed=FIXED)
    if longest(config) < 1:
        raise CheckpointError(
            f"config.json: max_position_embeddings = {config.position_rows} leaves no position "
            f"behind the first {FIRST_POSITION}",
            allowed=f"{FIRST_POSITION + 1} or more",
        )
    return config


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "mpnet", **write_fields(config, FIELDS)}


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.position_rows - FIRST_POSITION


def build(config: Config) -> Encoder:
    """The encoder, with fresh weights."""

    def norm() -> nn.LayerNorm:
        return nn.LayerNorm(config.hidden, eps=config.norm_epsilon)

    embeddings = Embeddings(
        nn.Embedding(config.vocabulary, config.hidden),
        positions=LearnedPositions(config.position_rows, config.hidden, offset=FIRST_POSITION),
        norm=norm(),
        dropout=config.dropout,
    )
    layers = [
        PostNormBlock(
            attention=SelfAttention(config.hidden, config.heads, dropout=config.attention_dropout),
            attention_norm=norm(),
            feedforward=FeedForward(config.hidden, config.inner, activation(config.activation)),
            feedforward_norm=norm(),
            dropout=config.dropout,
        )
        for _ in range(config.layers)
    ]
    bias = RelativeBias(config.heads, buckets=BUCKETS, farthest=FARTHEST, both_ways=True)
    return Encoder(embeddings, layers, bias=bias)


PREFIX = "mpnet."

NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "embeddings.word_embeddings.weight"),
    ("embeddings.positions.weight", "embeddings.position_embeddings.weight"),
    ("embeddings.norm.*", "embeddings.LayerNorm.*"),
    ("bias.values.weight", "encoder.relative_attention_bias.weight"),
    (
        "layers.#.attention.qkv.*",
        Fused(
            "encoder.layer.#.attention.attn.q.*",
            "encoder.layer.#.attention.attn.k.*",
            "encoder.layer.#.attention.attn.v.*",
        ),
    ),
    ("layers.#.attention.output.*", "encoder.layer.#.attention.attn.o.*"),
    ("layers.#.attention_norm.*", "encoder.layer.#.attention.LayerNorm.*"),
    ("layers.#.feedforward.up.*", "encoder.layer.#.intermediate.dense.*"),
    ("layers.#.feedforward.down.*", "encoder.layer.#.output.dense.*"),
    ("layers.#.feedforward_norm.*", "encoder.layer.#.output.LayerNorm.*"),
)

OTHER_HEADS = ("lm_head.*", "classifier.*", "qa_outputs.*", "mpnet.pooler.*", "pooler.*")
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = ("embeddings.position_ids", "mpnet.embeddings.position_ids")
"""Tensors that hold no weights."""

OUTPUT_BIAS = ("lm_head.bias", "lm_head.decoder.bias")

SPARES = (OUTPUT_BIAS, OUTPUT_BIAS[::-1])


def masked_word_head(config: Config, body: Encoder, labels: int) -> LanguageModelHead:
    """Dense, GELU, norm, then the word table turned around."""
    transform = nn.Sequential(
        nn.Linear(config.hidden, config.hidden),
        activation("gelu"),
        nn.LayerNorm(config.hidden, eps=config.norm_epsilon),
    )
    output = nn.Linear(config.hidden, config.vocabulary)
    if config.tied:
        output.weight = body.embeddings.words.weight
    return LanguageModelHead(output, transform=transform)


def classifier(config: Config, body: Encoder, labels: int) -> Classifier:
    """The first token's state through dropout, a dense layer and tanh, then linear."""
    return Classifier(
        "first",
        nn.Linear(config.hidden, labels),
        transform=nn.Sequential(nn.Linear(config.hidden, config.hidden), activation("tanh")),
        transform_dropout=config.dropout,
        dropout=config.dropout,
    )


def choice_head(config: Config, body: Encoder, labels: int) -> Classifier:
    """The first token's state through a dense layer and tanh (the pooler), then one number."""
    return Classifier(
        "first",
        nn.Linear(config.hidden, 1),
        transform=nn.Sequential(nn.Linear(config.hidden, config.hidden), activation("tanh")),
        dropout=config.dropout,
    )


def token_classifier(config: Config, body: Encoder, labels: int) -> TokenClassifier:
    """Each token's state through one linear layer."""
    return TokenClassifier(nn.Linear(config.hidden, labels), dropout=config.dropout)


def span_head(config: Config, body: Encoder, labels: int) -> SpanHead:
    """Each token's state through one linear layer to a start and an end."""
    return SpanHead(nn.Linear(config.hidden, 2))


HEADS = {
    "fill-mask": HeadSpec(
        "ForMaskedLM",
        masked_word_head,
        (
            ("transform.0.*", "lm_head.dense.*"),
            ("transform.2.*", "lm_head.layer_norm.*"),
            ("output.weight", "lm_head.decoder.weight"),
            ("output.bias", Doubled(*OUTPUT_BIAS)),
        ),
    ),
    "text-classification": HeadSpec(
        "ForSequenceClassification",
        classifier,
        (("transform.0.*", "classifier.dense.*"), ("output.*", "classifier.out_proj.*")),
    ),
    "token-classification": HeadSpec(
        "ForTokenClassification", token_classifier, (("output.*", "classifier.*"),)
    ),
    "question-answering": HeadSpec(
        "ForQuestionAnswering", span_head, (("output.*", "qa_outputs.*"),)
    ),
    "multiple-choice": HeadSpec(
        "ForMultipleChoice",
        choice_head,
        (("transform.0.*", "mpnet.pooler.dense.*"), ("output.*", "classifier.*")),
    ),
}
