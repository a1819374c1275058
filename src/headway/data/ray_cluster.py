"""A Ray cluster to work on: https://docs.ray.io"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from headway.errors import ConfigError

__all__ = ["ray_cluster"]

_PATIENCE = 5.0  # seconds for an answer of a cluster
_STORE_BYTES = 256 << 20  # rows lie in files; only what tasks tell goes through Ray's memory


@contextmanager
def ray_cluster(workers: int | None, address: str | None) -> Iterator[None]:
    """While open, a cluster is connected: the one that is already, the one at an address, or one of
    this machine.

    Args:
        workers: how many work at a time on this machine; None = all processors.
        address: `HOST:PORT`, or `auto` for a cluster that runs on this machine.

    Raises:
        ConfigError: no cluster answers, another one is connected, or no workers.
    """
    import ray

    if workers is not None and workers < 1:
        raise ConfigError(f"{workers} workers", allowed="1 or more")
    if ray.is_initialized():
        if address is not None:
            raise ConfigError(
                f"address={address!r}, and this process is connected to a cluster already",
                next_step="leave the address out, or call ray.shutdown() before",
            )
        yield
        return
    _connect(ray, workers, address or os.environ.get("RAY_ADDRESS") or "local")
    try:
        yield
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
