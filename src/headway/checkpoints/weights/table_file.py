"""Sorted tables of keys and values, as LevelDB and TensorFlow's checkpoints store them.

Source: https://github.com/google/leveldb (doc/table_format.md). A block is entries whose keys leave
out what they share with the key before, then one byte that says how it is packed, then a checksum.
Everything here raises ValueError on a file that is not one, and takes no more time or memory than
a small multiple of its size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from headway.checkpoints.weights.crc32c import crc32c, masked

__all__ = ["fields", "read_table", "varint"]

MAGIC = 0xDB4775248B80FB57
FOOTER, TRAILER = 48, 5
LONGEST_KEY = 4096
MOST_KEY_BYTES = 2**26
PACKINGS = {0: "none", 1: "snappy", 2: "zstd"}


def read_table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a table, in order.

    Raises:
        ValueError: the bytes are no table, or damaged.
    """
    if len(data) < FOOTER or struct.unpack("<Q", data[-8:])[0] != MAGIC:
        raise ValueError("it does not end as a table does")
    about, place = _handle(data, len(data) - FOOTER)
    index, _ = _handle(data, place)
    _block(data, *about)  # says nothing about the keys; its checksum is as good as the others'
    end, total = 0, 0
    for _, value in _entries(_block(data, *index)):
        (first, length), _ = _handle(value, 0)
        if first < end:
            raise ValueError("blocks that lie over each other")
        end = first + length
        for key, value in _entries(_block(data, first, length)):
            total += len(key)
            if total > MOST_KEY_BYTES:
                raise ValueError(f"more than {MOST_KEY_BYTES} bytes of keys")
            yield key, value


def varint(data: bytes, place: int) -> tuple[int, int]:
    """The number at a place, in groups of seven bits, and the place behind it.

    >>> varint(bytes([0x96, 0x01]), 0)
    (150, 2)
    """
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise ValueError("it ends inside of a number")
        value |= (data[place] & 0x7F) << shift
        place += 1
        if data[place - 1] < 0x80:
            return value, place
    raise ValueError("a number of more than 64 bits")


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The numbers and values of a protocol buffer's fields; fixed sizes are numbers, too.

    >>> list(fields(bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69])))
    [(1, 150), (2, b'hi')]
    """
    place = 0
    while place < len(message):
        key, place = varint(message, place)
        kind = key & 7
        if kind == 0:
            value, place = varint(message, place)
            yield key >> 3, value
            continue
        if kind == 2:
            size, place = varint(message, place)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field of the wire type {kind}")
        part, place = message[place : place + size], place + size
        if place > len(message):
            raise ValueError("it ends inside of a field")
        yield key >> 3, part if kind == 2 else int.from_bytes(part, "little")


def _handle(data: bytes, place: int) -> tuple[tuple[int, int], int]:
    """Where a block starts and its size, and the place behind the two."""
    start, place = varint(data, place)
    size, place = varint(data, place)
    return (start, size), place


def _block(data: bytes, start: int, size: int) -> bytes:
    """A block's entries, without the places at its end that only a search needs."""
    end = start + size
    if size < 4 or end + TRAILER > len(data):
        raise ValueError(f"a block of {size} bytes at {start}, in a file of {len(data)}")
    if masked(crc32c(data[start : end + 1])) != struct.unpack("<I", data[end + 1 : end + 5])[0]:
        raise ValueError(f"the block at {start} has another checksum")
    if data[end]:
        packing = PACKINGS.get(data[end], str(data[end]))
        raise ValueError(f"the block at {start} is packed ({packing}), which is not read")
    restarts = 4 * struct.unpack("<I", data[end - 4 : end])[0] + 4
    if restarts > size:
        raise ValueError(f"the block at {start} has {size} bytes and ends in {restarts}")
    return data[start : end - restarts]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    key, place = b"", 0
    while place < len(block):
        shared, place = varint(block, place)
        own, place = varint(block, place)
        size, place = varint(block, place)
        middle, end = place + own, place + own + size
        if shared > len(key) or end > len(block) or shared + own > LONGEST_KEY:
            raise ValueError("an entry that leads out of its block")
        key = key[:shared] + block[place:middle]
        yield key, block[middle:end]
        place = end
