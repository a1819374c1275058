"""Rules that forbid tokens, or all but one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from headway.generate.penalties import Rule
from headway.generate.text import Text

__all__ = ["bad_words", "first_token", "last_token", "never", "no_repeats", "not_yet"]


def no_repeats(size: int) -> Rule:
    """No run of `size` tokens comes twice in prompt and text.

    >>> no_repeats(2)(torch.zeros(1, 3), [Text(prompt=[1, 2, 1])])
    tensor([[0., 0., -inf]])

    Source: Paulus et al. 2017, arXiv 1705.04304.
    """

    def rule(logits: Tensor, texts: Sequence[Text]) -> Tensor:
        return _without(logits, [_followers(text.all_ids, size) for text in texts])

    return rule


def _followers(ids: list[int], size: int) -> set[int]:
    """What has followed the last size - 1 tokens before."""
    if len(ids) < size:
        return set()
    end = ids[len(ids) - size + 1 :]
    starts = range(len(ids) - size + 1)
    return {ids[n + size - 1] for n in starts if ids[n : n + size - 1] == end}


def bad_words(runs: Sequence[Sequence[int]]) -> Rule:
    """None of these runs of tokens is written.

    >>> bad_words([[2], [1, 0]])(torch.zeros(1, 3), [Text(prompt=[1])])
    tensor([[-inf, 0., -inf]])
    """
    after: dict[int, list[tuple[list[int], int]]] = defaultdict(list)
    for *before, last in runs:
        after[len(before)].append((before, last))

    def rule(logits: Tensor, texts: Sequence[Text]) -> Tensor:
        banned = []
        for text in texts:
            ids = text.all_ids
            banned.append(
                {
                    last
                    for size, entries in after.items()
                    for before, last in entries
                    if len(ids) >= size and ids[len(ids) - size :] == before
                }
            )
        return _without(logits, banned)

    return rule


def never(tokens: Collection[int], *, first: bool = False) -> Rule:
    """These tokens are not written; or not first, and later they may be.

    >>> never([0])(torch.zeros(1, 2), [Text(prompt=[1])])
    tensor([[-inf, 0.]])
    """
    banned = set(tokens)

    def rule(logits: Tensor, texts: Sequence[Text]) -> Tensor:
        return _without(logits, [set() if first and text.ids else banned for text in texts])

    return rule


def not_yet(ends: Collection[int], *, new: int, length: int) -> Rule:
    """No end token before so many new tokens, or so many with the prompt.

    >>> not_yet([0], new=1, length=0)(torch.zeros(1, 2), [Text(prompt=[1])])
    tensor([[-inf, 0.]])
    """

    def rule(logits: Tensor, texts: Sequence[Text]) -> Tensor:
        early = [len(text.ids) < new or len(text.prompt) + len(text.ids) < length for text in texts]
        return _without(logits, [set(ends) if each else set() for each in early])

    return rule


def first_token(token: int) -> Rule:
    """The first token is this one.

    >>> first_token(1)(torch.ones(1, 2), [Text(prompt=[0])])
    tensor([[-inf, 0.]])
    """

    def rule(logits: Tensor, texts: Sequence[Text]) -> Tensor:
        return _only(logits, [token], [not text.ids for text in texts])

    return rule


def last_token(tokens: Collection[int]) -> Rule:
    """Where there is room for one token more, it is one of these.

    >>> last_token([0])(torch.ones(1, 2), [Text(prompt=[1], limit=1)])
    tensor([[0., -inf]])
    """

    def rule(logits: Tensor, texts: Sequence[Text]) -> Tensor:
        return _only(logits, tokens, [len(text.ids) == text.limit - 1 for text in texts])

    return rule


def _without(logits: Tensor, banned: Sequence[Collection[int]]) -> Tensor:
    places = [(row, token) for row, tokens in enumerate(banned) for token in tokens]
    places = [(row, token) for row, token in places if token < logits.shape[1]]
    if not places:
        return logits
    rows, tokens = torch.tensor(places, device=logits.device).unbind(1)
    return logits.index_put((rows, tokens), logits.new_tensor(-torch.inf))


def _only(logits: Tensor, tokens: Collection[int], rows: Sequence[bool]) -> Tensor:
    if not any(rows):
        return logits
    forced = torch.full_like(logits, -torch.inf)
    forced[:, list(tokens)] = 0.0
    return torch.where(torch.tensor(rows, device=logits.device)[:, None], forced, logits)
