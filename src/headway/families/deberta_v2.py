"""DeBERTa, versions 2 and 3: an encoder whose attention sees content and distance apart.

Sources: He et al. 2020, arXiv 2006.03654; version 3: He et al. 2021, arXiv 2111.09543.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from torch import nn

from headway.core.attention import SelfAttention, equal_parts
from headway.core.blocks import PostNormBlock
from headway.core.disentangled import TERMS, DisentangledAttention, RelativeVectors
from headway.core.embeddings import Embeddings
from headway.core.feedforward import ActivationName, FeedForward, activation
from headway.core.fields import (
    Choice,
    Count,
    Depth,
    NotNegative,
    Range,
    Rate,
    RowNumber,
    Rows,
    Size,
    read_fields,
    write_fields,
)
from headway.core.names import Doubled, Fused, Row
from headway.core.positions import LearnedPositions
from headway.core.stacks import Encoder
from headway.errors import CheckpointError
from headway.heads import Classifier, HeadSpec, LanguageModelHead, SpanHead, TokenClassifier

SizeOrNone = Annotated[int, Range(-1, 2**20)]
"""A size; 0 and below are none."""


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are those of the ecosystem's config class."""

    vocabulary: Rows = 128100
    """Rows of the word table."""
    hidden: Size = 1536
    """Size of a hidden state."""
    layers: Depth = 24
    """Blocks."""
    heads: Count = 24
    """Attention heads a block."""
    inner: Size = 6144
    """Size inside the feed-forward layer."""
    activation: ActivationName = "gelu"
    """Name of the one in the feed-forward layer and in the masked-word head."""
    positions: Rows = 512
    """Longest text, in tokens."""
    absolute: bool = True
    """Whether words have a position's vector added."""
    segments: RowNumber = 0
    """Rows of the segment table; 0 = none."""
    relative: bool = False
    """Whether attention sees distances."""
    terms: Annotated[str, Choice(("none", *TERMS, "c2p|p2c", "p2c|c2p"))] = "none"
    """What scores have beside content to content."""
    farthest: SizeOrNone = -1
    """Distance, in tokens, from which on all share a vector; none = `positions`."""
    buckets: SizeOrNone = -1
    """Vectors of distances in each direction, the far ones log-wide; none = one for each."""
    shared_projections: bool = False
    """Whether vectors of distances are projected as tokens are."""
    relative_norm: Annotated[str, Choice(("none", "layer_norm"))] = "none"
    """What normalises them."""
    norm_epsilon: NotNegative = 1e-7
    """Added to the variance in norms."""
    dropout: Rate = 0.1
    """Rate on hidden states and on vectors of distances while training."""
    attention_dropout: Rate = 0.1
    """Rate on attention maps while training."""
    pooler_dropout: Rate = 0.0
    """Rate before the pooler's dense layer."""
    pooler_activation: ActivationName = "gelu"
    """What bends it."""
    classifier_dropout: Rate | None = None
    """Rate before the classifier of texts; None = dropout."""
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
    ("absolute", "position_biased_input"),
    ("segments", "type_vocab_size"),
    ("relative", "relative_attention"),
    ("terms", "pos_att_type"),
    ("farthest", "max_relative_positions"),
    ("buckets", "position_buckets"),
    ("shared_projections", "share_att_key"),
    ("relative_norm", "norm_rel_ebd"),
    ("norm_epsilon", "layer_norm_eps"),
    ("dropout", "hidden_dropout_prob"),
    ("attention_dropout", "attention_probs_dropout_prob"),
    ("pooler_dropout", "pooler_dropout"),
    ("pooler_activation", "pooler_hidden_act"),
    ("classifier_dropout", "cls_dropout"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

FIXED = {"conv_kernel_size": (0,), "z_steps": (0,), "is_decoder": (False,)}

DERIVED = ("attention_head_size", "embedding_size", "pooler_hidden_size")
"""Sizes that config.json may hold, and that must be what follows from the others."""

IGNORED_KEYS = frozenset({"conv_act", "conv_groups", "legacy", *DERIVED})
"""Of the convolution that version 3 has not, and under which names the masked-word head lies."""

CLASSES = {"deberta-v2": "DebertaV2"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    told = {**values, "pos_att_type": _joined(values.get("pos_att_type"))}
    config = read_fields(Config, FIELDS, told, fixed=FIXED, ignored=IGNORED_KEYS)
    follows = (config.hidden // config.heads, config.hidden, config.hidden)
    for key, wanted in zip(DERIVED, follows, strict=True):
        if values.get(key, wanted) != wanted:
            raise CheckpointError(
                f"config.json: {key} = {values[key]!r} beside hidden_size = {config.hidden} and "
                f"num_attention_heads = {config.heads} is not supported",
                allowed=f"{wanted}",
            )
    if config.relative and config.terms == "none":
        raise CheckpointError(
            "config.json: relative_attention = True, and pos_att_type names no use of it",
            allowed=", ".join(TERMS),
        )
    if config.relative_norm != "none" and not config.relative:
        raise CheckpointError(
            f"config.json: norm_rel_ebd = {config.relative_norm!r} without relative_attention",
            allowed="'none'",
        )
    return config


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    values = {"model_type": "deberta-v2", **write_fields(config, FIELDS)}
    return {**values, "pos_att_type": None if config.terms == "none" else config.terms}


def _joined(terms: Any) -> Any:
    """`pos_att_type` as one word; a list, or words with bars between, in older files."""
    if terms is None or terms == []:
        return "none"
    if isinstance(terms, list) and all(isinstance(term, str) for term in terms):
        return "|".join(terms)
    if isinstance(terms, str):
        return "|".join(term.strip() for term in terms.lower().split("|"))
    return terms


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> Encoder:
    """The encoder, with fresh weights."""
    vectors = relative_vectors(config) if config.relative else None
    embeddings = Embeddings(
        nn.Embedding(config.vocabulary, config.hidden),
        positions=LearnedPositions(config.positions, config.hidden) if config.absolute else None,
        segments=nn.Embedding(config.segments, config.hidden) if config.segments else None,
        norm=norm(config),
        dropout=config.dropout,
    )
    layers = [
        PostNormBlock(
            attention=attention(config, vectors),
            attention_norm=norm(config),
            feedforward=FeedForward(config.hidden, config.inner, activation(config.activation)),
            feedforward_norm=norm(config),
            dropout=config.dropout,
        )
        for _ in range(config.layers)
    ]
    return Encoder(embeddings, layers, shared=vectors)


def norm(config: Config) -> nn.LayerNorm:
    """The one that stands everywhere."""
    return nn.LayerNorm(config.hidden, eps=config.norm_epsilon)


def relative_vectors(config: Config) -> RelativeVectors:
    """The vectors of distances, for all blocks."""
    return RelativeVectors(
        config.hidden,
        farthest=config.farthest if config.farthest > 0 else config.positions,
        buckets=config.buckets if config.buckets > 0 else None,
        norm=norm(config) if config.relative_norm == "layer_norm" else None,
    )


def attention(
    config: Config, vectors: RelativeVectors | None
) -> DisentangledAttention | SelfAttention:
    """A block's attention; scores are scaled for their terms also where distances are not seen."""
    terms = () if config.terms == "none" else tuple(config.terms.split("|"))
    if vectors is None:
        scale = (equal_parts(config.hidden, config.heads) * (1 + len(terms))) ** -0.5
        return SelfAttention(
            config.hidden, config.heads, scale=scale, dropout=config.attention_dropout
        )
    return DisentangledAttention(
        config.hidden,
        config.heads,
        vectors,
        terms=terms,
        own_projections=not config.shared_projections,
        dropout=config.attention_dropout,
        position_dropout=config.dropout,
    )


PREFIX = "deberta."

NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "embeddings.word_embeddings.weight"),
    ("embeddings.positions.weight", "embeddings.position_embeddings.weight"),
    ("embeddings.segments.weight", "embeddings.token_type_embeddings.weight"),
    ("embeddings.norm.*", "embeddings.LayerNorm.*"),
    ("shared.vectors.weight", "encoder.rel_embeddings.weight"),
    ("shared.norm.*", "encoder.LayerNorm.*"),
    (
        "layers.#.attention.qkv.*",
        Fused(
            "encoder.layer.#.attention.self.query_proj.*",
            "encoder.layer.#.attention.self.key_proj.*",
            "encoder.layer.#.attention.self.value_proj.*",
        ),
    ),
    ("layers.#.attention.position_key.*", "encoder.layer.#.attention.self.pos_key_proj.*"),
    ("layers.#.attention.position_query.*", "encoder.layer.#.attention.self.pos_query_proj.*"),
    ("layers.#.attention.output.*", "encoder.layer.#.attention.output.dense.*"),
    ("layers.#.attention_norm.*", "encoder.layer.#.attention.output.LayerNorm.*"),
    ("layers.#.feedforward.up.*", "encoder.layer.#.intermediate.dense.*"),
    ("layers.#.feedforward.down.*", "encoder.layer.#.output.dense.*"),
    ("layers.#.feedforward_norm.*", "encoder.layer.#.output.LayerNorm.*"),
)

OTHER_HEADS = (
    *("cls.*", "lm_predictions.*", "mask_predictions.*"),
    *("pooler.*", "classifier.*", "qa_outputs.*"),
)
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = (
    "embeddings.position_ids",
    "deberta.embeddings.position_ids",
    "embeddings.position_embeddings.weight",
    "deberta.embeddings.position_embeddings.weight",
)
"""Tensors that hold no weights, and positions that a file has though its config adds none."""

OUTPUT_BIAS = ("cls.predictions.bias", "cls.predictions.decoder.bias")

# With `legacy` = false, and in the released files, the masked-word head has other names.
_TRANSFORM = "cls.predictions.transform"
_LATER = "lm_predictions.lm_head"
_PARTS = ("dense.weight", "dense.bias", "LayerNorm.weight", "LayerNorm.bias")

SPARES = (
    OUTPUT_BIAS,
    OUTPUT_BIAS[::-1],
    *((f"{_TRANSFORM}.{part}", f"{_LATER}.{part}") for part in _PARTS),
    *((name, f"{_LATER}.bias") for name in OUTPUT_BIAS),
)


def masked_word_head(config: Config, body: Encoder, labels: int) -> LanguageModelHead:
    """Dense, activation, norm, then the word table turned around."""
    transform = nn.Sequential(
        nn.Linear(config.hidden, config.hidden), activation(config.activation), norm(config)
    )
    output = nn.Linear(config.hidden, config.vocabulary)
    if config.tied:
        output.weight = body.embeddings.words.weight
    return LanguageModelHead(output, transform=transform)


def classifier(config: Config, body: Encoder, labels: int) -> Classifier:
    """The first token's state through a dense layer and activation (the pooler), then linear."""
    rate = config.dropout if config.classifier_dropout is None else config.classifier_dropout
    return Classifier(
        "first",
        nn.Linear(config.hidden, labels),
        transform=nn.Sequential(
            nn.Linear(config.hidden, config.hidden), activation(config.pooler_activation)
        ),
        transform_dropout=config.pooler_dropout,
        dropout=rate,
    )


def choice_head(config: Config, body: Encoder, labels: int) -> Classifier:
    """The classifier with one output: how well this choice fits."""
    return classifier(config, body, 1)


def token_classifier(config: Config, body: Encoder, labels: int) -> TokenClassifier:
    """Each token's state through one linear layer."""
    return TokenClassifier(nn.Linear(config.hidden, labels), dropout=config.dropout)


def span_head(config: Config, body: Encoder, labels: int) -> SpanHead:
    """Each token's state through one linear layer to a start and an end."""
    return SpanHead(nn.Linear(config.hidden, 2))


POOLED = (("transform.0.*", "pooler.dense.*"), ("output.*", "classifier.*"))
"""Rows of the heads that read the pooler."""

HEADS = {
    "fill-mask": HeadSpec(
        "ForMaskedLM",
        masked_word_head,
        (
            ("transform.0.*", f"{_TRANSFORM}.dense.*"),
            ("transform.2.*", f"{_TRANSFORM}.LayerNorm.*"),
            ("output.weight", "cls.predictions.decoder.weight"),
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
