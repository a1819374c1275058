"""Tasks on a Ray cluster, by Ray Data: https://docs.ray.io/en/latest/data/data.html

Ray starts a task again when the process or the machine that did it is gone. What a task gives, and
what it raises, comes back as a value, so that errors are those of a single process.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from headway.data.workers import packed_error, unpacked_error
from headway.errors import ConfigError, HeadwayError, InputError

__all__ = ["on_ray"]

_PATIENCE = 5.0  # seconds for an answer of a cluster
_STORE_BYTES = 256 << 20  # rows lie in files; only what tasks tell goes through Ray's memory


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
        import ray
        import ray.data
    except ImportError as error:
        raise InputError(
            f'engine="ray" needs Ray Data, which is not installed ({error})',
            next_step='pip install "ray[data]"',
        ) from None
    if ray.is_initialized():
        if address is not None:
            raise ConfigError(
                f"address={address!r}, and this process is connected to a cluster already",
                next_step="leave the address out, or call ray.shutdown() before",
            )
        yield partial(_run, workers)
        return
    _connect(ray, workers, address or os.environ.get("RAY_ADDRESS") or "local")
    try:
        yield partial(_run, workers)
    finally:
        ray.shutdown()


def _connect(ray: Any, workers: int | None, address: str) -> None:
    """Starts a cluster of this machine, or joins one."""
    _refuse_silent(address)
    here: dict[str, Any] = {}
    given = {"RAY_USAGE_STATS_ENABLED": "0"}  # without it, Ray tells its makers
    if address == "local":
        given["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # for modules of functions
        here = {
            "num_cpus": workers or len(os.sched_getaffinity(0)),
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
        }
    with _environment(given):
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error", **here)
        except (ConnectionError, RuntimeError, ValueError, SystemExit) as error:
            raise _no_cluster(address, str(error)) from error


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """Variables that processes which are started meanwhile have for good."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _refuse_silent(address: str) -> None:
    """Asks whether anybody listens: without an answer, Ray ends the process after two minutes."""
    host, found, port = address.rpartition("://")[2].rpartition(":")
    if not found:
        return  # local or auto
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        raise _no_cluster(address, str(error)) from error


def _no_cluster(address: str, said: str) -> ConfigError:
    what = "Ray cannot be started" if address == "local" else f"no Ray cluster answers at {address}"
    return ConfigError(
        f"{what}: {' '.join(said.split())[:200]}",
        allowed="the address of a cluster's head (HOST:PORT), or none for this machine alone",
        next_step="start it: ray start --head",
    )


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
