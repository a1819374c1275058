"""Stages one behind the other, each on the model of the one before, each saved and gone on with."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from headway.adaptation import adapt
from headway.adaptation.runs import read_report, read_run
from headway.checkpoints.tensors import WEIGHTS
from headway.data import Dataset
from headway.errors import ConfigError, InputError, OutputError
from headway.logs import log
from headway.pretraining import Settings, TokenizerPlan, pretrain
from headway.pretraining.corpus import read_texts
from headway.pretraining.fit import HELD_OUT
from headway.reports.plain import plain, to_json
from headway.reports.stages import forgotten_rows, stage_rows, write_stages
from headway.reports.write import write_files
from headway.stages.files import digest_of, digest_of_all
from headway.stages.plan import Stage, read_stages
from headway.tasks import TASKS
from headway.training.keeper import AnotherRunError
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
        ConfigError: a stage that is done was another than the file says now, or its model is gone.

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
            _check_done(stage, done[number - 1], said, place)
            log.info("stage %s is done", stage.name)
            found.append(done[number - 1])
        else:
            log.info("stage %d of %d: %s", number, len(stages), stage.name)
            stopped = _run(stage, said, str(model), place, stages[: number - 1], command)
            if stopped.startswith("interrupted"):
                return Staged(place, {}, stopped)
            found.append({"said": said, **_told(stage, place)})
            _save(folder, stages, found, command)
        model, begun = str(place), digest_of(place / WEIGHTS)
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
    before: Sequence[Stage],
    command: str,
) -> str:
    """One stage; why it ended before its end, or empty."""
    given = {"out": place, "command": command, "resume": _goes_on(place, said), **stage.given}
    try:
        if stage.kind == "pretrain":
            column = stage.given.get("text", "text")  # where this stage's own texts are looked for
            earlier = {one.name: _texts(one, column) for one in before}
            return pretrain(model, stage.source, earlier=earlier, **given).stopped
        made = adapt(model, stage.source, **given)
    except InputError as error:
        _leave_nothing(place)
        if isinstance(error, AnotherRunError):  # by what the file of stages does not say
            hint = f"take {place / KEPT} away, and the stage begins anew"
            raise ConfigError(error.problem, next_step=hint) from None
        raise
    return made.stopped if made.interrupted else ""


def _texts(stage: Stage, column: str) -> dict[str, Dataset]:
    """The splits of a stage's texts, read by its own settings, in a column of that name."""
    known = {field.name for field in dataclasses.fields(Settings)}
    own = Settings(**{key: value for key, value in stage.given.items() if key in known})
    read = read_texts(stage.source, own)
    splits = {"train": read.texts, "validation": read.held}
    return {
        split: Dataset(pa.table({column: texts}), name=read.name)
        for split, texts in splits.items()
        if texts is not None
    }


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
        held = {when: report[when].get(HELD_OUT, {}).get(main) for when in ("before", "after")}
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
    place = folder / STATE
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise OutputError(
            f"{place} cannot be read: {error}", next_step="name another --out"
        ) from None
    if not _are_stages(found):
        raise ConfigError(
            f"{place} does not say which stages are done",
            next_step=f"name another --out, or take {place} away, and all stages begin anew",
        )
    return list(found["stages"])


def _are_stages(found: Any) -> bool:
    """Whether this is what stages.json holds, by all that is asked of it."""
    try:
        stage_rows(found)
        forgotten_rows(found)
        return all(isinstance(stage["said"]["files"], dict) for stage in found["stages"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _check_done(stage: Stage, was: Mapping[str, Any], said: Mapping[str, Any], place: Path) -> None:
    """Whether a stage that is done is that of the file, and its model is there."""
    then = {**was["said"], "name": was["name"]}
    now = {**said, "name": stage.name}
    changed = [
        f"{key} was {then.get(key)!r:.60} and is {now[key]!r:.60}"
        for key in sorted(now)
        if key != "files" and then.get(key) != now[key]
    ]
    before, files = then["files"], now["files"]
    changed += [
        f"{name} has changed"
        for name in sorted({*before, *files})
        if before.get(name) != files.get(name)
    ]
    if changed:
        raise ConfigError(
            f"stage {stage.name!r} in {place.parent} was another: {', '.join(changed)}",
            next_step="name another --out, or write the stage as it was",
        )
    if not (place / WEIGHTS).is_file():
        state = place.parent / STATE
        raise ConfigError(
            f"stage {stage.name!r} is done, and its model in {place} is gone",
            next_step=f"put it back, or take {state} away, and all stages begin anew",
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
    given = {
        key: dataclasses.asdict(value) if isinstance(value, TokenizerPlan) else value
        for key, value in stage.given.items()
    }
    hashes = {name: digest_of_all(files) for name, files in stage.files.items() if files}
    found: dict[str, Any] = plain(
        {
            "kind": stage.kind,
            "model": stage.model,
            "source": stage.source,
            "given": given,
            "files": hashes,
            "begun": begun,
        }
    )
    return found
