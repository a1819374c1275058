"""A data set as batches for training: shuffled, by token budget, sharded, resumable at any step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, cast

import numpy as np
import pyarrow as pa

from headway.data.batches.batch import Batch
from headway.data.batches.buckets import Cut, Pieces
from headway.data.batches.order import Order, spans
from headway.data.batches.prefetch import Workers
from headway.data.batches.rowstore import RaggedColumn, check_aligned, is_numbers, take
from headway.data.check_whole import check_whole
from headway.data.dataset import Dataset
from headway.data.no_column import no_column
from headway.data.taking import Taker
from headway.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import TypeVar

    T = TypeVar("T", default=Batch)  # what a loader without `transform` gives
else:
    from typing import TypeVar

    T = TypeVar("T")

__all__ = ["Loader"]

_TOKENS_AT_ONCE = 1 << 20
"""Batches are gathered together up to so many tokens, and given out as parts of one array."""
_TOKEN_BYTES = 4
"""What a row has in `columns` counts as one token for so many bytes."""
_MOST_TOKENS = (1 << 31) - 1
"""What a batch may have: its offsets are of 32 bits, as attention kernels want them."""


@dataclass(frozen=True, eq=False)
class _Run:
    """Some following steps of one window: what a worker is asked to gather."""

    pieces: Pieces
    epoch: int
    window: int
    first: int
    last: bool  # of its window


class Loader(Generic[T]):
    """Batches of a data set, epoch after epoch.

    What comes when is decided by the data's lengths and the arguments alone: not by workers, not by
    what was iterated before. `state()` is four integers, the same on all ranks; `at(state)` goes on
    behind the last batch that was handed out, at the cost of one window whatever the place.

    One `for` loop runs to the end of the epoch, and the next one runs through the next epoch. A
    loop that is left early is continued by the next one; `set_epoch` begins anew.

    Args:
        data: the rows. If they were chosen or ordered, they are read where they lie, and a batch's
            `rows` count those of the data set.
        cut: how rows become batches: `TokenBudget`, `PaddedBudget`, `RowCount`, `Packing`,
            `Blocks`.
        tokens: the column of token ids, lists of numbers, whose lengths count. None = there is
            none, and each row counts 1.
        aligned: other columns of lists with a value for each token, which are cut alike.
        columns: columns with one value a row.
        seed: decides every order by chance.
        rank: which part of each step is given out, 0 to world - 1.
        world: how many parts there are; see `Order` for how they are dealt.
        shuffle: False keeps the order of windows, and of rows as far as the cut allows.
        window: about how many rows are drawn from all and cut together.
        block: how many neighbours are drawn into a window together, so that memory and disks are
            read in stretches; 1 draws each row by itself.
        transform: what is given out for a batch; None = the batch. Called in the workers.
        workers: `Threads` or `Processes` that gather ahead; None = gather when asked.

    Raises:
        ConfigError: a number out of its range.
        DataError: a column that is absent, or is not what it is named for.

    >>> from headway.data.batches.buckets import TokenBudget
    >>> data = Dataset.from_columns({"ids": [[5], [6, 7], [8, 9, 3]], "label": [0, 1, 0]})
    >>> loader = Loader(data, TokenBudget(4), columns=["label"], seed=1)
    >>> [(batch.rows.tolist(), batch["ids"].tolist()) for batch in loader]
    [([2], [8, 9, 3]), ([1, 0], [6, 7, 5])]
    >>> state = loader.state()
    >>> state["epoch"], state["step"]
    (1, 0)
    >>> [batch.rows.tolist() for batch in loader.at(state)]
    [[1, 0], [2]]
    """

    def __init__(
        self,
        data: Dataset | pa.Table,
        cut: Cut,
        *,
        tokens: str | None = "ids",
        aligned: Sequence[str] = (),
        columns: Sequence[str] = (),
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        shuffle: bool = True,
        window: int = 8192,
        block: int = 32,
        transform: Callable[[Batch], T] | None = None,
        workers: Workers | None = None,
    ) -> None:
        data = data if isinstance(data, Dataset) else Dataset(data, name="the table")
        if tokens is None and aligned:
            raise ConfigError("aligned columns without tokens", next_step="name the token column")
        ragged = dict.fromkeys(([tokens] if tokens is not None else []) + list(aligned))
        for name in (*ragged, *columns):
            if name not in data.column_names:
                raise no_column(name, data.column_names, data.name)
        # What was chosen and ordered stays where it lies: batches are gathered from there.
        table, self._chosen = data.rows.table, data.rows.order
        self._tokens = tokens
        self._ragged = {name: RaggedColumn(table, name, order=self._chosen) for name in ragged}
        self._columns = {name: Taker(table.select([name])) for name in columns}
        if twice := self._ragged.keys() & self._columns.keys():
            raise ConfigError(
                f"column {min(twice)!r} twice", allowed="a value a token, or a value a row"
            )
        self._numbers = {
            name: is_numbers(table.column(name), order=self._chosen) for name in columns
        }
        beside = sum(table.column(name).nbytes for name in self._columns)
        self._beside = int(beside / max(1, table.num_rows) / _TOKEN_BYTES)
        lengths = np.ones_like if tokens is None else self._lengths
        self._order = Order(
            len(data), lengths, cut, seed, world, shuffle, window=window, block=block
        )
        check_whole("rank=", rank, least=0)
        if rank >= world:
            raise ConfigError(f"rank={rank} with world={world}", allowed=f"0 to {world - 1}")
        self._rank = rank
        self._transform = transform
        self._workers = workers
        self._counts: dict[int, int] = {}
        self._place = (0, 0, 0)

    def __len__(self) -> int:
        """The steps of the current epoch, the same for every rank; its windows are cut to know.

        Epochs may differ by some steps.
        """
        epoch = self._place[0]
        if epoch not in self._counts:
            self._counts[epoch] = self._order.count(epoch)
        return self._counts[epoch]

    def state(self) -> dict[str, int]:
        """Where this loader is: epoch, window, step in it, and 32 bits of its settings."""
        epoch, window, step = self._place
        return {
            "epoch": epoch,
            "window": window,
            "step": step,
            "settings": self._order.settings,
        }

    def at(self, state: Mapping[str, int]) -> Loader[T]:
        """The same loader at the place that `state()` gave, in this process or another.

        Rank, columns, transform and workers may be others than they were.

        Raises:
            ConfigError: the state is of other settings or another number of rows, or is none.
        """
        known = self.state()
        if set(state) != set(known) or not all(_is_count(value) for value in state.values()):
            raise ConfigError(f"{dict(state)!r} is no state of a Loader", allowed=", ".join(known))
        if state["settings"] != known["settings"]:
            raise ConfigError(
                "a state of other settings",
                allowed="the number of rows, cut, seed, world, shuffle, window and block as before",
                next_step="make the loader as it was, or set_epoch() to begin an epoch",
            )
        other = copy(self)
        other._place = (state["epoch"], state["window"], state["step"])
        return other

    def behind(self, epoch: int, steps: int) -> Loader[T]:
        """The same loader behind so many steps of an epoch; the windows before are cut to know.

        Raises:
            ConfigError: the epoch has fewer steps.
        """
        check_whole("steps ", steps, least=0)
        other = copy(self)
        for window in range(self._order.windows):
            here = len(self._order.steps(epoch, window, self._rank).batches)
            if steps < here:
                other._place = (epoch, window, steps)
                return other
            steps -= here
        if steps:
            raise _beyond(f"{steps} steps behind the end of epoch {epoch}")
        other._place = (epoch, self._order.windows, 0)
        return other

    def set_epoch(self, epoch: int) -> None:
        """Goes to the beginning of an epoch; they count from 0."""
        check_whole("epoch ", epoch, least=0)
        self._place = (epoch, 0, 0)

    def __iter__(self) -> Iterator[T]:
        """The batches from here to the end of the epoch.

        Raises:
            ConfigError: the place is none of this data's, or a batch has 2^31 tokens.
            DataError: an aligned column has not one value for each token.
        """
        epoch = self._place[0]
        runs = self._runs(*self._place)
        workers = self._workers
        results = map(self._work, runs) if workers is None else workers.run(self._work, runs)
        for given in results:
            for place, batch in given:
                self._place = place
                yield batch
        self._place = (epoch + 1, 0, 0)

    def _places(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Where rows of the data set lie in its table."""
        return rows if self._chosen is None else self._chosen[rows]

    def _lengths(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return self._ragged[cast("str", self._tokens)].lengths(self._places(rows))

    def _runs(self, epoch: int, window: int, step: int) -> Iterator[_Run]:
        """The rest of an epoch, in parts worth a worker's while."""
        if window > self._order.windows:
            raise _beyond(f"window {window} of {self._order.windows}")
        for number in range(window, self._order.windows):
            pieces = self._order.steps(epoch, number, self._rank)
            weights = pieces.lengths + self._beside
            ends = _from_zero(weights.cumsum())[_piece_ends(pieces)]
            steps = len(pieces.batches)
            if step > steps:
                raise _beyond(f"step {step} of {steps} in window {number}")
            while step < steps:
                limit = ends[step] + _TOKENS_AT_ONCE
                behind = max(step + 1, int(ends.searchsorted(limit, side="right")) - 1)
                last = behind == steps
                yield _Run(_cut_out(pieces, step, behind), epoch, number, step, last)
                step = behind
            step = 0

    def _work(self, run: _Run) -> list[tuple[tuple[int, int, int], T]]:
        """The batches of a run, each with the place behind it."""
        batches = self._gather(run.pieces)
        made = batches if self._transform is None else [self._transform(one) for one in batches]
        places = [(run.epoch, run.window, run.first + n) for n in range(1, len(batches) + 1)]
        if run.last:
            ended = run.window + 1 == self._order.windows
            places[-1] = (run.epoch + 1, 0, 0) if ended else (run.epoch, run.window + 1, 0)
        return list(zip(places, cast("list[T]", made), strict=True))

    def _gather(self, pieces: Pieces) -> list[Batch]:
        """Copies the rows of all these batches at once, and gives each its part."""
        rows, starts, lengths = pieces.rows, pieces.starts, pieces.lengths
        places = self._places(rows)
        if (total := int(lengths.sum())) > _MOST_TOKENS:
            raise ConfigError(f"a batch of {total} tokens", allowed=f"up to {_MOST_TOKENS}")
        for name, column in self._ragged.items():
            if name != self._tokens:
                check_aligned(
                    name, str(self._tokens), column.lengths(places), self._lengths(rows), rows
                )
        ragged = {n: one.gather(places, starts, lengths) for n, one in self._ragged.items()}
        columns = {
            name: take(column, places, numbers=self._numbers[name])
            for name, column in self._columns.items()
        }
        piece_ends, sequence_ends = _piece_ends(pieces), _from_zero(pieces.batches)
        offsets = _from_zero(lengths.cumsum())
        tokens = offsets[piece_ends].tolist()
        begins = _parted(offsets, piece_ends)
        sequences = _parted(offsets[_from_zero(pieces.sequences)], sequence_ends)
        batches = []
        for number, (first, behind) in enumerate(pairwise(piece_ends.tolist())):
            begin, end = tokens[number], tokens[number + 1]
            batches.append(
                Batch(
                    rows[first:behind],
                    starts[first:behind],
                    begins[number],
                    sequences[number],
                    {name: values[begin:end] for name, values in ragged.items()},
                    {name: values[first:behind] for name, values in columns.items()},
                )
            )
        return batches


def _parted(
    offsets: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> list[npt.NDArray[np.int32]]:
    """Offsets as those of each batch, from 0; both its ends are in it."""
    sizes = np.diff(ends) + 1
    parted = offsets[spans(ends[:-1], sizes)] - np.repeat(offsets[ends[:-1]], sizes)
    bounds = _from_zero(sizes.cumsum()).tolist()
    narrow = parted.astype(np.int32)
    return [narrow[first:behind] for first, behind in pairwise(bounds)]


def _from_zero(ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Ends with the first beginning before them."""
    return np.concatenate([np.zeros(1, np.int64), ends])


def _piece_ends(pieces: Pieces) -> npt.NDArray[np.int64]:
    """0, and the piece behind each batch."""
    return _from_zero(pieces.sequences)[_from_zero(pieces.batches)]


def _cut_out(pieces: Pieces, first: int, behind: int) -> Pieces:
    """Some following batches of these."""
    sequence, last = _from_zero(pieces.batches)[[first, behind]].tolist()
    begin, end = _piece_ends(pieces)[[first, behind]].tolist()
    return Pieces(
        pieces.rows[begin:end],
        pieces.starts[begin:end],
        pieces.lengths[begin:end],
        pieces.sequences[sequence:last] - begin,
        pieces.batches[first:behind] - sequence,
    )


def _beyond(place: str) -> ConfigError:
    return ConfigError(
        f"a state of {place}: the rows have other lengths than they had",
        next_step="load the rows as they were, or set_epoch() to begin an epoch",
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
