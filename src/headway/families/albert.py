"""ALBERT: BERT's encoder with small word vectors, and one block applied again and again.

Source: Lan et al. 2019, arXiv 1909.11942.
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
from headway.core.positions import LearnedPositions
from headway.core.sharing import applications
from headway.core.stacks import Encoder
from headway.errors import CheckpointError
from headway.heads import Classifier, HeadSpec, LanguageModelHead, SpanHead, TokenClassifier

MOST_BLOCKS = 1000
"""Applications of blocks in a stack, which keeps a hostile config small."""


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are those of the ecosystem's config class, the largest ALBERT."""

    vocabulary: Rows = 30000
    """Rows of the word table."""
    embedding: Size = 128
    """Size of a word's vector."""
    hidden: Size = 4096
    """Size of a hidden state."""
    layers: Depth = 12
    """How often blocks are applied; each time, all of a group."""
    groups: Depth = 1
    """Groups of blocks that have parameters of their own."""
    blocks: Depth = 1
    """Blocks in a group."""
    heads: Count = 64
    """Attention heads a block."""
    inner: Size = 16384
    """Size inside the feed-forward layer."""
    activation: ActivationName = "gelu_new"
    """Name of the one in the feed-forward layer."""
    positions: Rows = 512
    """Longest text, in tokens."""
    segments: Rows = 2
    """Rows of the segment table."""
    norm_epsilon: NotNegative = 1e-12
    """Added to the variance in norms."""
    dropout: Rate = 0.0
    """Rate on the embeddings and behind attention while training."""
    attention_dropout: Rate = 0.0
    """Rate on attention maps while training."""
    classifier_dropout: Rate = 0.1
    """Rate before the classifiers."""
    tied: bool = True
    """Whether the masked-word head shares the word table."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("vocabulary", "vocab_size"),
    ("embedding", "embedding_size"),
    ("hidden", "hidden_size"),
    ("layers", "num_hidden_layers"),
    ("groups", "num_hidden_groups"),
    ("blocks", "inner_group_num"),
    ("heads", "num_attention_heads"),
    ("inner", "intermediate_size"),
    ("activation", "hidden_act"),
    ("positions", "max_position_embeddings"),
    ("segments", "type_vocab_size"),
    ("norm_epsilon", "layer_norm_eps"),
    ("dropout", "hidden_dropout_prob"),
    ("attention_dropout", "attention_probs_dropout_prob"),
    ("classifier_dropout", "classifier_dropout_prob"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

FIXED = {"position_embedding_type": ("absolute", None), "is_decoder": (False,)}

IGNORED_KEYS = frozenset(
    {"down_scale_factor", "gap_size", "net_structure_type", "num_memory_blocks"}
)
"""Of the released models; nothing ever read them."""

CLASSES = {"albert": "Albert"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    config = read_fields(Config, FIELDS, values, fixed=FIXED, ignored=IGNORED_KEYS)
    if config.groups > config.layers:
        raise CheckpointError(
            f"config.json: num_hidden_groups = {config.groups} is more than "
            f"num_hidden_layers = {config.layers}, so that some are never applied",
            allowed=f"1 to {config.layers}",
        )
    if config.layers * config.blocks > MOST_BLOCKS:
        raise CheckpointError(
            f"config.json: num_hidden_layers = {config.layers} times "
            f"inner_group_num = {config.blocks}",
            allowed=f"up to {MOST_BLOCKS} together",
        )
    return config


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "albert", **write_fields(config, FIELDS)}


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> Encoder:
    """The encoder, with fresh weights."""

    def norm(size: int = config.hidden) -> nn.LayerNorm:
        return nn.LayerNorm(size, eps=config.norm_epsilon)

    def block() -> PostNormBlock:
        return PostNormBlock(
            attention=SelfAttention(config.hidden, config.heads, dropout=config.attention_dropout),
            attention_norm=norm(),
            feedforward=FeedForward(config.hidden, config.inner, activation(config.activation)),
            feedforward_norm=norm(),
            dropout=0.0,
            attention_dropout=config.dropout,
        )

    embeddings = Embeddings(
        nn.Embedding(config.vocabulary, config.embedding),
        positions=LearnedPositions(config.positions, config.embedding),
        segments=nn.Embedding(config.segments, config.embedding),
        norm=norm(config.embedding),
        dropout=config.dropout,
        projection=nn.Linear(config.embedding, config.hidden),
    )
    groups = [[block() for _ in range(config.blocks)] for _ in range(config.groups)]
    layers = applications(
        block for number in range(config.layers) for block in groups[group_of(config, number)]
    )
    return Encoder(embeddings, layers, shared=nn.ModuleList(map(nn.ModuleList, groups)))


def group_of(config: Config, number: int) -> int:
    """The group that is applied at the step `number`, counted from 0.

    >>> [group_of(Config(layers=5, groups=2), number) for number in range(5)]
    [0, 0, 0, 1, 1]
    """
    # Divided as in the reference, which decides where a quotient is rounded just below a number.
    return int(number / (config.layers / config.groups))


PREFIX = "albert."

_BLOCK = "encoder.albert_layer_groups.#.albert_layers.#"

NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "embeddings.word_embeddings.weight"),
    ("embeddings.positions.weight", "embeddings.position_embeddings.weight"),
    ("embeddings.segments.weight", "embeddings.token_type_embeddings.weight"),
    ("embeddings.norm.*", "embeddings.LayerNorm.*"),
    ("embeddings.projection.*", "encoder.embedding_hidden_mapping_in.*"),
    (
        "shared.#.#.attention.qkv.*",
        Fused(
            f"{_BLOCK}.attention.query.*",
            f"{_BLOCK}.attention.key.*",
            f"{_BLOCK}.attention.value.*",
        ),
    ),
    ("shared.#.#.attention.output.*", f"{_BLOCK}.attention.dense.*"),
    ("shared.#.#.attention_norm.*", f"{_BLOCK}.attention.LayerNorm.*"),
    ("shared.#.#.feedforward.up.*", f"{_BLOCK}.ffn.*"),
    ("shared.#.#.feedforward.down.*", f"{_BLOCK}.ffn_output.*"),
    ("shared.#.#.feedforward_norm.*", f"{_BLOCK}.full_layer_layer_norm.*"),
)

OTHER_HEADS = (
    "predictions.*",
    "sop_classifier.*",
    "classifier.*",
    "qa_outputs.*",
    "albert.pooler.*",
    "pooler.*",
)
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = ("embeddings.position_ids", "albert.embeddings.position_ids")
"""Tensors that hold no weights."""

OUTPUT_BIAS = ("predictions.bias", "predictions.decoder.bias")

SPARES = (OUTPUT_BIAS, OUTPUT_BIAS[::-1])


def masked_word_head(config: Config, body: Encoder, labels: int) -> LanguageModelHead:
    """Dense down to the size of word vectors, activation, norm, the word table turned around."""
    transform = nn.Sequential(
        nn.Linear(config.hidden, config.embedding),
        activation(config.activation),
        nn.LayerNorm(config.embedding, eps=config.norm_epsilon),
    )
    output = nn.Linear(config.embedding, config.vocabulary)
    if config.tied:
        output.weight = body.embeddings.words.weight
    return LanguageModelHead(output, transform=transform)


def classifier(config: Config, body: Encoder, labels: int) -> Classifier:
    """The first token's state through a dense layer and tanh (the pooler), then linear."""
    return Classifier(
        "first",
        nn.Linear(config.hidden, labels),
        transform=nn.Sequential(nn.Linear(config.hidden, config.hidden), activation("tanh")),
        dropout=config.classifier_dropout,
    )


def choice_head(config: Config, body: Encoder, labels: int) -> Classifier:
    """The classifier with one output: how well this choice fits."""
    return classifier(config, body, 1)


def token_classifier(config: Config, body: Encoder, labels: int) -> TokenClassifier:
    """Each token's state through one linear layer."""
    return TokenClassifier(nn.Linear(config.hidden, labels), dropout=config.classifier_dropout)


def span_head(config: Config, body: Encoder, labels: int) -> SpanHead:
    """Each token's state through one linear layer to a start and an end."""
    return SpanHead(nn.Linear(config.hidden, 2))


POOLED = (("transform.0.*", "albert.pooler.*"), ("output.*", "classifier.*"))
"""Rows of the heads that read the pooler."""

HEADS = {
    "fill-mask": HeadSpec(
        "ForMaskedLM",
        masked_word_head,
        (
            ("transform.0.*", "predictions.dense.*"),
            ("transform.2.*", "predictions.LayerNorm.*"),
            ("output.weight", "predictions.decoder.weight"),
            ("output.bias", Doubled(*OUTPUT_BIAS)),
        ),
    ),
    "text-classification": HeadSpec("ForSequenceClassification", classifier, POOLED),
    "token-classification": HeadSpec(
        "ForTokenClassification", token_classifier, (("output.*", "classifier.*"),)
    ),
    "question-answering": HeadSpec(
        "ForQuestionAnswering", span_head, (("output.*", "qa_outputs.*"),)
    ),
    "multiple-choice": HeadSpec("ForMultipleChoice", choice_head, POOLED),
}
