"""Which tokens are hidden from a masked language model, and by what.

Source: Devlin et al. 2018, arXiv 1810.04805, section 3.1; drawn anew each time, Liu et al. 2019,
arXiv 1907.11692.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.core.stacks import Encoder
from headway.errors import ConfigError
from headway.model import Model
from headway.training.word_starts import begins_words

__all__ = [
    "MASKINGS",
    "Choose",
    "Hidden",
    "hidden_logits",
    "hidden_states",
    "hidden_tokens",
    "hide",
    "mask_token",
    "spans",
    "tokens",
    "words",
]

SHARE = 0.15
"""Of a text's tokens that are to be told."""

MASKED, CHANGED = 0.8, 0.1
"""Of those, the shares that are masked and that are another word; the others stay as they are."""

ENDS, LONGEST = 0.2, 10
"""Of spans: the chance that one ends behind each of its words, and the most words that one has."""

Choose = Callable[[Tensor, Tensor, torch.Generator | None], Tensor]
"""(which tokens may be hidden, which begin a word, random numbers) -> of each token the number of
what is hidden together with it, below that of tokens, or -1 where it is not hidden: bool [tokens]
twice, and int64 [tokens]."""


def tokens(allowed: Tensor, begins: Tensor, generator: torch.Generator | None) -> Tensor:
    """Each token by itself."""
    draw = torch.rand(allowed.shape, generator=generator)
    return torch.where(allowed & (draw < SHARE), torch.arange(len(allowed)), -1)


def words(allowed: Tensor, begins: Tensor, generator: torch.Generator | None) -> Tensor:
    """All tokens of a word, or none: no part of it gives the others away.

    Source: the whole-word models of Devlin et al., released in May 2019; Cui et al. 2019,
    arXiv 1906.08101.
    """
    word = _starts(allowed, begins).cumsum(0)  # [tokens]
    draw = torch.rand(len(allowed) + 1, generator=generator)[word]
    return torch.where(allowed & (draw < SHARE), torch.arange(len(allowed)), -1)


def spans(allowed: Tensor, begins: Tensor, generator: torch.Generator | None) -> Tensor:
    """Runs of whole words, one to ten, most of them short; a run is masked as one.

    Source: Joshi et al. 2019, arXiv 1907.10529, section 3.1.
    """
    starts = _starts(allowed, begins).nonzero().flatten().tolist()
    ends = [*starts[1:], len(allowed)]
    usable = [number for number, start in enumerate(starts) if allowed[start]]
    wanted = round(SHARE * int(allowed.sum()))
    found = torch.full((len(allowed),), -1)
    hidden = 0
    order = torch.randperm(len(usable), generator=generator).tolist()
    ends_by = 1 - (1 - ENDS) ** LONGEST  # the share of spans that would end by themselves so soon
    lengths = torch.rand(len(usable), generator=generator).mul_(-ends_by).log1p_()
    more = (lengths / math.log(1 - ENDS)).int().tolist()  # words of each span behind its first
    for number, (place, length) in enumerate(zip(order, more, strict=True)):
        if hidden >= wanted:
            break
        for word in range(usable[place], usable[place] + 1 + length):
            if word >= len(starts) or hidden >= wanted:
                break
            part = slice(starts[word], ends[word])
            if not allowed[starts[word]] or found[starts[word]] >= 0:
                break
            found[part] = number
            hidden += ends[word] - starts[word]
    return found


def _starts(allowed: Tensor, begins: Tensor) -> Tensor:
    """Where words start: what may not be hidden parts them too, and so does where a text is cut."""
    parted = ~allowed
    return begins | parted | torch.cat([parted.new_ones(1), parted[:-1]])[: len(parted)]


MASKINGS: dict[str, Choose] = {"tokens": tokens, "words": words, "spans": spans}
"""Name -> what is hidden together."""


def hidden_tokens(
    ids: Tensor,
    *,
    mask: int,
    words: int,
    never: Collection[int],
    begins: Tensor | None = None,
    choose: Choose = tokens,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Ids with some tokens hidden, and which ones: int64 [tokens], bool [tokens].

    Of the tokens that may be, 15 in 100 are chosen: 80 of 100 become the mask, 10 a word drawn by
    chance, 10 stay. Where chance chooses none, it chooses one that may be, with its word.

    Args:
        ids: int64 [tokens].
        mask: the mask token.
        words: size of the vocabulary.
        never: tokens that are never chosen: [CLS], [SEP] and the like.
        begins: which tokens begin a word, bool [tokens]; None = all are words.
        choose: what is hidden together.
        generator: of the random numbers; None = torch's own.
    """
    allowed = ~torch.isin(ids, torch.tensor(sorted(never)))
    begins = torch.ones_like(allowed) if begins is None else begins
    together = choose(allowed, begins, generator)
    if (together < 0).all() and allowed.any():
        word = _starts(allowed, begins).cumsum(0)
        usable = word[allowed].unique()
        together[word == usable[torch.randint(len(usable), (1,), generator=generator)]] = 0
    chosen = together >= 0
    kind = torch.rand(ids.shape, generator=generator)[together]
    other = torch.randint(words, ids.shape, generator=generator)
    shown = torch.where(chosen & (kind < MASKED), torch.full_like(ids, mask), ids)
    changed = chosen & (kind >= MASKED) & (kind < MASKED + CHANGED)
    return torch.where(changed, other, shown), chosen


@dataclass(frozen=True)
class Hidden:
    """Windows with tokens hidden.

    Attributes:
        windows: how many tokens each has.
        shown: what is read, int64 [tokens].
        chosen: which tokens are hidden, bool [tokens].
        right: themselves, int64 [hidden].
        counts: how many each window has.
    """

    windows: tuple[int, ...]
    shown: Tensor
    chosen: Tensor
    right: Tensor
    counts: tuple[int, ...]


def hide(
    model: Model,
    windows: Sequence[Sequence[int]],
    chance: Sequence[torch.Generator | None],
    choose: Choose = tokens,
) -> Hidden:
    """Windows with some tokens hidden, the special ones never.

    Args:
        model: whose tokenizer has a mask.
        windows: ids.
        chance: decides for each window which.
        choose: what is hidden together.
    """
    tokenizer = model.need_tokenizer()
    never = tokenizer.all_special_ids
    table = None if choose is tokens else begins_words(tokenizer)
    parts = []
    for window, generator in zip(windows, chance, strict=True):
        ids = torch.tensor(list(window))
        parts.append(
            hidden_tokens(
                ids,
                mask=mask_token(model),
                words=model.checkpoint.config.vocabulary,
                never=never,
                begins=None if table is None else table[ids],
                choose=choose,
                generator=generator,
            )
        )
    shown, chosen = (torch.cat(part) for part in zip(*parts, strict=True))
    ids = torch.tensor([token for window in windows for token in window])
    counts = tuple(int(mask.sum()) for _, mask in parts)
    return Hidden(tuple(map(len, windows)), shown, chosen, ids[chosen], counts)


def hidden_logits(model: Model, hidden: Hidden) -> tuple[Tensor, Tensor]:
    """Logits of hidden tokens, float32 [hidden, words], and the tokens, int64 [hidden]."""
    assert model.head is not None
    states, right = hidden_states(model, hidden)
    return model.head(states, Layout(hidden.counts, device=model.device)).float(), right


def hidden_states(model: Model, hidden: Hidden) -> tuple[Tensor, Tensor]:
    """States of hidden tokens, [hidden, size], and the tokens, int64 [hidden]."""
    assert isinstance(model.body, Encoder)
    device = model.device
    layout = Layout(hidden.windows, device=device)
    states = model.body(hidden.shown.to(device), layout)[hidden.chosen.to(device)]
    return states, hidden.right.to(device)


def mask_token(model: Model) -> int:
    """The token that stands for a hidden one.

    Raises:
        ConfigError: the tokenizer has none.
    """
    found = model.need_tokenizer().special_ids.get("mask")
    if found is None:
        raise ConfigError(
            f"the tokenizer of {model.source or 'this model'} has no mask token",
            next_step="set mask_token in tokenizer_config.json",
        )
    return found
