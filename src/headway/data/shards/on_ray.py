"""Tasks on a Ray cluster, by Ray Data: https://docs.ray.io/en/latest/data/data.html

Ray starts a task again when the process or the machine that did it is gone. What a task gives, and
what it raises, comes back as a value, so that errors are those of a single process.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from headway.data.ray_cluster import ray_cluster
from headway.data.workers import packed_error, unpacked_error
from headway.errors import ConfigError, HeadwayError, InputError

__all__ = ["on_ray"]


@contextmanager
def on_ray(
    workers: int | None, address: str | None
) -> Iterator[Callable[[Callable[[int], Any], Sequence[int]], Iterator[tuple[int, Any]]]]:
    """A cluster: the one that is connected, the one at an address, or one of this machine.

    Args:
        workers: how many tasks run at a time; all processors if it is not said.
        address: `HOST:PORT`, or `auto` for a cluster that runs on this machine.

    Raises:
        InputError: Ray is not installed.
        ConfigError: no cluster answers, another one is connected, or no workers.
    """
    if workers is not None and workers < 1:
        raise ConfigError(f"{workers} workers", allowed="1 or more")
    try:
        import ray.data  # noqa: F401  # _run needs it, and a worker is no place to miss it
    except ImportError as error:
        raise InputError(
            f'engine="ray" needs Ray Data, which is not installed ({error})',
            next_step='pip install "ray[data]"',
        ) from None
    with ray_cluster(workers, address):
        yield partial(_run, workers)


def _run(
    workers: int | None, work: Callable[[int], Any], tasks: Sequence[int]
) -> Iterator[tuple[int, Any]]:
    """Each task with what `work` gives for it, which JSON can hold."""
    import ray
    import ray.data
    import ray.exceptions

    if not tasks:
        return
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = context.print_on_execution_start = False
    with ExitStack() as stack:
        stack.enter_context(_quiet("ray.data"))
        with ray.data.DataContext.current(context):
            given = ray.data.from_items(
                [{"task": i} for i in tasks], override_num_blocks=len(tasks)
            )
            done = given.map(partial(_answer, work), num_cpus=1, concurrency=workers)
        try:
            for row in done.iter_rows():
                if row["place"]:
                    raise unpacked_error(row["error"], row["place"])
                yield row["task"], json.loads(row["result"])
        except ray.exceptions.RayError as error:
            raise HeadwayError(
                f"the Ray cluster failed: {' '.join(str(error).split())[:300]}"
            ) from error


def _answer(work: Callable[[int], Any], row: dict[str, Any]) -> dict[str, Any]:
    """What a worker does: a row with the number of a task in, one with its result out."""
    try:
        result = json.dumps(work(int(row["task"])))
    except Exception as error:
        packed, place = packed_error(error)
        return {"task": row["task"], "result": "", "error": packed or b"", "place": place}
    return {"task": row["task"], "result": result, "error": b"", "place": ""}


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Messages below errors are left out: the plan says what it does by itself."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
