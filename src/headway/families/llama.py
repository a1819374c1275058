"""Llama: a decoder with rotary positions, RMS norms, grouped heads and a gated feed-forward layer.

Source: Touvron et al. 2023, arXiv 2302.13971 and 2307.09288; Llama 3: arXiv 2407.21783.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from torch import Tensor, nn

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
    Rows,
    Size,
    read_fields,
    write_fields,
)
from headway.core.names import Fused, Row
from headway.core.positions import Rotary, llama3_frequencies, rotary_frequencies
from headway.core.stacks import Decoder
from headway.errors import CheckpointError
from headway.heads import Classifier, HeadSpec, LanguageModelHead


@dataclass(frozen=True)
class Rope:
    """How positions turn queries and keys."""

    kind: Annotated[str, Choice(("default", "linear", "llama3"))] = "default"
    """Plain, all turns slowed down by `factor`, or the slow turns only."""
    base: Positive = 10000.0
    """The slowest pair turns about once in 2 pi * base positions."""
    factor: Positive = 1.0
    """How many times longer texts may be (linear, llama3)."""
    low: Positive = 1.0
    """Turns within `original` below which a pair is slowed down (llama3)."""
    high: Positive = 4.0
    """Turns above which it is not (llama3)."""
    original: Rows | None = None
    """Longest text in the first training; None = `positions` (llama3)."""


@dataclass(frozen=True)
class Config:
    """The architecture; defaults are Llama 2 7B's."""

    vocabulary: Rows = 32000
    """Rows of the word table."""
    hidden: Size = 4096
    """Size of a hidden state."""
    layers: Depth = 32
    """Blocks."""
    heads: Count = 32
    """Query heads a block."""
    kv_heads: Count | None = None
    """Key and value heads a block, a divisor of `heads`; None = as many."""
    head_size: Size | None = None
    """Size of one head; None = hidden / heads."""
    inner: Size = 11008
    """Size inside the feed-forward layer."""
    activation: ActivationName = "silu"
    """Name of the one on the gate."""
    positions: Rows = 2048
    """Longest text, in tokens, that the model was made for."""
    rope: Rope = Rope()
    """How positions turn queries and keys."""
    norm_epsilon: NotNegative = 1e-6
    """Added to the mean square in norms."""
    attention_bias: bool = False
    """Whether the projections in attention have biases."""
    feedforward_bias: bool = False
    """Whether the feed-forward layer has biases."""
    attention_dropout: Rate | None = 0.0
    """Rate on attention maps while training."""
    tied: bool = False
    """Whether the language head shares the word table."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("vocabulary", "vocab_size"),
    ("hidden", "hidden_size"),
    ("layers", "num_hidden_layers"),
    ("heads", "num_attention_heads"),
    ("kv_heads", "num_key_value_heads"),
    ("head_size", "head_dim"),
    ("inner", "intermediate_size"),
    ("activation", "hidden_act"),
    ("positions", "max_position_embeddings"),
    ("norm_epsilon", "rms_norm_eps"),
    ("attention_bias", "attention_bias"),
    ("feedforward_bias", "mlp_bias"),
    ("attention_dropout", "attention_dropout"),
    ("tied", "tie_word_embeddings"),
    ("initial_std", "initializer_range"),
)

ROPE_FIELDS = (
    ("kind", "rope_type"),
    ("base", "rope_theta"),
    ("factor", "factor"),
    ("low", "low_freq_factor"),
    ("high", "high_freq_factor"),
    ("original", "original_max_position_embeddings"),
)

ROPE_NEEDS = {
    "default": (),
    "linear": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor"),
}
"""Kind -> keys that it cannot do without; the others it does not read."""

ROPE_FIXED = {"partial_rotary_factor": (1.0, None)}

FIXED = {"rope_interleaved": (False,), **ROPE_FIXED}

IGNORED_KEYS = frozenset(
    {"is_llama_config", "max_sequence_length", "rope_parameters", "rope_scaling", "rope_theta"}
)
"""Keys that nothing reads, and those that `read_rope` does."""

CLASSES = {"llama": "Llama"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    config = read_fields(Config, FIELDS, values, fixed=FIXED, ignored=IGNORED_KEYS)
    return dataclasses.replace(config, rope=read_rope(values))


def read_rope(values: Mapping[str, Any]) -> Rope:
    """Newer files say it all in rope_parameters, older ones in rope_theta and rope_scaling."""
    given = values.get("rope_scaling") or values.get("rope_parameters") or {}
    if not isinstance(given, Mapping):
        raise CheckpointError(f"config.json: rope_parameters = {given!r}", allowed="an object")
    said = {key: given[key] for key in given if key != "type"}
    said.setdefault("rope_type", given.get("type", "default"))
    if values.get("rope_theta") is not None:
        said.setdefault("rope_theta", values["rope_theta"])
    rope = read_fields(Rope, ROPE_FIELDS, said, fixed=ROPE_FIXED)
    lacking = [key for key in ROPE_NEEDS[rope.kind] if key not in said]
    if lacking:
        raise CheckpointError(
            f"config.json: rope_type = {rope.kind!r} needs {', '.join(lacking)}, which is not there"
        )
    if rope.high <= rope.low:
        raise CheckpointError(
            f"config.json: high_freq_factor = {rope.high} beside low_freq_factor = {rope.low}",
            allowed="a high_freq_factor above low_freq_factor",
        )
    read = rope_keys(rope)
    return Rope(**{ours: getattr(rope, ours) for ours, theirs in ROPE_FIELDS if theirs in read})


def rope_keys(rope: Rope) -> tuple[str, ...]:
    """The keys that a rope of this kind reads."""
    original = (
        ("original_max_position_embeddings",) if rope.kind == "llama3" and rope.original else ()
    )
    return ("rope_type", "rope_theta", *ROPE_NEEDS[rope.kind], *original)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds; positions in the newer way and the older."""
    said = write_fields(config.rope, ROPE_FIELDS)
    rope = {key: said[key] for key in rope_keys(config.rope)}
    return {
        "model_type": "llama",
        **write_fields(config, FIELDS),
        "rope_parameters": rope,
        "rope_theta": config.rope.base,
        "rope_scaling": None if config.rope.kind == "default" else rope,
    }


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> Decoder:
    """The decoder, with fresh weights."""

    def norm() -> nn.RMSNorm:
        return nn.RMSNorm(config.hidden, eps=config.norm_epsilon)

    rotary = Rotary(frequencies(config))
    layers = [
        PreNormBlock(
            attention=SelfAttention(
                config.hidden,
                config.heads,
                kv_heads=config.kv_heads,
                head_size=config.head_size,
                bias=config.attention_bias,
                dropout=config.attention_dropout or 0.0,
                rotary=rotary,
            ),
            attention_norm=norm(),
            feedforward=GatedFeedForward(
                config.hidden,
                config.inner,
                activation(config.activation),
                bias=config.feedforward_bias,
            ),
            feedforward_norm=norm(),
        )
        for _ in range(config.layers)
    ]
    words = nn.Embedding(config.vocabulary, config.hidden)
    return Decoder(Embeddings(words), layers, norm=norm(), rotary=rotary)


def frequencies(config: Config) -> Tensor:
    """The angle each pair of a head's dimensions turns by per position, float32 [size / 2]."""
    rope = config.rope
    size = config.hidden // config.heads if config.head_size is None else config.head_size
    if rope.kind == "llama3":
        return llama3_frequencies(
            size,
            rope.base,
            factor=rope.factor,
            low=rope.low,
            high=rope.high,
            original=rope.original or config.positions,
        )
    plain = rotary_frequencies(size, rope.base)
    return plain / rope.factor if rope.kind == "linear" else plain


PREFIX = "model."

NAMES: tuple[Row, ...] = (
    ("embeddings.words.weight", "embed_tokens.weight"),
    ("layers.#.attention_norm.weight", "layers.#.input_layernorm.weight"),
    (
        "layers.#.attention.qkv.*",
        Fused(
            "layers.#.self_attn.q_proj.*",
            "layers.#.self_attn.k_proj.*",
            "layers.#.self_attn.v_proj.*",
        ),
    ),
    ("layers.#.attention.output.*", "layers.#.self_attn.o_proj.*"),
    ("layers.#.feedforward_norm.weight", "layers.#.post_attention_layernorm.weight"),
    (
        "layers.#.feedforward.gate_value.*",
        Fused("layers.#.mlp.gate_proj.*", "layers.#.mlp.up_proj.*"),
    ),
    ("layers.#.feedforward.down.*", "layers.#.mlp.down_proj.*"),
    ("norm.weight", "norm.weight"),
)

OTHER_HEADS = ("lm_head.*", "score.*", "qa_outputs.*")
"""Tensors of heads: set aside when another head, or none, is asked for."""

IGNORED = (
    "layers.#.self_attn.rotary_emb.inv_freq",
    "model.layers.#.self_attn.rotary_emb.inv_freq",
)
"""The rotary frequencies, which older checkpoints hold."""

SPARES = ()


def language_head(config: Config, body: Decoder, labels: int) -> LanguageModelHead:
    """A table of its own, or the word table turned around."""
    output = nn.Linear(config.hidden, config.vocabulary, bias=False)
    if config.tied:
        output.weight = body.embeddings.words.weight
    return LanguageModelHead(output)


def classifier(config: Config, body: Decoder, labels: int) -> Classifier:
    """The last token's state, which has seen all others, through one linear layer."""
    return Classifier("last", nn.Linear(config.hidden, labels, bias=False))


HEADS = {
    "text-generation": HeadSpec(
        "ForCausalLM", language_head, (("output.weight", "lm_head.weight"),)
    ),
    "text-classification": HeadSpec(
        "ForSequenceClassification", classifier, (("output.weight", "score.weight"),)
    ),
}
