"""Which head a checkpoint carries, and how a new one is planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from torch import nn

from headway.core.stacks import Body
from headway.errors import CheckpointError, ConfigError
from headway.families import task_of
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
        stored: what config.json's `headway` section says of it; {} for a family's own head.
    """

    task: str
    spec: HeadSpec
    labels: tuple[str, ...] = ()
    kind: str = ""
    stored: Mapping[str, Any] | None = None

    def build(self, config: Any, body: Body) -> nn.Module:
        """The head, with fresh weights."""
        return self.spec.build(config, body, len(self.labels))


def new_head(
    family: ModuleType, task: str, *, labels: tuple[str, ...], kind: str, head: str, pooling: str
) -> HeadPlan:
    """The plan of a fresh head for a task.

    Args:
        family: of the body.
        task: name of the task.
        labels: names of the outputs.
        kind: key of KINDS.
        head: `family` for the one that the ecosystem's checkpoints of this family carry, or a name
            in OWN_HEADS.
        pooling: of a head of our own; name in POOLINGS.

    Raises:
        ConfigError: the family has no such head, or the name is not known.
    """
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


def plan_head(family: ModuleType, values: Mapping[str, Any]) -> HeadPlan | None:
    """The head that config.json speaks of, or None.

    Raises:
        CheckpointError: a head or labels that cannot be.
    """
    section = values.get("headway", {})
    stored = section.get("head") if isinstance(section, Mapping) else None
    if stored is not None:
        try:
            spec = own_head(str(stored["type"]), str(stored["pooling"]))
        except (TypeError, KeyError):
            raise CheckpointError(
                f"config.json: headway.head = {stored!r}", allowed='{"type": ..., "pooling": ...}'
            ) from None
        labels = _labels(values)
        return HeadPlan(str(section.get("task")), spec, labels, _kind(values, labels), dict(stored))
    architectures = values.get("architectures") or [""]
    task = task_of(values["model_type"], str(architectures[0]))
    if task is None:
        return None
    labels = _labels(values) if task == "text-classification" else ()
    return HeadPlan(task, family.HEADS[task], labels, _kind(values, labels) if labels else "")


def _labels(values: Mapping[str, Any]) -> tuple[str, ...]:
    names = values.get("id2label")
    if names is None:  # the ecosystem's default
        return tuple(f"LABEL_{n}" for n in range(values.get("num_labels", 2)))
    wanted = [str(n) for n in range(len(names))] if isinstance(names, Mapping) else None
    found = {str(key): name for key, name in names.items()} if wanted is not None else {}
    if wanted is None or sorted(found) != sorted(wanted):
        raise CheckpointError(
            f"config.json: id2label = {names!r}", allowed="a name for 0, 1, 2, ..."
        )
    return tuple(str(found[key]) for key in wanted)


def _kind(values: Mapping[str, Any], labels: tuple[str, ...]) -> str:
    told = values.get("problem_type")
    for kind, name in KINDS.items():
        if told == name:
            return kind
    if told is not None:
        allowed = ", ".join(KINDS.values())
        raise CheckpointError(f"config.json: problem_type = {told!r}", allowed=allowed)
    return "regression" if len(labels) == 1 else "single-label"
