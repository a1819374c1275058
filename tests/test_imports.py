"""Imports during which no garbage is looked for."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from headway.imports import imported, no_collection


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("before", [True, False])
def test_it_is_as_before_behind_it(before: bool) -> None:
    if not before:
        gc.disable()
    with no_collection(), no_collection():
        assert not gc.isenabled()
    assert gc.isenabled() == before
    with pytest.raises(ModuleNotFoundError):
        imported("headway.nowhere")
    assert gc.isenabled() == before


def test_no_garbage_is_looked_for_inside() -> None:
    rounds: list[str] = []

    def note(phase: str, about: dict[str, int]) -> None:
        rounds.append(phase)

    with no_collection():
        gc.callbacks.append(note)
        kept: list[list[int]] = [[] for _ in range(20_000)]
        inside = len(rounds)
    kept += [[] for _ in range(20_000)]
    gc.callbacks.remove(note)
    assert not inside and rounds
