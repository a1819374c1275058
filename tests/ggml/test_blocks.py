"""Blocks of every type are the numbers that the package of the format's makers reads."""

from __future__ import annotations

import gguf
import numpy as np
import pytest

from headway.ggml.blocks import READERS, dequantise
from headway.ggml.codebooks import codebook, signs_of
from headway.ggml.types import TYPES, type_number


@pytest.mark.parametrize("name", sorted(set(READERS) - {"Q8_K", "F64"}))
def test_random_blocks_are_read_to_the_last_bit(name: str) -> None:
    """Scales of any bits are among them: infinite, not a number, subnormal."""
    kind = TYPES[type_number(name)]
    draw = np.random.default_rng(sum(name.encode()))
    data = draw.integers(0, 256, (1000, kind.size), dtype=np.uint8)
    with np.errstate(all="ignore"):
        wanted = gguf.dequantize(data, gguf.GGMLQuantizationType[name]).reshape(-1)
    got = dequantise(data.reshape(-1), kind)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, wanted)
    assert np.array_equal(np.signbit(got), np.signbit(wanted)) or np.isnan(wanted).any()


def test_types_are_those_of_the_format() -> None:
    assert {kind.name for kind in TYPES.values()} == set(READERS)
    for number, kind in TYPES.items():
        theirs = gguf.GGMLQuantizationType(number)
        assert theirs.name == kind.name
        assert gguf.GGML_QUANT_SIZES[theirs] == (kind.weights, kind.size)


def test_whole_eights_with_a_scale_of_32_bits() -> None:
    """Q8_K, which the peer does not read: a scale, 256 numbers, and sums that are not needed."""
    draw = np.random.default_rng(0)
    numbers = draw.integers(-128, 128, (3, 256), dtype=np.int8)
    scales = draw.normal(size=(3, 1)).astype(np.float32)
    sums = np.zeros((3, 32), np.uint8)
    data = np.concatenate([scales.view(np.uint8), numbers.view(np.uint8), sums], axis=1)
    got = dequantise(data.reshape(-1), TYPES[type_number("Q8_K")]).reshape(3, 256)
    np.testing.assert_array_equal(got, scales * numbers)
    doubles = draw.normal(size=5)
    got = dequantise(doubles.view(np.uint8), TYPES[type_number("F64")])
    np.testing.assert_array_equal(got, doubles.astype(np.float32))


def test_more_blocks_than_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = TYPES[type_number("Q5_K")]
    data = np.random.default_rng(1).integers(0, 120, (7, kind.size), dtype=np.uint8).reshape(-1)
    whole = dequantise(data, kind)
    monkeypatch.setattr("headway.ggml.blocks._AT_ONCE", 512)
    np.testing.assert_array_equal(dequantise(data, kind), whole)


def test_signs_and_codebooks() -> None:
    signs = signs_of(np.arange(128, dtype=np.uint8))
    assert signs.shape == (128, 8) and (signs.prod(-1) == 1).all()
    assert len({tuple(row) for row in signs.tolist()}) == 128
    rows = codebook("IQ1_S")
    assert rows.shape == (2048, 8) and set(np.unique(rows)) == {-1, 0, 1}
    assert len(np.unique(rows, axis=0)) == 2048
