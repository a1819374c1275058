"""GGUF files of the reference library's models, written as convert_hf_to_gguf.py writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from torch import Tensor

WORDS = ["<unk>", "<s>", "</s>"]


def gguf_file(
    path: Path,
    arch: str,
    model: Any,
    *,
    kind: str = "F32",
    tokens: Sequence[str] = (),
    more: dict[str, Any] | None = None,
    beside: dict[str, Tensor] | None = None,
) -> Path:
    """A file with a model of the reference library.

    Args:
        path: of the file.
        arch: general.architecture.
        model: with its head.
        kind: type of the matrices; the rest is in 32 bits.
        tokens: of a vocabulary by scores, if any.
        more: calls of the writer, by name, with their argument; they count more than the config.
        beside: further tensors.
    """
    config = model.config
    writer = gguf.GGUFWriter(path, arch)
    names = gguf.get_tensor_name_map(
        next(key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == arch), 99
    )
    for name, value in {**said(arch, config), **(more or {})}.items():
        getattr(writer, name)(value)
    for name, tensor in (beside or {}).items():
        writer.add_tensor(name, tensor.numpy())
    if tokens:
        writer.add_tokenizer_model("llama")
        writer.add_token_list(list(tokens))
        writer.add_token_scores([-float(n) for n in range(len(tokens))])
        writer.add_token_types([2 if token in WORDS[:1] else 3 if token in WORDS else 1
                                for token in tokens])  # fmt: skip
    tied = config.tie_word_embeddings
    for name, tensor in model.state_dict().items():
        if "lm_head" in name and tied:
            continue
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert new is not None, name
        _write_tensor(writer, new, turned(arch, name, tensor, config), kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def said(arch: str, config: Any) -> dict[str, Any]:
    """Calls of the writer that say what the config says."""
    if arch == "gpt2":
        return {
            "add_context_length": config.n_positions,
            "add_embedding_length": config.n_embd,
            "add_block_count": config.n_layer,
            "add_feed_forward_length": config.n_inner or 4 * config.n_embd,
            "add_head_count": config.n_head,
            "add_layer_norm_eps": config.layer_norm_epsilon,
        }
    shared = {
        "add_context_length": config.max_position_embeddings,
        "add_embedding_length": config.hidden_size,
        "add_block_count": config.num_hidden_layers,
        "add_feed_forward_length": config.intermediate_size,
        "add_head_count": config.num_attention_heads,
    }
    if arch == "bert":
        own = {"add_layer_norm_eps": config.layer_norm_eps, "add_causal_attention": False}
        return {**shared, **own}
    window = config.sliding_window if config.model_type == "mistral" else None
    return {
        **shared,
        "add_vocab_size": config.vocab_size,
        "add_head_count_kv": config.num_key_value_heads,
        "add_rope_freq_base": config.rope_parameters["rope_theta"],
        "add_layer_norm_rms_eps": config.rms_norm_eps,
        **({"add_sliding_window": window} if window else {}),
        **(
            {
                "add_key_length": config.head_dim,
                "add_value_length": config.head_dim,
                "add_rope_dimension_count": config.head_dim,
            }
            if hasattr(config, "head_dim")
            else {}
        ),
    }


def turned(arch: str, name: str, tensor: Tensor, config: Any) -> np.ndarray:
    """A tensor as that program lays it."""
    values = tensor.numpy()
    if arch == "gpt2" and name.endswith(
        (".c_attn.weight", ".c_proj.weight", ".c_fc.weight")
    ):  # fmt: skip
        return values.T
    if arch == "llama" and ("q_proj" in name or "k_proj" in name):
        heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
        pairs = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
        return pairs.swapaxes(1, 2).reshape(values.shape)
    return values


def _write_tensor(writer: gguf.GGUFWriter, name: str, values: np.ndarray, kind: str) -> None:
    values = np.ascontiguousarray(values)
    if kind == "F32" or values.ndim < 2:
        writer.add_tensor(name, values)
        return
    number = gguf.GGMLQuantizationType[kind]
    writer.add_tensor(name, gguf.quantize(values, number), raw_dtype=number)
