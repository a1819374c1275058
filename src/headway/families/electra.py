"""ELECTRA: BERT's encoder, trained to tell which words a small generator put in.

Generator and discriminator are one architecture with different heads; word vectors of a size of
their own are projected to hidden states.

Source: Clark et al. 2020, arXiv 2003.10555.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from torch import nn

from headway.core.attention import SelfAttention
from headway.core.blocks import PostNormBlock
from headway.core.embeddings import Embeddings
from headway.core.feedforward import ACTIVATIONS, ActivationName, FeedForward, activation
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
from headway.core.names import Fused, Row
from headway.core.positions import LearnedPositions
from headway.core.stacks import Encoder
from headway.heads import Classifier, HeadSpec, LanguageModelHead, SpanHead, TokenClassifier

POOLINGS = {"cls_index": "last", "first": "first", "last": "last", "mean": "mean"}
"""`summary_type` -> name in core.pooling.POOLINGS; no index was ever given beside cls_index."""


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are those of the small discriminator."""

    vocabulary: Rows = 30522
    """Rows of the word table."""
    embedding: Size = 128
    """Size of a word's vector; where it is not `hidden`, a linear layer lies between."""
    hidden: Size = 256
    """Size of a hidden state."""
    layers: Depth = 12
    """Blocks."""
    heads: Count = 4
    """Attention heads a block."""
    inner: Size = 1024
    """Size inside the feed-forward layer."""
    activation: ActivationName = "gelu"
    """Name of the one in the feed-forward layer and in the replaced-token head."""
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
    """Rate around the classifier's dense layer, and before that of tokens; None = dropout."""
    choice_pooling: Annotated[str, Choice(tuple(POOLINGS))] = "first"
    """What of a text the multiple-choice head reads."""
    choice_dense: bool = True
    """Whether a dense layer follows there."""
    choice_activation: Annotated[str, Choice(("", *ACTIVATIONS))] = "gelu"
    """Name of what bends it then; empty = nothing."""
    choice_dropout: Rate = 0.1
    """Rate behind it."""
    tied: bool = True
    """Whether the masked-word head shares the word table."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("vocabulary", "vocab_size"),
    ("embedding", "embedding_size"),
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
    ("choice_pooling", "summary_type"),
    ("choice_dense", "summary_use_proj"),
    ("choice_activation", "summary_activation"),
    ("choice_dropout", "summary_last_dropout"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

FIXED = {"position_embedding_type": ("absolute", None), "is_decoder": (False,)}

CLASSES = {"electra": "Electra"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    return read_fields(Config, FIELDS, values, fixed=FIXED)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "electra", **write_fields(config, FIELDS)}


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> Encoder:
    """The encoder, with fresh weights."""

    def norm(size: int = config.hidden) -> nn.LayerNorm:
        return nn.LayerNorm(size, eps=config.norm_epsilon)

    projected = config.embedding != config.hidden
    embeddings = Embeddings(
        nn.Embedding(config.vocabulary, config.embedding),
        positions=LearnedPositions(config.positions, config.embedding),
        segments=nn.Embedding(config.segments, config.embedding),
        norm=norm(config.embedding),
        dropout=config.dropout,
        projection=nn.Linear(config.embedding, config.hidden) if projected else None,
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
    return Encoder(embeddings, layers)


PREFIX = "electra."

NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "embeddings.word_embeddings.weight"),
    ("embeddings.positions.weight", "embeddings.position_embeddings.weight"),
    ("embeddings.segments.weight", "embeddings.token_type_embeddings.weight"),
    ("embeddings.norm.*", "embeddings.LayerNorm.*"),
    ("embeddings.projection.*", "embeddings_project.*"),
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

OTHER_HEADS = (
    "generator_predictions.*",
    "generator_lm_head.*",
    "discriminator_predictions.*",
    "classifier.*",
    "qa_outputs.*",
    "sequence_summary.*",
)
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = ("embeddings.position_ids", "electra.embeddings.position_ids")
"""Tensors that hold no weights."""

SPARES = ()


def masked_word_head(config: Config, body: Encoder, labels: int) -> LanguageModelHead:
    """The generator's: dense down to the size of word vectors, GELU, norm, the word table."""
    transform = nn.Sequential(
        nn.Linear(config.hidden, config.embedding),
        activation("gelu"),
        nn.LayerNorm(config.embedding, eps=config.norm_epsilon),
    )
    output = nn.Linear(config.embedding, config.vocabulary)
    if config.tied:
        output.weight = body.embeddings.words.weight
    return LanguageModelHead(output, transform=transform)


def replaced_token_head(config: Config, body: Encoder, labels: int) -> TokenClassifier:
    """The discriminator's: dense, activation, one number a token; above 0 = not the text's own."""
    return TokenClassifier(
        nn.Linear(config.hidden, 1),
        transform=nn.Sequential(
            nn.Linear(config.hidden, config.hidden), activation(config.activation)
        ),
    )


def before_classifier(config: Config) -> float:
    """The rate of dropout there."""
    return config.dropout if config.classifier_dropout is None else config.classifier_dropout


def classifier(config: Config, body: Encoder, labels: int) -> Classifier:
    """The first token's state through dropout, a dense layer and GELU, then linear."""
    rate = before_classifier(config)
    return Classifier(
        "first",
        nn.Linear(config.hidden, labels),
        transform=nn.Sequential(nn.Linear(config.hidden, config.hidden), activation("gelu")),
        transform_dropout=rate,
        dropout=rate,
    )


def choice_head(config: Config, body: Encoder, labels: int) -> Classifier:
    """One state of the text through a dense layer and activation, then one number."""
    transform = nn.Sequential()
    if config.choice_dense:
        transform.append(nn.Linear(config.hidden, config.hidden))
    if config.choice_activation:
        transform.append(activation(config.choice_activation))
    return Classifier(
        POOLINGS[config.choice_pooling],
        nn.Linear(config.hidden, 1),
        transform=transform,
        dropout=config.choice_dropout,
    )


def token_classifier(config: Config, body: Encoder, labels: int) -> TokenClassifier:
    """Each token's state through one linear layer."""
    return TokenClassifier(nn.Linear(config.hidden, labels), dropout=before_classifier(config))


def span_head(config: Config, body: Encoder, labels: int) -> SpanHead:
    """Each token's state through one linear layer to a start and an end."""
    return SpanHead(nn.Linear(config.hidden, 2))


HEADS = {
    "fill-mask": HeadSpec(
        "ForMaskedLM",
        masked_word_head,
        (
            ("transform.0.*", "generator_predictions.dense.*"),
            ("transform.2.*", "generator_predictions.LayerNorm.*"),
            ("output.*", "generator_lm_head.*"),
        ),
    ),
    "replaced-token": HeadSpec(
        "ForPreTraining",
        replaced_token_head,
        (
            ("transform.0.*", "discriminator_predictions.dense.*"),
            ("output.*", "discriminator_predictions.dense_prediction.*"),
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
        (("transform.0.*", "sequence_summary.summary.*"), ("output.*", "classifier.*")),
    ),
}
