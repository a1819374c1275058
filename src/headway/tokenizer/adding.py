"""More tokens for a tokenizer that is there: special ones, or words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headway.errors import TokenizerError
from headway.tokenizer.reference import Pipeline

__all__ = ["with_added"]


def with_added(
    document: dict[str, Any], pipeline: Pipeline, tokens: Sequence[str], *, words: bool = False
) -> dict[str, Any]:
    """A tokenizer.json in which these are tokens too.

    One that the vocabulary has already keeps its number; the others follow the last one.

    Args:
        document: the content of a tokenizer.json.
        pipeline: that it describes.
        tokens: none of them empty, each once.
        words: whether they are words, found where they stand alone in a normalized text; else
            special tokens, found anywhere in the text as it is.

    Raises:
        TokenizerError: tokens that cannot be.
    """
    if isinstance(tokens, str) or not all(isinstance(one, str) and one.strip() for one in tokens):
        raise TokenizerError(f"tokens {tokens!r:.60}", allowed="a list of texts")
    if len(set(tokens)) < len(tokens):
        raise TokenizerError(f"tokens {list(tokens)!r:.60}", allowed="each once")
    known = {**pipeline.model.vocabulary, **pipeline.added.ids}
    following = max([len(pipeline.model.vocabulary) - 1, *pipeline.added.ids.values()]) + 1
    if taken := [token for token, number in known.items() if number >= following]:
        raise TokenizerError(
            f"the number {following} of a new token is below that of {taken[0]!r}",
            allowed="a vocabulary without gaps",
        )
    entries = list(document.get("added_tokens") or [])
    for token in tokens:
        if token in pipeline.added.ids:
            continue
        number = known.get(token)
        if number is None:
            number, following = following, following + 1
        flags = {"single_word": words, "lstrip": False, "rstrip": False, "normalized": words}
        entries.append({"id": number, "content": token, **flags, "special": not words})
    return {**document, "added_tokens": entries}
