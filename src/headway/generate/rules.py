"""All rules of one set of options, in the ecosystem's order, with the guides last."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from headway.errors import ConfigError
from headway.generate import bans, filters
from headway.generate.choosing import Choose, drawn, greedy
from headway.generate.decoding import Decoding
from headway.generate.filters import Filter
from headway.generate.penalties import Rule, presence_and_frequency, repetition
from headway.generate.text import Text
from headway.tokenizer import Tokenizer

__all__ = ["Rules", "choose_of", "filters_of", "rules_of"]


class Rules:
    """Rules one after the other, then what the texts' guides allow.

    Where the rules have forbidden all that a guide allows, that is allowed again, as likely as the
    model says: what a constraint promises goes before everything.

    Args:
        rules: in this order.
        ends: end tokens, allowed where a guided text may end.
    """

    def __init__(self, rules: Sequence[Rule], ends: Collection[int]) -> None:
        self.rules = rules
        self.ends = ends

    def __call__(self, logits: Tensor, texts: Sequence[Text]) -> Tensor:
        """Logits [texts, vocabulary] -> logits, -inf where a token is forbidden."""
        made = logits
        for rule in self.rules:
            made = rule(made, texts)
        if not any(text.guide for text in texts):
            return made
        return torch.stack(
            [self._guided(*row) for row in zip(made, logits, texts, strict=True)]
        )  # [texts, vocabulary]

    def _guided(self, made: Tensor, logits: Tensor, text: Text) -> Tensor:
        if text.guide is None:
            return made
        allowed = text.guide.allowed().to(made.device)
        for end in self.ends:
            allowed[end] = text.guide.whole
        kept = made.masked_fill(~allowed, -torch.inf)
        return logits.masked_fill(~allowed, -torch.inf) if kept.isneginf().all() else kept


def rules_of(decoding: Decoding, ends: Collection[int], tokenizer: Tokenizer | None) -> Rules:
    """The rules that options ask for."""
    rules: list[Rule] = []
    if decoding.repetition_penalty != 1.0:
        rules.append(repetition(decoding.repetition_penalty))
    if decoding.presence_penalty or decoding.frequency_penalty:
        penalties = decoding.presence_penalty, decoding.frequency_penalty
        rules.append(presence_and_frequency(*penalties))
    if decoding.no_repeat_ngram:
        rules.append(bans.no_repeats(decoding.no_repeat_ngram))
    if decoding.bad_words:
        runs = _runs(decoding.bad_words, tokenizer)
        rules.append(bans.bad_words([run for run in runs if list(run) not in ([e] for e in ends)]))
    if decoding.min_new_tokens or decoding.min_length:
        rules.append(bans.not_yet(ends, new=decoding.min_new_tokens, length=decoding.min_length))
    if decoding.forced_first is not None:
        rules.append(bans.first_token(decoding.forced_first))
    if decoding.forced_last:
        rules.append(bans.last_token(decoding.forced_last))
    if decoding.suppressed:
        rules.append(bans.never(decoding.suppressed))
    if decoding.suppressed_first:
        rules.append(bans.never(decoding.suppressed_first, first=True))
    return Rules(rules, ends)


def _runs(words: Sequence[str | Sequence[int]], tokenizer: Tokenizer | None) -> list[Sequence[int]]:
    """Runs of ids; a word as it is written alone and behind a space."""
    runs: list[Sequence[int]] = []
    for word in words:
        if not isinstance(word, str):
            runs.append(word)
        elif tokenizer is None:
            raise ConfigError(
                f"bad word {word!r}, and the model has no tokenizer", allowed="tuples of token ids"
            )
        else:
            ways = (tokenizer.encode(text, special=False).ids for text in (word, f" {word}"))
            runs += [ids for ids in ways if ids]
    return runs


def filters_of(decoding: Decoding) -> list[Filter]:
    """The filters that options ask for, in the ecosystem's order."""
    made: list[Filter] = []
    if decoding.temperature not in (None, 0, 1.0):
        made.append(filters.temperature(decoding.temperature))
    for name in ("top_k", "top_p", "min_p", "typical_p", "epsilon", "eta"):
        value = getattr(decoding, name)
        if value is not None and not (name in ("top_p", "typical_p") and value == 1):
            made.append(getattr(filters, name)(value))
    return made


def choose_of(decoding: Decoding) -> Choose:
    """How options choose the next token."""
    return drawn(filters_of(decoding)) if decoding.samples else greedy
