"""Logits of texts to be written, only at the places where their tokens are predicted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.core.stacks import Decoder, EncoderDecoder
from headway.errors import ConfigError
from headway.model import Model
from headway.training.collate import Batch

__all__ = ["continued_logits", "ids_to_write", "target_logits"]


def ids_to_write(model: Model, text: str) -> list[int]:
    """The tokens of a text that the model is to write, the end token last.

    Raises:
        ConfigError: the model names no token that ends a text.
    """
    tokenizer, ends = model.need_tokenizer(), model.parts.ends
    if not ends:
        raise ConfigError(
            f"{model.source or 'this model'} names no token that ends a text",
            next_step="set eos_token_id in its config.json",
        )
    special = not isinstance(model.body, Decoder)
    ids = list(tokenizer.encode(text, special=special).ids)
    if special and len(ids) > 1 and ids[0] == model.checkpoint.generation.start:
        ids = ids[1:]  # the decoder is fed it, and need not learn to write it
    if not ids or ids[-1] not in ends:
        ids.append(min(ends))
    return ids


def target_logits(
    model: Model,
    batch: Batch,
    targets: Sequence[Sequence[int]],
    owners: Sequence[int] | None = None,
) -> Tensor:
    """What an encoder-decoder says of each token of its targets, float32 [target tokens, words].

    The decoder of a text looks at all windows of its source.

    Args:
        model: with two stacks and a head over the vocabulary.
        batch: the sources, each read once.
        targets: of one token or more.
        owners: place in the batch of each target's source; None = one target a source, in order.
    """
    body, device = model.body, model.device
    assert isinstance(body, EncoderDecoder) and model.head is not None
    layout = Layout.of(batch.windows, device)
    ids = torch.tensor([token for window in batch.windows for token in window], device=device)
    states = body.encoder(ids, layout)
    lengths = iter(map(len, batch.windows))
    seen = Layout(
        tuple(sum(next(lengths) for _ in numbers) for numbers in batch.numbers), device=device
    )
    if owners is not None:
        starts, sizes = seen.boundaries.tolist(), seen.lengths
        places = [place for n in owners for place in range(starts[n], starts[n] + sizes[n])]
        states = states[torch.tensor(places, device=device)]
        seen = Layout(tuple(sizes[n] for n in owners), device=device)
    first = model.checkpoint.generation.first(model.checkpoint.rows("target"))
    fed = [[first, *target[:-1]] for target in targets]
    lies = Layout.of(fed, device)
    flat = torch.tensor([token for row in fed for token in row], device=device)
    hidden = body.decoder(flat, lies, memory=(states, seen))
    logits: Tensor = model.head(hidden, lies).float()
    return logits


def continued_logits(
    model: Model,
    batch: Batch,
    targets: Sequence[Sequence[int]],
    owners: Sequence[int] | None = None,
    *,
    segments: Sequence[Sequence[int]] | None = None,
) -> Tensor:
    """What a decoder says of each token that is to follow its prompts, float32 [tokens, words].

    Args:
        model: with one stack and a head over the vocabulary.
        batch: the prompts, each of one window.
        targets: what follows each, of one token or more.
        owners: as for `target_logits`.
        segments: of the prompts' tokens, where they are words; what follows has that of the last.
    """
    assert isinstance(model.body, Decoder) and model.head is not None
    prompts = batch.windows if owners is None else [batch.windows[n] for n in owners]
    pairs = list(zip(prompts, targets, strict=True))
    # The last token is predicted, and nothing is predicted from it.
    rows = [[*prompt, *target[:-1]] for prompt, target in pairs]
    layout = Layout.of(rows, model.device)
    flat = torch.tensor([token for row in rows for token in row], device=model.device)
    marks = None
    if segments is not None:
        told = segments if owners is None else [segments[n] for n in owners]
        whose = [
            mark
            for own, row in zip(told, rows, strict=True)
            for mark in (*own, *[own[-1]] * (len(row) - len(own)))
        ]
        marks = torch.tensor(whose, device=model.device)
    hidden = model.body(flat, layout, marks)
    starts = layout.boundaries.tolist()
    places = [
        start + len(prompt) - 1 + step
        for start, (prompt, target) in zip(starts, pairs, strict=False)
        for step in range(len(target))
    ]
    chosen = hidden[torch.tensor(places, device=model.device)]
    counts = Layout(tuple(map(len, targets)), device=model.device)
    logits: Tensor = model.head(chosen, counts).float()
    return logits
