"""A checkpoint made to read long texts: its positions copied, its attention in windows.

The encoders of BERT's kind differ from Longformer in nothing but numbers: where positions start,
and how far a token sees. So one becomes a Longformer that computes the same on a text of half a
window, and the ecosystem opens it. For longer texts it is a start to train from.

Source: Beltagy et al. 2020, arXiv 2004.05150, section 5.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from headway.checkpoints.bottlenecks import with_adapters_of
from headway.checkpoints.checkpoint import Checkpoint
from headway.checkpoints.heads import HeadPlan
from headway.core.attention import SelfAttention
from headway.core.blocks import PostNormBlock
from headway.core.initial import initialise
from headway.core.layout import Layout
from headway.core.names import matches_any
from headway.core.positions import LearnedPositions
from headway.core.stacks import Encoder
from headway.errors import ConfigError
from headway.families import longformer

__all__ = ["MOST_POSITIONS", "SOURCES", "lengthened"]

SOURCES = ("bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta")
"""The `model_type`s that can be made longer: encoders with learned positions, norms behind."""

MOST_POSITIONS = 2**20
LEAST_WINDOW = 4
"""Narrower ones are nobody's, and the ecosystem's Longformer cannot compute them."""


def lengthened(checkpoint: Checkpoint, *, positions: int, window: int = 512) -> Checkpoint:
    """The checkpoint as a Longformer for texts of `positions` tokens.

    The position table is repeated rather than made anew, so that neighbours stand to each other as
    they did; the projections of global tokens start as copies of the others. A text of up to half a
    window and one token gives the hidden states that it gave before. The head is taken along where
    Longformer's computes the same, and left out, with a note, where not.

    Args:
        checkpoint: of one of SOURCES. The new one shares its weights.
        positions: longest text, in tokens; a multiple of what it is now.
        window: how wide a window is, in tokens, half of it on each side of a token; even.

    Raises:
        ConfigError: the architecture cannot be made longer, or is long already; positions or a
            window that cannot be.
    """
    encoder = _source(checkpoint)
    before = checkpoint.family.longest(checkpoint.config)
    assert before is not None  # those of SOURCES all have learned positions
    _check_sizes(positions, window, before)
    config = _config(checkpoint, encoder, positions, window)
    body = _body(encoder, config, before)
    plan, head = _head(checkpoint, config, body)
    notes = [
        f"positions: {before:,} copied {positions // before} times, to {positions:,}",
        f"each token sees {window // 2} before it and {window // 2} behind it; the first of a text "
        "sees all, with projections copied from the others",
    ]
    if plan is None and checkpoint.plan is not None:
        notes.append(f"left out the {checkpoint.plan}: Longformer has none that computes the same")
    tokenizer = checkpoint.tokenizer
    return dataclasses.replace(
        checkpoint,
        family=longformer,
        config=config,
        body=body,
        head=head,
        plan=plan,
        tokenizer=None if tokenizer is None else tokenizer.with_max_length(positions),
        values={**checkpoint.values, "model_type": "longformer"},
        set_aside=_set_aside(checkpoint.set_aside, checkpoint.family.PREFIX),
        notes=[*checkpoint.notes, *notes],
    )


def _source(checkpoint: Checkpoint) -> Encoder:
    """The checkpoint's encoder, if Longformer has a place for each of its parts."""
    kind, body = checkpoint.values.get("model_type"), checkpoint.body
    allowed = ", ".join(SOURCES)
    if kind in longformer.CLASSES:
        raise ConfigError(
            f"this {kind} reads texts of {checkpoint.family.longest(checkpoint.config):,} tokens "
            "already, in windows",
            allowed=allowed,
            next_step="use it as it is",
        )
    if kind not in SOURCES or not isinstance(body, Encoder):
        raise ConfigError(
            f"a {kind} model cannot be made longer: it is no encoder with learned positions and "
            "norms behind each half-block",
            allowed=allowed,
        )
    if body.embeddings.projection is not None:
        narrow, wide = body.embeddings.words.embedding_dim, checkpoint.config.hidden
        raise ConfigError(
            f"this {kind} widens word vectors of {narrow} numbers to {wide}, which Longformer does "
            "not",
            allowed="word vectors of the hidden size",
        )
    return body


def _check_sizes(positions: int, window: int, before: int) -> None:
    if not before < positions <= MOST_POSITIONS or positions % before:
        raise ConfigError(
            f"positions = {positions}, and the model has {before:,}",
            allowed=f"a multiple of {before} from {2 * before} to {MOST_POSITIONS}",
        )
    if not LEAST_WINDOW <= window <= positions or window % 2:
        raise ConfigError(
            f"window = {window}", allowed=f"an even number from {LEAST_WINDOW} to {positions}"
        )


def _config(
    checkpoint: Checkpoint, encoder: Encoder, positions: int, window: int
) -> longformer.Config:
    """The same numbers under Longformer's names. Its positions start behind the padding id."""
    config, embeddings = checkpoint.config, encoder.embeddings
    assert embeddings.positions is not None  # every one of SOURCES has them
    assert isinstance(embeddings.norm, nn.LayerNorm)
    padding = embeddings.positions.offset - 1
    if padding < 0:
        padding = _special(checkpoint, "pad", "pad_token_id") or 0
    return longformer.Config(
        vocabulary=config.vocabulary,
        hidden=config.hidden,
        layers=config.layers,
        heads=config.heads,
        inner=config.inner,
        activation=config.activation,
        windows=(window,) * config.layers,
        position_rows=positions + padding + 1,
        padding_id=padding,
        separator_id=_special(checkpoint, "sep", "sep_token_id"),
        segments=embeddings.segments.num_embeddings if embeddings.segments is not None else 1,
        norm_epsilon=embeddings.norm.eps,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        tied=config.tied,
        initial_std=config.initial_std,
    )


def _special(checkpoint: Checkpoint, role: str, key: str) -> int | None:
    """The id of a special token: the tokenizer's, or what config.json says."""
    tokenizer, said = checkpoint.tokenizer, checkpoint.values.get(key)
    if tokenizer is not None and role in tokenizer.special_ids:
        return tokenizer.special_ids[role]
    fine = type(said) is int and 0 <= said < checkpoint.config.vocabulary
    return said if fine else None


def _body(encoder: Encoder, config: longformer.Config, before: int) -> Encoder:
    """The long encoder, its parameters those of the short one where they are the same."""
    with torch.device("meta"):
        body = longformer.build(config)
        with_adapters_of(body, encoder)
    tensors = dict(encoder.state_dict())
    old, new = encoder.embeddings.positions, body.embeddings.positions
    assert isinstance(old, LearnedPositions)
    assert isinstance(new, LearnedPositions)
    table = old.weight.new_zeros(new.num_embeddings, new.embedding_dim)
    copies = (new.num_embeddings - new.offset) // before
    table[: old.offset] = old.weight[: old.offset]
    table[new.offset :] = old.weight[old.offset : old.offset + before].repeat(copies, 1)
    tensors["embeddings.positions.weight"] = table
    if encoder.embeddings.segments is None:
        tensors["embeddings.segments.weight"] = table.new_zeros(1, config.hidden)
    for number, layer in enumerate(encoder.layers):
        assert isinstance(layer, PostNormBlock)
        assert isinstance(layer.attention, SelfAttention)
        for name, tensor in layer.attention.qkv.named_parameters():
            q, k, v = tensor.detach().chunk(3)
            place = f"layers.{number}.attention.global"
            tensors[f"{place}_q.{name}"], tensors[f"{place}_kv.{name}"] = (
                q.clone(),
                torch.cat([k, v]),
            )
    body.load_state_dict(tensors, assign=True)
    return body.train(encoder.training)


def _head(
    checkpoint: Checkpoint, config: longformer.Config, body: Encoder
) -> tuple[HeadPlan | None, nn.Module | None]:
    """The head on the long body, if it computes there what it computed before."""
    plan, old = checkpoint.plan, checkpoint.head
    if plan is None or old is None:
        return None, None
    if plan.stored is None:
        if plan.task not in longformer.HEADS:
            return None, None
        plan = dataclasses.replace(plan, spec=longformer.HEADS[plan.task])
    head = plan.build(config, body)
    initialise(head, config.initial_std, shared_with=body)
    head = head.to(next(body.parameters())).train(old.training)
    tensors = old.state_dict()
    shapes = {name: tensor.shape for name, tensor in head.state_dict().items()}
    if shapes == {name: tensor.shape for name, tensor in tensors.items()}:
        head.load_state_dict(tensors)
        if _computes_the_same(old, head, config.hidden):
            return plan, head
    body.global_tokens = body.usual_global_tokens
    return None, None


def _computes_the_same(one: nn.Module, other: nn.Module, hidden: int) -> bool:
    """Whether two heads with the same weights are one function: their logits of drawn states."""
    like = next(one.parameters())
    draw = torch.Generator().manual_seed(0)
    rows = torch.randn(8, hidden, generator=draw).to(like)
    layout, made = Layout((5, 3), device=like.device), []
    for head in (one, other):
        training = head.training
        with torch.no_grad():
            made.append(head.eval()(rows, layout))
        head.train(training)
    before, after = made
    return before.shape == after.shape and torch.allclose(before, after, rtol=1e-4, atol=1e-4)


def _set_aside(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Any]:
    """What is carried along without being read, under Longformer's prefix."""
    renamed = {
        longformer.PREFIX + name.removeprefix(prefix): tensor for name, tensor in tensors.items()
    }
    return {n: tensor for n, tensor in renamed.items() if matches_any(n, longformer.OTHER_HEADS)}
