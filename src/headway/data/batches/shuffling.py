"""Orders by chance that can be asked for any place without making the whole.

Everything is arithmetic on 64-bit integers, so an order depends on its key alone: not on the
machine, on numpy's version, or on what was drawn before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Permutation", "mix", "ranked", "subkey"]

MASK = (1 << 64) - 1
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_FEW, _ROUNDS, _ROUNDS_OF_FEW = 1 << 16, 4, 6
"""Below so many numbers, halves are so short that four rounds are not even."""
_PLACE, _LENGTH = 24, 20
"""Bits of a sort key that hold the place, and the length; the rest is chance."""


def subkey(*numbers: int) -> int:
    """A key of 64 bits from a few integers, such as seed, epoch and purpose.

    >>> subkey(0, 1) == subkey(0, 1) != subkey(1, 0)
    True
    """
    key = 0
    for number in numbers:
        key = (key ^ (number & MASK)) + _GOLDEN & MASK
        key = (key ^ key >> 30) * _FIRST & MASK
        key = (key ^ key >> 27) * _SECOND & MASK
        key ^= key >> 31
    return key


def mix(numbers: npt.NDArray[np.uint64], key: int) -> npt.NDArray[np.uint64]:
    """A random number of 64 bits for each number, the same for the same key.

    The finisher of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
    generators", 2014).
    """
    mixed = numbers * np.uint64(_GOLDEN) + np.uint64(key & MASK)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(_FIRST)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(_SECOND)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def ranked(
    keys: npt.NDArray[np.uint64], lengths: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int64]:
    """Places by falling length, then by key, then as they stand.

    Args:
        keys: uint64 [n]; all 0 keeps the order of equal lengths.
        lengths: int64 [n], not negative; None = by key alone.
    """
    count = len(keys)
    if count > 1 << _PLACE or (lengths is not None and lengths.max(initial=0) >> _LENGTH):
        return np.lexsort((keys,) if lengths is None else (keys, -lengths))
    # One integer holds all three, since plain integers are what numpy sorts fastest.
    packed = keys >> np.uint64(_PLACE)
    if lengths is not None:
        packed >>= np.uint64(_LENGTH)
        shorter = ((1 << _LENGTH) - 1 - lengths).astype(np.uint64)
        packed |= shorter << np.uint64(64 - _PLACE - _LENGTH)
    packed <<= np.uint64(_PLACE)
    packed |= np.arange(count, dtype=np.uint64)
    packed.sort()
    return (packed & np.uint64((1 << _PLACE) - 1)).astype(np.int64)


@dataclass(frozen=True)
class Permutation:
    """The numbers below `size` in an order that `key` decides; any part costs only itself.

    A Feistel network of four to six rounds on as many bits as `size` needs; a result that is not
    below `size` goes through it again (Black and Rogaway, "Ciphers with arbitrary finite domains",
    2002).

    Args:
        size: how many numbers.
        key: 64 bits.

    >>> sorted(Permutation(5, key=1).at(np.arange(5)).tolist())
    [0, 1, 2, 3, 4]
    """

    size: int
    key: int

    def at(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The numbers at these places, int64; places are below `size`."""
        found = self._once(places.astype(np.uint64))
        while (out := np.flatnonzero(found >= np.uint64(self.size))).size:
            found[out] = self._once(found[out])
        return found.astype(np.int64)

    def _once(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        bits = (self.size - 1).bit_length()
        low = np.uint64(bits - bits // 2)
        masks = [np.uint64((1 << bits // 2) - 1), np.uint64((1 << int(low)) - 1)]
        halves = [numbers >> low, numbers & masks[1]]
        for turn in range(_ROUNDS if self.size >= _FEW else _ROUNDS_OF_FEW):
            one, other = halves[turn % 2], halves[1 - turn % 2]
            drawn = (other + np.uint64(subkey(self.key, turn))) * np.uint64(_FIRST)
            drawn ^= drawn >> np.uint64(29)
            drawn *= np.uint64(_SECOND)
            drawn >>= np.uint64(32)
            drawn &= masks[turn % 2]
            one ^= drawn
        return halves[0] << low | halves[1]
