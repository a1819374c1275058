"""T5: an encoder-decoder with relative positions, RMS norms, unscaled attention and no biases.

Version 1.0 has a plain feed-forward layer and a head tied to the word table; 1.1 a gated one and a
head of its own.

Source: Raffel et al. 2019, arXiv 1910.10683; version 1.1: Shazeer 2020, arXiv 2002.05202.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from headway.core.attention import CrossAttention, SelfAttention
from headway.core.blocks import PreNormBlock, PreNormCrossBlock
from headway.core.embeddings import Embeddings
from headway.core.feedforward import FeedForward, GatedFeedForward, activation
from headway.core.fields import read_fields, write_fields
from headway.core.names import Fused, Row
from headway.core.positions import RelativeBias
from headway.core.stacks import Decoder, Encoder, EncoderDecoder
from headway.errors import CheckpointError
from headway.heads import HeadSpec, LanguageModelHead


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are t5-small's."""

    vocabulary: int = 32128
    """Rows of the word table."""
    hidden: int = 512
    """Size of a hidden state."""
    head_size: int = 64
    """Size of one attention head; heads * head_size need not be `hidden`."""
    inner: int = 2048
    """Size inside the feed-forward layer."""
    layers: int = 6
    """Blocks of the encoder."""
    decoder_layers: int | None = None
    """Blocks of the decoder; None = as many."""
    heads: int = 8
    """Attention heads a block."""
    buckets: int = 32
    """Distances that the relative bias tells apart."""
    farthest: int = 128
    """Distance, in tokens, from which on all share a bucket."""
    feedforward: str = "relu"
    """An activation's name, or `gated-` and one."""
    norm_epsilon: float = 1e-6
    """Added to the mean square in norms."""
    dropout: float = 0.1
    """Rate while training."""
    tied: bool = True
    """Whether the head shares the word table."""


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
)

IGNORED_KEYS = frozenset(
    {"scale_decoder_outputs", "n_positions", "classifier_dropout", "dense_act_fn", "is_gated_act"}
)


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    return read_fields(Config, FIELDS, values, ignored=IGNORED_KEYS)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "t5", "is_encoder_decoder": True, **write_fields(config, FIELDS)}


def build(config: Config) -> EncoderDecoder:
    """Encoder and decoder around one word table, with fresh weights."""
    words = nn.Embedding(config.vocabulary, config.hidden)
    size = {"head_size": config.head_size, "bias": False, "scale": 1.0, "dropout": config.dropout}

    def norm() -> nn.RMSNorm:
        return nn.RMSNorm(config.hidden, eps=config.norm_epsilon)

    def attention() -> SelfAttention:
        return SelfAttention(config.hidden, config.heads, **size)

    def bias(both_ways: bool) -> RelativeBias:
        return RelativeBias(
            config.heads, buckets=config.buckets, farthest=config.farthest, both_ways=both_ways
        )

    encoder_layers = [
        PreNormBlock(attention(), norm(), feedforward(config), norm(), dropout=config.dropout)
        for _ in range(config.layers)
    ]
    decoder_layers = [
        PreNormCrossBlock(
            attention(),
            norm(),
            CrossAttention(config.hidden, config.heads, **size),
            norm(),
            feedforward(config),
            norm(),
            dropout=config.dropout,
        )
        for _ in range(config.layers if config.decoder_layers is None else config.decoder_layers)
    ]
    rate = config.dropout
    return EncoderDecoder(
        Encoder(
            Embeddings(words, dropout=rate),
            encoder_layers,
            norm=norm(),
            bias=bias(True),
            dropout=rate,
        ),
        Decoder(
            Embeddings(words, dropout=rate),
            decoder_layers,
            norm=norm(),
            bias=bias(False),
            dropout=rate,
        ),
    )


def feedforward(config: Config) -> FeedForward | GatedFeedForward:
    """Plain or gated, by the config's word for it."""
    kind, _, name = config.feedforward.rpartition("-")
    if kind not in ("", "gated"):
        raise CheckpointError(
            f"config.json: feed_forward_proj = {config.feedforward!r}", allowed="relu, gated-gelu"
        )
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


def language_head(config: Config, body: EncoderDecoder, labels: int) -> LanguageModelHead:
    """Tied: the word table, fed states scaled down by sqrt(hidden). Else a table of its own."""
    output = nn.Linear(config.hidden, config.vocabulary, bias=False)
    if not config.tied:
        return LanguageModelHead(output)
    output.weight = body.decoder.embeddings.words.weight
    return LanguageModelHead(output, scale=config.hidden**-0.5)


HEADS = {
    "text2text-generation": HeadSpec(
        "T5ForConditionalGeneration", language_head, (("output.weight", "lm_head.weight"),)
    ),
}
