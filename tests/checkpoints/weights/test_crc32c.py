"""The checksum equals the bitwise one, at every length at which something changes."""

from __future__ import annotations

import random

import pytest

from headway.checkpoints.weights.crc32c import LANES, crc32c, masked

from .foreign import checksum

LENGTHS = [0, 1, 3, 4, 100, 4 * LANES - 1, 4 * LANES, 4 * LANES + 5, 8 * LANES + 1]


@pytest.mark.parametrize("length", LENGTHS)
def test_it_equals_the_bitwise_checksum(length: int) -> None:
    data = random.Random(length).randbytes(length)
    assert masked(crc32c(data)) == checksum(data)


def test_published_values() -> None:
    """RFC 3720, appendix B.4."""
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(bytes(range(31, -1, -1))) == 0x113FDB5C
