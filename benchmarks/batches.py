"""How many rows a second the loader gives: in order, shuffled, packed; and what resuming costs."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from common import keep, seconds_of

from headway.data import Dataset
from headway.data.batches.buckets import Cut, RowCount, TokenBudget
from headway.data.batches.loader import Loader
from headway.data.batches.packing import Blocks, Packing
from headway.data.batches.prefetch import Threads

WAYS: dict[str, dict[str, Any]] = {
    "in order": {"shuffle": False},
    "shuffled": {},
    "shuffled, each row drawn by itself": {"block": 1},
    "shuffled, one thread ahead": {"workers": Threads(1)},
}


def rows_of(count: int, mean: int) -> Dataset:
    """Rows of 1 to 2 * mean - 1 tokens and a label."""
    chance = np.random.default_rng(0)
    offsets = np.zeros(count + 1, dtype=np.int32)
    offsets[1:] = np.cumsum(chance.integers(1, 2 * mean, count))
    tokens = chance.integers(0, 30_000, offsets[-1]).astype(np.int32)
    ids = pa.ListArray.from_arrays(pa.array(offsets), pa.array(tokens))
    return Dataset(pa.table({"ids": ids, "label": chance.integers(0, 2, count)}))


def drained(batches: Any) -> Callable[[], None]:
    """One pass over all batches."""

    def work() -> None:
        for batch in batches:
            assert batch.tokens

    return work


def rates(data: Dataset, cuts: dict[str, Cut], rounds: int) -> dict[str, dict[str, float]]:
    """Rows a second: cut -> way -> the median of rounds that take turns."""
    seconds: dict[str, dict[str, list[float]]] = {cut: {way: [] for way in WAYS} for cut in cuts}
    for _, cut, way in itertools.product(range(rounds), cuts, WAYS):
        loader = Loader(data, cuts[cut], columns=["label"], **WAYS[way])
        seconds[cut][way].append(seconds_of(drained(loader)))
    return {
        cut: {way: round(len(data) / median(times)) for way, times in ways.items()}
        for cut, ways in seconds.items()
    }


def resuming(data: Dataset, rounds: int) -> dict[str, float]:
    """Milliseconds to the first batch at the beginning, and near the end of the epoch."""
    loader = Loader(data, RowCount(32), columns=["label"])
    late = loader.at({**loader.state(), "window": len(data) // 8192 - 2, "step": 200})
    return {
        name: 1000
        * median([seconds_of(lambda at=at: next(iter(at.at(at.state())))) for _ in range(rounds)])
        for name, at in (("from the beginning", loader), ("near the end", late))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for mean, count in ((30, options.rows), (300, options.rows // 10)):
        data = rows_of(count, mean)
        cuts: dict[str, Cut] = {
            "32 rows": RowCount(32),
            f"{32 * mean} tokens": TokenBudget(32 * mean),
            "packed, 8 x 512": Packing(512, 8),
            "blocks, 8 x 512": Blocks(512, 8),
        }
        rows = rates(data, cuts, options.rounds)
        found[f"{count} rows of {mean} tokens"] = {
            "rows_per_second": rows,
            "shuffled_costs": {
                cut: round(ways["in order"] / ways["shuffled"], 2) for cut, ways in rows.items()
            },
            "milliseconds_to_the_first_batch": resuming(data, options.rounds),
        }
    keep("batches", found)


if __name__ == "__main__":
    main()
