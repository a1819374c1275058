"""report.json, report.html and README.md of a pre-training."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from headway.reports.card import code, fenced, markdown, yaml_block, yaml_text
from headway.reports.pictures.curve import loss_curve
from headway.reports.plain import plain, printable, to_json
from headway.reports.templating import templates
from headway.reports.words import count, decimals, megabytes, percent, seconds
from headway.reports.write import write_files

__all__ = ["forgotten_lines", "pretrained_headline", "pretrained_rows", "write_pretrained"]

Report = dict[str, Any]
Pairs = list[tuple[str, str]]

USES = {
    "masked": "fill-mask",
    "causal": "text-generation",
    "denoise": "text2text-generation",
    "contrastive": "sentence-similarity",
}
"""Objective -> what the hub's pages call a model that learned it."""

NAMES = {
    "perplexity": "perplexity",
    "bits_per_byte": "bits a byte",
    "loss": "loss (nats a token)",
    "replaced": "loss of the replaced tokens (times 50)",
    "generated": "loss of the generator",
}


def write_pretrained(report: Report, folder: Path | str, *, name: str = "") -> None:
    """Writes the three files that explain a pre-training; `folder` is made if it is not there.

    Args:
        report: what `headway pretrain` measured.
        folder: where the model lies.
        name: of the model on the card; "" = the folder's name.

    Raises:
        OutputError: the folder cannot be written.
    """
    folder = Path(folder)
    shown = printable(plain(report))
    files = {
        "report.json": to_json(report),
        "report.html": _page(shown),
        "README.md": _card(shown, name or folder.resolve().name or "model"),
    }
    write_files(files, folder)


def _page(report: Report) -> str:
    environment = templates(escape=True)
    curve = report["curve"]
    picture = loss_curve(curve["train"], curve["validation"], report["main"])
    sections = [("result", "Result"), ("training", "Training"), ("data", "Data"), ("cost", "Cost")]
    text = environment.get_template("pretrained.html").render(
        report=report,
        style=environment.get_template("page.css").render(),
        picture=picture,
        sections=sections,
        **_facts(report),
    )
    return text.lstrip()


def _card(report: Report, name: str) -> str:
    environment = templates(escape=False)
    environment.filters |= {"md": markdown, "code": code, "fenced": fenced, "json": yaml_text}
    front: dict[str, Any] = {"library_name": "headway"}
    if report["objective"] in USES:
        front["pipeline_tag"] = USES[report["objective"]]
    front["tags"] = ["headway", "pretraining", report["family"]]
    text = environment.get_template("pretrained_card.md").render(
        report=report,
        name=name,
        shell_name=shlex.quote(name),
        front=yaml_block(front),
        **_facts(report),
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def _facts(report: Report) -> dict[str, Any]:
    """What page and card print."""
    return {
        "title": f"{_short(report['data']['name'])}: {report['objective']} pre-training",
        "headline": pretrained_headline(report),
        "measured": pretrained_rows(report),
        "forgotten": forgotten_lines(report),
        "data": _data(report),
        "settings": _settings(report),
        "cost": _cost(report),
        "notes": report["notes"],
        "versions": [(name, str(value)) for name, value in report["versions"].items()],
    }


def pretrained_headline(report: Report) -> str:
    """What held-out text is told with, before and after."""
    main, after = report["main"], report["after"].get("held-out")
    if after is None:
        return f"{report['about']}; nothing was held out to measure it"
    before = report["before"]["held-out"]
    said = f"held-out {NAMES.get(main, main)} {decimals(before[main])} → {decimals(after[main])}"
    if main == "loss" and report["objective"] != "contrastive":
        said += f", perplexity {decimals(after['perplexity'])}"
    return said


def pretrained_rows(report: Report) -> list[tuple[str, str, str, str, str]]:
    """(texts, measure, before, after, difference) of all that was measured."""
    before, after = report["before"], report["after"]
    found = []
    for texts, values in after.items():
        for key, value in values.items():
            if key == "tokens":
                continue
            old = before[texts].get(key)
            less = "–" if old is None else _signed(value - old)
            found.append((texts, NAMES.get(key, key), decimals(old), decimals(value), less))
    return found


def _signed(difference: float) -> str:
    """With its sign.

    >>> _signed(-0.25), _signed(1048.25)
    ('−0.250', '+1,048')
    """
    return ("−" if difference < 0 else "+") + decimals(abs(difference))


def forgotten_lines(report: Report) -> list[str]:
    """A line for each of the earlier texts."""
    return [
        f"{name}: the loss {'rose' if much > 0 else 'fell'} by {abs(much):.3f}"
        f"{': so much was forgotten' if much > 0 else ', nothing was forgotten'}"
        for name, much in report["forgotten"].items()
    ]


def _short(name: str) -> str:
    """A file without its folders.

    >>> _short("/data/a b.txt and 1 more"), _short("plays")
    ('a b.txt and 1 more', 'plays')
    """
    return name.rpartition("/")[2] or "texts"


def _data(report: Report) -> Pairs:
    data = report["data"]
    return [
        ("Name", str(data["name"])),
        ("Texts", count(data["texts"])),
        ("Bytes", count(data["bytes"])),
        ("Tokens", ", ".join(f"{count(n)} {part}" for part, n in data["tokens"].items())),
        ("Blocks", ", ".join(f"{count(n)} {part}" for part, n in data["blocks"].items())),
        ("Hash", str(data["hash"])[:19] + "…"),
    ]


SHOWN = (
    *("learning_rate", "schedule", "warmup", "optimiser", "batch_tokens", "window", "masking"),
    *(
        "noise",
        "epochs",
        "max_steps",
        "max_seconds",
        "weight_decay",
        "clip",
        "average",
        "precision",
    ),
    "seed",
)


def _settings(report: Report) -> Pairs:
    settings = report["settings"]
    return [
        (name.replace("_", " "), f"{settings[name]:g}" if isinstance(settings[name], float)
         else str(settings[name]))
        for name in SHOWN
        if settings.get(name) is not None
    ]  # fmt: skip


def _cost(report: Report) -> Pairs:
    used, energy = report["utilisation"], report["energy"]
    return [
        ("Training", seconds(report["seconds"]["train"])),
        ("All in all", seconds(report["seconds"]["total"])),
        ("Tokens trained on", count(report["tokens"])),
        ("Tokens a second", count(round(report["tokens_per_second"]))),
        ("Share of the matrix peak", percent(used["share"])),
        ("Peak memory", megabytes(report["peak_memory_mb"])),
        ("Energy", _energy(energy)),
        ("Parameters", count(report["parameters"]["model"])),
        ("Vocabulary", count(report["vocabulary"])),
    ]


def _energy(energy: Report) -> str:
    how = "measured" if energy.get("measured") else "estimated"
    hours = energy.get("watt_hours")
    return "–" if hours is None else f"{hours:.2g} watt hours, {how}"
