"""Marian (OPUS-MT): an encoder-decoder with post-norm blocks and fixed positions.

Encoder and decoder read one word table, or each its own.

Source: Junczys-Dowmunt et al. 2018, arXiv 1804.00344; the models: Tiedemann & Thottingal 2020,
"OPUS-MT - Building open translation services for the World".
"""

from __future__ import annotations

import dataclasses
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
from headway.core.names import Fused, OneRow, Row
from headway.core.positions import StaticPositions
from headway.core.stacks import Decoder, Encoder, EncoderDecoder
from headway.heads import HeadSpec, LanguageModelHead


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are those of the ecosystem's config class."""

    vocabulary: Rows = 58101
    """Rows of the word table; of the encoder's, where there are two."""
    decoder_vocabulary: Rows | None = None
    """Rows of the decoder's word table, where there are two; None = as many."""
    shared: bool = True
    """Whether both stacks read one word table."""
    hidden: Size = 1024
    """Size of a hidden state."""
    layers: Depth = 12
    """Blocks of the encoder."""
    decoder_layers: Depth = 12
    """Blocks of the decoder."""
    heads: Count = 16
    """Attention heads a block of the encoder."""
    decoder_heads: Count = 16
    """Attention heads a block of the decoder."""
    inner: Size = 4096
    """Size inside the encoder's feed-forward layers."""
    decoder_inner: Size = 4096
    """Size inside the decoder's feed-forward layers."""
    activation: ActivationName = "gelu"
    """Name of the one in the feed-forward layers."""
    positions: Size = 1024
    """Longest text, in tokens."""
    scaled: bool = False
    """Whether a word's vector is multiplied by the root of its size."""
    dropout: Rate = 0.1
    """Rate on hidden states while training."""
    attention_dropout: Rate = 0.0
    """Rate on attention maps while training."""
    inner_dropout: Rate = 0.0
    """Rate inside the feed-forward layers while training."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("vocabulary", "vocab_size"),
    ("decoder_vocabulary", "decoder_vocab_size"),
    ("shared", "share_encoder_decoder_embeddings"),
    ("hidden", "d_model"),
    ("layers", "encoder_layers"),
    ("decoder_layers", "decoder_layers"),
    ("heads", "encoder_attention_heads"),
    ("decoder_heads", "decoder_attention_heads"),
    ("inner", "encoder_ffn_dim"),
    ("decoder_inner", "decoder_ffn_dim"),
    ("activation", "activation_function"),
    ("positions", "max_position_embeddings"),
    ("scaled", "scale_embedding"),
    ("dropout", "dropout"),
    ("attention_dropout", "attention_dropout"),
    ("inner_dropout", "activation_dropout"),
    ("initial_std", "init_std"),
)

FIXED = {
    "add_final_layer_norm": (False,),
    "decoder_layerdrop": (0.0, None),
    "encoder_layerdrop": (0.0, None),
    "normalize_before": (False,),
    "normalize_embedding": (False,),
    "static_position_embeddings": (True,),
    "tie_word_embeddings": (True,),
}

IGNORED_KEYS = frozenset(
    {
        "add_bias_logits",
        "classif_dropout",
        "classifier_dropout",
        "extra_pos_embeddings",
        "force_bos_token_to_be_generated",
        "num_hidden_layers",
    }
)
"""What nothing reads any more, and older names."""

CLASSES = {"marian": "Marian"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    config = read_fields(Config, FIELDS, values, fixed=FIXED, ignored=IGNORED_KEYS)
    if config.shared:  # there the number that the file gives for the decoder means nothing
        return dataclasses.replace(config, decoder_vocabulary=None)
    return config


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "marian", "is_encoder_decoder": True, **write_fields(config, FIELDS)}


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> EncoderDecoder:
    """Encoder and decoder, with fresh weights."""
    words = nn.Embedding(config.vocabulary, config.hidden)
    targets = words if config.shared else nn.Embedding(decoder_rows(config), config.hidden)

    def norm() -> nn.LayerNorm:
        return nn.LayerNorm(config.hidden)

    def feedforward(inner: int) -> FeedForward:
        bend = activation(config.activation)
        return FeedForward(config.hidden, inner, bend, dropout=config.inner_dropout)

    encoder_layers = [
        PostNormBlock(
            SelfAttention(config.hidden, config.heads, dropout=config.attention_dropout),
            norm(),
            feedforward(config.inner),
            norm(),
            dropout=config.dropout,
        )
        for _ in range(config.layers)
    ]
    decoder_layers = [
        PostNormCrossBlock(
            SelfAttention(config.hidden, config.decoder_heads, dropout=config.attention_dropout),
            norm(),
            CrossAttention(config.hidden, config.decoder_heads, dropout=config.attention_dropout),
            norm(),
            feedforward(config.decoder_inner),
            norm(),
            dropout=config.dropout,
        )
        for _ in range(config.decoder_layers)
    ]
    return EncoderDecoder(
        Encoder(embeddings(config, words), encoder_layers),
        Decoder(embeddings(config, targets), decoder_layers),
        shared=words if config.shared else None,
    )


def decoder_rows(config: Config) -> int:
    """How many words the decoder can write."""
    return config.vocabulary if config.decoder_vocabulary is None else config.decoder_vocabulary


def embeddings(config: Config, words: nn.Embedding) -> Embeddings:
    """Words and positions of one stack."""
    return Embeddings(
        words,
        positions=StaticPositions(config.positions, config.hidden),
        scale=config.hidden**0.5 if config.scaled else 1.0,
        dropout=config.dropout,
    )


PREFIX = "model."


def _rows(stack: str) -> tuple[Row, ...]:
    """One stack's rows."""
    qkv = (f"{stack}.layers.#.self_attn.{name}_proj.*" for name in "qkv")
    return (
        (f"{stack}.embeddings.words.weight", f"{stack}.embed_tokens.weight"),
        (f"{stack}.embeddings.positions.weight", f"{stack}.embed_positions.weight"),
        (f"{stack}.layers.#.attention.qkv.*", Fused(*qkv)),
        (f"{stack}.layers.#.attention.output.*", f"{stack}.layers.#.self_attn.out_proj.*"),
        (f"{stack}.layers.#.attention_norm.*", f"{stack}.layers.#.self_attn_layer_norm.*"),
        (f"{stack}.layers.#.feedforward.up.*", f"{stack}.layers.#.fc1.*"),
        (f"{stack}.layers.#.feedforward.down.*", f"{stack}.layers.#.fc2.*"),
        (f"{stack}.layers.#.feedforward_norm.*", f"{stack}.layers.#.final_layer_norm.*"),
    )


_CROSS = "decoder.layers.#.encoder_attn"

NAMES: tuple[Row, ...] = (
    ("shared.weight", "shared.weight"),
    *_rows("encoder"),
    *_rows("decoder"),
    ("decoder.layers.#.cross_attention.q.*", f"{_CROSS}.q_proj.*"),
    ("decoder.layers.#.cross_attention.kv.*", Fused(f"{_CROSS}.k_proj.*", f"{_CROSS}.v_proj.*")),
    ("decoder.layers.#.cross_attention.output.*", f"{_CROSS}.out_proj.*"),
    ("decoder.layers.#.cross_attention_norm.*", "decoder.layers.#.encoder_attn_layer_norm.*"),
)

OTHER_HEADS = ("lm_head.*", "final_logits_bias")
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = ()

SPARES = ()


def language_head(config: Config, body: EncoderDecoder, labels: int) -> LanguageModelHead:
    """The decoder's word table turned around, and a constant for each word."""
    output = nn.Linear(config.hidden, decoder_rows(config))
    output.weight = body.decoder.embeddings.words.weight
    output.bias.requires_grad_(False)  # a buffer in the ecosystem, which nothing trains
    return LanguageModelHead(output)


HEADS = {
    "text2text-generation": HeadSpec(
        "MTModel",
        language_head,
        (("output.weight", "lm_head.weight"), ("output.bias", OneRow("final_logits_bias"))),
    ),
}
