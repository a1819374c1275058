"""GPT-2 (and DialoGPT): a decoder with learned positions and norms before each half-block.

Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from headway.core.attention import CrossAttention, SelfAttention
from headway.core.blocks import PreNormBlock, PreNormCrossBlock
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
from headway.core.initial import initialise_by_depth
from headway.core.names import Row, Transposed
from headway.core.positions import LearnedPositions
from headway.core.stacks import Decoder
from headway.heads import Classifier, HeadSpec, LanguageModelHead


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are those of the smallest GPT-2."""

    vocabulary: Rows = 50257
    """Rows of the word table."""
    hidden: Size = 768
    """Size of a hidden state."""
    layers: Depth = 12
    """Blocks."""
    heads: Count = 12
    """Attention heads a block."""
    inner: Size | None = None
    """Size inside the feed-forward layer; None = 4 * hidden."""
    activation: ActivationName = "gelu_new"
    """Name of the one in the feed-forward layer."""
    positions: Rows = 1024
    """Longest text, in tokens."""
    norm_epsilon: NotNegative = 1e-5
    """Added to the variance in norms."""
    dropout: Rate = 0.1
    """Rate on what each half-block adds while training."""
    embedding_dropout: Rate = 0.1
    """Rate on the embeddings while training."""
    attention_dropout: Rate = 0.1
    """Rate on attention maps while training."""
    scaled_scores: bool = True
    """Whether attention scores are divided by the root of a head's size."""
    scaled_by_layer: bool = False
    """Whether they are divided by the block's number too, counted from 1."""
    tied: bool = True
    """Whether the language head shares the word table."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("vocabulary", "vocab_size"),
    ("hidden", "n_embd"),
    ("layers", "n_layer"),
    ("heads", "n_head"),
    ("inner", "n_inner"),
    ("activation", "activation_function"),
    ("positions", "n_positions"),
    ("norm_epsilon", "layer_norm_epsilon"),
    ("dropout", "resid_pdrop"),
    ("embedding_dropout", "embd_pdrop"),
    ("attention_dropout", "attn_pdrop"),
    ("scaled_scores", "scale_attn_weights"),
    ("scaled_by_layer", "scale_attn_by_inverse_layer_idx"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

FIXED = {"reorder_and_upcast_attn": (False,)}

IGNORED_KEYS = frozenset(
    {
        "n_ctx",
        "summary_activation",
        "summary_first_dropout",
        "summary_proj_to_labels",
        "summary_type",
        "summary_use_proj",
    }
)
"""An older name of n_positions, and what only the two-headed model reads."""

CLASSES = {"gpt2": "GPT2"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    return read_fields(Config, FIELDS, values, fixed=FIXED, ignored=IGNORED_KEYS)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "gpt2", **write_fields(config, FIELDS)}


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> Decoder:
    """The decoder, with fresh weights."""
    layers = [
        PreNormBlock(**halves(config, number), dropout=config.dropout)
        for number in range(1, config.layers + 1)
    ]
    return Decoder(embeddings(config), layers, norm=norm(config))


def start(config: Config, body: Decoder) -> None:
    """Fresh weights; what blocks add starts smaller, the more there are."""
    initialise_by_depth(body, config.initial_std, config.layers)


def build_decoder(config: Config) -> Decoder:
    """The same stack with a look at an encoder of its size in each block, with fresh weights."""
    layers = [
        PreNormCrossBlock(
            **halves(config, number),
            cross_attention=CrossAttention(
                config.hidden,
                config.heads,
                scale=score_scale(config, number),
                dropout=config.attention_dropout,
            ),
            cross_attention_norm=norm(config),
            dropout=config.dropout,
        )
        for number in range(1, config.layers + 1)
    ]
    return Decoder(embeddings(config), layers, norm=norm(config))


def halves(config: Config, number: int) -> dict[str, Any]:
    """Attention and feed-forward of block `number`, counted from 1, each with its norm."""
    inner = 4 * config.hidden if config.inner is None else config.inner
    return {
        "attention": SelfAttention(
            config.hidden,
            config.heads,
            scale=score_scale(config, number),
            dropout=config.attention_dropout,
        ),
        "attention_norm": norm(config),
        "feedforward": FeedForward(config.hidden, inner, activation(config.activation)),
        "feedforward_norm": norm(config),
    }


def embeddings(config: Config) -> Embeddings:
    """Words, positions and, where they are given, segments that are words."""
    return Embeddings(
        nn.Embedding(config.vocabulary, config.hidden),
        positions=LearnedPositions(config.positions, config.hidden),
        word_segments=True,
        dropout=config.embedding_dropout,
    )


def norm(config: Config) -> nn.LayerNorm:
    """One of the stack's norms."""
    return nn.LayerNorm(config.hidden, eps=config.norm_epsilon)


def score_scale(config: Config, number: int) -> float:
    """What the attention scores of block `number`, counted from 1, are multiplied by."""
    scale = (config.hidden // config.heads) ** -0.5 if config.scaled_scores else 1.0
    return scale / number if config.scaled_by_layer else scale


PREFIX = "transformer."

NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "wte.weight"),
    ("embeddings.positions.weight", "wpe.weight"),
    ("layers.#.attention_norm.*", "h.#.ln_1.*"),
    ("layers.#.attention.qkv.weight", Transposed("h.#.attn.c_attn.weight")),
    ("layers.#.attention.qkv.bias", "h.#.attn.c_attn.bias"),
    ("layers.#.attention.output.weight", Transposed("h.#.attn.c_proj.weight")),
    ("layers.#.attention.output.bias", "h.#.attn.c_proj.bias"),
    ("layers.#.feedforward_norm.*", "h.#.ln_2.*"),
    ("layers.#.feedforward.up.weight", Transposed("h.#.mlp.c_fc.weight")),
    ("layers.#.feedforward.up.bias", "h.#.mlp.c_fc.bias"),
    ("layers.#.feedforward.down.weight", Transposed("h.#.mlp.c_proj.weight")),
    ("layers.#.feedforward.down.bias", "h.#.mlp.c_proj.bias"),
    ("norm.*", "ln_f.*"),
)

CROSS_NAMES: tuple[Row, ...] = (
    ("layers.#.cross_attention_norm.*", "h.#.ln_cross_attn.*"),
    ("layers.#.cross_attention.q.weight", Transposed("h.#.crossattention.q_attn.weight")),
    ("layers.#.cross_attention.q.bias", "h.#.crossattention.q_attn.bias"),
    ("layers.#.cross_attention.kv.weight", Transposed("h.#.crossattention.c_attn.weight")),
    ("layers.#.cross_attention.kv.bias", "h.#.crossattention.c_attn.bias"),
    ("layers.#.cross_attention.output.weight", Transposed("h.#.crossattention.c_proj.weight")),
    ("layers.#.cross_attention.output.bias", "h.#.crossattention.c_proj.bias"),
)

OTHER_HEADS = ("lm_head.*", "score.*", "classifier.*", "qa_outputs.*", "multiple_choice_head.*")
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = (
    "h.#.attn.bias",
    "h.#.attn.masked_bias",
    "transformer.h.#.attn.bias",
    "transformer.h.#.attn.masked_bias",
)
"""The causal mask, which older checkpoints hold."""

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

WRITES = "text-generation"
"""Whose head the stack writes with as a decoder behind an encoder."""
