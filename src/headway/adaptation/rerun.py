"""A saved run once more, from its run.json; says whether it ended the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.adaptation.adapt import IN_PYTHON, Result, adapt
from headway.adaptation.runs import PASSING, read_report, read_run
from headway.data.reading.featurefiles import features_of
from headway.errors import ConfigError
from headway.logs import log
from headway.reports.plain import plain
from headway.tasks import TASKS
from headway.training.machine import versions
from headway.training.output import RUN

__all__ = ["Repeated", "rerun"]


@dataclass
class Repeated:
    """A run and what it repeats.

    Attributes:
        result: of the new run.
        changed: measure -> (what it was, what it is), of those that are not equal.
        known: whether the old run was measured, and says of which rows, so that the two could be
            compared.
    """

    result: Result
    changed: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    known: bool = True


def rerun(run: str | Path, *, out: str | Path | None = None, command: str = "") -> Repeated:
    """Adapts the same model to the same rows with the same settings, and compares what comes out.

    On the same machine, with the same versions and as many threads, every measure is equal.

    Args:
        run: a run's folder, or its run.json.
        out: where the new run is saved; None = nowhere.
        command: how it was started, for the report.

    Raises:
        ConfigError: there is no run or none that is whole, it is a pre-training, it was made of
            rows that only Python had, or `out` is its own folder.
        InputError: as `adapt` raises it.

    Example:
        headway.rerun("runs/tickets", out="runs/again").changed
        {}
    """
    folder = Path(run).parent if Path(run).name == "run.json" else Path(run)
    about = _repeatable(folder)
    if out is not None and Path(out).resolve() == folder.resolve():
        raise ConfigError(f"out = {str(out)!r} is the run itself", allowed="another folder")
    _say_versions(about.get("versions") or {})
    settings = {name: value for name, value in about["settings"].items() if name not in PASSING}
    if isinstance(said := settings.get("features"), Mapping):  # a name of a file stays one
        settings["features"] = features_of(said, folder / RUN)
    settings["threads"] = about.get("threads")
    result = adapt(
        about["model"],
        about["data"],
        task=about["task"],
        test=about["test"] or None,
        out=out,
        command=command,
        **settings,
    )
    match read_report(folder):
        case {"data": {"hash": rows}, "test": dict(before)} if not result.interrupted:
            pass
        case _:
            return Repeated(result, known=False)
    if rows != result.report["data"]["hash"]:
        log.warning("the rows are others than they were")
    now = plain(result.report["test"])
    names = sorted({*before, *now})
    pairs = {name: (before.get(name), now.get(name)) for name in names}
    return Repeated(result, {name: pair for name, pair in pairs.items() if pair[0] != pair[1]})


def _repeatable(folder: Path) -> dict[str, Any]:
    """What run.json says of a run, where that is enough to repeat it.

    Raises:
        ConfigError: it is not.
    """
    file, about = folder / RUN, read_run(folder)
    if not about:
        said = f"{file} is damaged" if file.exists() else f"{folder} has no {RUN}"
        raise ConfigError(said, allowed="the folder of a run of adapt")
    if about.get("task") not in TASKS:
        began = about.get("command")
        raise ConfigError(
            f"{file} is of the task {about.get('task')!r}",
            allowed="runs of adapt",
            next_step=f"begin it again as it was begun: {began}" if began else "",
        )
    for what in ("model", "data", "test"):
        if about.get(what) == IN_PYTHON or (what != "test" and not about.get(what)):
            raise ConfigError(
                f"{file} names no {what}: the run was started from Python",
                allowed="runs of files, folders and packages",
            )
    if "test" not in about or not isinstance(about.get("settings"), dict):
        absent = "settings" if "test" in about else "test"
        raise ConfigError(f"{file} says no {absent}", allowed="run.json as adapt writes it")
    return about


def _say_versions(then: dict[str, Any]) -> None:
    """Names what is of another version than it was."""
    now = versions()
    for name, version in then.items():
        if now.get(name) != version:
            log.info("%s was %s and is %s", name, version, now.get(name, "not there"))
