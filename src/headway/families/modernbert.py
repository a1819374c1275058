"""ModernBERT: an encoder with rotary positions, most of whose blocks see a window only.

Pre-norm blocks with gated feed-forward layers, none with biases in the released models. Every third
block sees the whole text, and its positions turn more slowly.

Source: Warner et al. 2024, arXiv 2412.13663.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from torch import nn

from headway.core.attention import SelfAttention
from headway.core.blocks import PreNormBlock
from headway.core.embeddings import Embeddings
from headway.core.feedforward import ActivationName, GatedFeedForward, activation
from headway.core.fields import (
    Choice,
    Count,
    Depth,
    NotNegative,
    Positive,
    Rate,
    RowNumber,
    Rows,
    Size,
    check_value,
    read_fields,
    write_fields,
)
from headway.core.initial import initialise_by_depth
from headway.core.masks import Local, everywhere
from headway.core.names import Row
from headway.core.positions import Rotary, rotary_frequencies
from headway.core.stacks import AttentionKind, Encoder
from headway.errors import CheckpointError
from headway.heads import Classifier, HeadSpec, LanguageModelHead, SpanHead, TokenClassifier

GLOBAL, LOCAL = "full_attention", "sliding_attention"

POOLINGS = {"cls": "first", "mean": "mean"}
"""Their name -> ours."""


@dataclass(frozen=True)
class Rope:
    """How positions turn queries and keys: the slowest pair turns once in 2 pi * base positions."""

    global_base: Positive = 160000.0
    """In blocks that see the whole text."""
    local_base: Positive = 10000.0
    """In blocks that see a window."""


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are ModernBERT base's."""

    vocabulary: Rows = 50368
    """Rows of the word table."""
    hidden: Size = 768
    """Size of a hidden state."""
    layers: Depth = 22
    """Blocks."""
    heads: Count = 12
    """Attention heads a block."""
    inner: Size = 1152
    """Size inside the feed-forward layer."""
    activation: ActivationName = "gelu"
    """Name of the one on the gate."""
    positions: Rows = 8192
    """Longest text, in tokens, that the model was made for."""
    window: RowNumber = 128
    """How wide a window is, in tokens: half of it on each side."""
    kinds: tuple[Annotated[str, Choice((GLOBAL, LOCAL))], ...] | None = None
    """How each block attends; None = every third from the first on sees the whole text."""
    rope: Rope = Rope()
    """How positions turn queries and keys."""
    norm_epsilon: NotNegative = 1e-5
    """Added to the variance in norms."""
    norm_bias: bool = False
    """Whether norms have one."""
    attention_bias: bool = False
    """Whether the projections in attention have biases."""
    feedforward_bias: bool = False
    """Whether the feed-forward layer has biases."""
    attention_dropout: Rate = 0.0
    """Rate on attention maps and behind attention while training."""
    embedding_dropout: Rate = 0.0
    """Rate on the embeddings while training."""
    feedforward_dropout: Rate = 0.0
    """Rate inside the feed-forward layer while training."""
    classifier_dropout: Rate = 0.0
    """Rate before the classifier while training."""
    classifier_pooling: Annotated[str, Choice(tuple(POOLINGS))] = "cls"
    """What the classifier sees of a text: its first token's state, or the mean."""
    head_activation: ActivationName = "gelu"
    """Name of the one in heads."""
    head_bias: bool = False
    """Whether the dense layer of heads has a bias."""
    output_bias: bool = True
    """Whether the masked-word head has one on the vocabulary."""
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
    ("activation", "hidden_activation"),
    ("positions", "max_position_embeddings"),
    ("window", "local_attention"),
    ("kinds", "layer_types"),
    ("norm_epsilon", "norm_eps"),
    ("norm_bias", "norm_bias"),
    ("attention_bias", "attention_bias"),
    ("feedforward_bias", "mlp_bias"),
    ("attention_dropout", "attention_dropout"),
    ("embedding_dropout", "embedding_dropout"),
    ("feedforward_dropout", "mlp_dropout"),
    ("classifier_dropout", "classifier_dropout"),
    ("classifier_pooling", "classifier_pooling"),
    ("head_activation", "classifier_activation"),
    ("head_bias", "classifier_bias"),
    ("output_bias", "decoder_bias"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

EVERY, GLOBAL_BASE, LOCAL_BASE = (
    "global_attn_every_n_layers",
    "global_rope_theta",
    "local_rope_theta",
)
"""Keys of older files."""

ROPE_FIXED = {"rope_type": ("default",), "partial_rotary_factor": (1.0, None)}

FIXED = {"position_embedding_type": ("absolute", None), "rope_scaling": (None,)}

IGNORED_KEYS = frozenset(
    {
        *(EVERY, GLOBAL_BASE, LOCAL_BASE, "rope_parameters"),
        *("cls_token_id", "deterministic_flash_attn", "initializer_cutoff_factor"),
        *("layer_norm_eps", "reference_compile", "repad_logits_with_grad"),
        *("sparse_pred_ignore_index", "sparse_prediction"),
    }
)
"""Keys that `kinds_of` and `read_rope` read, and those that change no result."""

CLASSES = {"modernbert": "ModernBert"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    config = read_fields(Config, FIELDS, values, fixed=FIXED, ignored=IGNORED_KEYS)
    every = check_value(EVERY, values.get(EVERY, 3), Count)
    config = dataclasses.replace(config, rope=read_rope(values), kinds=kinds_of(config, every))
    if len(kinds_of(config)) != config.layers:
        raise CheckpointError(
            f"config.json: layer_types of {len(kinds_of(config))} layers",
            allowed=f"num_hidden_layers = {config.layers} of them",
        )
    return config


def kinds_of(config: Config, every: int = 3) -> tuple[str, ...]:
    """How each block attends: as the config says, or each `every`-th sees the whole text."""
    if config.kinds is not None:
        return config.kinds
    return tuple(LOCAL if number % every else GLOBAL for number in range(config.layers))


def read_rope(values: Mapping[str, Any]) -> Rope:
    """Newer files say it in rope_parameters, older ones in two keys of their own."""
    given = values.get("rope_parameters") or {}
    bases = {}
    for kind, key, ours in (
        (GLOBAL, GLOBAL_BASE, "global_base"),
        (LOCAL, LOCAL_BASE, "local_base"),
    ):
        said = given.get(kind) or {} if isinstance(given, Mapping) else None
        if not isinstance(said, Mapping):
            raise CheckpointError(
                f"config.json: rope_parameters = {given!r}", allowed="an object for each layer type"
            )
        if key in values:
            said = {"rope_theta": values[key], **said}
        read = read_fields(Rope, ((ours, "rope_theta"),), said, fixed=ROPE_FIXED)
        bases[ours] = getattr(read, ours)
    return Rope(**bases)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds; positions and kinds of layers in the newer way and the older."""
    kinds = list(kinds_of(config))
    every = kinds.index(GLOBAL, 1) if GLOBAL in kinds[1:] else config.layers
    regular = [LOCAL if number % every else GLOBAL for number in range(config.layers)] == kinds
    rope = config.rope
    return {
        "model_type": "modernbert",
        **write_fields(config, FIELDS),
        "layer_types": kinds,
        "rope_parameters": {
            GLOBAL: {"rope_type": "default", "rope_theta": rope.global_base},
            LOCAL: {"rope_type": "default", "rope_theta": rope.local_base},
        },
        GLOBAL_BASE: rope.global_base,
        LOCAL_BASE: rope.local_base,
        **({EVERY: every} if regular else {}),
    }


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> Encoder:
    """The encoder, with fresh weights."""
    size = config.hidden // config.heads
    kinds = {
        GLOBAL: AttentionKind(
            everywhere, Rotary(rotary_frequencies(size, config.rope.global_base))
        ),
        LOCAL: AttentionKind(
            Local(config.window), Rotary(rotary_frequencies(size, config.rope.local_base))
        ),
    }
    attends = [kinds[kind] for kind in kinds_of(config)]
    layers = [
        PreNormBlock(
            attention=SelfAttention(
                config.hidden,
                config.heads,
                bias=config.attention_bias,
                dropout=config.attention_dropout,
                rotary=kind.rotary,
            ),
            attention_norm=norm(config) if number else nn.Identity(),  # the embeddings end in one
            feedforward=GatedFeedForward(
                config.hidden,
                config.inner,
                activation(config.activation),
                bias=config.feedforward_bias,
                dropout=config.feedforward_dropout,
            ),
            feedforward_norm=norm(config),
            attention_dropout=config.attention_dropout,
        )
        for number, kind in enumerate(attends)
    ]
    words = nn.Embedding(config.vocabulary, config.hidden)
    embeddings = Embeddings(words, norm=norm(config), dropout=config.embedding_dropout)
    return Encoder(embeddings, layers, norm=norm(config), kinds=attends)


def start(config: Config, body: Encoder) -> None:
    """Fresh weights; what blocks add starts smaller, the more there are."""
    initialise_by_depth(body, config.initial_std, config.layers)


def norm(config: Config) -> nn.LayerNorm:
    """A norm as it stands everywhere in the model."""
    return nn.LayerNorm(config.hidden, eps=config.norm_epsilon, bias=config.norm_bias)


PREFIX = "model."

NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "embeddings.tok_embeddings.weight"),
    ("embeddings.norm.*", "embeddings.norm.*"),
    ("layers.#.attention_norm.*", "layers.#.attn_norm.*"),
    ("layers.#.attention.qkv.*", "layers.#.attn.Wqkv.*"),
    ("layers.#.attention.output.*", "layers.#.attn.Wo.*"),
    ("layers.#.feedforward_norm.*", "layers.#.mlp_norm.*"),
    ("layers.#.feedforward.gate_value.*", "layers.#.mlp.Wi.*"),
    ("layers.#.feedforward.down.*", "layers.#.mlp.Wo.*"),
    ("norm.*", "final_norm.*"),
)

OTHER_HEADS = ("head.*", "decoder.*", "classifier.*")
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = ()

SPARES = ()

TRANSFORM: tuple[Row, ...] = (
    ("transform.0.*", "head.dense.*"),
    ("transform.2.*", "head.norm.*"),
)
"""The layers that all heads begin with."""


def transform(config: Config) -> nn.Sequential:
    """Dense, activation, norm."""
    return nn.Sequential(
        nn.Linear(config.hidden, config.hidden, bias=config.head_bias),
        activation(config.head_activation),
        norm(config),
    )


def masked_word_head(config: Config, body: Encoder, labels: int) -> LanguageModelHead:
    """The transform, then the word table turned around."""
    output = nn.Linear(config.hidden, config.vocabulary, bias=config.output_bias)
    if config.tied:
        output.weight = body.embeddings.words.weight
    return LanguageModelHead(output, transform=transform(config))


def classifier(config: Config, body: Encoder, labels: int) -> Classifier:
    """The first token's state, or the mean, through the transform, then linear."""
    return Classifier(
        POOLINGS[config.classifier_pooling],
        nn.Linear(config.hidden, labels),
        transform=transform(config),
        dropout=config.classifier_dropout,
    )


def choice_head(config: Config, body: Encoder, labels: int) -> Classifier:
    """As the classifier, to one number: how well this choice answers."""
    return classifier(config, body, 1)


def token_classifier(config: Config, body: Encoder, labels: int) -> TokenClassifier:
    """Each token's state through the transform, then linear."""
    return TokenClassifier(
        nn.Linear(config.hidden, labels),
        transform=transform(config),
        dropout=config.classifier_dropout,
    )


def span_head(config: Config, body: Encoder, labels: int) -> SpanHead:
    """Each token's state through the transform, then linear to a start and an end."""
    return SpanHead(
        nn.Linear(config.hidden, 2), transform=transform(config), dropout=config.classifier_dropout
    )


CLASSIFIED = (*TRANSFORM, ("output.*", "classifier.*"))

HEADS = {
    "fill-mask": HeadSpec("ForMaskedLM", masked_word_head, (*TRANSFORM, ("output.*", "decoder.*"))),
    "text-classification": HeadSpec("ForSequenceClassification", classifier, CLASSIFIED),
    "token-classification": HeadSpec("ForTokenClassification", token_classifier, CLASSIFIED),
    "question-answering": HeadSpec("ForQuestionAnswering", span_head, CLASSIFIED),
    "multiple-choice": HeadSpec("ForMultipleChoice", choice_head, CLASSIFIED),
}
