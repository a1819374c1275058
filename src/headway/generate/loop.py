"""The decoding loop: read the prompts once, then one token a step, all in one ragged batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from torch import Tensor

__all__ = ["Choose", "Step", "continue_texts", "greedy"]

Step = Callable[[Sequence[Sequence[int]]], Tensor]
"""The new tokens of each text, possibly none -> logits behind each text's last token,
[texts with new tokens, vocabulary]. Remembers what it has read."""

Choose = Callable[[Tensor], Tensor]
"""Logits [n, vocabulary] -> the next token of each, int64 [n]."""


def greedy(logits: Tensor) -> Tensor:
    """The likeliest token: [n, vocabulary] -> int64 [n]."""
    return logits.argmax(dim=-1)


def continue_texts(
    step: Step,
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    stop: Collection[int] = (),
    choose: Choose = greedy,
) -> list[list[int]]:
    """Extends each prompt until a stop token or `max_new_tokens`.

    Args:
        step: a model with its cache.
        prompts: ids, any lengths of at least 1.
        max_new_tokens: most tokens added to each.
        stop: a text ends with the first of these, which is not returned.
        choose: picks the next token from the logits.

    Returns:
        The new ids of each text.
    """
    new: list[list[int]] = [[] for _ in prompts]
    pending: list[Sequence[int]] = list(prompts)
    for _ in range(max_new_tokens):
        active = [number for number, tokens in enumerate(pending) if tokens]
        if not active:
            break
        chosen = choose(step(pending)).tolist()
        for number, token in zip(active, chosen, strict=True):
            ended = token in stop
            pending[number] = [] if ended else [token]
            new[number] += [] if ended else [token]
    return new
