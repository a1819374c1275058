"""Which head a checkpoint carries, and how a new one is planned."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from headway.checkpoints.scope import Scope, read_scope
from headway.core.stacks import Body
from headway.errors import CheckpointError, ConfigError, nearest
from headway.families import Family, task_of
from headway.heads import HeadSpec, choosing, own_head

__all__ = ["KINDS", "HeadPlan", "new_head", "plan_head"]

KINDS = {
    "single-label": "single_label_classification",
    "multi-label": "multi_label_classification",
    "regression": "regression",
}
"""What the numbers of a classification head mean -> `problem_type` in config.json.

Other kinds, which the ecosystem has no word for, stand there as `headway.kind`.
"""

WORD = re.compile("[a-z]+(-[a-z]+)*")
"""What a kind looks like."""

PLACED = re.compile("O$|[BIELSUM]-.")
"""What tags look like that say where in an entity a word stands."""

LABELLED = frozenset({"text-classification", "token-classification"})
"""Tasks whose outputs `id2label` names; of other heads a config.json may hold it for no reason."""

WRITING = frozenset({"text-generation", "text2text-generation"})
"""Tasks whose heads can have a choice head beside them."""

DOUBLE = "DoubleHeadsModel"
"""How the ecosystem's classes end that have both."""

SUMMARY = {
    "summary_type": ("cls_index", "last"),
    "summary_use_proj": (True,),
    "summary_proj_to_labels": (True,),
    "summary_activation": (None, ""),
}
"""What config.json says of their choice head where it is a linear layer; what is not said is so."""


@dataclass(frozen=True)
class HeadPlan:
    """A head before it is built.

    Attributes:
        task: name of the task, as in the ecosystem.
        spec: how it is built and stored.
        labels: what its outputs are called; () for a head over the vocabulary, or of spans.
        kind: what its outputs mean: a key of KINDS or another word; empty where nothing is said.
        stored: what config.json's `headway` section says of it; None for a family's own head.
        scope: when the answer is that a text belongs to none of the labels; None = never.
        choice: whether a choice head stands beside a head that writes; see `with_choice`.
    """

    task: str
    spec: HeadSpec
    labels: tuple[str, ...] = ()
    kind: str = ""
    stored: Mapping[str, Any] | None = None
    scope: Scope | None = None
    choice: bool = False

    def build(self, config: Any, body: Body) -> nn.Module:
        """The head, with fresh weights."""
        return self.spec.build(config, body, len(self.labels))

    def __str__(self) -> str:
        outputs = f" with {len(self.labels)} outputs" if self.labels else ""
        return f"{self.task} head{outputs}" + (" and a choice head" if self.choice else "")

    def with_choice(self) -> HeadPlan:
        """The same with a linear layer beside it that scores whole texts."""
        return self if self.choice else replace(self, spec=choosing(self.spec), choice=True)


def new_head(
    family: Family,
    task: str,
    *,
    labels: Sequence[str],
    kind: str,
    head: str,
    pooling: str | None = None,
    of: str = "text",
) -> HeadPlan:
    """The plan of a fresh head for a task.

    Args:
        family: of the body.
        task: name of the task.
        labels: names of the outputs; none for a head over the vocabulary, or of spans.
        kind: what the outputs mean: a key of KINDS, or another word in lower case, with hyphens;
            it may be empty where there are no labels.
        head: `family` for the one that the ecosystem's checkpoints of this family carry, or a name
            in OWN_HEADS[of].
        pooling: of a head of our own for texts; name in POOLINGS.
        of: what a head of our own gives logits of; key of OWN_HEADS.

    Raises:
        ConfigError: the family has no such head, a name is not known, a head that needs labels has
            none, or two labels are the same.
    """
    labels = tuple(labels)
    if (labels or kind) and not WORD.fullmatch(kind):
        raise ConfigError(
            f"kind {kind!r} is not known",
            allowed=", ".join(KINDS) + ", or another word in lower case with hyphens",
            next_step=nearest(kind, KINDS),
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
    spec = own_head(head, pooling, of=of)
    if of == "span" and len(labels) not in (0, 2):
        raise ConfigError(f"{len(labels)} labels of a start and an end", allowed="none, or two")
    if of != "span" and not labels:
        raise ConfigError(f"no labels for a {head!r} head", allowed="one or more")
    stored = {"type": head, "pooling": pooling} if of == "text" else {"type": head, "of": of}
    return HeadPlan(task, spec, labels, kind, stored)


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
    task, choice = _named(family, values), _chooses(section, values)
    if task is None:
        return None
    if choice and task not in WRITING:
        raise CheckpointError(
            f"config.json: headway.choice = True beside a {task} head",
            allowed="a head for " + " or ".join(sorted(WRITING)),
        )
    labels = _labels(values) if task in LABELLED else ()
    kind = _kind(values, task, labels)
    plan = HeadPlan(task, family.HEADS[task], labels, kind, scope=read_scope(section, labels))
    return plan.with_choice() if choice else plan


def _named(family: Family, values: Mapping[str, Any]) -> str | None:
    """The task of the class that config.json names; a class of two heads writes as others do."""
    name = architecture(values)
    if name.endswith(DOUBLE) and "text-generation" in family.HEADS:
        name = name.removesuffix(DOUBLE) + family.HEADS["text-generation"].ending
    return task_of(values["model_type"], name, family)


def _chooses(section: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether there is a choice head beside the one that writes."""
    told = section.get("choice", False)
    if not isinstance(told, bool):
        raise CheckpointError(
            f"config.json: headway.choice = {told!r:.60}", allowed="true or false"
        )
    if told or not architecture(values).endswith(DOUBLE):
        return told
    for key, allowed in SUMMARY.items():
        if key in values and values[key] not in allowed:
            raise CheckpointError(
                f"config.json: {key} = {values[key]!r:.60} of a choice head",
                allowed=", ".join(map(repr, allowed)),
                next_step="load it with keep_head=False",
            )
    return True


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
        of = stored.get("of", "text")  # the first models say nothing of it
        pooling = stored["pooling"] if of == "text" else stored.get("pooling")
        spec = own_head(stored["type"], pooling, of=of)
    except (AttributeError, KeyError, TypeError):
        raise CheckpointError(
            f"config.json: headway.head = {stored!r}",
            allowed='{"type": ..., "pooling": ...}, or {"type": ..., "of": ...}',
        ) from None
    except ConfigError as error:
        raise CheckpointError(
            f"config.json: headway.{error.problem}",
            allowed=error.allowed,
            next_step=error.next_step,
        ) from None
    labels = () if of == "span" and "id2label" not in values else _labels(values)
    scope = read_scope(section, labels)
    return HeadPlan(task, spec, labels, _kind(values, task, labels), dict(stored), scope)


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


def _kind(values: Mapping[str, Any], task: str, labels: tuple[str, ...]) -> str:
    ours = (values.get("headway") or {}).get("kind")
    if ours is not None:
        if not isinstance(ours, str) or not WORD.fullmatch(ours):
            raise CheckpointError(
                f"config.json: headway.kind = {ours!r}", allowed="a word in lower case with hyphens"
            )
        return ours
    if not labels:
        return ""
    if task == "token-classification":
        return "entities" if all(PLACED.match(label) for label in labels) else "tags"
    told = values.get("problem_type")
    for kind, name in KINDS.items():
        if told == name:
            return kind
    if told is not None:
        allowed = ", ".join(KINDS.values())
        raise CheckpointError(f"config.json: problem_type = {told!r}", allowed=allowed)
    return "regression" if len(labels) == 1 else "single-label"
