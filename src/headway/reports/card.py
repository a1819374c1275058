"""README.md: the model card, front matter as the hub reads it and text as people do."""

from __future__ import annotations

import html
import json
import re
import shlex
from pathlib import Path
from typing import Any

from headway.reports.facts import facts
from headway.reports.results import result_rows
from headway.reports.templating import templates

__all__ = ["card"]

HUB_TASKS = {"dialogue": "text-generation"}
"""Task -> what the hub calls it, where it has no such name."""

MARKS = re.compile(r"([\\`*_\[\]|#~$])")


def card(report: dict[str, Any], name: str) -> str:
    """The card's Markdown, from a plain and printable report; `name`: the model's, or its path."""
    environment = templates(escape=False)  # Markdown, not HTML: the filters below escape
    environment.filters |= {"md": markdown, "code": code, "fenced": fenced, "json": yaml_text}
    text = environment.get_template("card.md").render(
        report=report,
        name=name,
        shell_name=shlex.quote(name),
        front=yaml_block(_front_matter(report, Path(name).name or "model")),
        **facts(report),
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def markdown(text: object) -> str:
    """Any text as one line of Markdown that shows it and does nothing else."""
    return MARKS.sub(r"\\\1", html.escape(" ".join(str(text).split()), quote=False))


def code(text: object) -> str:
    """Any text as a code span; the bar is escaped for tables."""
    line = " ".join(str(text).split())
    ticks = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    padding = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{padding}{line}{padding}{ticks}".replace("|", "\\|")


def fenced(text: object, language: str = "") -> str:
    """Any text as a code block."""
    ticks = "`" * max(3, max(map(len, re.findall("`+", str(text))), default=0) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def yaml_text(value: Any) -> str:
    """A string or number in YAML: its JSON form, which YAML reads.

    >>> print(yaml_text('say "x: y"'))
    "say \\"x: y\\""
    """
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")  # line ends in YAML


def yaml_block(value: dict[str, Any], indent: str = "") -> str:
    """A dict of strings, numbers, lists and dicts as indented YAML.

    >>> print(yaml_block({"a": ["x"], "b": [{"c": 1, "d": {"e": 2}}]}))
    a:
    - "x"
    b:
    - c: 1
      d:
        e: 2
    """
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines += [f"{indent}{key}:", yaml_block(item, indent + "  ")]
        elif isinstance(item, list):
            lines.append(f"{indent}{key}:")
            lines += [f"{indent}- {_yaml_entry(entry, indent)}" for entry in item]
        else:
            lines.append(f"{indent}{key}: {yaml_text(item)}")
    return "\n".join(lines)


def _yaml_entry(entry: Any, indent: str) -> str:
    if isinstance(entry, dict):
        return yaml_block(entry, indent + "  ").removeprefix(indent + "  ")
    return yaml_text(entry)


def _front_matter(report: dict[str, Any], name: str) -> dict[str, Any]:
    """The keys that the hub's pages and search read."""
    data = report.get("data") or {}
    trained = data.get("name") or "data"
    tested = data.get("test_name") or trained
    rows = result_rows(report)
    front: dict[str, Any] = {
        "library_name": "headway",
        "pipeline_tag": HUB_TASKS.get(report["task"], report["task"]),
        "tags": [tag for tag in ("headway", report["task"], report.get("family")) if tag],
        "base_model": re.sub(r"^hf://", "", report["model"]).partition("@")[0],
        "metrics": list(dict.fromkeys(row.measure.hub_name for row in rows)),
    }
    if trained.startswith("hf://"):
        front["datasets"] = [_on_hub(trained)]
    front["model-index"] = [
        {"name": name, "results": [_index_entry(report, tested, _on_hub(tested))]}
    ]
    return front


def _on_hub(data: str) -> str:
    """A data set's name as the hub writes it."""
    return re.sub(r"^hf://(datasets/)?", "", data).partition("@")[0]


def _index_entry(report: dict[str, Any], source: str, dataset: str) -> dict[str, Any]:
    return {
        "task": {"type": HUB_TASKS.get(report["task"], report["task"])},
        "dataset": {"name": source, "type": dataset, "split": "test"},
        "metrics": [
            {"type": row.measure.hub_name, "name": row.measure.name, "value": round(row.value, 6)}
            for row in result_rows(report)
        ],
    }
