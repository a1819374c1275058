"""The alphabet of byte-level vocabularies: each of the 256 bytes as one printable character.

Source: GPT-2's encoder.py (Radford et al. 2019). The bytes that are printable in Latin-1 keep
their character; the others get the characters from U+0100 on, in order: space is `Ġ`.
"""

from __future__ import annotations

__all__ = ["BYTE_CHARACTERS", "BYTE_TABLE", "BYTE_VALUES", "bytes_of"]


def _byte_characters() -> list[str]:
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


BYTE_CHARACTERS = _byte_characters()
BYTE_VALUES = {character: byte for byte, character in enumerate(BYTE_CHARACTERS)}


def bytes_of(token: str) -> bytes | None:
    """The bytes that a token of such a vocabulary stands for; None where it is of another one.

    >>> bytes_of("ĠÃ±"), bytes_of("▁a")
    (b' \xc3\xb1', None)
    """
    if all(character in BYTE_VALUES for character in token):
        return bytes(BYTE_VALUES[character] for character in token)
    return None


class _Utf8(dict[int, str]):
    """Code point -> its UTF-8 bytes in this alphabet, filled on demand (for str.translate)."""

    def __missing__(self, code: int) -> str:
        written = self[code] = "".join(BYTE_CHARACTERS[b] for b in chr(code).encode())
        return written


BYTE_TABLE = _Utf8()
