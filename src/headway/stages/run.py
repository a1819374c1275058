"""Stages one behind the other, each on the model of the one before, each saved and gone on with."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.adaptation import adapt
from headway.adaptation.runs import read_report, read_run
from headway.checkpoints.tensors import WEIGHTS
from headway.errors import ConfigError, InputError, OutputError
from headway.logs import log
from headway.pretraining import pretrain
from headway.reports.plain import plain, to_json
from headway.reports.stages import write_stages
from headway.reports.write import write_files
from headway.stages.plan import Stage, read_stages
from headway.tasks import TASKS
from headway.training.machine import versions
from headway.training.output import KEPT, RUN, can_be_replaced

__all__ = ["Staged", "run_stages"]

STATE = "stages.json"

SAID = "stage.json"
"""What the stage is that is kept on its way, beside its states."""


@dataclass
class Staged:
    """What stages leave.

    Attributes:
        folder: of the last model.
        report: what each stage gained and forgot; the same as stages.json.
        stopped: why the last one that ran ended before its end, or empty.
    """

    folder: Path
    report: dict[str, Any]
    stopped: str = ""

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        return self.stopped.startswith("interrupted")


def run_stages(path: str | Path, out: str | Path, *, command: str = "") -> Staged:
    """Runs the stages of a file. What is done already is not done again, and a stage that was
    interrupted or killed goes on where it was; one that was written anew since, or whose loss
    became infinite or undefined, begins anew.

    Behind each pre-training, the held-out texts of the stages before are measured as well: what is
    forgotten. For these to be texts that were never learned from, stages have one window, share of
    validation, and seed.

    Args:
        path: of the file; see `headway.stages.plan`.
        out: a folder for the stages' folders, stages.json and stages.html.
        command: how it was started, for the page.

    Raises:
        InputError: the file, or what it names, cannot be used.
        ConfigError: a stage that is done was another than the file says now.

    Example:
        run_stages("stages.toml", "runs/field").report["stages"][1]["forgotten"]
    """
    stages, folder = read_stages(path), Path(out)
    done = _done(folder)
    found: list[dict[str, Any]] = []
    model, begun = stages[0].model, ""
    for number, stage in enumerate(stages, start=1):
        place = folder / f"{number}-{stage.name}"
        said = _said(stage, begun)
        if number <= len(done):
            _check_same(stage, done[number - 1]["said"], said, folder)
            log.info("stage %s is done", stage.name)
            found.append(done[number - 1])
        else:
            log.info("stage %d of %d: %s", number, len(stages), stage.name)
            earlier = {one.name: one.source for one in stages[: number - 1]}
            stopped = _run(stage, said, str(model), place, earlier, command)
            if stopped.startswith("interrupted"):
                return Staged(place, {}, stopped)
            found.append({"said": said, **_told(stage, place)})
            _save(folder, stages, found, command)
        model, begun = str(place), _digest(place / WEIGHTS)
    report = _save(folder, stages, found, command)
    return Staged(folder / f"{len(stages)}-{stages[-1].name}", report)


def _goes_on(place: Path, said: Mapping[str, Any]) -> bool:
    """Whether the run that is kept there is this stage's; if not it is cleared, and this one's is
    described in its place."""
    kept = place / KEPT
    diverged = read_run(place).get("state") == "diverged"
    if not diverged and _described(kept) == said:
        return True
    if place.exists() and not (place.is_dir() and can_be_replaced(place)):
        return False  # as is said before any training
    if kept.exists():
        log.info("%s is of another run, and begins anew", kept)
    with suppress(OSError):
        (place / RUN).unlink()  # it says nothing of the run that begins
    shutil.rmtree(kept, ignore_errors=True)
    write_files({SAID: to_json(said)}, kept)
    return False


def _described(kept: Path) -> Any:
    """What the stage is whose states are kept there; None where there is none, or nothing says."""
    try:
        return json.loads((kept / SAID).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _leave_nothing(place: Path) -> None:
    """Takes away what describes a stage that never began, and its folder."""
    kept = place / KEPT
    with suppress(OSError):
        if [path.name for path in kept.iterdir()] == [SAID]:
            shutil.rmtree(kept)
            place.rmdir()


def _run(
    stage: Stage,
    said: Mapping[str, Any],
    model: str,
    place: Path,
    earlier: Mapping[str, Any],
    command: str,
) -> str:
    """One stage; why it ended before its end, or empty."""
    given = {"out": place, "command": command, "resume": _goes_on(place, said), **stage.given}
    try:
        if stage.kind == "pretrain":
            return pretrain(model, stage.source, earlier=earlier, **given).stopped
        made = adapt(model, stage.source, **given)
    except InputError as error:
        _leave_nothing(place)
        if "holds another run" in error.problem:  # by what the file of stages does not say
            hint = f"take {place / KEPT} away, and the stage begins anew"
            raise ConfigError(error.problem, next_step=hint) from None
        raise
    return made.stopped if made.interrupted else ""


def _told(stage: Stage, place: Path) -> dict[str, Any]:
    """What a stage's own report says, in short."""
    report = read_report(place)
    about = {
        "name": stage.name,
        "kind": stage.kind,
        "folder": place.name,
        "state": read_run(place).get("state"),
        "seconds": report["seconds"]["total"],
    }
    if stage.kind == "pretrain":
        main = report["main"]
        held = {when: report[when].get("held-out", {}).get(main) for when in ("before", "after")}
        return about | {
            "objective": report["objective"],
            "loss": held,
            "gain": report["gain"],
            "forgotten": report["forgotten"],
            "tokens": report["tokens"],
        }
    measure = TASKS[report["task"]].main(report["kind"])
    baseline = report["baseline"] or {}
    return about | {
        "task": report["task"],
        "measure": measure,
        "score": report["test"][measure],
        "baseline": {"name": baseline.get("name"), "score": baseline.get(measure)},
    }


def _done(folder: Path) -> list[dict[str, Any]]:
    """The stages that came to their end."""
    try:
        found = json.loads((folder / STATE).read_text(encoding="utf-8"))["stages"]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"{folder / STATE} cannot be read: {error}", next_step="name another --out"
        ) from None
    return list(found)


def _check_same(stage: Stage, was: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    changed = sorted(key for key in now if was.get(key) != now[key])
    if changed:
        told = ", ".join(
            f"{key} was {was.get(key)!r:.60} and is {now[key]!r:.60}" for key in changed
        )
        raise ConfigError(
            f"stage {stage.name!r} in {folder} was another: {told}",
            next_step="name another --out, or write the stage as it was",
        )


def _save(
    folder: Path, stages: Sequence[Stage], found: Sequence[Mapping[str, Any]], command: str
) -> dict[str, Any]:
    """stages.json and its page, as far as the stages came."""
    report: dict[str, Any] = plain(
        {
            "command": command,
            "planned": [stage.name for stage in stages],
            "stages": list(found),
            "versions": versions(),
        }
    )
    write_stages(report, folder, state=to_json(report))
    return report


def _said(stage: Stage, begun: str) -> dict[str, Any]:
    """What makes a stage what it is: its settings, the content of its files, and the weights that
    it begins with."""
    sources = stage.source if isinstance(stage.source, list) else [stage.source]
    files = [*sources, *(stage.given[key] for key in ("test", "tokenizer") if key in stage.given)]
    hashes = {str(name): _digest(Path(name)) for name in files if Path(name).is_file()}
    found: dict[str, Any] = plain(
        {
            "kind": stage.kind,
            "model": stage.model,
            "source": stage.source,
            "given": dict(stage.given),
            "files": hashes,
            "begun": begun,
        }
    )
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
