"""Whether each token of a dialogue carries the vector of who speaks, as config.json says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.core.stacks import Body, Decoder
from headway.errors import CheckpointError

__all__ = ["can_carry", "read_speakers"]


def can_carry(body: Body) -> bool:
    """Whether a word can stand for the segment of a token, as a speaker's mark does."""
    return isinstance(body, Decoder) and body.embeddings.word_segments


def read_speakers(values: Mapping[str, Any], body: Body) -> bool:
    """What the `headway` section of config.json says of it; False where it says nothing.

    Raises:
        CheckpointError: it says what cannot be.
    """
    section = values.get("headway")
    told = section.get("speakers", False) if isinstance(section, Mapping) else False
    if not isinstance(told, bool) or (told and not can_carry(body)):
        raise CheckpointError(
            f"config.json: headway.speakers = {told!r:.60}",
            allowed="true or false; of GPT and GPT-2 alone true",
        )
    return told
