"""CRC-32C (Castagnoli), the checksum of TensorFlow's checkpoints, with numpy alone.

A checksum is linear: that of a long row of bytes can be put together from those of its parts. So
the bytes are laid in lanes that are read side by side, four bytes a step.

Source: RFC 3720, appendix B.4; masking: https://github.com/google/leveldb (util/crc32c.h).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

__all__ = ["crc32c", "masked"]

POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41, lowest bit first
LANES = 8192
"""Rows of bytes read side by side; a lane is a few hundred bytes for each megabyte."""

Words = npt.NDArray[np.uint32]


def crc32c(data: bytes | memoryview) -> int:
    """The checksum of bytes.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    size = len(data) // LANES & ~3
    bulk = size * LANES
    register = 0xFFFFFFFF
    if bulk:
        lanes = np.frombuffer(data, "<u4", bulk // 4).reshape(LANES, size // 4)
        start = np.zeros(LANES, np.uint32)
        start[0] = register
        register = _together(_advance(start, lanes), size)
    for byte in bytes(data[bulk:]):
        register = int(_tables()[0][(register ^ byte) & 0xFF]) ^ (register >> 8)
    return register ^ 0xFFFFFFFF


def masked(checksum: int) -> int:
    """How a checksum is stored, so that bytes that hold their own checksum do no harm."""
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _advance(registers: Words, lanes: Words) -> Words:
    """The registers behind their lanes: [lanes], [lanes, words] -> [lanes]."""
    first, second, third, fourth = _tables()
    for column in range(lanes.shape[1]):
        mixed = registers ^ lanes[:, column]
        registers = (
            fourth[mixed & 0xFF]
            ^ third[mixed >> 8 & 0xFF]
            ^ second[mixed >> 16 & 0xFF]
            ^ first[mixed >> 24]
        )
    return registers


def _together(registers: Words, size: int) -> int:
    """The register behind all lanes, each of `size` bytes, from those behind each."""
    step = _zeros(size)
    while len(registers) > 1:
        registers = _apply(step, registers[0::2]) ^ registers[1::2]
        step = _apply(step, step)  # twice as far
    return int(registers[0])


def _zeros(count: int) -> Words:
    """What `count` bytes of 0 do to a register: where each of its 32 bits leads."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    result, step = bits, _tables()[0][bits & 0xFF] ^ (bits >> 8)
    while count:
        if count & 1:
            result = _apply(step, result)
        step = _apply(step, step)
        count >>= 1
    return result


def _apply(step: Words, registers: Words) -> Words:
    """Registers after a step that is given by where each bit leads."""
    result = np.zeros_like(registers)
    for bit in range(32):
        result ^= np.where(registers >> np.uint32(bit) & 1, step[bit], np.uint32(0))
    return result


@functools.cache
def _tables() -> tuple[Words, Words, Words, Words]:
    """What one byte does to a register, alone and with one to three bytes of 0 behind it."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, np.uint32(POLYNOMIAL), np.uint32(0)) ^ (table >> 1)
    second = table[table & 0xFF] ^ (table >> 8)
    third = table[second & 0xFF] ^ (second >> 8)
    return table, second, third, table[third & 0xFF] ^ (third >> 8)
