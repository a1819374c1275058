"""Blocks are written as the makers' package writes them, or better."""

from __future__ import annotations

import gguf
import numpy as np
import pytest

from headway.ggml.blocks import dequantise
from headway.ggml.quantise import WRITERS, quantise
from headway.ggml.types import TYPES, type_number


def numbers(seed: int) -> np.ndarray:
    """Rows of 256 of all sizes; zeros, one sign, one value alone, and halves between two."""
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(200, 256)) * np.exp(draw.normal(size=(200, 1)) * 3)
    rows[0], rows[1], rows[2] = 0, np.abs(rows[1]), -np.abs(rows[2])
    rows[3], rows[4, 1:], rows[5] = 0.25, 0, np.arange(256) / 2
    return rows.astype(np.float32)


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"Q4_K"}))
def test_blocks_are_those_of_the_makers(name: str) -> None:
    rows, kind = numbers(0), TYPES[type_number(name)]
    wanted = gguf.quantize(rows, gguf.GGMLQuantizationType[name])
    np.testing.assert_array_equal(quantise(rows, kind), wanted.view(np.uint8).reshape(-1))


def test_what_is_not_a_number_stays_so() -> None:
    rows = np.array([[np.nan, np.inf, -np.inf, 0.0]], np.float32)
    for name in ("F32", "F16", "BF16"):
        kind = TYPES[type_number(name)]
        np.testing.assert_array_equal(dequantise(quantise(rows, kind), kind), rows[0])


def error(rows: np.ndarray, name: str) -> float:
    kind = TYPES[type_number(name)]
    again = dequantise(quantise(rows, kind), kind).reshape(rows.shape)
    return float(np.square(again - rows).sum() / np.square(rows).sum())


def test_searched_scales_are_closer_than_the_nearest_sixteen() -> None:
    """Q4_K costs as many bits as Q4_0, and loses less: on weights as models have them."""
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(400, 256)).astype(np.float32) * 0.02
    assert error(rows, "Q4_K") < 0.75 * error(rows, "Q4_0")
    shifted = rows + np.float32(0.03)  # where the offset pays
    assert error(shifted, "Q4_K") < 0.4 * error(shifted, "Q4_0")
    assert error(numbers(1), "Q4_K") < 0.01


def test_blocks_without_a_spread() -> None:
    kind = TYPES[type_number("Q4_K")]
    for value in (0.0, 0.5, -0.5):
        rows = np.full((1, 256), value, np.float32)
        np.testing.assert_allclose(dequantise(quantise(rows, kind), kind), rows[0], atol=2e-3)


def test_more_than_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, kind = numbers(2), TYPES[type_number("Q4_K")]
    whole = quantise(rows, kind)
    monkeypatch.setattr("headway.ggml.quantise._AT_ONCE", 700)
    np.testing.assert_array_equal(quantise(rows, kind), whole)
