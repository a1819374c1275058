"""T5: an encoder-decoder with relative positions, RMS norms, unscaled attention and no biases.

Version 1.0 has a plain feed-forward layer and a head tied to the word table; 1.1 a gated one and a
head of its own.

Source: Raffel et al. 2019, arXiv 1910.10683; version 1.1: Shazeer 2020, arXiv 2002.05202.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from torch import nn

from headway.core.attention import CrossAttention, SelfAttention
from headway.core.blocks import PreNormBlock, PreNormCrossBlock
from headway.core.embeddings import Embeddings
from headway.core.feedforward import ACTIVATIONS, FeedForward, GatedFeedForward, activation
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
from headway.core.initial import initialise
from headway.core.names import Fused, Row
from headway.core.positions import RelativeBias
from headway.core.stacks import Decoder, Encoder, EncoderDecoder
from headway.heads import HeadSpec, LanguageModelHead

FEEDFORWARDS = (*ACTIVATIONS, *(f"gated-{name}" for name in ACTIVATIONS))


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are t5-small's."""

    vocabulary: Rows = 32128
    """Rows of the word table."""
    hidden: Size = 512
    """Size of a hidden state."""
    head_size: Size = 64
    """Size of one attention head; heads * head_size need not be `hidden`."""
    inner: Size = 2048
    """Size inside the feed-forward layer."""
    layers: Depth = 6
    """Blocks of the encoder."""
    decoder_layers: Depth | None = None
    """Blocks of the decoder; None = as many."""
    heads: Count = 8
    """Attention heads a block."""
    buckets: Count = 32
    """Distances that the relative bias tells apart."""
    farthest: Size = 128
    """Distance, in tokens, from which on all share a bucket."""
    feedforward: Annotated[str, Choice(FEEDFORWARDS)] = "relu"
    """An activation's name, or `gated-` and one."""
    norm_epsilon: NotNegative = 1e-6
    """Added to the mean square in norms."""
    dropout: Rate = 0.1
    """Rate while training."""
    tied: bool = True
    """Whether the language head shares the word table."""
    scaled: bool = True
    """Whether it is fed states divided by the root of their size."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("vocabulary", "vocab_size"),
    ("hidden", "d_model"),
    ("head_size", "d_kv"),
    ("inner", "d_ff"),
    ("layers", "num_layers"),
    ("decoder_layers", "num_decoder_layers"),
    ("heads", "num_heads"),
    ("buckets", "relative_attention_num_buckets"),
    ("farthest", "relative_attention_max_distance"),
    ("feedforward", "feed_forward_proj"),
    ("norm_epsilon", "layer_norm_epsilon"),
    ("dropout", "dropout_rate"),
    ("tied", "tie_word_embeddings"),
    ("scaled", "scale_decoder_outputs"),
    ("initial_std", "initializer_range"),
)

IGNORED_KEYS = frozenset({"n_positions", "classifier_dropout", "dense_act_fn", "is_gated_act"})

CLASSES = {"t5": "T5"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds.

    `tie_word_embeddings` tells both things where it stands alone: a head of its own is fed unscaled
    states. transformers 5 writes `scale_decoder_outputs` beside it, and tie_word_embeddings = true
    whatever the weights are; there an unscaled head has a table of its own.
    """
    scaled = values.get("scale_decoder_outputs", values.get("tie_word_embeddings", True))
    told = {**values, "scale_decoder_outputs": scaled}
    config = read_fields(Config, FIELDS, told, ignored=IGNORED_KEYS)
    return dataclasses.replace(config, tied=config.tied and config.scaled)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "t5", "is_encoder_decoder": True, **write_fields(config, FIELDS)}


def longest(config: Config) -> None:
    """How many tokens a text may have: any number, positions are relative."""


def build(config: Config) -> EncoderDecoder:
    """Encoder and decoder around one word table, with fresh weights."""
    words = nn.Embedding(config.vocabulary, config.hidden)
    rate = config.dropout

    def norm() -> nn.RMSNorm:
        return nn.RMSNorm(config.hidden, eps=config.norm_epsilon)

    def attention() -> SelfAttention:
        return SelfAttention(
            config.hidden,
            config.heads,
            head_size=config.head_size,
            bias=False,
            scale=1.0,
            dropout=rate,
        )

    def cross_attention() -> CrossAttention:
        return CrossAttention(
            config.hidden,
            config.heads,
            head_size=config.head_size,
            bias=False,
            scale=1.0,
            dropout=rate,
        )

    def bias(*, both_ways: bool) -> RelativeBias:
        return RelativeBias(
            config.heads, buckets=config.buckets, farthest=config.farthest, both_ways=both_ways
        )

    encoder_layers = [
        PreNormBlock(attention(), norm(), feedforward(config), norm(), dropout=rate)
        for _ in range(config.layers)
    ]
    decoder_layers = [
        PreNormCrossBlock(
            attention(),
            norm(),
            cross_attention(),
            norm(),
            feedforward(config),
            norm(),
            dropout=rate,
        )
        for _ in range(config.layers if config.decoder_layers is None else config.decoder_layers)
    ]
    return EncoderDecoder(
        Encoder(
            Embeddings(words, dropout=rate),
            encoder_layers,
            norm=norm(),
            bias=bias(both_ways=True),
            dropout=rate,
        ),
        Decoder(
            Embeddings(words, dropout=rate),
            decoder_layers,
            norm=norm(),
            bias=bias(both_ways=False),
            dropout=rate,
        ),
    )


def feedforward(config: Config) -> FeedForward | GatedFeedForward:
    """Plain or gated, by the config's word for it."""
    kind, _, name = config.feedforward.rpartition("-")
    # The released 1.1 models say gated-gelu and mean the tanh form.
    bend = activation("gelu_new" if config.feedforward == "gated-gelu" else name)
    brick = GatedFeedForward if kind else FeedForward
    return brick(config.hidden, config.inner, bend, bias=False, dropout=config.dropout)


PREFIX = ""


def _rows(ours: str, theirs: str, feedforward: int) -> tuple[Row, ...]:
    """One stack's rows; in theirs the parts of a block are numbered, feed-forward last."""
    part = f"{theirs}.block.#.layer"
    qkv = (f"{part}.0.SelfAttention.{name}.weight" for name in "qkv")
    dense = f"{part}.{feedforward}.DenseReluDense"
    return (
        (f"{ours}.layers.#.attention.qkv.weight", Fused(*qkv)),
        (f"{ours}.layers.#.attention.output.weight", f"{part}.0.SelfAttention.o.weight"),
        (f"{ours}.layers.#.attention_norm.weight", f"{part}.0.layer_norm.weight"),
        (f"{ours}.layers.#.feedforward.up.weight", f"{dense}.wi.weight"),
        (
            f"{ours}.layers.#.feedforward.gate_value.weight",
            Fused(f"{dense}.wi_0.weight", f"{dense}.wi_1.weight"),
        ),
        (f"{ours}.layers.#.feedforward.down.weight", f"{dense}.wo.weight"),
        (f"{ours}.layers.#.feedforward_norm.weight", f"{part}.{feedforward}.layer_norm.weight"),
        (f"{ours}.norm.weight", f"{theirs}.final_layer_norm.weight"),
        (
            f"{ours}.bias.values.weight",
            f"{theirs}.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
        ),
    )


def start(config: Config, body: EncoderDecoder) -> None:
    """Fresh weights as T5's. Scores are not divided by the root of the head size, and states that
    meet the word table are scaled down: the start makes up for both.

    Source: Raffel et al. 2019, arXiv 1910.10683, and the initializers of Mesh TensorFlow's T5.
    """
    inner = config.heads * config.head_size
    stds = {
        "words": 1.0,
        "q": (config.hidden * config.head_size) ** -0.5,
        "output": inner**-0.5,
        "down": config.inner**-0.5,
    }
    initialise(body, config.hidden**-0.5)
    for name, parameter in body.named_parameters():
        part = name.split(".")[-2]
        if part in stds and parameter.dim() == 2:
            nn.init.normal_(parameter, std=stds[part])
        elif part == "qkv":
            nn.init.normal_(parameter.data[:inner], std=stds["q"])  # the queries' rows


_CROSS = "decoder.block.#.layer.1.EncDecAttention"

NAMES: tuple[Row, ...] = (
    ("encoder.embeddings.words.weight", "shared.weight"),
    ("decoder.embeddings.words.weight", "shared.weight"),
    *_rows("encoder", "encoder", feedforward=1),
    *_rows("decoder", "decoder", feedforward=2),
    ("decoder.layers.#.cross_attention.q.weight", f"{_CROSS}.q.weight"),
    (
        "decoder.layers.#.cross_attention.kv.weight",
        Fused(f"{_CROSS}.k.weight", f"{_CROSS}.v.weight"),
    ),
    ("decoder.layers.#.cross_attention.output.weight", f"{_CROSS}.o.weight"),
    ("decoder.layers.#.cross_attention_norm.weight", "decoder.block.#.layer.1.layer_norm.weight"),
)

OTHER_HEADS = ("lm_head.*", "classification_head.*", "classifier.*", "qa_outputs.*")
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = (
    "encoder.embed_tokens.weight",
    "decoder.embed_tokens.weight",
    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
)
"""Copies of the word table, and a tensor that no computation reads."""

# transformers 5 says tied of every T5 and saves an unscaled head that is the word table only once.
SPARES = (
    ("shared.weight", "encoder.embed_tokens.weight"),
    ("shared.weight", "decoder.embed_tokens.weight"),
    ("lm_head.weight", "shared.weight", ("tie_word_embeddings", False)),
)


def language_head(config: Config, body: EncoderDecoder, labels: int) -> LanguageModelHead:
    """A table of its own (1.1), or the word table turned around, fed scaled states (1.0)."""
    output = nn.Linear(config.hidden, config.vocabulary, bias=False)
    if config.tied:
        output.weight = body.decoder.embeddings.words.weight
    return LanguageModelHead(output, scale=config.hidden**-0.5 if config.scaled else 1.0)


HEADS = {
    "text2text-generation": HeadSpec(
        "ForConditionalGeneration", language_head, (("output.weight", "lm_head.weight"),)
    ),
}
