"""BERT: a bidirectional encoder with learned positions and norms behind each half-block.

Source: Devlin et al. 2018, arXiv 1810.04805.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from headway.core.attention import CrossAttention, SelfAttention
from headway.core.blocks import PostNormBlock, PostNormCrossBlock
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
from headway.core.positions import LearnedPositions
from headway.core.stacks import Decoder, Encoder
from headway.heads import Classifier, HeadSpec, LanguageModelHead, SpanHead, TokenClassifier


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are bert-base-uncased's."""

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
    positions: Rows = 512
    """Longest text, in tokens."""
    segments: Rows = 2
    """Rows of the segment table."""
    norm_epsilon: NotNegative = 1e-12
    """Added to the variance in norms."""
    dropout: Rate = 0.1
    """Rate on hidden states while training."""
    attention_dropout: Rate = 0.1
    """Rate on attention maps while training."""
    classifier_dropout: Rate | None = None
    """Rate before the classifiers; None = dropout."""
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
    ("positions", "max_position_embeddings"),
    ("segments", "type_vocab_size"),
    ("norm_epsilon", "layer_norm_eps"),
    ("dropout", "hidden_dropout_prob"),
    ("attention_dropout", "attention_probs_dropout_prob"),
    ("classifier_dropout", "classifier_dropout"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

FIXED = {"position_embedding_type": ("absolute", None), "is_decoder": (False,)}

IGNORED_KEYS = frozenset(
    {
        "directionality",
        "pooler_fc_size",
        "pooler_num_attention_heads",
        "pooler_num_fc_layers",
        "pooler_size_per_head",
        "pooler_type",
    }
)
"""Of the released multilingual model; nothing ever read them."""

CLASSES = {"bert": "Bert"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    return read_fields(Config, FIELDS, values, fixed=FIXED, ignored=IGNORED_KEYS)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "bert", **write_fields(config, FIELDS)}


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> Encoder:
    """The encoder, with fresh weights."""
    layers = [PostNormBlock(**halves(config), dropout=config.dropout) for _ in range(config.layers)]
    return Encoder(embeddings(config), layers)


def build_decoder(config: Config) -> Decoder:
    """The same stack as a decoder that looks at an encoder of its size, with fresh weights."""
    layers = [
        PostNormCrossBlock(
            **halves(config),
            cross_attention=CrossAttention(
                config.hidden, config.heads, dropout=config.attention_dropout
            ),
            cross_attention_norm=norm(config),
            dropout=config.dropout,
        )
        for _ in range(config.layers)
    ]
    return Decoder(embeddings(config), layers)


def halves(config: Config) -> dict[str, Any]:
    """Attention and feed-forward of one block, each with its norm."""
    return {
        "attention": SelfAttention(config.hidden, config.heads, dropout=config.attention_dropout),
        "attention_norm": norm(config),
        "feedforward": FeedForward(config.hidden, config.inner, activation(config.activation)),
        "feedforward_norm": norm(config),
    }


def embeddings(config: Config) -> Embeddings:
    """Words, positions and segments."""
    return Embeddings(
        nn.Embedding(config.vocabulary, config.hidden),
        positions=LearnedPositions(config.positions, config.hidden),
        segments=nn.Embedding(config.segments, config.hidden),
        norm=norm(config),
        dropout=config.dropout,
    )


def norm(config: Config) -> nn.LayerNorm:
    """One of the stack's norms."""
    return nn.LayerNorm(config.hidden, eps=config.norm_epsilon)


PREFIX = "bert."

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
    ("layers.#.attention.output.*", "encoder.layer.#.attention.output.dense.*"),
    ("layers.#.attention_norm.*", "encoder.layer.#.attention.output.LayerNorm.*"),
    ("layers.#.feedforward.up.*", "encoder.layer.#.intermediate.dense.*"),
    ("layers.#.feedforward.down.*", "encoder.layer.#.output.dense.*"),
    ("layers.#.feedforward_norm.*", "encoder.layer.#.output.LayerNorm.*"),
)

CROSS_NAMES: tuple[Row, ...] = (
    ("layers.#.cross_attention.q.*", "encoder.layer.#.crossattention.self.query.*"),
    (
        "layers.#.cross_attention.kv.*",
        Fused(
            "encoder.layer.#.crossattention.self.key.*",
            "encoder.layer.#.crossattention.self.value.*",
        ),
    ),
    ("layers.#.cross_attention.output.*", "encoder.layer.#.crossattention.output.dense.*"),
    ("layers.#.cross_attention_norm.*", "encoder.layer.#.crossattention.output.LayerNorm.*"),
)

OTHER_HEADS = ("cls.*", "classifier.*", "qa_outputs.*", "bert.pooler.*", "pooler.*")
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = (
    "embeddings.position_ids",
    "bert.embeddings.position_ids",
)
"""Tensors that hold no weights."""

OUTPUT_BIAS = ("cls.predictions.bias", "cls.predictions.decoder.bias")

SPARES = (OUTPUT_BIAS, OUTPUT_BIAS[::-1])


def masked_word_head(config: Config, body: Encoder | Decoder, labels: int) -> LanguageModelHead:
    """Dense, activation, norm, then the word table turned around."""
    transform = nn.Sequential(
        nn.Linear(config.hidden, config.hidden),
        activation(config.activation),
        norm(config),
    )
    output = nn.Linear(config.hidden, config.vocabulary)
    if config.tied:
        output.weight = body.embeddings.words.weight
    return LanguageModelHead(output, transform=transform)


def before_classifier(config: Config) -> float:
    """The rate of dropout there."""
    return config.dropout if config.classifier_dropout is None else config.classifier_dropout


def classifier(config: Config, body: Encoder, labels: int) -> Classifier:
    """The first token's state through a dense layer and tanh (the pooler), then linear."""
    transform = nn.Sequential(nn.Linear(config.hidden, config.hidden), activation("tanh"))
    output = nn.Linear(config.hidden, labels)
    return Classifier("first", output, transform=transform, dropout=before_classifier(config))


def choice_head(config: Config, body: Encoder, labels: int) -> Classifier:
    """The classifier with one output: how well this choice fits."""
    return classifier(config, body, 1)


def token_classifier(config: Config, body: Encoder, labels: int) -> TokenClassifier:
    """Each token's state through one linear layer."""
    return TokenClassifier(nn.Linear(config.hidden, labels), dropout=before_classifier(config))


def span_head(config: Config, body: Encoder, labels: int) -> SpanHead:
    """Each token's state through one linear layer to a start and an end."""
    return SpanHead(nn.Linear(config.hidden, 2))


POOLED = (("transform.0.*", "bert.pooler.dense.*"), ("output.*", "classifier.*"))
"""Rows of the heads that read the pooler."""

HEADS = {
    "fill-mask": HeadSpec(
        "ForMaskedLM",
        masked_word_head,
        (
            ("transform.0.*", "cls.predictions.transform.dense.*"),
            ("transform.2.*", "cls.predictions.transform.LayerNorm.*"),
            ("output.weight", "cls.predictions.decoder.weight"),
            ("output.bias", Doubled(*OUTPUT_BIAS)),
        ),
    ),
    "text-classification": HeadSpec(
        "ForSequenceClassification",
        classifier,
        POOLED,
    ),
    "token-classification": HeadSpec(
        "ForTokenClassification", token_classifier, (("output.*", "classifier.*"),)
    ),
    "question-answering": HeadSpec(
        "ForQuestionAnswering", span_head, (("output.*", "qa_outputs.*"),)
    ),
    "multiple-choice": HeadSpec("ForMultipleChoice", choice_head, POOLED),
}

WRITES = "fill-mask"
"""Whose head the stack writes with as a decoder."""
