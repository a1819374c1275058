"""A family's config beside config.json: which field of ours is which key of theirs.

Strict in what it reads: a value of the wrong kind, a key nobody knows and a value that would change
the computation in a way the family does not have are errors, never a silent default.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from headway.errors import CheckpointError, nearest

__all__ = ["GENERIC", "read_fields", "write_fields"]

C = TypeVar("C")

GENERIC = frozenset(
    """
    _name_or_path _attn_implementation_autoset add_cross_attention architectures auto_map
    bad_words_ids begin_suppress_tokens bos_token_id chunk_size_feed_forward cross_attention_hidden_size
    custom_pipelines decoder_start_token_id diversity_penalty do_sample dtype early_stopping
    encoder_no_repeat_ngram_size eos_token_id exponential_decay_length_penalty finetuning_task
    forced_bos_token_id forced_eos_token_id gradient_checkpointing headway id2label
    initializer_factor initializer_range is_decoder is_encoder_decoder keys_to_ignore_at_inference
    label2id length_penalty max_length min_length model_type no_repeat_ngram_size num_beam_groups
    num_beams num_return_sequences output_attentions output_hidden_states output_past output_scores
    pad_token_id prefix pretraining_tp problem_type pruned_heads remove_invalid_values
    repetition_penalty return_dict return_dict_in_generate sep_token_id suppress_tokens
    task_specific_params temperature tf_legacy_loss tie_encoder_decoder tokenizer_class top_k top_p
    torch_dtype torchscript transformers_version typical_p unk_token_id use_bfloat16 use_cache
    transformers.js_config
    """.split()
)
"""Keys that any config.json may hold and that say nothing about the architecture."""

LIMIT = 2**31
LAYERS_LIMIT = 10_000


def read_fields(
    config: type[C],
    fields: Sequence[tuple[str, str]],
    values: Mapping[str, Any],
    *,
    fixed: Mapping[str, tuple[Any, ...]] | None = None,
    ignored: frozenset[str] = frozenset(),
) -> C:
    """A family's config from what config.json holds; an absent key takes the family's default.

    Args:
        config: the family's frozen dataclass.
        fields: (our field, their key).
        values: config.json.
        fixed: keys the family has one computation for -> the values that mean it.
        ignored: further keys that change nothing.

    Raises:
        CheckpointError: a wrong type, a value out of range, an unknown key.
    """
    fixed = fixed or {}
    for key, allowed in fixed.items():
        if key in values and values[key] not in allowed:
            shown = ", ".join(map(repr, allowed))
            raise CheckpointError(
                f"config.json: {key} = {values[key]!r} is not supported", allowed=shown
            )
    known = {theirs for _, theirs in fields} | set(fixed) | ignored
    for key in values:
        if key not in known and key not in GENERIC and not key.startswith("_"):
            raise CheckpointError(
                f"config.json: key {key!r} is not known for {values.get('model_type')!r}",
                allowed=", ".join(sorted(known)),
                next_step=nearest(key, known) or "take it out if it changes nothing",
            )
    types = typing.get_type_hints(config)
    given = {
        ours: _checked(theirs, values[theirs], types[ours])
        for ours, theirs in fields
        if theirs in values
    }
    if given.get("layers", 0) > LAYERS_LIMIT:
        raise CheckpointError(
            f"config.json: {given['layers']} layers", allowed=f"at most {LAYERS_LIMIT}"
        )
    return config(**given)


def write_fields(config: Any, fields: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What config.json holds for a family's config: the inverse of `read_fields`."""
    values = dataclasses.asdict(config)
    return {theirs: values[ours] for ours, theirs in fields}


def _checked(key: str, value: Any, kind: Any) -> Any:
    kinds = typing.get_args(kind) or (kind,)
    if value is None and type(None) in kinds:
        return None
    if bool in kinds and isinstance(value, bool):
        return value
    if str in kinds and isinstance(value, str):
        return value
    number = isinstance(value, int) and not isinstance(value, bool)
    if int in kinds and number:
        if not 0 <= value < LIMIT:
            raise CheckpointError(f"config.json: {key} = {value}", allowed=f"0 to {LIMIT - 1}")
        return value
    if float in kinds and (number or isinstance(value, float)):
        return float(value)
    names = " or ".join("null" if k is type(None) else k.__name__ for k in kinds)
    raise CheckpointError(f"config.json: {key} = {value!r}", allowed=names)
