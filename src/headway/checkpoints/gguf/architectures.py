"""The architectures of GGUF files: their keys and tensors beside the ecosystem's.

Source: https://github.com/ggml-org/llama.cpp (gguf-py/gguf/constants.py, convert_hf_to_gguf.py).
A tensor is the ecosystem's under another name, or changed in one of the ways of CHANGES.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

__all__ = ["ARCHITECTURES", "CHANGES", "Architecture", "NameRow", "renamed"]

Values = Mapping[str, Any]
NameRow = tuple[str, str, str]
"""(their name, the ecosystem's, key of CHANGES); # is a layer's number, * weight or bias."""


@dataclass(frozen=True)
class Architecture:
    """One of the format's architectures.

    Attributes:
        model_type: of config.json.
        keys: (key below the architecture's name, key of config.json).
        names: of the tensors.
        biases: (their name, the switch of config.json that stands for it).
        ignored: further keys that change nothing.
        needed: keys that must be there.
    """

    model_type: str
    keys: tuple[tuple[str, str], ...]
    names: tuple[NameRow, ...]
    biases: tuple[tuple[str, str], ...] = ()
    ignored: frozenset[str] = frozenset()
    needed: tuple[str, ...] = ("block_count", "embedding_length", "attention.head_count")


def _pairs_beside(tensor: Tensor, heads: int) -> Tensor:
    """Rotary pairs (i, i + size / 2) of each head's rows as pairs (2i, 2i + 1)."""
    halves = tensor.unflatten(0, (heads, 2, -1))  # [heads, 2, size / 2, ...]
    return halves.transpose(1, 2).flatten(0, 2)


def _pairs_apart(tensor: Tensor, heads: int) -> Tensor:
    """The inverse of `_pairs_beside`."""
    pairs = tensor.unflatten(0, (heads, -1, 2))  # [heads, size / 2, 2, ...]
    return pairs.transpose(1, 2).flatten(0, 2)


def _of_heads(change: Callable[[Tensor, int], Tensor], key: str) -> Change:
    """A change that knows the number of heads that a key of config.json says."""

    def changed(tensor: Tensor, values: Values) -> Tensor:
        return change(tensor, int(values[key]))

    return changed


def _same(tensor: Tensor, values: Values) -> Tensor:
    return tensor


def _transposed(tensor: Tensor, values: Values) -> Tensor:
    return tensor.t()


Change = Callable[[Tensor, Values], Tensor]

_QUERIES, _KEYS = "num_attention_heads", "num_key_value_heads"

CHANGES: dict[str, tuple[Change, Change]] = {
    "": (_same, _same),
    "queries": (_of_heads(_pairs_apart, _QUERIES), _of_heads(_pairs_beside, _QUERIES)),
    "keys": (_of_heads(_pairs_apart, _KEYS), _of_heads(_pairs_beside, _KEYS)),
    "transposed": (_transposed, _transposed),
}
"""Name -> theirs to the ecosystem's, and back; both know config.json."""


def renamed(
    tensors: Mapping[str, Tensor], rows: Sequence[NameRow], values: Values, *, back: bool = False
) -> dict[str, Tensor]:
    """Tensors under the ecosystem's names, or (`back`) under the format's.

    A tensor that no row speaks of keeps its name.
    """
    found = {}
    source, target = (1, 0) if back else (0, 1)
    for name, tensor in tensors.items():
        for row in rows:
            if (parts := _parts(row[source], name)) is not None:
                new = re.sub(r"[#*]", lambda _: parts.pop(0), row[target])
                found[new] = CHANGES[row[2]][int(back)](tensor, values)
                break
        else:
            found[name] = tensor
    return found


def _parts(pattern: str, name: str) -> list[str] | None:
    """What stands for # and * in a name, or None where it is another."""
    text = re.escape(pattern).replace(r"\#", r"(\d+)").replace(r"\*", "(weight|bias)")
    match = re.fullmatch(text, name)
    return None if match is None else list(match.groups())


def _llama_names(queries: str = "", keys: str = "") -> tuple[NameRow, ...]:
    layer = "model.layers.#."
    return (
        ("token_embd.weight", "model.embed_tokens.weight", ""),
        ("blk.#.attn_norm.weight", f"{layer}input_layernorm.weight", ""),
        ("blk.#.attn_q.*", f"{layer}self_attn.q_proj.*", queries),
        ("blk.#.attn_k.*", f"{layer}self_attn.k_proj.*", keys),
        ("blk.#.attn_v.*", f"{layer}self_attn.v_proj.*", ""),
        ("blk.#.attn_output.*", f"{layer}self_attn.o_proj.*", ""),
        ("blk.#.ffn_norm.weight", f"{layer}post_attention_layernorm.weight", ""),
        ("blk.#.ffn_gate.*", f"{layer}mlp.gate_proj.*", ""),
        ("blk.#.ffn_up.*", f"{layer}mlp.up_proj.*", ""),
        ("blk.#.ffn_down.*", f"{layer}mlp.down_proj.*", ""),
        ("output_norm.weight", "model.norm.weight", ""),
        ("output.weight", "lm_head.weight", ""),
    )


_LLAMA_KEYS = (
    ("context_length", "max_position_embeddings"),
    ("embedding_length", "hidden_size"),
    ("block_count", "num_hidden_layers"),
    ("feed_forward_length", "intermediate_size"),
    ("attention.head_count", "num_attention_heads"),
    ("attention.head_count_kv", "num_key_value_heads"),
    ("attention.key_length", "head_dim"),
    ("attention.layer_norm_rms_epsilon", "rms_norm_eps"),
    ("attention.sliding_window", "sliding_window"),
    ("rope.freq_base", "rope_theta"),
)
_LLAMA_NEEDS = (
    *("block_count", "embedding_length", "attention.head_count", "feed_forward_length"),
    *("context_length", "attention.layer_norm_rms_epsilon"),
)

_GPT2 = Architecture(
    "gpt2",
    keys=(
        ("context_length", "n_positions"),
        ("embedding_length", "n_embd"),
        ("block_count", "n_layer"),
        ("feed_forward_length", "n_inner"),
        ("attention.head_count", "n_head"),
        ("attention.layer_norm_epsilon", "layer_norm_epsilon"),
    ),
    names=(
        ("token_embd.weight", "transformer.wte.weight", ""),
        ("position_embd.weight", "transformer.wpe.weight", ""),
        ("blk.#.attn_norm.*", "transformer.h.#.ln_1.*", ""),
        ("blk.#.attn_qkv.weight", "transformer.h.#.attn.c_attn.weight", "transposed"),
        ("blk.#.attn_qkv.bias", "transformer.h.#.attn.c_attn.bias", ""),
        ("blk.#.attn_output.weight", "transformer.h.#.attn.c_proj.weight", "transposed"),
        ("blk.#.attn_output.bias", "transformer.h.#.attn.c_proj.bias", ""),
        ("blk.#.ffn_norm.*", "transformer.h.#.ln_2.*", ""),
        ("blk.#.ffn_up.weight", "transformer.h.#.mlp.c_fc.weight", "transposed"),
        ("blk.#.ffn_up.bias", "transformer.h.#.mlp.c_fc.bias", ""),
        ("blk.#.ffn_down.weight", "transformer.h.#.mlp.c_proj.weight", "transposed"),
        ("blk.#.ffn_down.bias", "transformer.h.#.mlp.c_proj.bias", ""),
        ("output_norm.*", "transformer.ln_f.*", ""),
        ("output.weight", "lm_head.weight", ""),
    ),
)

_BERT = Architecture(
    "bert",
    keys=(
        ("context_length", "max_position_embeddings"),
        ("embedding_length", "hidden_size"),
        ("block_count", "num_hidden_layers"),
        ("feed_forward_length", "intermediate_size"),
        ("attention.head_count", "num_attention_heads"),
        ("attention.layer_norm_epsilon", "layer_norm_eps"),
    ),
    names=(
        ("token_embd.weight", "embeddings.word_embeddings.weight", ""),
        ("position_embd.weight", "embeddings.position_embeddings.weight", ""),
        ("token_types.weight", "embeddings.token_type_embeddings.weight", ""),
        ("token_embd_norm.*", "embeddings.LayerNorm.*", ""),
        ("blk.#.attn_q.*", "encoder.layer.#.attention.self.query.*", ""),
        ("blk.#.attn_k.*", "encoder.layer.#.attention.self.key.*", ""),
        ("blk.#.attn_v.*", "encoder.layer.#.attention.self.value.*", ""),
        ("blk.#.attn_output.*", "encoder.layer.#.attention.output.dense.*", ""),
        ("blk.#.attn_output_norm.*", "encoder.layer.#.attention.output.LayerNorm.*", ""),
        ("blk.#.ffn_up.*", "encoder.layer.#.intermediate.dense.*", ""),
        ("blk.#.ffn_down.*", "encoder.layer.#.output.dense.*", ""),
        ("blk.#.layer_output_norm.*", "encoder.layer.#.output.LayerNorm.*", ""),
    ),
    ignored=frozenset({"attention.causal", "pooling_type"}),
)

ARCHITECTURES: dict[str, Architecture] = {
    "bert": _BERT,
    "gpt2": _GPT2,
    "llama": Architecture(
        "llama",
        _LLAMA_KEYS,
        _llama_names("queries", "keys"),
        biases=(
            ("blk.0.attn_output.bias", "attention_bias"),
            ("blk.0.ffn_down.bias", "mlp_bias"),
        ),
        needed=_LLAMA_NEEDS,
    ),
    "qwen2": Architecture("qwen2", _LLAMA_KEYS, _llama_names(), needed=_LLAMA_NEEDS),
    "qwen3": Architecture(
        "qwen3",
        _LLAMA_KEYS,
        (
            *_llama_names(),
            ("blk.#.attn_q_norm.weight", "model.layers.#.self_attn.q_norm.weight", ""),
            ("blk.#.attn_k_norm.weight", "model.layers.#.self_attn.k_norm.weight", ""),
        ),
        biases=(("blk.0.attn_output.bias", "attention_bias"),),
        needed=_LLAMA_NEEDS,
    ),
}
"""general.architecture -> what it is here. Mistral's models are written as llama."""
