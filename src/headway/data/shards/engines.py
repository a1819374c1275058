"""Who does the tasks of a plan: processes of this machine, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from headway.data.shards.on_ray import on_ray
from headway.data.workers import in_processes
from headway.errors import ConfigError

__all__ = ["ENGINES", "Run", "local"]

Run = Callable[[Callable[[int], Any], Sequence[int]], Iterator[tuple[int, Any]]]
"""Takes work and numbers of tasks; gives each number with its result, as they are done."""


@contextmanager
def local(workers: int | None, address: str | None) -> Iterator[Run]:
    """Forked processes of this machine.

    Args:
        workers: how many; 1 if it is not said, which is this process itself.
        address: None, since there is nobody to be reached.

    Raises:
        ConfigError: an address, or no workers.
    """
    if address is not None:
        raise ConfigError(f"address={address!r} of this machine", next_step='engine="ray"')
    yield lambda work, tasks: in_processes(work, tasks, 1 if workers is None else workers)


ENGINES: dict[str, Callable[[int | None, str | None], AbstractContextManager[Run]]] = {
    "local": local,
    "ray": on_ray,
}
"""Name -> what opens the engine with a number of workers and an address."""
