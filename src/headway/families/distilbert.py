"""DistilBERT: BERT's encoder at half the depth, without segments and without the pooler.

Source: Sanh et al. 2019, arXiv 1910.01108.
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
from headway.core.names import Fused, Row
from headway.core.positions import LearnedPositions, SinusoidalPositions
from headway.core.stacks import Encoder
from headway.heads import Classifier, HeadSpec, LanguageModelHead, SpanHead, TokenClassifier

NORM_EPSILON = 1e-12


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are distilbert-base-uncased's."""

    vocabulary: Rows = 30522
    """Rows of the word table."""
    hidden: Size = 768
    """Size of a hidden state."""
    layers: Depth = 6
    """Blocks."""
    heads: Count = 12
    """Attention heads a block."""
    inner: Size = 3072
    """Size inside the feed-forward layer."""
    activation: ActivationName = "gelu"
    """Name of the one in the feed-forward layer and in the masked-word head."""
    positions: Rows = 512
    """Longest text, in tokens."""
    sinusoidal: bool = False
    """Whether fresh positions start as sines and cosines."""
    dropout: Rate = 0.1
    """Rate on hidden states while training."""
    attention_dropout: Rate = 0.1
    """Rate on attention maps while training."""
    classifier_dropout: Rate = 0.2
    """Rate before the classifier."""
    answer_dropout: Rate = 0.1
    """Rate before the question-answering head."""
    tied: bool = True
    """Whether the masked-word head shares the word table."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("vocabulary", "vocab_size"),
    ("hidden", "dim"),
    ("layers", "n_layers"),
    ("heads", "n_heads"),
    ("inner", "hidden_dim"),
    ("activation", "activation"),
    ("positions", "max_position_embeddings"),
    ("sinusoidal", "sinusoidal_pos_embds"),
    ("dropout", "dropout"),
    ("attention_dropout", "attention_dropout"),
    ("classifier_dropout", "seq_classif_dropout"),
    ("answer_dropout", "qa_dropout"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

FIXED = {"is_decoder": (False,)}

IGNORED_KEYS = frozenset({"tie_weights_"})
"""Of the released models; nothing ever read it."""

CLASSES = {"distilbert": "DistilBert"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    return read_fields(Config, FIELDS, values, fixed=FIXED, ignored=IGNORED_KEYS)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "distilbert", **write_fields(config, FIELDS)}


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> Encoder:
    """The encoder, with fresh weights."""

    def norm() -> nn.LayerNorm:
        return nn.LayerNorm(config.hidden, eps=NORM_EPSILON)

    positions = SinusoidalPositions if config.sinusoidal else LearnedPositions
    embeddings = Embeddings(
        nn.Embedding(config.vocabulary, config.hidden),
        positions=positions(config.positions, config.hidden),
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
            attention_dropout=0.0,
        )
        for _ in range(config.layers)
    ]
    return Encoder(embeddings, layers)


PREFIX = "distilbert."

NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "embeddings.word_embeddings.weight"),
    ("embeddings.positions.weight", "embeddings.position_embeddings.weight"),
    ("embeddings.norm.*", "embeddings.LayerNorm.*"),
    (
        "layers.#.attention.qkv.*",
        Fused(
            "transformer.layer.#.attention.q_lin.*",
            "transformer.layer.#.attention.k_lin.*",
            "transformer.layer.#.attention.v_lin.*",
        ),
    ),
    ("layers.#.attention.output.*", "transformer.layer.#.attention.out_lin.*"),
    ("layers.#.attention_norm.*", "transformer.layer.#.sa_layer_norm.*"),
    ("layers.#.feedforward.up.*", "transformer.layer.#.ffn.lin1.*"),
    ("layers.#.feedforward.down.*", "transformer.layer.#.ffn.lin2.*"),
    ("layers.#.feedforward_norm.*", "transformer.layer.#.output_layer_norm.*"),
)

OTHER_HEADS = (
    "vocab_transform.*",
    "vocab_layer_norm.*",
    "vocab_projector.*",
    "pre_classifier.*",
    "classifier.*",
    "qa_outputs.*",
)
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = ("embeddings.position_ids", "distilbert.embeddings.position_ids")
"""Tensors that hold no weights."""

SPARES = ()


def masked_word_head(config: Config, body: Encoder, labels: int) -> LanguageModelHead:
    """Dense, activation, norm, then the word table turned around."""
    transform = nn.Sequential(
        nn.Linear(config.hidden, config.hidden),
        activation(config.activation),
        nn.LayerNorm(config.hidden, eps=NORM_EPSILON),
    )
    output = nn.Linear(config.hidden, config.vocabulary)
    if config.tied:
        output.weight = body.embeddings.words.weight
    return LanguageModelHead(output, transform=transform)


def classifier(config: Config, body: Encoder, labels: int) -> Classifier:
    """The first token's state through a dense layer and ReLU, then linear."""
    return Classifier(
        "first",
        nn.Linear(config.hidden, labels),
        transform=nn.Sequential(nn.Linear(config.hidden, config.hidden), activation("relu")),
        dropout=config.classifier_dropout,
    )


def choice_head(config: Config, body: Encoder, labels: int) -> Classifier:
    """The classifier with one output: how well this choice fits."""
    return classifier(config, body, 1)


def token_classifier(config: Config, body: Encoder, labels: int) -> TokenClassifier:
    """Each token's state through one linear layer."""
    return TokenClassifier(nn.Linear(config.hidden, labels), dropout=config.dropout)


def span_head(config: Config, body: Encoder, labels: int) -> SpanHead:
    """Each token's state through one linear layer to a start and an end."""
    return SpanHead(nn.Linear(config.hidden, 2), dropout=config.answer_dropout)


POOLED = (("transform.0.*", "pre_classifier.*"), ("output.*", "classifier.*"))
"""Rows of the heads that read the first token."""

HEADS = {
    "fill-mask": HeadSpec(
        "ForMaskedLM",
        masked_word_head,
        (
            ("transform.0.*", "vocab_transform.*"),
            ("transform.2.*", "vocab_layer_norm.*"),
            ("output.*", "vocab_projector.*"),
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
