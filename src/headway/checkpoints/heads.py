"""Which head a checkpoint carries, and how a new one is planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from headway.core.stacks import Body
from headway.errors import CheckpointError, ConfigError, nearest
from headway.families import Family, task_of
from headway.heads import HeadSpec, own_head

__all__ = ["KINDS", "HeadPlan", "new_head", "plan_head"]

KINDS = {
    "single-label": "single_label_classification",
    "multi-label": "multi_label_classification",
    "regression": "regression",
}
"""What the numbers of a classification head mean -> `problem_type` in config.json."""


@dataclass(frozen=True)
class HeadPlan:
    """A head before it is built.

    Attributes:
        task: name of the task, as in the ecosystem.
        spec: how it is built and stored.
        labels: what its outputs are called; () for a head over the vocabulary.
        kind: key of KINDS, or empty where there are no labels.
        stored: what config.json's `headway` section says of it; None for a family's own head.
    """

    task: str
    spec: HeadSpec
    labels: tuple[str, ...] = ()
    kind: str = ""
    stored: Mapping[str, Any] | None = None

    def build(self, config: Any, body: Body) -> nn.Module:
        """The head, with fresh weights."""
        return self.spec.build(config, body, len(self.labels))

    def __str__(self) -> str:
        outputs = f" with {len(self.labels)} outputs" if self.labels else ""
        return f"{self.task} head{outputs}"


def new_head(
    family: Family, task: str, *, labels: Sequence[str], kind: str, head: str, pooling: str
) -> HeadPlan:
    """The plan of a fresh head for a task.

    Args:
        family: of the body.
        task: name of the task.
        labels: names of the outputs; none for a head over the vocabulary.
        kind: key of KINDS, where there are labels.
        head: `family` for the one that the ecosystem's checkpoints of this family carry, or a name
            in OWN_HEADS.
        pooling: of a head of our own; name in POOLINGS.

    Raises:
        ConfigError: the family has no such head, a name is not known, or two labels are the same.
    """
    labels = tuple(labels)
    if labels and kind not in KINDS:
        raise ConfigError(
            f"kind {kind!r} is not known", allowed=", ".join(KINDS), next_step=nearest(kind, KINDS)
        )
    if twice := _first_double(labels):
        raise ConfigError(f"label {twice!r} is there twice", allowed="each label once")
    if head == "family":
        if task not in family.HEADS:
            raise ConfigError(
                f"this architecture has no head of its own for {task}",
                allowed=", ".join(family.HEADS),
                next_step="--head linear",
            )
        return HeadPlan(task, family.HEADS[task], labels, kind)
    stored = {"type": head, "pooling": pooling}
    return HeadPlan(task, own_head(head, pooling), labels, kind, stored)


def plan_head(family: Family, values: Mapping[str, Any]) -> HeadPlan | None:
    """The head that config.json speaks of, or None.

    Raises:
        CheckpointError: a head or labels that cannot be.
    """
    section = values.get("headway") or {}
    if not isinstance(section, Mapping):
        raise CheckpointError(f"config.json: headway = {section!r}", allowed="an object")
    if "head" in section:
        return _own_plan(section, values)
    task = task_of(values["model_type"], architecture(values), family)
    if task is None:
        return None
    labels = _labels(values) if task == "text-classification" else ()
    return HeadPlan(task, family.HEADS[task], labels, _kind(values, labels) if labels else "")


def architecture(values: Mapping[str, Any]) -> str:
    """The class that config.json names first, or an empty string.

    Raises:
        CheckpointError: what should be class names is something else.
    """
    named = values.get("architectures")
    if named is None or named == []:
        return ""
    if not isinstance(named, list) or not isinstance(named[0], str):
        raise CheckpointError(f"config.json: architectures = {named!r}", allowed="names of classes")
    return named[0]


def _own_plan(section: Mapping[str, Any], values: Mapping[str, Any]) -> HeadPlan:
    task, stored = section.get("task"), section["head"]
    if not isinstance(task, str):
        raise CheckpointError(f"config.json: headway.task = {task!r}", allowed="a task's name")
    try:
        spec = own_head(stored["type"], stored["pooling"])
    except (TypeError, KeyError):
        raise CheckpointError(
            f"config.json: headway.head = {stored!r}", allowed='{"type": ..., "pooling": ...}'
        ) from None
    except ConfigError as error:
        raise CheckpointError(
            f"config.json: headway.{error.problem}",
            allowed=error.allowed,
            next_step=error.next_step,
        ) from None
    labels = _labels(values)
    return HeadPlan(task, spec, labels, _kind(values, labels), dict(stored))


def _labels(values: Mapping[str, Any]) -> tuple[str, ...]:
    names = values.get("id2label")
    if names is None:
        return ("LABEL_0", "LABEL_1")  # what transformers takes where nothing is said
    found = dict(names) if isinstance(names, Mapping) else {}
    labels = tuple(str(found.get(str(number))) for number in range(len(found)))
    fine = found and all(type(name) in (str, int) for name in found.values())
    if not fine or found.keys() != {str(number) for number in range(len(found))}:
        raise CheckpointError(
            f"config.json: id2label = {str(names)[:200]}", allowed="a name for 0, 1, 2, ..."
        )
    if twice := _first_double(labels):
        raise CheckpointError(
            f"config.json: id2label names {twice!r} twice", next_step="give each its own name"
        )
    return labels


def _first_double(labels: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for label in labels:
        if label in seen:
            return label
        seen.add(label)
    return None


def _kind(values: Mapping[str, Any], labels: tuple[str, ...]) -> str:
    told = values.get("problem_type")
    for kind, name in KINDS.items():
        if told == name:
            return kind
    if told is not None:
        allowed = ", ".join(KINDS.values())
        raise CheckpointError(f"config.json: problem_type = {told!r}", allowed=allowed)
    return "regression" if len(labels) == 1 else "single-label"
