"""What a text must be: one of some answers, what a regular expression matches, JSON of a schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headway.errors import ConfigError

__all__ = ["Constraint", "OneOf", "Regex", "Schema"]


@dataclass(frozen=True)
class OneOf:
    """One of some answers, character by character.

    Args:
        answers: texts, none empty.

    Raises:
        ConfigError: no answers, or one that is no text.
    """

    answers: Sequence[str]

    def __post_init__(self) -> None:
        answers = (self.answers,) if isinstance(self.answers, str) else tuple(self.answers)
        if not answers or not all(isinstance(text, str) and text for text in answers):
            raise ConfigError(f"allowed answers {answers!r:.80}", allowed="one text or more")
        object.__setattr__(self, "answers", answers)


@dataclass(frozen=True)
class Regex:
    """A text that the whole of a regular expression matches.

    Args:
        pattern: in the syntax of Rust's `regex`, without anchors and look-around.
    """

    pattern: str


@dataclass(frozen=True)
class Schema:
    """JSON that a JSON Schema describes.

    Args:
        schema: as a dict, or as JSON text; {} for any JSON. A keyword that cannot be held to is an
            error, not ignored.
    """

    schema: Mapping[str, Any] | str | bool = field(default_factory=dict)


Constraint = OneOf | Regex | Schema
