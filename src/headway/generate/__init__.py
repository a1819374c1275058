"""Text, token by token, from a decoder with a cache."""

from headway.generate.loop import continue_texts, greedy
from headway.generate.steps import cached_step

__all__ = ["cached_step", "continue_texts", "greedy"]
