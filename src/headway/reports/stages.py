"""stages.json and stages.html: what each stage gained, and what was forgotten of those before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headway.reports.plain import plain, printable
from headway.reports.templating import templates
from headway.reports.words import decimals, seconds
from headway.reports.write import write_files

__all__ = ["forgotten_rows", "stage_rows", "write_stages"]

Report = dict[str, Any]


def write_stages(report: Report, folder: Path, *, state: str) -> None:
    """Writes the page, and the state beside it; the folder is made if it is not there.

    Args:
        report: `stages`, `planned`, `command`, `versions`.
        folder: where to.
        state: what stages.json holds.

    Raises:
        OutputError: the folder cannot be written.
    """
    shown = printable(plain(report))
    text = (
        templates(escape=True)
        .get_template("stages.html")
        .render(
            report=shown,
            title=" → ".join(shown["planned"]),
            headline=f"{len(shown['stages'])} of {len(shown['planned'])} stages are done",
            style=templates(escape=True).get_template("page.css").render(),
            sections=[("stages", "Stages"), ("forgotten", "Forgotten")],
            rows=stage_rows(shown),
            forgotten=forgotten_rows(shown),
            versions=[(name, str(value)) for name, value in shown["versions"].items()],
        )
    )
    write_files({"stages.json": state, "stages.html": text.lstrip()}, folder)


def stage_rows(report: Report) -> list[tuple[str, ...]]:
    """(stage, what it was, before, after, gain, time) of each."""
    rows: list[tuple[str, ...]] = []
    for stage in report["stages"]:
        if stage["kind"] == "pretrain":
            loss = stage["loss"]
            before, after, gain = (decimals(v) for v in (loss["before"], loss["after"],
                                                         stage["gain"]))  # fmt: skip
            what = f"{stage['objective']}, held-out loss"
        else:
            what = f"{stage['task']}, {stage['measure'].replace('_', ' ')}"
            base, score = stage["baseline"]["score"], stage["score"]
            before, after = decimals(base), decimals(score)
            gain = "–" if base is None else decimals(score - base)
            what += f" beside {stage['baseline']['name']}" if base is not None else ""
        rows.append((stage["name"], what, before, after, gain, seconds(stage["seconds"])))
    return rows


def forgotten_rows(report: Report) -> list[tuple[str, ...]]:
    """(stage, texts of an earlier one, how much their loss rose)."""
    return [
        (stage["name"], name, f"{much:+.3f}")
        for stage in report["stages"]
        for name, much in (stage.get("forgotten") or {}).items()
    ]
