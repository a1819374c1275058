"""A family's config beside config.json: which field of ours is which key of theirs.

Strict in what it reads: a value of the wrong kind, a key nobody knows and a value that would change
the computation in a way the family does not have are errors, never a silent default.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from headway.errors import CheckpointError, nearest

__all__ = [
    "GENERIC",
    "NOWHERE",
    "Choice",
    "Count",
    "Depth",
    "NotNegative",
    "Positive",
    "Range",
    "Rate",
    "RowNumber",
    "Rows",
    "Size",
    "check_value",
    "read_fields",
    "write_fields",
]

C = TypeVar("C")


@dataclass(frozen=True)
class Range:
    """The numbers a field may have, ends included; the upper keeps a hostile config small."""

    low: float
    high: float


@dataclass(frozen=True)
class Choice:
    """The words a field may have."""

    words: tuple[str, ...]


Size = Annotated[int, Range(1, 2**20)]
"""Of a hidden state, of a head, of what lies inside a layer."""
Rows = Annotated[int, Range(1, 2**31 - 1)]
"""Of a table: words, positions, segments."""
RowNumber = Annotated[int, Range(0, 2**31 - 1)]
"""One of them."""
Count = Annotated[int, Range(1, 2**12)]
"""Of heads, of buckets."""
Depth = Annotated[int, Range(1, 1000)]
"""Of a stack, in blocks."""
Rate = Annotated[float, Range(0.0, 1.0)]
"""Of dropout."""
Positive = Annotated[float, Range(1e-30, 1e30)]
"""Of a scale, of a base."""
NotNegative = Annotated[float, Range(0.0, 1e30)]
"""Of an epsilon, of a standard deviation."""

GENERIC = frozenset(
    """
    _attn_implementation_autoset _name_or_path architectures auto_map bad_words_ids
    begin_suppress_tokens bos_token_id chunk_size_feed_forward custom_pipelines
    decoder_start_token_id diversity_penalty do_sample dtype early_stopping
    encoder_no_repeat_ngram_size eos_token_id exponential_decay_length_penalty finetuning_task
    forced_bos_token_id forced_eos_token_id gradient_checkpointing headway id2label
    initializer_factor initializer_range is_decoder is_encoder_decoder keys_to_ignore_at_inference
    label2id length_penalty max_length min_length model_type no_repeat_ngram_size num_beam_groups
    num_beams num_return_sequences output_attentions output_hidden_states output_past output_scores
    pad_token_id prefix pretraining_tp problem_type remove_invalid_values repetition_penalty
    return_dict return_dict_in_generate sep_token_id suppress_tokens task_specific_params
    temperature tf_legacy_loss tokenizer_class top_k top_p torch_dtype torchscript
    transformers.js_config transformers_version typical_p unk_token_id use_bfloat16 use_cache
    xla_device
    """.split()  # noqa: SIM905  # seventy lines of one word each read worse
)
"""Keys that any config.json may hold and that say nothing about the architecture."""

NOWHERE: Mapping[str, tuple[Any, ...]] = {
    "add_cross_attention": (False, None),
    "cross_attention_hidden_size": (None,),
    "pruned_heads": ({}, None),
    "tie_encoder_decoder": (False, None),
}
"""Keys that any config.json may hold -> the values that change nothing; others are refused."""


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
    fixed = {**NOWHERE, **(fixed or {})}
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
                f"config.json: key {key!r} is not known",
                allowed=", ".join(sorted(known)),
                next_step=nearest(key, known) or "take it out if it changes nothing",
            )
    kinds = typing.get_type_hints(config, include_extras=True)
    given = {
        ours: check_value(theirs, values[theirs], kinds[ours])
        for ours, theirs in fields
        if theirs in values
    }
    return config(**given)


def write_fields(config: Any, fields: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What config.json holds for a family's config: the inverse of `read_fields`."""
    values = dataclasses.asdict(config)
    written = {theirs: values[ours] for ours, theirs in fields}
    return {k: list(value) if isinstance(value, tuple) else value for k, value in written.items()}


def check_value(key: str, value: Any, kind: Any) -> Any:
    """`value`, if it is of `kind`: bool, str, int or float, with limits or without, None, or a
    list of such, which becomes a tuple.

    >>> check_value("layers", 0, Depth)
    Traceback (most recent call last):
    headway.errors.CheckpointError: config.json: layers = 0. Allowed: a whole number from 1 to 1000.

    Raises:
        CheckpointError: names the key, the value and what is allowed.
    """
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    options = typing.get_args(kind) if union else (kind,)
    for option in options:
        if typing.get_origin(option) is tuple:
            item = typing.get_args(option)[0]
            if isinstance(value, list) and all(_fits(one, item) for one in value):
                return tuple(_as(one, item) for one in value)
        elif _fits(value, option):
            return _as(value, option)
    allowed = " or ".join(_describe(option) for option in options)
    raise CheckpointError(f"config.json: {key} = {value!r}", allowed=allowed)


def _fits(value: Any, option: Any) -> bool:
    plain, *limits = typing.get_args(option) or (option,)
    return _is(value, plain) and all(_within(value, limit) for limit in limits)


def _as(value: Any, option: Any) -> Any:
    plain, *_ = typing.get_args(option) or (option,)
    return float(value) if plain is float else value


def _is(value: Any, plain: Any) -> bool:
    if plain is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is plain


def _within(value: Any, limit: Range | Choice) -> bool:
    if isinstance(limit, Choice):
        return value in limit.words
    return limit.low <= value <= limit.high  # false for nan


def _describe(option: Any) -> str:
    if typing.get_origin(option) is tuple:
        return f"a list, each of it {_describe(typing.get_args(option)[0])}"
    plain, *limits = typing.get_args(option) or (option,)
    if plain is type(None):
        return "null"
    noun = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[plain]
    for limit in limits:
        if isinstance(limit, Choice):
            return ", ".join(limit.words)
        noun += f" from {limit.low:g} to {limit.high:g}"
    return noun
