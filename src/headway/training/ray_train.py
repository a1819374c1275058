"""A run on the machines of a Ray cluster: https://docs.ray.io/en/latest/train/train.html

Ray Train starts the workers and has them meet, and `processes.py` finds them met; all else is as
with torchrun. What a run reads and writes lies where all machines see it.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from headway.data.ray_cluster import ray_cluster
from headway.errors import ConfigError, HeadwayError, InputError
from headway.logs import log
from headway.training.processes import RESTARTS

__all__ = ["train_on_ray"]


def train_on_ray(
    work: Callable[..., Any],
    *given: Any,
    out: str | Path,
    workers: int,
    address: str | None = None,
    restarts: int = 0,
    **settings: Any,
) -> dict[str, Any]:
    """Pre-trains or adapts a model with several workers of a Ray cluster, as one.

    Args:
        work: `headway.pretrain` or `headway.adapt`.
        given: what it is given: a model and its texts or rows.
        out: the folder for the model and its report.
        workers: how many processes train it.
        address: of a cluster (HOST:PORT), or "auto"; None = the one that is connected, else one of
            this machine for the time of the run.
        restarts: how often all workers are started anew when one is lost; the run then goes on from
            its last state.
        settings: of `work`, such as sharding="full".

    Returns:
        The report; empty for an interrupted run. The model is in `out`.

    Raises:
        InputError: Ray Train is not installed, or what `work` raises.
        ConfigError: no cluster answers, or there are no workers.
        HeadwayError: a worker was lost, and there was no restart left.

    Example:
        train_on_ray(headway.pretrain, "bert", ["corpus.txt"], out="models/mine", workers=4)
    """
    if workers < 1 or restarts < 0:
        raise ConfigError(
            f"workers = {workers}, restarts = {restarts}", allowed="1 or more, 0 or more"
        )
    try:
        import ray.train.torch  # noqa: F401  # all that is needed, before a cluster is started
    except ImportError as error:
        raise InputError(
            f"Ray Train is not installed ({error})", next_step='pip install "headway[ray]"'
        ) from None
    place = Path(out).absolute()
    run = partial(work, *map(_from_anywhere, given), out=str(place), **settings)
    place.parent.mkdir(parents=True, exist_ok=True)
    with (
        ray_cluster(workers, address),
        tempfile.TemporaryDirectory(prefix=f".{place.name}-ray-", dir=place.parent) as notes,
    ):
        for attempt in range(restarts + 1):
            try:
                return _attempt(run, attempt, workers, notes)
            except HeadwayError:
                raise
            except Exception as error:  # Ray has no class of its own for a worker that is gone
                said = " ".join(str(error).split())[:300]
                if attempt == restarts:
                    raise HeadwayError(f"the run was lost on the Ray cluster: {said}") from error
                log.warning("a worker was lost, and all are started again: %s", said)
    raise AssertionError("each attempt returns or raises")


def _attempt(run: Callable[[], Any], attempt: int, workers: int, notes: str) -> dict[str, Any]:
    """The report of a run that all workers make together.

    Raises:
        HeadwayError: what one of them raised on purpose.
    """
    from ray.train import RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.torch import TorchConfig, TorchTrainer

    trainer: Any = TorchTrainer(
        lambda: _report(run, attempt),  # type: ignore[arg-type]  # what it returns is handed back
        torch_config=TorchConfig(backend="gloo"),
        scaling_config=ScalingConfig(num_workers=workers),
        run_config=RunConfig(name=f"attempt-{attempt}", storage_path=notes),
    )
    try:
        with _own_interrupts():
            found: dict[str, Any] = trainer.fit().return_value
    except TrainingFailedError as error:
        failures: Mapping[int, Exception] = getattr(error, "worker_failures", {})
        # The first one knows best: others may only say that it has refused.
        by_rank = [failures[rank] for rank in sorted(failures)]
        ours = [failure for failure in by_rank if isinstance(failure, HeadwayError)]
        if ours:
            raise ours[0] from None
        raise
    return found


@contextmanager
def _own_interrupts() -> Iterator[None]:
    """Gives Ctrl-C back to whom it belonged: in the main thread Ray Train takes it and keeps it."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def _report(run: Callable[[], Any], attempt: int) -> dict[str, Any]:
    """What a worker does."""
    os.environ[RESTARTS] = str(attempt)  # as torchrun says it: the run goes on
    report: dict[str, Any] = run().report
    return report


def _from_anywhere(value: Any) -> Any:
    """A file or folder by its whole name, since workers have a working folder of their own."""
    if isinstance(value, (str, Path)):
        return str(Path(value).absolute()) if Path(value).exists() else value
    if isinstance(value, Sequence):
        return [_from_anywhere(one) for one in value]
    return value
