"""Llama: a decoder with rotary positions, RMS norms, grouped heads and a gated feed-forward layer.

Mistral, Qwen2 and Qwen3 are the same but for windows, biases and norms over each head.
Source: Touvron et al. 2023, arXiv 2302.13971 and 2307.09288; Llama 3: arXiv 2407.21783; Mistral:
arXiv 2310.06825; Qwen2: arXiv 2407.10671; Qwen3: arXiv 2505.09388.
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
    RowNumber,
    Rows,
    Size,
    check_value,
    read_fields,
    write_fields,
)
from headway.core.masks import Mask, SlidingCausal, causal
from headway.core.names import Fused, Row
from headway.core.positions import Rotary, llama3_frequencies, rotary_frequencies
from headway.core.stacks import Decoder
from headway.errors import CheckpointError
from headway.heads import Classifier, HeadSpec, LanguageModelHead

CLASSES = {"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2", "qwen3": "Qwen3"}

WHOLE, WINDOW = "full_attention", "sliding_attention"


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

    model_type: Annotated[str, Choice(tuple(CLASSES))] = "llama"
    """Qwen2 has biases on queries, keys and values alone, Qwen3 norms over each query and key."""
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
    window: Rows | None = None
    """How many tokens a token sees, itself among them, in blocks with a window; None = all."""
    kinds: tuple[Annotated[str, Choice((WHOLE, WINDOW))], ...] | None = None
    """What each block sees; None = all have the window, if there is one (Mistral)."""
    tied: bool = False
    """Whether the language head shares the word table."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("model_type", "model_type"),
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
    ("window", "sliding_window"),
    ("kinds", "layer_types"),
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

ABSENT = {
    "llama": frozenset({"sliding_window", "layer_types"}),
    "mistral": frozenset({"attention_bias", "mlp_bias", "layer_types"}),
    "qwen2": frozenset({"attention_bias", "mlp_bias"}),
    "qwen3": frozenset({"mlp_bias"}),
}
"""Keys of FIELDS that config.json of a `model_type` does not have."""

UNSAID = (
    *("vocab_size", "intermediate_size", "num_key_value_heads", "max_position_embeddings"),
    *("head_dim", "sliding_window"),
)
DEFAULTS: dict[str, tuple[int | None, ...]] = {
    "llama": (),
    "mistral": (32000, 14336, 8, 131072, None, 4096),
    "qwen2": (151936, 22016, 32, 32768, None, 4096),
    "qwen3": (151936, 22016, 32, 32768, 128, 4096),
}
"""What the keys of UNSAID mean where they are absent, if not the defaults of Config."""


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    kind = values.get("model_type", "llama")
    qwen = kind in ("qwen2", "qwen3")
    config = read_fields(
        Config,
        fields_of(kind),
        {**dict(zip(UNSAID, DEFAULTS[kind], strict=False)), **values},
        fixed=FIXED,
        ignored=IGNORED_KEYS | ({"use_sliding_window", "max_window_layers"} if qwen else set()),
    )
    config = dataclasses.replace(config, rope=read_rope(values))
    return read_windows(config, values) if qwen else config


def fields_of(kind: str) -> list[tuple[str, str]]:
    """The rows of FIELDS that config.json of a `model_type` has."""
    return [(ours, theirs) for ours, theirs in FIELDS if theirs not in ABSENT[kind]]


def read_windows(config: Config, values: Mapping[str, Any]) -> Config:
    """Qwen's windows: newer files say what each block sees, older ones from which block on."""
    use = check_value("use_sliding_window", values.get("use_sliding_window", False), bool)
    first = check_value("max_window_layers", values.get("max_window_layers", 28), RowNumber)
    window = config.window if use else None
    kinds = config.kinds or tuple(
        WINDOW if window is not None and number >= first else WHOLE
        for number in range(config.layers)
    )
    if len(kinds) != config.layers or (window is None and WINDOW in kinds):
        raise CheckpointError(
            f"config.json: layer_types = {list(kinds)} beside {config.layers} layers and a window "
            f"of {window}",
            allowed="one a block, and a sliding_window that is used if one has it",
        )
    return dataclasses.replace(config, window=window, kinds=kinds)


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
    values = write_fields(config, fields_of(config.model_type))
    if config.head_size is None and config.model_type == "qwen2":
        del values["head_dim"]  # there the key counts as soon as it is there
    if config.kinds is not None:
        values["use_sliding_window"] = config.window is not None
    return {
        **values,
        "rope_parameters": rope,
        "rope_theta": config.rope.base,
        "rope_scaling": None if config.rope.kind == "default" else rope,
    }


def longest(config: Config) -> int:
    """How many tokens a text may have."""
    return config.positions


def build(config: Config) -> Decoder:
    """The decoder, with fresh weights."""

    def norm(size: int) -> nn.RMSNorm:
        return nn.RMSNorm(size, eps=config.norm_epsilon)

    rotary = Rotary(frequencies(config))
    size, qwen3 = head_size(config), config.model_type == "qwen3"
    layers = [
        PreNormBlock(
            attention=SelfAttention(
                config.hidden,
                config.heads,
                kv_heads=config.kv_heads,
                head_size=config.head_size,
                bias=config.attention_bias or config.model_type == "qwen2",
                output_bias=config.attention_bias,
                query_norm=norm(size) if qwen3 else None,
                key_norm=norm(size) if qwen3 else None,
                dropout=config.attention_dropout or 0.0,
                rotary=rotary,
            ),
            attention_norm=norm(config.hidden),
            feedforward=GatedFeedForward(
                config.hidden,
                config.inner,
                activation(config.activation),
                bias=config.feedforward_bias,
            ),
            feedforward_norm=norm(config.hidden),
        )
        for _ in range(config.layers)
    ]
    words = nn.Embedding(config.vocabulary, config.hidden)
    return Decoder(
        Embeddings(words), layers, norm=norm(config.hidden), rotary=rotary, masks=masks(config)
    )


def masks(config: Config) -> list[Mask]:
    """Who may attend to whom in each block."""
    window = causal if config.window is None else SlidingCausal(config.window)
    return [
        window if kind == WINDOW else causal for kind in config.kinds or (WINDOW,) * config.layers
    ]


def head_size(config: Config) -> int:
    """Size of one head."""
    return config.hidden // config.heads if config.head_size is None else config.head_size


def frequencies(config: Config) -> Tensor:
    """The angle each pair of a head's dimensions turns by per position, float32 [size / 2]."""
    rope, size = config.rope, head_size(config)
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
    ("layers.#.attention.query_norm.weight", "layers.#.self_attn.q_norm.weight"),
    ("layers.#.attention.key_norm.weight", "layers.#.self_attn.k_norm.weight"),
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
