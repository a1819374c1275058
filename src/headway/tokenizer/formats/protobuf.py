"""Reads and writes protocol-buffer messages without a schema: field numbers and raw values.

Source: https://protobuf.dev/programming-guides/encoding/. Nothing is executed, and a length that
leads past the end of the data is an error.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from headway.errors import TokenizerError

__all__ = ["Value", "read_fields", "write_field"]

Value = int | float | bytes


def read_fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """The (field number, value) pairs of a message, in order.

    Numbers come as they are on the wire (varints not signed, 4 bytes as a float, 8 as an
    integer); strings and messages as bytes.

    >>> list(read_fields(bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69])))
    [(1, 150), (2, b'hi')]
    """
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        value: Value
        if kind == 0:
            value, place = _varint(data, place)
        elif kind == 2:
            length, place = _varint(data, place)
            value, place = _bytes(data, place, length)
        elif kind in (1, 5):
            raw, place = _bytes(data, place, 8 if kind == 1 else 4)
            value = struct.unpack("<Q" if kind == 1 else "<f", raw)[0]
        else:
            raise _damaged(place, f"a field of wire type {kind}")
        yield number, value


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise _damaged(place, "a number that is cut off")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise _damaged(place, "a number of more than 64 bits")


def _bytes(data: bytes, place: int, length: int) -> tuple[bytes, int]:
    if place + length > len(data):
        raise _damaged(place, f"{length} bytes announced and {len(data) - place} there")
    return data[place : place + length], place + length


def _damaged(place: int, what: str) -> TokenizerError:
    return TokenizerError(
        f"at byte {place} of a protocol buffer: {what}",
        next_step="get the file again: it is damaged, or no SentencePiece model",
    )


def write_field(number: int, value: int | float | bytes) -> bytes:
    """One field of a message: a number that is not negative, 32 bits of a float, or bytes.

    >>> write_field(1, 150) + write_field(2, b"hi")
    b'\\x08\\x96\\x01\\x12\\x02hi'
    """
    if isinstance(value, bytes):
        return _written(number << 3 | 2) + _written(len(value)) + value
    if isinstance(value, float):
        return _written(number << 3 | 5) + struct.pack("<f", value)
    return _written(number << 3) + _written(value)


def _written(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
