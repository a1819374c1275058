"""Drawing rows by chance, the same ones wherever the seed is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headway.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["choose_rows", "rows_of_part"]


def rows_of_part(rows: int, part: float) -> int:
    """How many of the rows a share between 0 and 1 is, or a number of rows; others remain.

    Raises:
        ConfigError: none of them, or all.
    """
    count = part if isinstance(part, int) else round(part * rows)
    if isinstance(part, float) and 0 < part < 1 and rows >= 2:
        count = min(max(count, 1), rows - 1)
    if not 0 < count < rows:
        raise ConfigError(
            f"split({part!r}) of {rows} rows leaves one part empty",
            allowed=f"a share between 0 and 1, or 1 to {rows - 1} rows",
        )
    return count


def choose_rows(
    rows: int, count: int, *, seed: int, strata: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.bool_]:
    """A mask of `rows` with exactly `count` true, drawn by chance, even over the strata.

    Every stratum gives its share rounded down; the rows still wanted come from those with the
    largest remainders. A stratum keeps one row unless there are no others to draw.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(rows)
    chosen = np.zeros(rows, dtype=bool)
    if strata is None:
        chosen[order[:count]] = True
        return chosen
    _, strata, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    strata = strata.reshape(-1)
    shares = sizes * (count / rows)
    take = np.minimum(np.floor(shares + 1e-9).astype(np.int64), sizes)
    wanted = np.argsort(take - shares + generator.random(len(sizes)) * 1e-6, kind="stable")
    for spared in (1, 0):
        while take.sum() < count:
            open_ones = [s for s in wanted if take[s] < sizes[s] - spared]
            if not open_ones:
                break
            take[open_ones[: count - int(take.sum())]] += 1
    for stratum, number in enumerate(take):
        chosen[order[strata[order] == stratum][:number]] = True
    return chosen
