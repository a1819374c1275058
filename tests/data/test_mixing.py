"""Mixed data sets: every row in its own order, weights that show, ends where it is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import Dataset, interleave
from headway.data.cache import Store
from headway.errors import ConfigError, DataError


def parts_of(sizes: list[int]) -> list[Dataset]:
    return [
        Dataset.from_columns(
            {"part": np.full(size, part, np.int64), "n": np.arange(size, dtype=np.int64)}
        )
        for part, size in enumerate(sizes)
    ]


def in_turns(sizes: list[int], *, until_all: bool) -> list[tuple[int, int]]:
    """Round robin as one would write it down."""
    taken, out = [0] * len(sizes), []
    playing = [part for part, size in enumerate(sizes) if size or not until_all]
    while playing:
        for part in list(playing):
            if taken[part] == sizes[part]:
                return out
            out.append((part, taken[part]))
            taken[part] += 1
            if until_all and taken[part] == sizes[part]:
                playing.remove(part)
    return out


@settings(deadline=None)
@given(sizes=st.lists(st.integers(0, 7), min_size=1, max_size=4), until_all=st.booleans())
def test_turns(sizes: list[int], until_all: bool) -> None:
    mixed = interleave(parts_of(sizes), stop="all" if until_all else "first")
    found = list(zip(mixed["part"], mixed["n"], strict=True))
    assert found == in_turns(sizes, until_all=until_all)


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    seed=st.integers(0, 9),
    until_all=st.booleans(),
    drawn=st.data(),
)
def test_rows_keep_their_order_and_the_end_is_where_it_is_said(
    sizes: list[int], seed: int, until_all: bool, drawn: st.DataObject
) -> None:
    weights = [drawn.draw(st.floats(0.1, 10)) for _ in sizes]
    options: dict[str, Any] = {"seed": seed, "stop": "all" if until_all else "first"}
    mixed = interleave(parts_of(sizes), weights, **options)
    for part, size in enumerate(sizes):
        mine = [row["n"] for row in mixed if row["part"] == part]
        assert mine == list(range(len(mine)))
        assert not until_all or len(mine) == size
    if not until_all:
        assert any(mixed["part"].count(part) == size for part, size in enumerate(sizes))
    assert list(interleave(parts_of(sizes), weights, **options)) == list(mixed)


def test_weights_are_kept_and_seeds_count() -> None:
    parts = parts_of([200_000, 200_000, 200_000])
    mixed = interleave(parts, [6, 3, 1])
    shares = np.bincount(mixed.to_numpy("part")) / len(mixed)
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.005)
    assert len(mixed) == pytest.approx(200_000 / 0.6, rel=0.01)
    assert mixed["n"][:20] != interleave(parts, [6, 3, 1], seed=1)["n"][:20]


def test_what_cannot_be_mixed(tmp_path: Any) -> None:
    parts = parts_of([2, 2])
    for weights in ([1], [1, 0], [1, -1], [1, float("nan")]):
        with pytest.raises(ConfigError, match="a number above 0 for each"):
            interleave(parts, weights)
    with pytest.raises(ConfigError, match="no data sets"):
        interleave([])
    with pytest.raises(ConfigError, match="stop='never'"):
        interleave(parts, stop="never")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="columns"):
        interleave([parts[0], parts[1].drop(["n"])])
    cached = interleave([parts[0].cached(Store(tmp_path)), parts[1]])
    assert cached.filter(lambda row: row["n"])["n"] == [1, 1]
