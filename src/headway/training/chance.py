"""Random numbers that depend on where they are drawn alone, so that a run can go on anywhere.

A step's draws come from the seed, the step, and which part of it is at work. What was drawn before
does not matter: a run that is resumed at some step draws what the uninterrupted one would have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["generator_for", "own_randomness", "seed_for"]


def seed_for(*place: int) -> int:
    """A seed of 63 bits for a place, such as (seed of the run, step, part of it).

    >>> seed_for(0, 1) == seed_for(0, 1), seed_for(0, 1) == seed_for(1, 0)
    (True, False)
    """
    said = ",".join(map(str, place)).encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big") >> 1


def generator_for(*place: int) -> torch.Generator:
    """Random numbers of a place, on the processor."""
    return torch.Generator().manual_seed(seed_for(*place))


@contextmanager
def own_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """Random numbers that depend on the seed only, and leave the caller's as they were."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
