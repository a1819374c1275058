"""Which tokens are hidden from a masked language model, and by what.

Source: Devlin et al. 2018, arXiv 1810.04805, section 3.1; drawn anew each time, Liu et al. 2019,
arXiv 1907.11692.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

__all__ = ["hidden_tokens"]

SHARE = 0.15
"""Of a text's tokens that are to be told."""

MASKED, CHANGED = 0.8, 0.1
"""Of those, the shares that are masked and that are another word; the others stay as they are."""


def hidden_tokens(
    ids: Tensor,
    *,
    mask: int,
    words: int,
    never: Collection[int],
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Ids with some tokens hidden, and which ones: int64 [tokens], bool [tokens].

    Of the tokens that may be, 15 in 100 are chosen: 80 of 100 become the mask, 10 a word drawn by
    chance, 10 stay. Where chance chooses none, the first that may be is.

    Args:
        ids: int64 [tokens].
        mask: the mask token.
        words: size of the vocabulary.
        never: tokens that are never chosen: [CLS], [SEP] and the like.
        generator: of the random numbers; None = torch's own.
    """
    allowed = ~torch.isin(ids, torch.tensor(sorted(never), device=ids.device))
    draw = torch.rand(ids.shape, generator=generator).to(ids.device)
    chosen = allowed & (draw < SHARE)
    if not chosen.any() and allowed.any():
        chosen[allowed.nonzero()[0]] = True
    kind = torch.rand(ids.shape, generator=generator).to(ids.device)
    other = torch.randint(words, ids.shape, generator=generator).to(ids.device)
    shown = torch.where(chosen & (kind < MASKED), torch.full_like(ids, mask), ids)
    changed = chosen & (kind >= MASKED) & (kind < MASKED + CHANGED)
    return torch.where(changed, other, shown), chosen
