"""Reads values out of untrusted JSON: the wrong type is a TokenizerError that says where it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headway.errors import TokenizerError

__all__ = ["Fields", "checked_ids", "whole_number"]


class Fields:
    """The fields of one JSON object, with its place in the file for messages.

    >>> Fields({"type": "Strip", "strip_left": True}, "normalizer").flag("strip_left")
    True
    """

    __slots__ = ("place", "values")

    def __init__(self, values: object, place: str) -> None:
        if not isinstance(values, Mapping):
            raise TokenizerError(
                f"{place} is {_short(values)}, not an object",
                next_step="get the file again: it is damaged or no tokenizer.json",
            )
        self.values: Mapping[str, Any] = values
        self.place = place

    def text(self, name: str, default: str | None = None) -> str:
        """A string."""
        value = self._get(name, default)
        return value if isinstance(value, str) else self._wrong(name, value, "a string")

    def character(self, name: str, default: str | None = None) -> str:
        """A string of one character."""
        value = self.text(name, default)
        return value if len(value) == 1 else self._wrong(name, value, "one character")

    def optional_text(self, name: str) -> str | None:
        """A string, or None where the field is absent or null."""
        return None if self.values.get(name) is None else self.text(name)

    def flag(self, name: str, default: bool | None = None) -> bool:
        """True or False; null counts as absent where there is a default."""
        value = self._get(name, default)
        if value is None and default is not None:
            return default
        return value if isinstance(value, bool) else self._wrong(name, value, "true or false")

    def optional_flag(self, name: str) -> bool | None:
        """True, False, or None where the field is absent or null."""
        return None if self.values.get(name) is None else self.flag(name)

    def count(self, name: str, default: int | None = None) -> int:
        """A whole number that is not negative."""
        value = self._get(name, default)
        return value if whole_number(value) else self._wrong(name, value, "a whole number >= 0")

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of the allowed strings."""
        value = self.text(name, default)
        return value if value in allowed else self._wrong(name, value, ", ".join(allowed))

    def items(self, name: str) -> list[Any]:
        """A list."""
        value = self._get(name, None)
        return value if isinstance(value, list) else self._wrong(name, value, "a list")

    def mapping(self, name: str) -> dict[str, Any]:
        """An object."""
        value = self._get(name, None)
        return value if isinstance(value, dict) else self._wrong(name, value, "an object")

    def _get(self, name: str, default: object) -> Any:
        if name in self.values:
            return self.values[name]
        if default is None:
            raise TokenizerError(
                f"{self.place} has no field {name!r}",
                next_step="get the file again: it is damaged or newer than this reader",
            )
        return default

    def _wrong(self, name: str, value: object, allowed: str) -> Any:
        raise TokenizerError(f"{self.place}.{name} is {_short(value)}", allowed=allowed)


def whole_number(value: object) -> bool:
    """True for an integer from 0 to 2**32 - 1 (JSON's true and false are not numbers)."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def checked_ids(ids: Iterable[int]) -> Iterator[int]:
    """Token numbers; what is below 0 is an error."""
    for number in map(int, ids):
        if number < 0:
            raise TokenizerError(
                f"{number} is no token's number",
                next_step="leave out what marks positions without a token, like -100",
            )
        yield number
