"""From numbers to ggml's blocks.

Every function takes float32 [blocks, weights] and gives uint8 [blocks, bytes]. All but Q4_K choose
what ggml's own do, to the last bit; there the scales of each group are searched for.
Source: ggml-quants.c of https://github.com/ggml-org/llama.cpp.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.ggml.types import BlockType

__all__ = ["WRITERS", "quantise"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_AT_ONCE = 1 << 19  # weights; the search holds a few dozen numbers for each
_GROUP = 32
"""Weights of a group of Q4_K, which has a scale and an offset."""
_STEPS = 21
"""Scales that are tried for a group."""


def quantise(numbers: Floats, kind: BlockType) -> Bytes:
    """Blocks of a type.

    Args:
        numbers: float32, whole rows of blocks, any shape.
        kind: of the blocks; one of WRITERS.

    Returns:
        uint8 [bytes].

    >>> from headway.ggml.types import TYPES
    >>> quantise(np.arange(32, dtype=np.float32), TYPES[8])[:6].tolist()  # scale 31 / 127
    [208, 51, 0, 4, 8, 12]
    """
    blocks = np.ascontiguousarray(numbers, np.float32).reshape(-1, kind.weights)
    write = WRITERS[kind.name]
    found = np.empty((len(blocks), kind.size), np.uint8)
    step = max(1, _AT_ONCE // kind.weights)
    for start in range(0, len(blocks), step):
        found[start : start + step] = write(blocks[start : start + step])
    return found.reshape(-1)


def _f32(blocks: Floats) -> Bytes:
    return blocks.astype("<f4").view(np.uint8)


def _f16(blocks: Floats) -> Bytes:
    with np.errstate(over="ignore"):
        return blocks.astype("<f2").view(np.uint8)


def _bf16(blocks: Floats) -> Bytes:
    """Rounded to the nearest, of two as near to the even one; what is not a number stays so."""
    bits = blocks.view(np.uint32)
    lost = (bits & 0x7FFFFFFF) > 0x7F800000
    quiet = (bits & np.uint32(0xFFFF0000)) | np.uint32(1 << 22)
    rounded = bits.astype(np.uint64) + (0x7FFF + ((bits >> 16) & 1))
    return (np.where(lost, quiet, rounded) >> 16).astype("<u2").view(np.uint8)


def _inverse(d: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.where(d == 0, np.float32(0), 1 / d)


def _half(d: Floats) -> Bytes:
    with np.errstate(over="ignore"):
        return d.astype("<f2").view(np.uint8)


def _rounded(x: Floats) -> Floats:
    """To the nearest whole number, halves away from 0, as C's roundf."""
    whole = np.floor(np.abs(x))
    return np.sign(x) * (whole + np.floor(2 * (np.abs(x) - whole)))


def _q8_0(blocks: Floats) -> Bytes:
    d = np.abs(blocks).max(axis=1, keepdims=True) / 127
    numbers = _rounded(blocks * _inverse(d)).astype(np.int8)
    return np.concatenate([_half(d), numbers.view(np.uint8)], axis=1)


def _q4_0(blocks: Floats) -> Bytes:
    """The number of the largest size becomes -8, whatever its sign."""
    place = np.abs(blocks).argmax(axis=1, keepdims=True)
    d: Floats = np.take_along_axis(blocks, place, axis=1) / np.float32(-8)
    numbers = np.trunc(blocks * _inverse(d) + np.float32(8.5)).astype(np.uint8).clip(0, 15)
    return np.concatenate([_half(d), numbers[:, :16] | numbers[:, 16:] << 4], axis=1)


def _q4_k(blocks: Floats) -> Bytes:
    """Eight groups of 32 with a scale and an offset of six bits each, in parts of the block's."""
    groups = blocks.reshape(len(blocks), -1, _GROUP)  # [blocks, 8, 32]
    scales, offsets = _fitted(groups)  # [blocks, 8] both
    d, dmin = (part.max(axis=1, keepdims=True) / 63 for part in (scales, offsets))
    sizes = [np.rint(p * _inverse(q)).astype(np.uint8) for p, q in ((scales, d), (offsets, dmin))]
    written = [part.astype(np.float16) for part in (d, dmin)]
    scale, offset = (
        (part.astype(np.float32) * size)[..., None]
        for part, size in zip(written, sizes, strict=True)
    )
    numbers = np.rint((groups + offset) * _inverse(scale)).clip(0, 15).astype(np.uint8)
    pairs = numbers.reshape(len(blocks), 4, 2, _GROUP)
    halves = [part.view(np.uint8) for part in written]
    packed = (pairs[:, :, 0] | pairs[:, :, 1] << 4).reshape(len(blocks), -1)
    return np.concatenate([*halves, _six_bits(*sizes), packed], axis=1)


def _six_bits(scales: Bytes, offsets: Bytes) -> Bytes:
    """Eight scales and eight offsets in 12 bytes."""
    first = [part[:, :4] | (part[:, 4:] >> 4) << 6 for part in (scales, offsets)]
    return np.concatenate([*first, (scales[:, 4:] & 15) | (offsets[:, 4:] & 15) << 4], axis=1)


def _fitted(groups: Floats) -> tuple[Floats, Floats]:
    """Scale and offset of each group: x is about scale * number - offset, both not below 0.

    Scales around range / 15 are tried. For each the numbers are fixed, and scale and offset are
    those of least squares, weighted by the size of x; the one with the least error is taken.
    """
    mean = np.sqrt((groups * groups).mean(axis=-1, keepdims=True))
    weights = mean + np.abs(groups)  # large weights count more
    low = np.minimum(groups.min(axis=-1, keepdims=True), 0)
    span = groups.max(axis=-1, keepdims=True) - low
    offsets = -low[..., 0]  # what a group without a spread needs
    scales, best = np.zeros_like(offsets), _sums(weights, np.square(groups - low))
    for step in range(_STEPS):
        inverse = np.float32(15 - 1 + 0.1 * step) * _inverse(span)
        numbers = np.rint((groups - low) * inverse).clip(0, 15)
        scale, offset = _least_squares(groups, numbers, weights)
        error = groups - (scale[..., None] * numbers - offset[..., None])
        loss = (weights * error * error).sum(axis=-1)
        better = (loss < best) & (scale > 0)
        best, scales, offsets = (
            np.where(better, new, old)
            for new, old in ((loss, best), (scale, scales), (offset, offsets))
        )
    return scales, offsets


def _least_squares(x: Floats, numbers: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Scale and offset for fixed numbers; 0 where the offset would be below, or is not fixed."""
    w, wn, wx = (_sums(weights, part) for part in (np.ones_like(x), numbers, x))
    wnn, wnx = _sums(weights * numbers, numbers), _sums(weights * numbers, x)
    determinant = w * wnn - wn * wn
    inside = _inverse(np.where(determinant > 0, determinant, 0).astype(np.float32))
    scale, offset = (w * wnx - wn * wx) * inside, (wn * wnx - wnn * wx) * inside
    alone = wnx * _inverse(wnn)
    without = (offset < 0) | (inside == 0)
    return np.where(without, alone, scale), np.where(without, np.float32(0), offset)


def _sums(a: Floats, b: Floats) -> Any:
    """Products added up over each group."""
    return (a * b).sum(axis=-1)


WRITERS: dict[str, Callable[[Floats], Bytes]] = {
    "BF16": _bf16,
    "F16": _f16,
    "F32": _f32,
    "Q4_0": _q4_0,
    "Q4_K": _q4_k,
    "Q8_0": _q8_0,
}
"""Name of a type -> what writes its blocks."""
