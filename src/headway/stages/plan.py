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

All other keys are settings of `headway pretrain` or `headway adapt`, with underscores, but for what
stages decide themselves.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.adaptation import Settings as Adapting
from headway.errors import ConfigError, DataError, InputError, nearest
from headway.pretraining import Settings as Pretraining
from headway.pretraining import TokenizerPlan
from headway.pretraining.fit import HELD_OUT
from headway.stages.files import files_of
from headway.tasks import TASKS

__all__ = ["Stage", "read_stages"]

NAME = re.compile("[a-z0-9][a-z0-9-]*")

OWN = ("name", "model")
NEW = ("layers", "hidden", "heads", "tokenizer", "vocabulary", "cased")
"""Of a model that starts from nothing, which only the first stage can have."""
DATA = ("data", "task", "test")
DECIDED = {
    "earlier": "the texts of all stages before are measured behind each pre-training",
    "resume": "the same command goes on where it was stopped",
    "save_every": "a stage on its way is kept every ten minutes",
    "seeds": "a stage is one run",
    "tensorboard": "live.html follows each stage",
}
"""What is no setting of a stage, and why: all stages are alike in it."""
FILES = ("test", "tokenizer", "recipe", "features")
"""Settings that may name a file beside the file of stages."""


@dataclass(frozen=True)
class Stage:
    """One of several, each on the model of the one before.

    Attributes:
        name: of its folder.
        kind: pretrain or adapt.
        source: the texts, or the data.
        model: what it begins with; None = the model of the stage before.
        given: all that is handed to `pretrain` or `adapt` besides.
        files: name -> the files on this machine that it means.
    """

    name: str
    kind: str
    source: Any
    model: str | None
    given: Mapping[str, Any]
    files: Mapping[str, list[Path]] = field(default_factory=dict)


def read_stages(path: str | Path) -> list[Stage]:
    """The stages of a file; files that they name lie beside it, or where an absolute name says.

    Raises:
        DataError: the file cannot be read, or is no TOML; a file that it names is not there.
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
    return [dataclasses.replace(one, files=_files(one)) for one in read]


def _files(stage: Stage) -> dict[str, list[Path]]:
    """What a stage reads, all of it there."""
    try:
        return files_of(stage.source, stage.model, stage.given, alone=stage.kind == "pretrain")
    except InputError as error:
        problem = f"stage {stage.name!r}: {error.problem}"
        raise type(error)(problem, allowed=error.allowed, next_step=error.next_step) from None


def _stage(values: Any, number: int, here: Path) -> Stage:
    """One section, checked."""
    what = f"stage {number}"
    if not isinstance(values, dict):
        raise ConfigError(f"{what} is {values!r}", allowed="a [[stage]] section")
    name = values.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(f"{what} is called {name!r}", allowed="small letters, digits and hyphens")
    if name == HELD_OUT:
        raise ConfigError(
            f"{what} is called {name!r}, as blocks of its own are", allowed="another name"
        )
    if ("texts" in values) == ("data" in values):
        raise ConfigError(f"stage {name!r}", allowed="texts (pre-training) or data (adaptation)")
    kind = "pretrain" if "texts" in values else "adapt"
    settings, own = (Pretraining, ("texts", *NEW)) if kind == "pretrain" else (Adapting, DATA)
    fields = [one.name for one in dataclasses.fields(settings) if one.name not in DECIDED]
    _check_keys(values, name, (*OWN, *own, *fields), own[0])
    if values.get("task", "text-classification") not in TASKS:
        raise ConfigError(f"stage {name!r}: task = {values['task']!r}", allowed=", ".join(TASKS))
    asked = [key for key in NEW if key in values]
    if kind == "pretrain" and number > 1 and asked:
        raise ConfigError(
            f"stage {name!r}: {', '.join(asked)} with a model that is there",
            allowed="in the first stage, with a family or a config.json",
        )
    settings(**{key: value for key, value in values.items() if key in fields})
    source = values[own[0]]
    places = source if isinstance(source, list) else [source]
    if not places:
        raise ConfigError(f"stage {name!r}: {own[0]} = []", allowed="at least one file")
    found = [_place(one, here) for one in places]
    given = {key: value for key, value in values.items() if key not in (*OWN, own[0])}
    for key in FILES:
        if key in given and not (key == "recipe" and isinstance(given[key], dict)):
            given[key] = _place(given[key], here)
    if kind == "pretrain":
        given = _with_plan(given, name)
    model = None if values.get("model") is None else _place(values["model"], here)
    return Stage(name, kind, found if isinstance(source, list) else found[0], model, given)


def _check_keys(values: Mapping[str, Any], name: str, known: tuple[str, ...], what: str) -> None:
    """Whether all are settings of a stage with such a source."""
    for key in values:
        if key in DECIDED:
            raise ConfigError(
                f"stage {name!r}: {key} is no setting of a stage, since {DECIDED[key]}",
                next_step="take it out",
            )
        if key not in known:
            raise ConfigError(
                f"stage {name!r}: {key} is no setting of a stage with {what}",
                next_step=nearest(key, known),
            )


def _with_plan(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """With a plan of the tokenizer in place of `vocabulary` and `cased`."""
    handed = dict(given)
    size, cased = handed.pop("vocabulary", TokenizerPlan.size), handed.pop("cased", False)
    if type(size) is not int:
        raise ConfigError(f"stage {name!r}: vocabulary = {size!r}", allowed="a whole number")
    if type(cased) is not bool:
        raise ConfigError(f"stage {name!r}: cased = {cased!r}", allowed="true or false")
    if "vocabulary" not in given and not cased:
        return handed
    if "tokenizer" in given:
        raise ConfigError(
            f"stage {name!r}: tokenizer with vocabulary or cased", allowed="one of the two"
        )
    return handed | {"tokenizer": TokenizerPlan(size=size, lowercase=False if cased else None)}


def _place(name: Any, here: Path) -> str:
    """A file beside the file of stages, or files of a pattern, if there are any of that name; else
    the name as it is."""
    if not isinstance(name, str):
        raise ConfigError(f"{name!r} in a stage", allowed="the name of a file, a folder or a model")
    beside = here / name
    return str(beside) if _is_there(beside) else name


def _is_there(place: Path) -> bool:
    """Whether there is a file or folder of that name, or one that it is a pattern of."""
    if place.exists():
        return True
    with suppress(ValueError):  # no pattern, as reading says
        return any(Path(place.anchor).glob(str(place.relative_to(place.anchor))))
    return False
