"""Several processes that train one model: each reads some parts of a step, and gradients add up.

A step's parts are dealt to the processes, and their gradients are summed. What a part draws depends
on its number in the step, and what its sums are divided by is that of the whole step: so the result
is that of one process that reads the same parts, but for the order of sums. All make the same
decisions; the first one alone writes. Every process holds the whole model, or a share of it
(`sharding.py`).

    torchrun --nproc-per-node 4 -m headway adapt MODEL DATA --out DIR

Gradients are summed behind the backward pass, in one call a step. DistributedDataParallel would sum
them meanwhile; it wants as many parts in every process, and a gradient of every parameter.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import (
    PrefixStore,
    Store,
    _set_pg_timeout,
    default_pg_timeout,
)
from torch.distributed.rendezvous import rendezvous

from headway.errors import ConfigError
from headway.logs import log

__all__ = ["DIVIDED", "RESTARTS", "Crew", "crew", "joined", "restarted"]

T = TypeVar("T")

MEETING = timedelta(seconds=90)
"""For all to be connected. What is done together takes longer."""

POLL = 0.05
"""Seconds between two looks at what others have written."""

RESTARTS = "TORCHELASTIC_RESTART_COUNT"
"""The variable by which torchrun says how often it has started the processes anew."""

DIVIDED = "divided"
"""An attribute of a learner of which each process holds a share."""


@dataclass(frozen=True)
class Crew:
    """The processes of a run, as one of them sees them.

    Attributes:
        rank: its number.
        size: how many there are.
        divided: whether each holds a share of the model, so that a pass asks for all of them.

    >>> Crew().main, list(Crew(rank=1, size=2).share(["a", "b", "c"]))
    (True, [(1, 'b')])
    """

    rank: int = 0
    size: int = 1
    divided: bool = False

    @property
    def main(self) -> bool:
        """Whether it is the one that writes."""
        return self.rank == 0

    def share(self, parts: Sequence[T]) -> Iterator[tuple[int, T]]:
        """The parts of a step that are this one's, with their numbers.

        Where the model is divided all have as many: one that would have nothing left reads a part
        once more, with a number behind the last one, and it does not count.

        >>> [list(Crew(n, 2, divided=True).share(["a", "b", "c"])) for n in range(2)]
        [[(0, 'a'), (2, 'c')], [(1, 'b'), (3, 'a')]]
        """
        turns = -(-len(parts) // self.size) * self.size if self.divided else len(parts)
        return ((n, parts[n % len(parts)]) for n in range(self.rank, turns, self.size))

    def part_tokens(self, tokens: int, most: int | None) -> int | None:
        """Most tokens of a part of a step that has so many, so that each has something to read."""
        if self.size == 1:
            return most
        return min(most or tokens, -(-tokens // self.size))

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Sums the gradients of all processes; a parameter that has none here counts as 0. Those of
        a divided model are sums already."""
        if self.size == 1 or self.divided:
            return
        learned = [p for p in parameters if p.requires_grad]
        for p in learned:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        flat = torch.cat([p.grad.flatten() for p in learned if p.grad is not None])
        dist.all_reduce(flat)
        start = 0
        for p in learned:
            assert p.grad is not None
            p.grad.copy_(flat[start : start + p.numel()].view_as(p))
            start += p.numel()

    def sum(self, value: float) -> float:
        """Of a number that each process has."""
        return value if self.size == 1 else self._together(dist.ReduceOp.SUM, value)[0]

    def most(self, *values: float) -> list[float]:
        """The largest that any process has, of each; so that all decide the same."""
        return list(values) if self.size == 1 else self._together(dist.ReduceOp.MAX, *values)

    def collect(self, own: Sequence[Sequence[Tensor]], parts: int) -> list[list[Tensor]]:
        """What each process made of its parts, in the order of all parts.

        Args:
            own: of each of its parts, some tensors of two dimensions on one device.
            parts: how many there are of all.
        """
        if self.size == 1:
            return [list(each) for each in own]
        mine = iter(own)
        return [self._spread(next(mine) if n % self.size == self.rank else None, n % self.size)
                for n in range(parts)]  # fmt: skip

    def wait(self) -> None:
        """Goes on when all have come here."""
        if self.size > 1:
            dist.barrier()

    def _spread(self, tensors: Sequence[Tensor] | None, owner: int) -> list[Tensor]:
        """The owner's tensors, in every process."""
        shape = torch.zeros(3, dtype=torch.int64)
        if tensors is not None:
            shape = torch.tensor([len(tensors), *tensors[0].shape])
        dist.broadcast(shape, owner)
        count, rows, width = shape.tolist()
        found = []
        for n in range(count):
            made = torch.empty(rows, width) if tensors is None else tensors[n].float().contiguous()
            dist.broadcast(made, owner)
            found.append(made)
        return found

    def _together(self, how: dist.ReduceOp.RedOpType, *values: float) -> list[float]:
        given = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(given, how)
        found: list[float] = given.tolist()
        return found


def crew(learner: nn.Module | None = None) -> Crew:
    """The processes that this one is one of; itself alone, if nothing else was begun.

    Args:
        learner: what they read a step with; one that is divided among them has an attribute that
            says so.
    """
    if dist.is_available() and dist.is_initialized():
        divided = getattr(learner, DIVIDED, False)
        return Crew(dist.get_rank(), dist.get_world_size(), divided)
    return Crew()


def restarted() -> bool:
    """Whether torchrun has started these anew, behind a process that was lost. On a machine that
    has lost none its count stays at 0, so all are asked."""
    return bool(crew().most(os.environ.get(RESTARTS, "0") != "0")[0])


@contextmanager
def joined() -> Iterator[Crew]:
    """Joins the processes that torchrun has started, if it did and nobody has joined them before;
    then messages are the first one's.

    Raises:
        ConfigError: torchrun's variables are there, and lead to nobody.
    """
    met = dist.is_available() and dist.is_initialized()
    alone = int(os.environ.get("WORLD_SIZE", "1")) <= 1 or "RANK" not in os.environ
    if alone and not met:
        yield Crew()
        return
    if not met:
        try:
            store, rank, size = next(rendezvous("env://", timeout=MEETING))
            own = _fresh(store, rank, size)
            dist.init_process_group("gloo", store=own, rank=rank, world_size=size, timeout=MEETING)
        except (RuntimeError, ValueError, TimeoutError) as error:
            raise ConfigError(
                f"the other processes cannot be reached: {error}",
                next_step="start all of them by torchrun",
            ) from None
        _set_pg_timeout(default_pg_timeout)
    found, before = crew(), log.level
    if not found.main:
        log.setLevel(logging.ERROR)
    try:
        yield found
    finally:
        log.setLevel(before)
        if not met:
            dist.destroy_process_group()


def _fresh(store: Store, rank: int, size: int) -> Store:
    """A part of a store in which no process has written before.

    torchrun gives the same store to processes that it starts anew. Whoever reads in it the address
    of one that is no more waits for it for ever; so these tell each other first which of the names
    there are theirs. The first one says the names that it has read, until all have found theirs.

    Raises:
        TimeoutError: somebody does not come.
    """
    name, end = uuid.uuid4().hex, time.monotonic() + MEETING.total_seconds()

    def wait() -> None:
        if time.monotonic() > end:
            raise TimeoutError(f"not all {size} came within {MEETING.total_seconds():.0f} seconds")
        time.sleep(POLL)

    store.set(f"name of {rank}", name)
    if rank == 0:
        while True:
            names = [store.get(f"name of {n}").decode() for n in range(size)]
            store.set("names", " ".join(names))
            if store.check([f"{name} is known to {n}" for n in range(1, size)]):
                return PrefixStore(name, store)
            wait()
    while name not in (names := store.get("names").decode().split()):
        wait()
    store.set(f"{names[0]} is known to {rank}", "")
    return PrefixStore(names[0], store)
