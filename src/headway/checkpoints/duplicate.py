"""One stack made into two: an encoder, and a decoder that looks at it, both from one checkpoint.

Sources: Rothe et al. 2019, arXiv 1907.12461 (BERT2BERT, and its shared form); Golovanov et al.
2019, "Large-Scale Transfer Learning for Natural Language Generation" (a GPT made into both).
"""

from __future__ import annotations

import dataclasses
from typing import Any

from torch import nn

from headway.checkpoints.bottlenecks import refuse_adapters
from headway.checkpoints.checkpoint import Checkpoint
from headway.checkpoints.generation import Generation
from headway.checkpoints.heads import HeadPlan
from headway.core.initial import initialise
from headway.core.stacks import EncoderDecoder
from headway.errors import CheckpointError, ConfigError
from headway.families import encoder_decoder, joined
from headway.families.encoder_decoder import Joined

__all__ = ["encoder_decoder_of"]


def encoder_decoder_of(checkpoint: Checkpoint, *, share: bool = False) -> Checkpoint:
    """An encoder-decoder whose stacks both start as copies of a checkpoint's one.

    The encoder is the stack as it is; GPT-2 keeps its causal mask. The decoder is a copy that sees
    only what came before, with new cross-attention in each block, and writes with the checkpoint's
    language head, or with a new one around its word table. What is new has to be trained: `notes`
    says how much that is.

    Args:
        checkpoint: of a family that can look at an encoder; it stays as it is.
        share: whether the decoder's weights are the encoder's own, all but cross-attention, so
            that the model is half as large.

    Returns:
        A checkpoint like any other: `Model(encoder_decoder_of(model.checkpoint))` is trained,
        writes and is saved, in the format of transformers' EncoderDecoderModel. A text is begun by
        the tokenizer's token for it and ended by the one for that.

    Raises:
        ConfigError: the family has no decoder of this kind, or the model has two stacks already, or
            adapters.

    >>> from headway.families import bert
    >>> config = bert.Config(vocabulary=9, hidden=4, layers=1, heads=2, inner=4, positions=8)
    >>> one = Checkpoint(family=bert, config=config, body=bert.build(config))
    >>> encoder_decoder_of(one).notes
    ['made encoder and decoder of one bert: 125 parameters are new and have to be trained']
    """
    refuse_adapters(checkpoint.body, "a pair of stacks made of one")
    kind = checkpoint.family.to_hf(checkpoint.config)["model_type"]
    family = _pair(kind, checkpoint.body)
    task = family.decoder.WRITES
    own_head = checkpoint.head if checkpoint.plan and checkpoint.plan.task == task else None
    inner = checkpoint.config
    if own_head is None:  # a new head has the word table
        inner = dataclasses.replace(inner, tied=True)
    config = encoder_decoder.Config(inner, inner, share)
    plan = HeadPlan(encoder_decoder.TASK, family.HEADS[encoder_decoder.TASK])
    body = family.build(config)
    head = plan.build(config, body)
    initialise(nn.ModuleList([body, head]), config.initial_std)
    unlearned = {f"decoder.{name}" for name in _fill(body, checkpoint.body)}
    fresh = sum(p.numel() for name, p in body.named_parameters() if name in unlearned)
    fresh += _fill_head(head, own_head, body)
    both = {f"{stack}.{name}" for name in checkpoint.fresh for stack in ("encoder", "decoder")}
    whole = nn.ModuleList([body, head]).to(next(checkpoint.body.parameters()))
    whole.train(checkpoint.body.training)
    made = Checkpoint(
        family=family,
        config=config,
        body=body,
        head=head,
        plan=plan,
        tokenizer=checkpoint.tokenizer,
        generation=_generation(checkpoint),
        fresh=frozenset(unlearned | both),
        set_aside={
            f"encoder.{name.removeprefix(checkpoint.family.PREFIX)}": tensor
            for name, tensor in checkpoint.set_aside.items()
        },
    )
    made.values = {"model_type": encoder_decoder.MODEL_TYPE, **made.generation.stored}
    made.notes.append(
        f"made encoder and decoder of one {kind}"
        + (", which share its weights" if share else "")
        + f": {fresh:,} parameters are new and have to be trained"
    )
    return made


def _pair(kind: str, body: nn.Module) -> Joined:
    """The family of two stacks of this kind."""
    if isinstance(body, EncoderDecoder):
        raise ConfigError(f"{kind} has an encoder and a decoder", allowed="a model of one stack")
    try:
        return joined(kind, kind)
    except CheckpointError as error:
        raise ConfigError(error.problem, allowed=error.allowed) from None


def _fill(body: EncoderDecoder, source: nn.Module) -> set[str]:
    """Puts a stack's weights into both; returns the names of the decoder's parameters that have
    none of them."""
    weights = source.state_dict()
    body.encoder.load_state_dict(weights)
    new = set(body.decoder.load_state_dict(weights, strict=False).missing_keys)
    return new & {name for name, _ in body.decoder.named_parameters()}


def _fill_head(head: nn.Module, source: nn.Module | None, body: EncoderDecoder) -> int:
    """The same of the head; what it has of the body's is not counted."""
    if source is not None:
        weights = source.state_dict()
        head.load_state_dict({name: weights[name] for name in head.state_dict()})
        return 0
    of_body = {id(parameter) for parameter in body.parameters()}
    return sum(p.numel() for p in head.parameters() if id(p) not in of_body)


def _generation(checkpoint: Checkpoint) -> Generation:
    """How the decoder begins and ends a text: as the tokenizer does, else as config.json says."""
    special = checkpoint.tokenizer.special_ids if checkpoint.tokenizer is not None else {}

    def token(*roles: str) -> int | None:
        said = (checkpoint.values.get(f"{role}_token_id") for role in roles)
        known = [special[role] for role in roles if role in special]
        return next((id for id in (*known, *said) if type(id) is int and id >= 0), None)

    start, end = token("cls", "bos"), token("sep", "eos")
    found = {"decoder_start": start, "eos": end, "pad": token("pad")}
    stored: dict[str, Any] = {
        f"{role}_token_id": id for role, id in found.items() if id is not None
    }
    return Generation(
        start=start, stop=frozenset() if end is None else frozenset({end}), stored=stored
    )
