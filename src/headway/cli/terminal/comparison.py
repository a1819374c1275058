"""Two runs side by side, as text on a terminal."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from headway.cli.terminal.output import say, say_prose, show, table
from headway.reports.plain import printable
from headway.reports.sheets import SHEETS
from headway.reports.words import NOTHING, count, decimals, file_size, megabytes, seconds

__all__ = ["show_comparison"]


def show_comparison(found: dict[str, Any]) -> None:
    """Measures and costs of both runs in a table, and what the paired tests say in sentences."""
    names = [printable(one["model"] or "a model") for one in found["runs"]]
    rows = table(["", *names, "difference", "p"], right=(1, 2, 3, 4))
    for line in [*_measures(found), *_costs(found)]:
        rows.add_row(*map(Text, line))
    show(rows)
    say()
    for sentence in _tests(found):
        say_prose(sentence)


def _measures(found: dict[str, Any]) -> list[list[str]]:
    """Each measure with the interval below it, and how likely chance makes such a difference."""
    known = {measure.key: measure for measure in SHEETS[found["kind"]].measures}
    lines = []
    for row in found["measures"]:
        measure = known[row["key"]]
        values = [measure.say(row["first"]), measure.say(row["second"])]
        chance = NOTHING if row["p_value"] is None else f"{row['p_value']:.4f}"
        apart = measure.say_difference(row["difference"])
        lines.append([measure.name, *values, apart, chance])
        if all(row["intervals"]):
            said = [" to ".join(map(measure.say, ends)) for ends in row["intervals"]]
            lines.append(["  95% interval", *said, "", ""])
    return lines


def _costs(found: dict[str, Any]) -> list[list[str]]:
    runs = found["runs"]
    return [
        ["Parameters", *(count(sum(one["parameters"].values())) for one in runs), "", ""],
        ["On disk", *(_on_disk(one["disk_mb"]) for one in runs), "", ""],
        ["Time", *(seconds(one["seconds"]) for one in runs), "", ""],
        ["Tokens a second", *(count(one["tokens_per_second"]) for one in runs), "", ""],
        ["Peak memory", *(megabytes(one["peak_memory_mb"]) for one in runs), "", ""],
    ]


def _on_disk(size: float | None) -> str:
    return NOTHING if size is None else file_size(round(size * 1e6))


def _tests(found: dict[str, Any]) -> list[str]:
    errors, right = found["paired"]["mean_error"], found["paired"]["right"]
    said = [
        f"{count(found['runs'][0]['test']['n'])} rows. The mean error of a row is "
        f"{decimals(errors['first'])} and {decimals(errors['second'])}: "
        f"p = {errors['p_value']:.4f} (paired permutation test, as above)."
    ]
    if right is not None:
        said.append(
            f"Only the first is right on {count(right['only_first'])} rows, only the second on "
            f"{count(right['only_second'])}: p = {right['p_value']:.4f} (McNemar)."
        )
    return said
