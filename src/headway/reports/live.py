"""live.html: a run on its way as one offline page, which reloads itself until the run ends."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import Picture
from headway.reports.pictures.curve import curve, measure_of
from headway.reports.pictures.pace import pace
from headway.reports.plain import plain, printable
from headway.reports.templating import templates
from headway.reports.words import count, decimals, percent, plural
from headway.reports.words import seconds as said_seconds

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["RELOAD", "live_page", "live_pictures"]

RELOAD = 5
"""Seconds after which the page of a run on its way reloads itself."""

SHOWN = 12  # validations in the table, the last ones

STATES = {
    "running": "Running",
    "done": "Done",
    "interrupted": "Interrupted",
    "failed": "Failed",
}


def live_pictures(report: dict[str, Any]) -> list[Picture]:
    """The curves of a run on its way: loss and score, learning rate and throughput.

    They take a tenth of a second each, a hundred times as long as the rest of the page, and are
    therefore drawn apart from it.

    Args:
        report: its `kind` and `curve`, as `live_page` takes them.
    """
    report = {"test": {}, **printable(plain(report))}
    drawn = [paint(report) for paint in (curve, pace)]
    return [picture for picture in drawn if picture is not None]


def live_page(report: dict[str, Any], pictures: Sequence[Picture] = ()) -> str:
    """The page; it holds no script and asks for no file.

    Args:
        report: `title`, `subject` and `kind` of the run; its `state`, a key of STATES, and `why` it
            ended; `step`, `total` steps, `epoch` and `epochs`; `curve` with `train` rows (step,
            loss, learning_rate, tokens, seconds; of a long run one for several steps) and
            `validation` rows; `last`, the last steps as such rows; `left` and
            `passed` in seconds, `share` of the run that is behind it and `utilisation`, a share,
            each None where it is not known; `written`, the time; `about`, names and values;
            `links`, (file, text) of what lies beside the page; `drawn`, the step of the pictures.
        pictures: as `live_pictures` draws them.
    """
    report = printable(plain(report))
    running = report["state"] == "running"
    validation = report["curve"]["validation"]
    there = [
        ("now", "Now" if running else "In the end", True),
        ("curves", "Curves", pictures),
        ("run", "The run", True),
    ]
    text = (
        _environment()
        .get_template("live.html")
        .render(
            report=report,
            reload=RELOAD if running else None,
            title=report["title"],
            state=STATES[report["state"]],
            headline=_headline(report),
            percent_done=round(100 * (report["share"] or 0), 1),
            sections=[(id_, name) for id_, name, present in there if present],
            tiles=_tiles(report),
            pictures=pictures,
            measure=measure_of(report["kind"], validation).name,
            validations=_validations(report["kind"], validation),
            left_out=max(0, len(validation) - SHOWN),
            style=_environment().get_template("page.css").render()
            + _environment().get_template("live.css").render(),
        )
    )
    return text.lstrip()


@cache
def _environment() -> Environment:
    """Compiled once: the page is written many times in a run."""
    return templates(escape=True)


def _headline(report: dict[str, Any]) -> str:
    why = report["why"]
    behind = f"{count(report['step'])} of {plural(report['total'], 'step')}"
    if report["state"] == "running":
        left = f", about {said_seconds(report['left'])} left" if report["left"] else ""
        return f"{behind} {'is' if report['total'] == 1 else 'are'} behind it{left}."
    said = why[:1].upper() + why[1:] if why else f"{behind} were taken"
    return said if said.endswith(".") else f"{said}."


def _tiles(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(name, value, what is said below) of each number that there is."""
    last, validation = report["last"], report["curve"]["validation"]
    epochs = f"epoch {count(report['epoch'])} of {count(report['epochs'])}"
    tiles = [("Step", count(report["step"]), f"of {count(report['total'])}, {epochs}")]
    losses = [row["loss"] for row in last if row.get("loss") is not None]
    if losses:
        of = "of the step" if len(losses) == 1 else f"mean of the last {len(losses)} steps"
        tiles.append(("Training loss", decimals(sum(losses) / len(losses)), of))
    measure = measure_of(report["kind"], validation)
    scored = [row for row in validation if row.get(measure.key) is not None]
    if scored:
        sign = 1 if measure.larger_is_better else -1
        best = max(scored, key=lambda row: sign * row[measure.key])
        said = f"validation; best {measure.say(best[measure.key])}, step {count(best['step'])}"
        tiles.append((measure.name, measure.say(scored[-1][measure.key]), said))
    taken = [row for row in last if row.get("seconds")]
    if taken:
        speed = sum(row["tokens"] for row in taken) / sum(row["seconds"] for row in taken)
        used = report["utilisation"]
        said = f"utilisation {percent(used)}" if used is not None else ""
        tiles.append(("Tokens a second", count(speed), said))
    passed = said_seconds(report["passed"])
    if report["state"] == "running" and report["left"] is not None:
        tiles.append(("Time left", said_seconds(report["left"]), f"about; {passed} so far"))
    else:
        tiles.append(("Time", passed, "so far" if report["state"] == "running" else "in all"))
    return tiles


def _validations(kind: str, validation: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(step, epoch, score) of the last validations, the newest first."""
    measure = measure_of(kind, validation)
    return [
        (count(row["step"]), count(row["epoch"]), measure.say(row.get(measure.key)))
        for row in reversed(validation[-SHOWN:])
    ]
