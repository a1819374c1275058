"""How text is written: every option, checked, in one place."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from headway.errors import ConfigError, nearest
from headway.generate.constraints import Constraint

__all__ = ["DEFAULT_NEW_TOKENS", "Decoding", "changed"]

DEFAULT_NEW_TOKENS = 20
"""Most tokens written where neither the user nor the checkpoint says how many."""

SAMPLING = ("temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon", "eta")


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How text is written; the likeliest token each time, where nothing else is said.

    Tokens are drawn rather than taken as soon as `temperature`, `top_k`, `top_p`, `min_p`,
    `typical_p`, `epsilon` or `eta` is given. What is drawn for a prompt depends on `seed` and on
    the prompt, not on its neighbours or on its place among them: equal prompts give equal texts,
    and several texts of one prompt are `sequences`.

    Raises:
        ConfigError: a value outside its range, or two that contradict each other.

    >>> Decoding(temperature=0.7, top_p=0.9).samples
    True
    >>> Decoding(top_p=1.5)
    Traceback (most recent call last):
    headway.errors.ConfigError: top_p = 1.5. Allowed: above 0, at most 1.
    """

    max_new_tokens: int | None = None
    """Most tokens written for each prompt, the end token counted. None: up to `max_length`, or 20,
    and a text that fills the model's context before ends there."""
    min_new_tokens: int = 0
    """Fewest tokens written: no end token before."""
    max_length: int | None = None
    """Most tokens of prompt and new ones together (of a decoder behind an encoder: its first token
    and new ones); `max_new_tokens` goes before it."""
    min_length: int = 0
    """Fewest of the same."""
    beams: int = 1
    """How many beginnings are followed at once, for the likeliest text rather than token."""
    length_penalty: float = 1.0
    """Beams are ranked by log-probability / length ** this: above 0 prefers longer texts."""
    early_stopping: bool | Literal["never"] = False
    """Beams end when so many texts are whole (True), when a better one is unlikely (False), or only
    when none can be ("never")."""
    sequences: int = 1
    """Texts returned for each prompt: the best beams (fewer where there are none), or so many that
    are drawn."""
    temperature: float | None = None
    """Logits are divided by it: below 1 is bolder, above 1 more varied. 0 = the likeliest token."""
    top_k: int | None = None
    """Draws among so many of the likeliest tokens; beside `contrastive`, compares so many."""
    top_p: float | None = None
    """Draws among the likeliest tokens that together have this probability."""
    min_p: float | None = None
    """Leaves out tokens with less than this share of the likeliest one's probability."""
    typical_p: float | None = None
    """Draws among tokens whose surprise is nearest to the expected one, of this probability."""
    epsilon: float | None = None
    """Leaves out tokens of less probability."""
    eta: float | None = None
    """The same, with a bound that falls where the distribution is flat."""
    contrastive: float | None = None
    """Weight of unlikeness to what was written, against probability (contrastive search)."""
    repetition_penalty: float = 1.0
    """Logits of tokens in prompt and text are divided by it (multiplied, below 0)."""
    presence_penalty: float = 0.0
    """Taken off the logits of tokens that were written."""
    frequency_penalty: float = 0.0
    """Taken off as often as they were written."""
    no_repeat_ngram: int = 0
    """No run of so many tokens comes twice; 0 = any may."""
    bad_words: tuple[str | tuple[int, ...], ...] = ()
    """Texts, or runs of token ids, that are never written."""
    suppressed: tuple[int, ...] = ()
    """Token ids that are never written."""
    suppressed_first: tuple[int, ...] = ()
    """Token ids that are not written first."""
    forced_first: int | None = None
    """The token written first, whatever the model says (a language's mark)."""
    forced_last: tuple[int, ...] = ()
    """What is written where `max_new_tokens` leaves room for one token more: an end token."""
    stop: tuple[str, ...] | str = ()
    """A text ends before the one of these that is whole first; it may lie across tokens."""
    stop_tokens: tuple[int, ...] | None = None
    """Tokens that end a text and are not part of it; None = the checkpoint's."""
    constraint: Constraint | Sequence[Constraint | None] | None = None
    """What the text must be: `OneOf`, `Regex` or `Schema`, for all prompts or one for each."""
    alternatives: int = 0
    """How many of the likeliest tokens are told at each place (`generate_details`)."""
    seed: int = 0
    """Of what is drawn."""
    batch: int = 64
    """Most texts that are written at once; beams count."""

    def __post_init__(self) -> None:
        for name in ("stop", "bad_words"):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        if isinstance(self.constraint, list):
            object.__setattr__(self, "constraint", tuple(self.constraint))
        for name, (low, high) in COUNTS.items():
            _check_count(name, getattr(self, name), low, high)
        for name, allowed in NUMBERS.items():
            _check_number(name, getattr(self, name), allowed)
        self._check_lists()
        self._check_together()

    @property
    def samples(self) -> bool:
        """Whether tokens are drawn."""
        given = any(getattr(self, name) is not None for name in SAMPLING)
        return given and self.temperature != 0 and self.contrastive is None

    @property
    def rows(self) -> int:
        """Texts that are followed at once for one prompt."""
        return self.beams if self.beams > 1 else self.sequences

    def _check_lists(self) -> None:
        if not all(isinstance(text, str) and text for text in self.stop):
            raise ConfigError(f"stop = {self.stop!r}", allowed="texts of one character or more")
        for word in self.bad_words:
            if not word or not (isinstance(word, str) or all(type(id) is int for id in word)):
                raise ConfigError(
                    f"bad_words hold {word!r}", allowed="texts, or tuples of token ids, not empty"
                )
        for name in ("suppressed", "suppressed_first", "forced_last", "stop_tokens"):
            tokens = getattr(self, name)
            if tokens is not None and not all(type(id) is int and id >= 0 for id in tokens):
                raise ConfigError(f"{name} = {tokens!r}", allowed="token ids")
        if self.early_stopping not in (True, False, "never"):
            raise ConfigError(
                f"early_stopping = {self.early_stopping!r}", allowed="True, False or 'never'"
            )

    def _check_together(self) -> None:
        if self.contrastive is not None and (self.beams > 1 or self.sequences > 1):
            raise ConfigError("contrastive search beside beams or sequences", allowed="one text")
        if self.beams > 1 and self.sequences > self.beams:
            raise ConfigError(
                f"sequences = {self.sequences} of {self.beams} beams",
                allowed=f"at most {self.beams}",
                next_step="ask for more beams",
            )
        if self.sequences > 1 and self.beams == 1 and not self.samples:
            raise ConfigError(
                f"sequences = {self.sequences} of the likeliest tokens, which are one text",
                next_step="give beams, or a temperature",
            )
        if self.max_new_tokens is not None and self.min_new_tokens > self.max_new_tokens:
            raise ConfigError(
                f"min_new_tokens = {self.min_new_tokens}", allowed=f"up to {self.max_new_tokens}"
            )


COUNTS: Mapping[str, tuple[int, int | None]] = {
    "max_new_tokens": (0, None),
    "min_new_tokens": (0, None),
    "max_length": (0, None),
    "min_length": (0, None),
    "beams": (1, 1000),
    "sequences": (1, 1000),
    "top_k": (1, None),
    "no_repeat_ngram": (0, None),
    "forced_first": (0, None),
    "alternatives": (0, 1000),
    "batch": (1, None),
    "seed": (-(2**63), 2**64),
}
"""Option -> the smallest and the largest whole number it may be; None = no largest."""

NUMBERS: Mapping[str, str] = {
    "temperature": "0 or more",
    "top_p": "above 0, at most 1",
    "min_p": "0 to 1",
    "typical_p": "above 0, at most 1",
    "epsilon": "above 0, below 1",
    "eta": "above 0, below 1",
    "contrastive": "0 to 1",
    "repetition_penalty": "above 0",
    "presence_penalty": "any number",
    "frequency_penalty": "any number",
    "length_penalty": "any number",
}
"""Option -> the numbers it may be, in the words of the message."""

RANGES: Mapping[str, Any] = {
    "0 or more": lambda value: value >= 0,
    "above 0": lambda value: value > 0,
    "above 0, at most 1": lambda value: 0 < value <= 1,
    "above 0, below 1": lambda value: 0 < value < 1,
    "0 to 1": lambda value: 0 <= value <= 1,
    "any number": lambda value: True,
}


def _check_count(name: str, value: Any, low: int, high: int | None) -> None:
    if value is None:
        return
    if type(value) is not int or value < low or (high is not None and value > high):
        allowed = f"{low} or more" if high is None else f"a whole number from {low} to {high}"
        raise ConfigError(f"{name} = {value!r}", allowed=allowed)


def _check_number(name: str, value: Any, allowed: str) -> None:
    if value is None:
        return
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not RANGES[allowed](value):
        raise ConfigError(f"{name} = {value!r}", allowed=allowed)


def changed(decoding: Decoding, options: Mapping[str, Any]) -> Decoding:
    """The same settings but for some.

    >>> changed(Decoding(beams=2), {"beams": 4}).beams
    4

    Raises:
        ConfigError: an option that there is not, or a value that cannot be.
    """
    known = [field.name for field in dataclasses.fields(Decoding)]
    for name in options:
        if name not in known:
            raise ConfigError(
                f"there is no option {name!r} of writing text",
                allowed=", ".join(known),
                next_step=nearest(name, known),
            )
    return dataclasses.replace(decoding, **options)
