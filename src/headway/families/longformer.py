"""Longformer: RoBERTa's encoder, in which most tokens see a window and a few see all.

Global is the first token of each text, and before an answer the whole question.

Source: Beltagy et al. 2020, arXiv 2004.05150.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from headway.core.blocks import PostNormBlock
from headway.core.embeddings import Embeddings
from headway.core.feedforward import ActivationName, FeedForward, activation
from headway.core.fields import (
    Count,
    Depth,
    NotNegative,
    Rate,
    RowNumber,
    Rows,
    Size,
    read_fields,
    write_fields,
)
from headway.core.global_attention import BeforeSeparator, GlobalLocalAttention, first_token
from headway.core.masks import Local
from headway.core.names import Doubled, Fused, Row
from headway.core.positions import LearnedPositions
from headway.core.stacks import AttentionKind, Encoder
from headway.errors import CheckpointError
from headway.heads import Classifier, HeadSpec, LanguageModelHead, SpanHead, TokenClassifier


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are those of the ecosystem's config class."""

    vocabulary: Rows = 30522
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
    windows: tuple[Size, ...] | Size = 512
    """How wide a window is, in tokens, half of it on each side; even, and one for all blocks or one
    for each."""
    position_rows: Rows = 512
    """Rows of the position table; the first padding_id + 1 are never read."""
    padding_id: RowNumber = 1
    """Id of the padding token, after whose number positions start."""
    separator_id: RowNumber | None = 2
    """Id of the token behind a question."""
    segments: Rows = 2
    """Rows of the segment table."""
    norm_epsilon: NotNegative = 1e-12
    """Added to the variance in norms."""
    dropout: Rate = 0.1
    """Rate on hidden states while training."""
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
    ("windows", "attention_window"),
    ("position_rows", "max_position_embeddings"),
    ("padding_id", "pad_token_id"),
    ("separator_id", "sep_token_id"),
    ("segments", "type_vocab_size"),
    ("norm_epsilon", "layer_norm_eps"),
    ("dropout", "hidden_dropout_prob"),
    ("attention_dropout", "attention_probs_dropout_prob"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

FIXED = {
    "attention_mode": ("longformer", None),
    "is_decoder": (False,),
    "position_embedding_type": ("absolute", None),
}

IGNORED_KEYS = frozenset({"ignore_attention_mask", "onnx_export"})
"""Of the released models; no computation depends on them."""

CLASSES = {"longformer": "Longformer"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    config = read_fields(Config, FIELDS, values, fixed=FIXED, ignored=IGNORED_KEYS)
    if longest(config) < 1:
        raise CheckpointError(
            f"config.json: max_position_embeddings = {config.position_rows} leaves no position "
            f"behind pad_token_id = {config.padding_id}",
            allowed=f"{config.padding_id + 2} or more",
        )
    windows = windows_of(config)
    if len(windows) != config.layers or any(window % 2 for window in windows):
        raise CheckpointError(
            f"config.json: attention_window = {values['attention_window']}",
            allowed=f"an even number, or one for each of {config.layers} layers",
        )
    return config


def windows_of(config: Config) -> tuple[int, ...]:
    """The window of each block."""
    windows = config.windows
    return windows if isinstance(windows, tuple) else (windows,) * config.layers


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "longformer", **write_fields(config, FIELDS)}


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.position_rows - config.padding_id - 1


def build(config: Config) -> Encoder:
    """The encoder, with fresh weights."""

    def norm() -> nn.LayerNorm:
        return nn.LayerNorm(config.hidden, eps=config.norm_epsilon)

    embeddings = Embeddings(
        nn.Embedding(config.vocabulary, config.hidden),
        positions=LearnedPositions(
            config.position_rows, config.hidden, offset=config.padding_id + 1
        ),
        segments=nn.Embedding(config.segments, config.hidden),
        norm=norm(),
        dropout=config.dropout,
    )
    layers = [
        PostNormBlock(
            attention=GlobalLocalAttention(
                config.hidden, config.heads, dropout=config.attention_dropout
            ),
            attention_norm=norm(),
            feedforward=FeedForward(config.hidden, config.inner, activation(config.activation)),
            feedforward_norm=norm(),
            dropout=config.dropout,
        )
        for _ in range(config.layers)
    ]
    kinds = [AttentionKind(Local(window)) for window in windows_of(config)]
    return Encoder(embeddings, layers, kinds=kinds, global_tokens=first_token)


PREFIX = "longformer."

NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "embeddings.word_embeddings.weight"),
    ("embeddings.positions.weight", "embeddings.position_embeddings.weight"),
    ("embeddings.segments.weight", "embeddings.token_type_embeddings.weight"),
    ("embeddings.norm.*", "embeddings.LayerNorm.*"),
    (
        "layers.#.attention.qkv.*",
        Fused(
            "encoder.layer.#.attention.self.query.*",
            "encoder.layer.#.attention.self.key.*",
            "encoder.layer.#.attention.self.value.*",
        ),
    ),
    ("layers.#.attention.global_q.*", "encoder.layer.#.attention.self.query_global.*"),
    (
        "layers.#.attention.global_kv.*",
        Fused(
            "encoder.layer.#.attention.self.key_global.*",
            "encoder.layer.#.attention.self.value_global.*",
        ),
    ),
    ("layers.#.attention.output.*", "encoder.layer.#.attention.output.dense.*"),
    ("layers.#.attention_norm.*", "encoder.layer.#.attention.output.LayerNorm.*"),
    ("layers.#.feedforward.up.*", "encoder.layer.#.intermediate.dense.*"),
    ("layers.#.feedforward.down.*", "encoder.layer.#.output.dense.*"),
    ("layers.#.feedforward_norm.*", "encoder.layer.#.output.LayerNorm.*"),
)

OTHER_HEADS = ("lm_head.*", "classifier.*", "qa_outputs.*", "longformer.pooler.*", "pooler.*")
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = (
    "embeddings.position_ids",
    "longformer.embeddings.position_ids",
)
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


def token_classifier(config: Config, body: Encoder, labels: int) -> TokenClassifier:
    """Each token's state through one linear layer."""
    return TokenClassifier(nn.Linear(config.hidden, labels), dropout=config.dropout)


def span_head(config: Config, body: Encoder, labels: int) -> SpanHead:
    """Each token's state to a start and an end; all tokens of the question are global."""
    if config.separator_id is not None:
        body.global_tokens = BeforeSeparator(config.separator_id)
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
}
