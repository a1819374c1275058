"""CLIP: a causal tower for texts and one for images, whose vectors meet in one space.

The body is the text tower. A text's vector is the state of its end-of-text token, projected.

Source: Radford et al. 2021, arXiv 2103.00020.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from headway.core.attention import SelfAttention
from headway.core.blocks import PreNormBlock
from headway.core.embeddings import Embeddings
from headway.core.feedforward import ActivationName, FeedForward, activation
from headway.core.fields import (
    GENERIC,
    NOWHERE,
    Count,
    Depth,
    NotNegative,
    Positive,
    Rate,
    RowNumber,
    Rows,
    Size,
    read_fields,
    write_fields,
)
from headway.core.names import Fused, Row
from headway.core.patches import PatchEmbeddings
from headway.core.positions import LearnedPositions
from headway.core.stacks import Decoder
from headway.core.vision import ImageEncoder, Vision
from headway.errors import CheckpointError
from headway.heads import HeadSpec

LARGEST = 2
"""An end-of-text id that means the largest id of a text: older files hold it in any case."""


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are those of the ecosystem's config class."""

    vocabulary: Rows = 49408
    """Rows of the word table."""
    hidden: Size = 512
    """Size of a hidden state of the text tower."""
    layers: Depth = 12
    """Its blocks."""
    heads: Count = 8
    """Attention heads a block."""
    inner: Size = 2048
    """Size inside the feed-forward layer."""
    activation: ActivationName = "quick_gelu"
    """Name of the one in the feed-forward layer."""
    positions: Rows = 77
    """Longest text, in tokens."""
    norm_epsilon: NotNegative = 1e-5
    """Added to the variance in norms."""
    attention_dropout: Rate = 0.0
    """Rate on attention maps while training."""
    end: RowNumber = 49407
    """The end-of-text token; 2 means the largest id of a text."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""
    vision_hidden: Size = 768
    """Size of a hidden state of the image tower."""
    vision_layers: Depth = 12
    """Its blocks."""
    vision_heads: Count = 12
    """Attention heads a block."""
    vision_inner: Size = 3072
    """Size inside the feed-forward layer."""
    vision_activation: ActivationName = "quick_gelu"
    """Name of the one in the feed-forward layer."""
    vision_norm_epsilon: NotNegative = 1e-5
    """Added to the variance in norms."""
    vision_attention_dropout: Rate = 0.0
    """Rate on attention maps while training."""
    vision_initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""
    channels: Count = 3
    """Numbers a pixel."""
    image: Size = 224
    """Height and width of an image, in pixels."""
    patch: Size = 32
    """Height and width of a patch."""
    projection: Size = 512
    """Size of a vector of a text or an image."""
    logit_scale: Positive = 2.6592
    """Logarithm of what cosines are multiplied by, before training."""


FIELDS = (
    ("vocabulary", "text_config.vocab_size"),
    ("hidden", "text_config.hidden_size"),
    ("layers", "text_config.num_hidden_layers"),
    ("heads", "text_config.num_attention_heads"),
    ("inner", "text_config.intermediate_size"),
    ("activation", "text_config.hidden_act"),
    ("positions", "text_config.max_position_embeddings"),
    ("norm_epsilon", "text_config.layer_norm_eps"),
    ("attention_dropout", "text_config.attention_dropout"),
    ("end", "text_config.eos_token_id"),
    ("initial_std", "text_config.initializer_range"),
    ("vision_hidden", "vision_config.hidden_size"),
    ("vision_layers", "vision_config.num_hidden_layers"),
    ("vision_heads", "vision_config.num_attention_heads"),
    ("vision_inner", "vision_config.intermediate_size"),
    ("vision_activation", "vision_config.hidden_act"),
    ("vision_norm_epsilon", "vision_config.layer_norm_eps"),
    ("vision_attention_dropout", "vision_config.attention_dropout"),
    ("vision_initial_std", "vision_config.initializer_range"),
    ("channels", "vision_config.num_channels"),
    ("image", "vision_config.image_size"),
    ("patch", "vision_config.patch_size"),
    ("projection", "projection_dim"),
    ("logit_scale", "logit_scale_init_value"),
)
"""A key of an object in config.json stands behind the object's, with a point between."""

TOWERS = {"text_config": "clip_text_model", "vision_config": "clip_vision_model"}
"""Key of a tower's object in config.json -> the `model_type` in it."""

FIXED = {f"{tower}.{key}": fine for tower in TOWERS for key, fine in NOWHERE.items()}

IGNORED_KEYS = frozenset(
    {f"{tower}.{key}" for tower in TOWERS for key in ("dropout", "projection_dim")}
    | {f"{tower}.tie_word_embeddings" for tower in TOWERS}
    | {"tie_word_embeddings"}
)
"""What only a tower on its own reads, or nothing does."""

CLASSES = {"clip": "CLIP"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    older = {f"{tower}_dict" for tower in TOWERS}
    flat = {key: value for key, value in values.items() if key not in {*TOWERS, *older}}
    known = {key for _, key in FIELDS}
    for tower in TOWERS:
        named = f"{tower}_dict"  # where it is there, it is the one that counts
        inner = values.get(named) if values.get(named) is not None else values.get(tower)
        if inner is not None and not isinstance(inner, Mapping):
            raise CheckpointError(f"config.json: {tower} = {inner!r:.80}", allowed="an object")
        for key, value in (inner or {}).items():
            if f"{tower}.{key}" in known or not (key in GENERIC or key.startswith("_")):
                flat[f"{tower}.{key}"] = value
    config = read_fields(Config, FIELDS, flat, fixed=FIXED, ignored=IGNORED_KEYS)
    if config.image < config.patch:
        raise CheckpointError(
            f"config.json: vision_config.patch_size = {config.patch}",
            allowed=f"at most the image_size, {config.image}",
        )
    return config


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    values: dict[str, Any] = {"model_type": "clip"}
    values |= {tower: {"model_type": kind} for tower, kind in TOWERS.items()}
    for name, value in write_fields(config, FIELDS).items():
        tower, _, key = name.rpartition(".")
        (values[tower] if tower else values)[key] = value
    return values


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def ended(config: Config, ids: Sequence[int]) -> Sequence[int]:
    """A text up to its end-of-text token, which it is known by; the whole where it has none.

    >>> ended(Config(end=7), [5, 7, 9, 7]), ended(Config(end=2), [5, 7, 9, 7])
    ([5, 7], [5, 7, 9])
    """
    end = max(ids) if config.end == LARGEST else config.end
    return ids[: ids.index(end) + 1] if end in ids else ids


def build(config: Config) -> Decoder:
    """The text tower, with fresh weights."""
    embeddings = Embeddings(
        nn.Embedding(config.vocabulary, config.hidden),
        positions=LearnedPositions(config.positions, config.hidden),
    )
    layers = [
        _block(
            config.hidden,
            config.heads,
            config.inner,
            config.activation,
            config.norm_epsilon,
            config.attention_dropout,
        )
        for _ in range(config.layers)
    ]
    return Decoder(embeddings, layers, norm=nn.LayerNorm(config.hidden, eps=config.norm_epsilon))


def build_vision(config: Config) -> Vision:
    """The image tower and the way of both into one space, with fresh weights."""

    def norm() -> nn.LayerNorm:
        return nn.LayerNorm(config.vision_hidden, eps=config.vision_norm_epsilon)

    embeddings = PatchEmbeddings(
        config.image, config.patch, config.channels, config.vision_hidden, norm=norm()
    )
    layers = [
        _block(
            config.vision_hidden,
            config.vision_heads,
            config.vision_inner,
            config.vision_activation,
            config.vision_norm_epsilon,
            config.vision_attention_dropout,
        )
        for _ in range(config.vision_layers)
    ]
    return Vision(
        ImageEncoder(embeddings, layers, norm=norm()),
        nn.Linear(config.vision_hidden, config.projection, bias=False),
        nn.Linear(config.hidden, config.projection, bias=False),
        logit_scale=config.logit_scale,
    )


def _block(
    hidden: int, heads: int, inner: int, bend: str, epsilon: float, dropout: float
) -> PreNormBlock:
    """A block of either tower."""
    return PreNormBlock(
        attention=SelfAttention(hidden, heads, dropout=dropout),
        attention_norm=nn.LayerNorm(hidden, eps=epsilon),
        feedforward=FeedForward(hidden, inner, activation(bend)),
        feedforward_norm=nn.LayerNorm(hidden, eps=epsilon),
    )


PREFIX = ""


def _block_names(ours: str, theirs: str) -> tuple[Row, ...]:
    parts = [f"{theirs}.#.self_attn.{part}_proj.*" for part in "qkv"]
    return (
        (f"{ours}.#.attention.qkv.*", Fused(*parts)),
        (f"{ours}.#.attention.output.*", f"{theirs}.#.self_attn.out_proj.*"),
        (f"{ours}.#.attention_norm.*", f"{theirs}.#.layer_norm1.*"),
        (f"{ours}.#.feedforward.up.*", f"{theirs}.#.mlp.fc1.*"),
        (f"{ours}.#.feedforward.down.*", f"{theirs}.#.mlp.fc2.*"),
        (f"{ours}.#.feedforward_norm.*", f"{theirs}.#.layer_norm2.*"),
    )


NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "text_model.embeddings.token_embedding.weight"),
    ("embeddings.positions.weight", "text_model.embeddings.position_embedding.weight"),
    *_block_names("layers", "text_model.encoder.layers"),
    ("norm.*", "text_model.final_layer_norm.*"),
)

VISION_NAMES: tuple[Row, ...] = (
    ("encoder.embeddings.class_token", "vision_model.embeddings.class_embedding"),
    ("encoder.embeddings.patches.weight", "vision_model.embeddings.patch_embedding.weight"),
    ("encoder.embeddings.positions.weight", "vision_model.embeddings.position_embedding.weight"),
    ("encoder.embeddings.norm.*", "vision_model.pre_layrnorm.*"),  # spelt so in every checkpoint
    *_block_names("encoder.layers", "vision_model.encoder.layers"),
    ("encoder.norm.*", "vision_model.post_layernorm.*"),
    ("image_projection.weight", "visual_projection.weight"),
    ("text_projection.weight", "text_projection.weight"),
    ("logit_scale", "logit_scale"),
)

OTHER_HEADS: tuple[str, ...] = ()

IGNORED = (
    "text_model.embeddings.position_ids",
    "vision_model.embeddings.position_ids",
)
"""Tensors that hold no weights."""

SPARES = ()

HEADS: dict[str, HeadSpec] = {}
