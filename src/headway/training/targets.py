"""Texts to be written: their tokens, and what a model knows and says where these are predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from headway.core.cache import Cache
from headway.core.layout import Layout
from headway.core.stacks import Decoder, EncoderDecoder
from headway.errors import ConfigError
from headway.heads import LanguageModelHead
from headway.model import Model
from headway.training.collate import Batch

__all__ = [
    "States",
    "continued_states",
    "ids_to_write",
    "target_states",
    "written_loss",
]


class States(NamedTuple):
    """Hidden states of texts to be written.

    Attributes:
        before: where each of their tokens is predicted, [target tokens, hidden].
        last: where each one's last token is read, [targets, hidden]; None where it is not.
    """

    before: Tensor
    last: Tensor | None


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


def written_loss(model: Model, batch: Batch, targets: Sequence[Sequence[int]]) -> Tensor:
    """The sum of -log p of each token of the targets, in nats, float32.

    Args:
        model: an encoder-decoder, or a decoder, with a head over the vocabulary.
        batch: the sources; of a decoder, the prompts, each of one window.
        targets: of each, of one token or more.
    """
    assert isinstance(model.head, LanguageModelHead)
    told = target_states if isinstance(model.body, EncoderDecoder) else continued_states
    states = told(model, batch, targets).before
    return model.head.loss(states, _flat(targets, model.device))


def target_states(
    model: Model,
    batch: Batch,
    targets: Sequence[Sequence[int]],
    owners: Sequence[int] | None = None,
    *,
    whole: bool = False,
) -> States:
    """The states of an encoder-decoder's targets; the decoder looks at all windows of its source.

    Args:
        model: with two stacks.
        batch: the sources, each read once.
        targets: of one token or more.
        owners: place in the batch of each target's source; None = one target a source, in order.
        whole: whether the last token of each is read too.
    """
    body, device = model.body, model.device
    assert isinstance(body, EncoderDecoder)
    layout = Layout.of(batch.windows, device)
    states = body.encoder(_flat(batch.windows, device), layout)
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
    fed = [[first, *_read(target, whole)] for target in targets]
    lies = Layout.of(fed, device)
    hidden = body.decoder(_flat(fed, device), lies, memory=(states, seen))
    return _parted(hidden, lies, targets, whole)


def continued_states(
    model: Model,
    batch: Batch,
    targets: Sequence[Sequence[int]],
    owners: Sequence[int] | None = None,
    *,
    segments: Sequence[Sequence[int]] | None = None,
    whole: bool = False,
) -> States:
    """The states of what is to follow a decoder's prompts.

    Without gradients a prompt is read once, and all that follow it reuse its keys and values.

    Args:
        model: with one stack.
        batch: the prompts, each of one window.
        targets: what follows each, of one token or more.
        owners: place in the batch of each target's prompt; None = one target a prompt, in order.
        segments: of the prompts' tokens, where they are words; what follows has that of the last.
        whole: whether the last token of each is read too.
    """
    body = model.body
    assert isinstance(body, Decoder)
    owners = range(len(targets)) if owners is None else owners
    ids = [_read(target, whole) for target in targets]
    prompts, behind = _Rows(batch.windows), _Rows(ids)
    if segments is not None:
        said = [[segments[owner][-1]] * len(row) for owner, row in zip(owners, ids, strict=True)]
        prompts, behind = _Rows(batch.windows, segments), _Rows(ids, said)
    if not torch.is_grad_enabled() and len(set(owners)) < len(owners):
        return _read_on(body, prompts, behind, owners, targets, whole=whole)
    hidden, lies = prompts.before(behind, owners).read(body)
    return _parted(hidden, lies, targets, whole)


@dataclass(frozen=True)
class _Rows:
    """Texts, and segments of their tokens where these are words."""

    ids: Sequence[Sequence[int]]
    segments: Sequence[Sequence[int]] | None = None

    def read(self, body: Decoder, cache: Cache | None = None) -> tuple[Tensor, Layout]:
        """Hidden states [tokens, hidden], and how they lie."""
        device = next(body.parameters()).device
        lies = Layout.of(self.ids, device)
        marks = None if self.segments is None else _flat(self.segments, device)
        return body(_flat(self.ids, device), lies, marks, cache=cache), lies

    def before(self, others: _Rows, owners: Sequence[int]) -> _Rows:
        """Each of the others behind its owner."""
        ids = [[*self.ids[n], *row] for n, row in zip(owners, others.ids, strict=True)]
        if self.segments is None or others.segments is None:
            return _Rows(ids)
        own = self.segments
        return _Rows(ids, [[*own[n], *row] for n, row in zip(owners, others.segments, strict=True)])


def _read_on(
    body: Decoder,
    prompts: _Rows,
    behind: _Rows,
    owners: Sequence[int],
    targets: Sequence[Sequence[int]],
    *,
    whole: bool,
) -> States:
    """As `continued_states`, each prompt read once."""
    device = next(body.parameters()).device
    cache = Cache(len(prompts.ids), len(body.layers), device)
    hidden, lies = prompts.read(body, cache)
    chosen = torch.tensor(owners, device=device)
    ends = hidden[lies.lasts[chosen]]  # [targets, hidden], where the first tokens are predicted
    if not any(behind.ids):  # of one token each
        return States(ends, None)
    cache.select(owners)
    hidden, lies = behind.read(body, cache)
    parts = zip(ends.unsqueeze(1), lies.split(hidden), targets, strict=True)
    before = torch.cat([part for end, rest, row in parts for part in (end, rest[: len(row) - 1])])
    return States(before, hidden[lies.lasts] if whole else None)


def _read(target: Sequence[int], whole: bool) -> Sequence[int]:
    """What is read of a target: its last token is predicted, and nothing is predicted from it."""
    return target if whole else target[:-1]


def _flat(rows: Sequence[Sequence[int]], device: torch.device) -> Tensor:
    return torch.tensor([number for row in rows for number in row], device=device)


def _parted(
    hidden: Tensor, layout: Layout, targets: Sequence[Sequence[int]], whole: bool
) -> States:
    """The states of texts that end with their targets, as far as these are read."""
    ends = layout.boundaries.tolist()[1:]
    places = [
        end - len(target) - whole + step
        for end, target in zip(ends, targets, strict=True)
        for step in range(len(target))
    ]
    before = hidden[torch.tensor(places, device=hidden.device)]
    return States(before, hidden[layout.lasts] if whole else None)
