"""The vocabulary of a model: tokens and their ids, checked when read."""

from __future__ import annotations

from collections.abc import Iterable

from headway.errors import TokenizerError
from headway.tokenizer.checks import whole_number

__all__ = ["checked_vocabulary", "refuse_surrogates"]


def checked_vocabulary(entries: Iterable[tuple[object, object]], place: str) -> dict[str, int]:
    """Token -> id, from pairs that may be anything.

    Two tokens of one id, a token twice, an id that is no id and text that is not Unicode are
    errors.

    >>> checked_vocabulary([("a", 0), ("b", 1)], "vocab.json")
    {'a': 0, 'b': 1}
    """
    vocabulary: dict[str, int] = {}
    owners: dict[int, str] = {}
    for token, number in entries:
        if not isinstance(token, str) or not whole_number(number):
            raise TokenizerError(
                f"{place} has the entry {token!r:.40}: {number!r:.40}",
                allowed="a string and a whole number from 0 to 4294967295",
            )
        assert isinstance(number, int)  # whole_number has just said so
        if token in vocabulary:
            raise TokenizerError(
                f"{place} has the token {token!r} twice",
                next_step="remove one of the two",
            )
        if number in owners:
            raise TokenizerError(
                f"{place} gives the id {number} to {owners[number]!r} and to {token!r}",
                next_step="give one of the two an id of its own",
            )
        vocabulary[token] = number
        owners[number] = token
    refuse_surrogates(vocabulary, place)
    return vocabulary


def refuse_surrogates(tokens: Iterable[str], place: str) -> None:
    """An error where a string has half of a surrogate pair: it stands for no text."""
    try:
        "".join(tokens).encode()
    except UnicodeEncodeError as error:
        raise TokenizerError(
            f"{place} has a token with the lone surrogate {error.object[error.start]!r}",
            next_step="get the file again: it is damaged",
        ) from error
