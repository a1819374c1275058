"""From ggml's blocks to numbers.

A block holds a few scales and, for each of its weights, a small whole number in a few bits, packed
in planes: of 16 bytes, say, the low halves are the weights 0 to 15 and the high halves 16 to 31.
Every function takes blocks as uint8 [blocks, bytes] and gives float32 [blocks, weights], in the
order of operations that ggml has, so that results are its own to the last bit.

Source: ggml-quants.c and ggml-common.h of https://github.com/ggml-org/llama.cpp. k-quants:
https://github.com/ggml-org/llama.cpp/pull/1684; MXFP4: OCP Microscaling Formats 1.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.ggml.codebooks import codebook, signs_of
from headway.ggml.types import BlockType

__all__ = ["READERS", "dequantise"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_AT_ONCE = 1 << 21  # weights; what is made of them on the way is a few times as large

_FOUR_BITS = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32
)
"""What the 16 numbers of IQ4 mean."""
_E2M1 = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], np.float32)
"""Floating-point numbers of four bits, doubled."""
_TERNARY_SHIFT = np.float32(0.125)


def dequantise(data: Bytes, kind: BlockType) -> Floats:
    """The numbers in a run of blocks.

    Args:
        data: uint8 [bytes], whole blocks.
        kind: of the blocks.

    Returns:
        float32 [weights].

    >>> from headway.ggml.types import TYPES
    >>> block = np.float16(0.5).tobytes() + bytes(range(32))  # a scale, and 32 numbers
    >>> dequantise(np.frombuffer(block, np.uint8), TYPES[8])[:4].tolist()
    [0.0, 0.5, 1.0, 1.5]
    """
    blocks = data.reshape(-1, kind.size)
    read = READERS[kind.name]
    found = np.empty((len(blocks), kind.weights), np.float32)
    step = max(1, _AT_ONCE // kind.weights)
    with np.errstate(invalid="ignore", over="ignore"):  # scales of a damaged file
        for start in range(0, len(blocks), step):
            part = blocks[start : start + step]
            found[start : start + step] = read(part).reshape(len(part), -1)
    return found.reshape(-1)


def _cut(blocks: Bytes, *sizes: int) -> list[Bytes]:
    """The parts of each block, which have so many bytes; the last takes what is left."""
    parts = np.split(blocks, np.cumsum(sizes), axis=1)
    return [np.ascontiguousarray(part) for part in parts]


def _half(two: Bytes) -> Floats:
    """The scale in two bytes: float32 [blocks, 1]."""
    return two.view(np.float16).astype(np.float32)


def _planes(packed: Bytes, width: int, bits: int) -> NDArray[np.uint8]:
    """Whole numbers of a few bits: of each `width` bytes first all lowest bits, then the next."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)[:, None]
    rows = packed.reshape(len(packed), -1, 1, width) >> shifts  # [blocks, groups, planes, width]
    return (rows & np.uint8((1 << bits) - 1)).reshape(len(packed), -1)


def _grouped(values: NDArray[Any], *shape: int) -> NDArray[Any]:
    return values.reshape(len(values), *shape)


def _f32(blocks: Bytes) -> Floats:
    return blocks.view("<f4")


def _f16(blocks: Bytes) -> Floats:
    return blocks.view("<f2").astype(np.float32)


def _f64(blocks: Bytes) -> Floats:
    return blocks.view("<f8").astype(np.float32)


def _bf16(blocks: Bytes) -> Floats:
    return (blocks.view("<u2").astype(np.uint32) << 16).view(np.float32)


def _q4_0(blocks: Bytes) -> Floats:
    d, qs = _cut(blocks, 2)
    return _half(d) * (_planes(qs, 16, 4).astype(np.float32) - 8)


def _q4_1(blocks: Bytes) -> Floats:
    d, m, qs = _cut(blocks, 2, 2)
    return _half(d) * _planes(qs, 16, 4).astype(np.float32) + _half(m)


def _q5_0(blocks: Bytes) -> Floats:
    d, qh, qs = _cut(blocks, 2, 4)
    numbers = _planes(qs, 16, 4) | _planes(qh, 1, 1) << 4
    return _half(d) * (numbers.astype(np.float32) - 16)


def _q5_1(blocks: Bytes) -> Floats:
    d, m, qh, qs = _cut(blocks, 2, 2, 4)
    numbers = _planes(qs, 16, 4) | _planes(qh, 1, 1) << 4
    return _half(d) * numbers.astype(np.float32) + _half(m)


def _q8_0(blocks: Bytes) -> Floats:
    d, qs = _cut(blocks, 2)
    return qs.view(np.int8).astype(np.float32) * _half(d)


def _q2_k(blocks: Bytes) -> Floats:
    scales, qs, d, dmin = _cut(blocks, 16, 64, 2)
    scale = (_half(d) * (scales & 15).astype(np.float32))[..., None]  # [blocks, 16, 1]
    least = (_half(dmin) * (scales >> 4).astype(np.float32))[..., None]
    return scale * _grouped(_planes(qs, 32, 2), 16, 16).astype(np.float32) - least


def _q3_k(blocks: Bytes) -> Floats:
    hmask, qs, low, high, d = _cut(blocks, 32, 64, 8, 4)
    scales = (_planes(low, 8, 4) | _planes(high, 4, 2) << 4).astype(np.float32) - 32
    scale = (_half(d) * scales)[..., None]  # [blocks, 16, 1]
    # A set bit means that nothing is taken away.
    numbers = _planes(qs, 32, 2).astype(np.float32) - 4 * (1 - _planes(hmask, 32, 1))
    return scale * _grouped(numbers, 16, 16).astype(np.float32)


def _six_bit_scales(packed: Bytes) -> tuple[Floats, Floats]:
    """Of Q4_K and Q5_K: eight scales and eight offsets in 12 bytes; float32 [blocks, 8] both."""
    a, b, mixed = _cut(packed, 4, 4)
    scales = np.concatenate([a & 63, (mixed & 15) | ((a >> 2) & 48)], axis=1)
    offsets = np.concatenate([b & 63, (mixed >> 4) | ((b >> 2) & 48)], axis=1)
    return scales.astype(np.float32), offsets.astype(np.float32)


def _q4_k(blocks: Bytes) -> Floats:
    d, dmin, packed, qs = _cut(blocks, 2, 2, 12)
    scales, offsets = _six_bit_scales(packed)
    numbers = _grouped(_planes(qs, 32, 4), 8, 32).astype(np.float32)
    return (_half(d) * scales)[..., None] * numbers - (_half(dmin) * offsets)[..., None]


def _q5_k(blocks: Bytes) -> Floats:
    d, dmin, packed, qh, qs = _cut(blocks, 2, 2, 12, 32)
    scales, offsets = _six_bit_scales(packed)
    numbers = _grouped(_planes(qs, 32, 4) | _planes(qh, 32, 1) << 4, 8, 32).astype(np.float32)
    return (_half(d) * scales)[..., None] * numbers - (_half(dmin) * offsets)[..., None]


def _q6_k(blocks: Bytes) -> Floats:
    low, high, scales, d = _cut(blocks, 128, 64, 16)
    scale = (_half(d) * scales.view(np.int8).astype(np.float32))[..., None]  # [blocks, 16, 1]
    numbers = (_planes(low, 64, 4) | _planes(high, 32, 2) << 4).astype(np.float32) - 32
    return scale * _grouped(numbers, 16, 16)


def _q8_k(blocks: Bytes) -> Floats:
    d, qs, _sums = _cut(blocks, 4, 256)
    return d.view("<f4") * qs.view(np.int8).astype(np.float32)


def _ternary(numbers: NDArray[Any], d: Bytes) -> Floats:
    return _half(d) * (numbers.astype(np.float32) - 1)


def _tq1_0(blocks: Bytes) -> Floats:
    """Five numbers of 0, 1, 2 a byte, as a fraction of 3 ** 5: a digit is the top of what wraps."""
    first, second, last, d = _cut(blocks, 32, 16, 4)
    digits = [
        _grouped(part, 1, -1) * np.array(powers, np.uint8)[:, None]  # wraps around at 256
        for part, powers in ((first, (1, 3, 9, 27, 81)), (second, (1, 3, 9, 27, 81)),
                             (last, (1, 3, 9, 27)))
    ]  # fmt: skip
    whole = np.concatenate([_grouped(part, -1) for part in digits], axis=1)
    return _ternary((whole.astype(np.uint16) * 3) >> 8, d)


def _tq2_0(blocks: Bytes) -> Floats:
    qs, d = _cut(blocks, 64)
    return _ternary(_planes(qs, 32, 2), d)


def _iq4_nl(blocks: Bytes) -> Floats:
    d, qs = _cut(blocks, 2)
    return _half(d) * _FOUR_BITS[_planes(qs, 16, 4)]


def _iq4_xs(blocks: Bytes) -> Floats:
    d, high, low, qs = _cut(blocks, 2, 2, 4)
    scales = (_planes(low, 1, 4) | _planes(high, 1, 2) << 4).astype(np.float32) - 32
    return (_half(d) * scales)[..., None] * _grouped(_FOUR_BITS[_planes(qs, 16, 4)], 8, 32)


def _mxfp4(blocks: Bytes) -> Floats:
    exponents, qs = _cut(blocks, 1)
    e = exponents.astype(np.uint32)
    # Halves of powers of two, since the values are doubled; the two smallest are subnormal.
    bits = np.where(e < 2, np.uint32(0x00200000) << np.minimum(e, 1), (e - 1) << 23)
    return bits.astype(np.uint32).view(np.float32) * _E2M1[_planes(qs, 16, 4)]


def _nvfp4(blocks: Bytes) -> Floats:
    packed, qs = _cut(blocks, 4)
    exponent, mantissa = (packed >> 3) & 15, (packed & 7).astype(np.float32)
    normal = (1 + mantissa / 8) * np.exp2(exponent.astype(np.float32) - 7)
    scales = np.where(exponent == 0, mantissa * np.float32(2**-9), normal) * np.float32(0.5)
    scales[(packed == 0) | (packed == 127)] = 0
    return scales[..., None] * _grouped(_E2M1[_planes(qs, 8, 4)], 4, 16)


def _sign_bits(packed: Bytes) -> Floats:
    """A sign a weight, one bit each: float32 [blocks, weights], 1 or -1."""
    return 1 - 2 * _planes(packed, 1, 1).astype(np.float32)


def _halves(packed: Bytes) -> Floats:
    """Two whole numbers a byte, the low half first: float32 [blocks, 2 * bytes]."""
    return _planes(packed, 1, 4).astype(np.float32)


def _signs_in_words(words: NDArray[np.uint32]) -> Floats:
    """Four times seven bits a word of 32: float32 [blocks, words, 4, 8]."""
    return signs_of((words[..., None] >> np.array([0, 7, 14, 21], np.uint32)) & np.uint32(127))


def _iq2_xxs(blocks: Bytes) -> Floats:
    d, qs = _cut(blocks, 2)
    words = _grouped(qs.view("<u4"), -1, 2)  # [blocks, 8, 2]: rows of the codebook; signs, scale
    scale = _half(d) * (np.float32(0.5) + (words[..., 1] >> 28).astype(np.float32)) * 0.25
    places = _grouped(np.ascontiguousarray(words[..., 0]).view(np.uint8), 8, 4)
    values = codebook("IQ2_XXS")[places]  # [blocks, 8, 4, 8]
    return scale.astype(np.float32)[..., None, None] * values * _signs_in_words(words[..., 1])


def _iq2_xs(blocks: Bytes) -> Floats:
    d, qs, packed = _cut(blocks, 2, 64)
    words = qs.view("<u2")
    scale = _half(d) * (np.float32(0.5) + _halves(packed)) * np.float32(0.25)  # [blocks, 16]
    values = codebook("IQ2_XS")[words & 511] * signs_of(words >> 9)  # [blocks, 32, 8]
    return scale[..., None] * _grouped(values, 16, 16)


def _iq2_s(blocks: Bytes) -> Floats:
    d, qs, signs, high, packed = _cut(blocks, 2, 32, 32, 8)
    scale = _half(d) * (np.float32(0.5) + _halves(packed)) * np.float32(0.25)  # [blocks, 16]
    places = qs | _planes(high, 1, 2).astype(np.uint16) << 8
    values = _grouped(codebook("IQ2_S")[places], -1) * _sign_bits(signs)
    return scale[..., None] * _grouped(values, 16, 16)


def _iq3_xxs(blocks: Bytes) -> Floats:
    d, qs, packed = _cut(blocks, 2, 64)
    words = packed.view("<u4")  # [blocks, 8]
    scale = _half(d) * (np.float32(0.5) + (words >> 28).astype(np.float32)) * np.float32(0.5)
    values = _grouped(codebook("IQ3_XXS")[qs], 8, 4, 8)
    return scale[..., None, None] * values * _signs_in_words(words)


def _iq3_s(blocks: Bytes) -> Floats:
    d, qs, high, signs, packed = _cut(blocks, 2, 64, 8, 32)
    scale = _half(d) * (1 + 2 * _halves(packed))  # [blocks, 8]
    places = qs | _planes(high, 1, 1).astype(np.uint16) << 8
    values = _grouped(codebook("IQ3_S")[places], -1) * _sign_bits(signs)
    return scale[..., None] * _grouped(values, 8, 32)


def _iq1_s(blocks: Bytes) -> Floats:
    d, qs, packed = _cut(blocks, 2, 32)
    words = packed.view("<u2")  # [blocks, 8]: four times three bits, a scale, the sign of the shift
    scale = _half(d) * (2 * ((words >> 12) & 7) + 1).astype(np.float32)
    shift = np.where(words & 0x8000, -_TERNARY_SHIFT, _TERNARY_SHIFT)
    high = (words[..., None] >> np.array([0, 3, 6, 9], np.uint16)) & 7  # [blocks, 8, 4]
    values = codebook("IQ1_S")[qs | _grouped(high, -1) << 8]
    return scale[..., None] * (_grouped(values, 8, 32) + shift[..., None])


def _iq1_m(blocks: Bytes) -> Floats:
    qs, high, packed = _cut(blocks, 32, 16)
    words = packed.view("<u2")  # [blocks, 4]: four scales of three bits, a quarter of the block's
    quarters = (words & 0xF000) >> np.array([12, 8, 4, 0], np.uint16)
    d = np.bitwise_or.reduce(quarters, axis=1).astype(np.uint16).view(np.float16)[:, None]
    small = _grouped((words[..., None] >> np.array([0, 3, 6, 9], np.uint16)) & 7, -1)
    scale = d.astype(np.float32) * (2 * small + 1).astype(np.float32)  # [blocks, 16]
    halves = _planes(high, 1, 4)  # [blocks, 32]: three bits of the place, the sign of the shift
    shift = np.where(halves & 8, -_TERNARY_SHIFT, _TERNARY_SHIFT)
    values = codebook("IQ1_S")[qs | (halves & 7).astype(np.uint16) << 8]  # [blocks, 32, 8]
    return scale[..., None] * _grouped(values + shift[..., None], 16, 16)


READERS: dict[str, Callable[[Bytes], Floats]] = {
    "BF16": _bf16,
    "F16": _f16,
    "F32": _f32,
    "F64": _f64,
    "IQ1_M": _iq1_m,
    "IQ1_S": _iq1_s,
    "IQ2_S": _iq2_s,
    "IQ2_XS": _iq2_xs,
    "IQ2_XXS": _iq2_xxs,
    "IQ3_S": _iq3_s,
    "IQ3_XXS": _iq3_xxs,
    "IQ4_NL": _iq4_nl,
    "IQ4_XS": _iq4_xs,
    "MXFP4": _mxfp4,
    "NVFP4": _nvfp4,
    "Q2_K": _q2_k,
    "Q3_K": _q3_k,
    "Q4_0": _q4_0,
    "Q4_1": _q4_1,
    "Q4_K": _q4_k,
    "Q5_0": _q5_0,
    "Q5_1": _q5_1,
    "Q5_K": _q5_k,
    "Q6_K": _q6_k,
    "Q8_0": _q8_0,
    "Q8_K": _q8_k,
    "TQ1_0": _tq1_0,
    "TQ2_0": _tq2_0,
}
"""Name of a type -> what reads its blocks."""
