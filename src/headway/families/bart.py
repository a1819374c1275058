"""BART, mBART, PEGASUS: encoder-decoders around one word table that differ in where norms stand.

            norms in a block   behind the embeddings   behind a stack   positions
bart        behind the halves  yes                     no               learned, counted from 2
mbart       before the halves  yes                     yes              learned, counted from 2
pegasus     before the halves  no                      yes              sines and cosines

Sources: Lewis et al. 2019, arXiv 1910.13461; Liu et al. 2020, arXiv 2001.08210; Zhang et al. 2019,
arXiv 1912.08777.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from torch import nn

from headway.core.attention import CrossAttention, SelfAttention
from headway.core.blocks import PostNormBlock, PostNormCrossBlock, PreNormBlock, PreNormCrossBlock
from headway.core.embeddings import Embeddings
from headway.core.feedforward import ActivationName, FeedForward, activation
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
from headway.core.names import Fused, OneRow, Row
from headway.core.positions import LearnedPositions, StaticPositions
from headway.core.stacks import Decoder, Encoder, EncoderDecoder
from headway.heads import HeadSpec, LanguageModelHead

CLASSES = {"bart": "Bart", "mbart": "MBart", "pegasus": "Pegasus"}

FIRST_POSITION = 2
"""Row of the position table that the first token reads; nothing reads those before."""


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are bart-large's."""

    model_type: Annotated[str, Choice(tuple(CLASSES))] = "bart"
    """Which of the three it is."""
    vocabulary: Rows = 50265
    """Rows of the word table."""
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
    ("model_type", "model_type"),
    ("vocabulary", "vocab_size"),
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
    "decoder_layerdrop": (0.0, None),
    "do_blenderbot_90_layernorm": (False,),
    "encoder_layerdrop": (0.0, None),
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
        "save_step",
    }
)
"""What only other heads read, older names, and what says how released models were made."""


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds; older files say in words what the type means."""
    kind = values.get("model_type")
    said = {
        "normalize_before": (kind != "bart",),
        "normalize_embedding": (kind != "pegasus",),
        "add_final_layer_norm": (kind != "bart",),
        "static_position_embeddings": (kind == "pegasus",),
    }
    return read_fields(Config, FIELDS, values, fixed={**FIXED, **said}, ignored=IGNORED_KEYS)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"is_encoder_decoder": True, **write_fields(config, FIELDS)}


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> EncoderDecoder:
    """Encoder and decoder around one word table, with fresh weights."""
    words = nn.Embedding(config.vocabulary, config.hidden)
    post = config.model_type == "bart"
    block, cross_block = (
        (PostNormBlock, PostNormCrossBlock) if post else (PreNormBlock, PreNormCrossBlock)
    )

    def norm() -> nn.LayerNorm:
        return nn.LayerNorm(config.hidden)

    def feedforward(inner: int) -> FeedForward:
        bend = activation(config.activation)
        return FeedForward(config.hidden, inner, bend, dropout=config.inner_dropout)

    encoder_layers = [
        block(
            SelfAttention(config.hidden, config.heads, dropout=config.attention_dropout),
            norm(),
            feedforward(config.inner),
            norm(),
            dropout=config.dropout,
        )
        for _ in range(config.layers)
    ]
    decoder_layers = [
        cross_block(
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
        Encoder(embeddings(config, words), encoder_layers, norm=None if post else norm()),
        Decoder(embeddings(config, words), decoder_layers, norm=None if post else norm()),
        shared=words,
    )


def embeddings(config: Config, words: nn.Embedding) -> Embeddings:
    """Words and positions of one stack, and the norm behind their sum."""
    static = config.model_type == "pegasus"
    return Embeddings(
        words,
        positions=StaticPositions(config.positions, config.hidden)
        if static
        else LearnedPositions(
            config.positions + FIRST_POSITION, config.hidden, offset=FIRST_POSITION
        ),
        norm=None if static else nn.LayerNorm(config.hidden),
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
        (f"{stack}.embeddings.norm.*", f"{stack}.layernorm_embedding.*"),
        (f"{stack}.layers.#.attention.qkv.*", Fused(*qkv)),
        (f"{stack}.layers.#.attention.output.*", f"{stack}.layers.#.self_attn.out_proj.*"),
        (f"{stack}.layers.#.attention_norm.*", f"{stack}.layers.#.self_attn_layer_norm.*"),
        (f"{stack}.layers.#.feedforward.up.*", f"{stack}.layers.#.fc1.*"),
        (f"{stack}.layers.#.feedforward.down.*", f"{stack}.layers.#.fc2.*"),
        (f"{stack}.layers.#.feedforward_norm.*", f"{stack}.layers.#.final_layer_norm.*"),
        (f"{stack}.norm.*", f"{stack}.layer_norm.*"),
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

OTHER_HEADS = ("lm_head.*", "final_logits_bias", "classification_head.*", "qa_outputs.*")
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = ("encoder.version", "decoder.version", "model.encoder.version", "model.decoder.version")
"""Tensors that hold no weights."""

SPARES = ()


def language_head(config: Config, body: EncoderDecoder, labels: int) -> LanguageModelHead:
    """The word table turned around, and a constant for each word."""
    output = nn.Linear(config.hidden, config.vocabulary)
    output.weight = body.decoder.embeddings.words.weight
    output.bias.requires_grad_(False)  # a buffer in the ecosystem, which nothing trains
    return LanguageModelHead(output)


HEADS = {
    "text2text-generation": HeadSpec(
        "ForConditionalGeneration",
        language_head,
        (("output.weight", "lm_head.weight"), ("output.bias", OneRow("final_logits_bias"))),
    ),
}
