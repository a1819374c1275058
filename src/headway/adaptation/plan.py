"""What the user left open, decided from the rows: rates, epochs, batches, precision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

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

__all__ = ["Plan", "plan_run"]

FEW = 64
"""Rows a class up to which labels count as few."""

READ_TOKENS = 8192
"""Tokens of one forward pass without gradients."""


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
    """Decides what the settings leave open.

    Few labels want many small steps from a probe; many labels want three epochs at a higher rate.
    """
    few = len(texts) <= FEW * len(rows.labels)
    plain = isinstance(model.head, Classifier) and model.head.transform is None
    if settings.probe and not plain:
        raise ConfigError(
            f"probe = True with head = {settings.head!r}", allowed="a head of one linear layer"
        )
    probe = plain and few if settings.probe is None else settings.probe
    most = settings.most_windows
    mean_length = sum(sum(map(len, text.ids[:most])) for text in texts) / max(1, len(texts))
    batch_tokens = settings.batch_tokens or int(min(4096, max(256, 32 * mean_length)))
    epochs = settings.epochs if settings.epochs is not None else (8 if few else 3)
    rate = settings.lr or (2e-5 if few else 1e-4)
    precision = chosen_precision(settings.precision, model.device)
    options = Options(
        epochs=epochs,
        learning_rate=rate,
        batch_tokens=batch_tokens,
        warmup=settings.warmup,
        weight_decay=settings.weight_decay,
        clip=settings.clip,
        seed=settings.seed,
        precision=precision,
        patience=settings.patience,
    )
    notes = [
        f"{epochs} epochs at {rate:g}, {batch_tokens} tokens a step, {precision}"
        + (", the head from a linear probe" if probe else "")
    ]
    windowed = sum(len(text.ids) > 1 for text in texts)
    if windowed:
        notes.append(f"{windowed} training texts are longer than the model and read in windows")
    if many := sum(len(text.ids) > most for text in texts):
        notes.append(f"{many} of them train with {most} of their windows, drawn anew each epoch")
    weights = _class_weights(rows) if settings.class_weights else None
    return Plan(options, precision, probe, settings.most_windows, weights, notes=notes)


def _class_weights(rows: Rows) -> Tensor:
    """Inverse frequency, mean 1 over the rows; for label sets, negatives over positives."""
    if rows.kind == "regression":
        raise ConfigError("class_weights with numbers to predict", allowed="rows with labels")
    found = Counter(flat_names(rows.answers(rows.train), rows.kind))
    counts = torch.tensor([max(1, found[name]) for name in rows.labels], dtype=torch.float32)
    if rows.kind == "multi-label":
        return (len(rows.train) - counts).clamp(min=1) / counts
    return len(rows.train) / (len(counts) * counts)
