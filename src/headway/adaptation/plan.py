"""What the user left open, decided from the rows: rates, epochs, batches, precision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from headway.adaptation.rows import Rows
from headway.adaptation.settings import Settings
from headway.errors import ConfigError
from headway.heads import Classifier
from headway.model import Model
from headway.training import Options
from headway.training.labels import flat_names
from headway.training.precision import chosen_precision
from headway.windows import Windowed

__all__ = ["Plan", "after_probe", "plan_run"]

FEW = 64
"""Rows a class up to which labels count as few."""

KNOWN = 0.85
"""Share of rows that a probe gets right, cross-validated, from which the body knows the classes."""

READ_TOKENS = 2048
"""Tokens of one forward pass without gradients."""


@dataclass(frozen=True)
class Course:
    """How long and how fast to train, where the user does not say."""

    epochs: int
    rate: float


MANY = Course(epochs=3, rate=1e-4)
"""Many labels."""
FIRM = Course(epochs=16, rate=1e-4)
"""Few labels of classes that the body does not tell apart yet."""
GENTLE = Course(epochs=4, rate=2e-5)
"""Few labels of classes that the body knows: more would only spoil it. Chosen on draws of the
demo's news other than the demo's own; FIRM on TREC's and SST-2's training rows, 8 to 16 a class."""


@dataclass(frozen=True)
class Plan:
    """A run with every number decided.

    Attributes:
        options: of the loop.
        precision: fp32 or bf16.
        probe: whether the head starts from a linear probe.
        most_windows: of one text in training.
        class_weights: how much a row of each class counts, or None.
        read_tokens: most tokens in a forward pass without gradients.
        notes: what was decided, one line each.
    """

    options: Options
    precision: str
    probe: bool
    most_windows: int
    class_weights: Tensor | None = None
    read_tokens: int = READ_TOKENS
    notes: list[str] = field(default_factory=list)


def plan_run(model: Model, texts: Sequence[Windowed], rows: Rows, settings: Settings) -> Plan:
    """Decides what the settings leave open; with a probe, `after_probe` decides the course."""
    few = len(texts) <= FEW * len(rows.labels)
    plain = isinstance(model.head, Classifier) and model.head.is_linear
    if settings.probe and not plain:
        raise ConfigError(
            f"probe = True with head = {settings.head!r}", allowed="a head of one linear layer"
        )
    probe = plain and few if settings.probe is None else settings.probe
    most = settings.most_windows
    mean_length = sum(sum(map(len, text.ids[:most])) for text in texts) / max(1, len(texts))
    batch_tokens = settings.batch_tokens or int(min(2048, max(256, 32 * mean_length)))
    course = FIRM if few else MANY
    precision = chosen_precision(settings.precision, model.device)
    options = Options(
        epochs=settings.epochs or course.epochs,
        learning_rate=settings.lr or course.rate,
        batch_tokens=batch_tokens,
        warmup=settings.warmup,
        weight_decay=settings.weight_decay,
        clip=settings.clip,
        seed=settings.seed,
        precision=precision,
        patience=settings.patience,
    )
    notes = [] if probe else [_course_note(options)]
    windowed = sum(len(text.ids) > 1 for text in texts)
    if windowed:
        notes.append(f"{windowed} training texts are longer than the model and read in windows")
    if many := sum(len(text.ids) > most for text in texts):
        notes.append(f"{many} of them train with {most} of their windows, drawn anew each epoch")
    weights = _class_weights(rows) if settings.class_weights else None
    return Plan(options, precision, probe, settings.most_windows, weights, notes=notes)


def after_probe(plan: Plan, settings: Settings, right: float | None) -> Plan:
    """The plan once the probe is known: classes that the body knows are trained gently.

    Args:
        plan: as `plan_run` made it.
        settings: what the user asked for stays.
        right: share of the training rows that the probe gets right, cross-validated; None where
            that cannot be told.
    """
    course = GENTLE if right is not None and right >= KNOWN else FIRM
    options = replace(
        plan.options,
        epochs=settings.epochs or course.epochs,
        learning_rate=settings.lr or course.rate,
    )
    said = "the head starts from a linear probe"
    if right is not None:
        said += f", right on {right:.0%} of rows it was not fitted on"
    return replace(plan, options=options, notes=[*plan.notes, said, _course_note(options)])


def _course_note(options: Options) -> str:
    return (
        f"{options.epochs} epochs at {options.learning_rate:g}, {options.batch_tokens} tokens a "
        f"step, {options.precision}"
    )


def _class_weights(rows: Rows) -> Tensor:
    """Inverse frequency, mean 1 over the rows; for label sets, negatives over positives."""
    if rows.kind == "regression":
        raise ConfigError("class_weights with numbers to predict", allowed="rows with labels")
    found = Counter(flat_names(rows.answers(rows.train), rows.kind))
    counts = torch.tensor([max(1, found[name]) for name in rows.labels], dtype=torch.float32)
    if rows.kind == "multi-label":
        return (len(rows.train) - counts).clamp(min=1) / counts
    return len(rows.train) / (len(counts) * counts)
