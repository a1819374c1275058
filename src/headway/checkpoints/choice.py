"""A checkpoint that writes and chooses: a choice head beside its language head."""

from __future__ import annotations

import dataclasses

from headway.checkpoints.checkpoint import Checkpoint
from headway.core.initial import initialise
from headway.errors import ConfigError
from headway.heads import LanguageModelHead

__all__ = ["with_choice"]


def with_choice(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with a fresh choice head beside the head that writes, which stays as it is.

    It is saved with the other weights, as `multiple_choice_head.summary`. In the ecosystem the
    model opens as the language model that it is, and a GPT or GPT-2 as its DoubleHeadsModel too.

    Args:
        checkpoint: with a language head. The new one shares its body; one that chooses already is
            returned as it is.

    Raises:
        ConfigError: there is no head that writes.
    """
    plan, old = checkpoint.plan, checkpoint.head
    if plan is None or not isinstance(old, LanguageModelHead):
        raise ConfigError(
            f"a choice head beside {f'a {plan}' if plan else 'no other'}",
            allowed="a head for text-generation or text2text-generation",
        )
    if plan.choice:
        return checkpoint
    made = dataclasses.replace(checkpoint, plan=plan.with_choice(), notes=[*checkpoint.notes])
    assert made.plan is not None
    head = made.plan.build(checkpoint.config, checkpoint.body)
    assert isinstance(head, LanguageModelHead) and head.choice is not None
    initialise(head.choice, checkpoint.config.initial_std)
    head.load_state_dict({**head.state_dict(), **old.state_dict()})
    made.head = head.to(next(checkpoint.body.parameters())).train(old.training)
    fresh = sum(parameter.numel() for parameter in head.choice.parameters())
    made.notes.append(f"put on a choice head: {fresh:,} parameters to be trained")
    return made
