"""A file of stages, read and checked before any of them is run.

    [[stage]]
    name = "articles"
    model = "bert"              # of the first one: what it begins with
    texts = ["articles.txt"]    # a stage with texts is a pre-training
    max_steps = 2000

    [[stage]]
    name = "reports"
    texts = ["reports.txt"]

    [[stage]]
    name = "tickets"
    data = "tickets.csv"        # a stage with data is an adaptation
    task = "text-classification"

All other keys are settings of `headway pretrain` or `headway adapt`, with underscores.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.adaptation import Settings as Adapting
from headway.errors import ConfigError, DataError, nearest
from headway.pretraining import Settings as Pretraining
from headway.tasks import TASKS

__all__ = ["Stage", "read_stages"]

NAME = re.compile("[a-z0-9][a-z0-9-]*")

OWN = ("name", "model")
TEXTS = ("texts", "tokenizer", "layers", "hidden", "heads")
DATA = ("data", "task", "test")
RUNNERS = ("resume", "save_every", "tensorboard")
"""Settings that are the whole's, not a stage's."""


@dataclass(frozen=True)
class Stage:
    """One of several, each on the model of the one before.

    Attributes:
        name: of its folder.
        kind: pretrain or adapt.
        source: the texts, or the data.
        model: what it begins with; None = the model of the stage before.
        given: all that is handed to `pretrain` or `adapt` besides.
    """

    name: str
    kind: str
    source: Any
    model: str | None
    given: Mapping[str, Any]


def read_stages(path: str | Path) -> list[Stage]:
    """The stages of a file; files that they name lie beside it, or where an absolute name says.

    Raises:
        DataError: the file cannot be read, or is no TOML.
        ConfigError: there is no stage, a key is not known or lacking, a name comes twice, or a
            setting is out of its range.
    """
    path = Path(path)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        hint = "headway stages --help shows how such a file looks"
        raise DataError(f"{path} cannot be read: {error}", next_step=hint) from None
    stages = found.get("stage")
    if not isinstance(stages, list) or not stages or set(found) != {"stage"}:
        raise ConfigError(f"{path} holds no stages", allowed="[[stage]] sections, and nothing else")
    read = [_stage(values, number, path.parent) for number, values in enumerate(stages, start=1)]
    names = [stage.name for stage in read]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two stages are called {twice!r}")
    if read[0].model is None:
        raise ConfigError(
            f"the first stage, {read[0].name!r}, has no model",
            next_step='name one: model = "bert", or a folder',
        )
    for stage in read[1:]:
        if stage.model is not None:
            raise ConfigError(
                f"stage {stage.name!r} has a model", allowed="in the first stage; all others go on"
            )
    if any(stage.kind == "adapt" for stage in read[:-1]):
        raise ConfigError("a stage behind one with data", allowed="an adaptation is the last one")
    return read


def _stage(values: Any, number: int, here: Path) -> Stage:
    """One section, checked."""
    what = f"stage {number}"
    if not isinstance(values, dict):
        raise ConfigError(f"{what} is {values!r}", allowed="a [[stage]] section")
    name = values.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(f"{what} is called {name!r}", allowed="small letters, digits and hyphens")
    if ("texts" in values) == ("data" in values):
        raise ConfigError(f"stage {name!r}", allowed="texts (pre-training) or data (adaptation)")
    kind = "pretrain" if "texts" in values else "adapt"
    settings, own = (Pretraining, TEXTS) if kind == "pretrain" else (Adapting, DATA)
    fields = [field.name for field in dataclasses.fields(settings) if field.name not in RUNNERS]
    known = (*OWN, *own, *fields)
    for key in values:
        if key not in known:
            raise ConfigError(
                f"stage {name!r}: {key} is no setting of headway {kind}",
                next_step=nearest(key, known),
            )
    if values.get("task", "text-classification") not in TASKS:
        raise ConfigError(f"stage {name!r}: task = {values['task']!r}", allowed=", ".join(TASKS))
    settings(**{key: value for key, value in values.items() if key in fields})
    given = {key: value for key, value in values.items() if key not in (*OWN, "texts", "data")}
    for key in ("test", "tokenizer"):
        if key in given:
            given[key] = _place(given[key], here)
    source = values["texts" if kind == "pretrain" else "data"]
    source = (
        [_place(one, here) for one in source] if isinstance(source, list) else _place(source, here)
    )
    model = values.get("model")
    return Stage(name, kind, source, None if model is None else _place(model, here), given)


def _place(name: Any, here: Path) -> str:
    """A file beside the file of stages, if there is one of that name; else the name as it is."""
    if not isinstance(name, str):
        raise ConfigError(f"{name!r} in a stage", allowed="the name of a file, a folder or a model")
    beside = here / name
    return str(beside) if beside.exists() else name
