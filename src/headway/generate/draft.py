"""A small model that drafts for a large one, and what it can draft for."""

from __future__ import annotations

from headway.errors import ConfigError
from headway.generate.decoding import Decoding
from headway.generate.parts import Parts

__all__ = ["Draft"]


class Draft:
    """A small model that drafts.

    Args:
        parts: of the model.
        ahead: most tokens it drafts at once.

    Raises:
        ConfigError: `ahead` is not 1 or more.
    """

    def __init__(self, parts: Parts, ahead: int = 4) -> None:
        if type(ahead) is not int or ahead < 1:
            raise ConfigError(f"draft_tokens = {ahead!r}", allowed="1 or more")
        self.parts, self.ahead = parts, ahead

    def check(self, large: Parts, decoding: Decoding) -> None:
        """Refuses what cannot be drafted for.

        Raises:
            ConfigError: other tokens, another kind of model, options beside which none drafts.
        """
        ours, theirs = large.tokenizer, self.parts.tokenizer
        same = ours is None or theirs is None or ours.vocabulary == theirs.vocabulary
        if not same or large.rows != self.parts.rows:
            raise ConfigError(
                f"the draft model {self.parts.name} has other tokens than {large.name}",
                allowed="models with one tokenizer",
            )
        if type(large.body) is not type(self.parts.body):
            raise ConfigError(
                f"{self.parts.name} drafts for {large.name}, which is another kind of model",
                allowed="two decoders, or two encoder-decoders",
            )
        if decoding.beams > 1 or decoding.contrastive is not None or decoding.constraint:
            raise ConfigError(
                "a draft model beside beams, contrastive search or a constraint",
                allowed="a draft model with the likeliest tokens or sampling",
            )
