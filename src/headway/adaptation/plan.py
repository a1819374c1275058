"""What the user left open, decided from the rows: rates, epochs, batches, precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from headway.adaptation.methods import METHODS, Method, method_named
from headway.adaptation.rows import Rows
from headway.adaptation.settings import Settings
from headway.core.ragged import usual_tokens
from headway.errors import ConfigError
from headway.model import Model
from headway.reports.words import plural
from headway.tasks import Course
from headway.training import Options
from headway.training.optimisers import OPTIMISERS
from headway.training.precision import chosen_precision
from headway.windows import Windowed

__all__ = ["Plan", "after_probe", "plan_run", "rate_for"]

USUAL_HIDDEN = 384
"""The size of hidden states that tasks' learning rates are measured with."""


@dataclass(frozen=True)
class Plan:
    """A run with every number decided.

    Attributes:
        options: of the loop.
        precision: fp32, bf16 or fp16.
        read_tokens: most tokens in a forward pass without gradients.
        probe: whether the head starts from a linear probe.
        contrast: whether the body learns by contrast before that; None = where the probe says that
            it does not know the classes yet.
        most_windows: of one text in training.
        class_weights: how much a row of each class counts, or None.
        beside: tokens of each training row that count beside its windows; () = none.
        notes: what was decided, one line each.
        hidden: size of the model's hidden states.
        method: which weights learn.
        layer_decay: each level's rate as a share of that of the level above.
    """

    options: Options
    precision: str
    read_tokens: int
    probe: bool
    most_windows: int
    class_weights: Tensor | None = None
    beside: Sequence[int] = ()
    notes: list[str] = field(default_factory=list)
    hidden: int = USUAL_HIDDEN
    method: Method = METHODS["full"]
    layer_decay: float = 1.0
    contrast: bool | None = False


def plan_run(
    model: Model,
    texts: Sequence[Windowed],
    rows: Rows,
    settings: Settings,
    beside: Sequence[int] = (),
) -> Plan:
    """Decides what the settings leave open; with a probe, `after_probe` decides the course.

    Args:
        model: with its head.
        texts: the training rows as it reads them.
        rows: the task and the answers.
        settings: what the user asked for.
        beside: tokens of each training row that count beside its windows; () = none.
    """
    task, start = rows.task, rows.task.start
    fits = start is not None and start.fits(model)
    if settings.probe and not fits:
        raise ConfigError(
            f"probe = True with head = {settings.head!r}",
            allowed="text classification with a head of one linear layer",
        )
    probe = settings.probe
    if probe is None:
        probe = start is not None and fits and start.wanted(len(texts), rows.meaning)
    _check_validation(rows, settings)
    contrast = _contrasts(rows, settings, probe=probe)
    most = settings.most_windows
    tokens = sum(sum(map(len, text.ids[:most])) for text in texts) + sum(beside)
    mean_length = tokens / max(1, len(texts))
    course = task.course(len(texts), rows.meaning)
    batch_tokens = settings.batch_tokens or int(min(2048, max(256, course.texts * mean_length)))
    hidden = model.checkpoint.config.hidden
    rate = rate_for(course, hidden, settings)
    precision = chosen_precision(settings.precision, model.device)
    options = Options(
        epochs=settings.epochs or course.epochs,
        learning_rate=settings.lr or rate,
        batch_tokens=batch_tokens,
        max_steps=settings.max_steps,
        max_seconds=settings.max_seconds,
        micro_batch_tokens=settings.micro_batch_tokens,
        checkpoint_activations=settings.checkpoint_activations,
        warmup=settings.warmup,
        schedule=settings.schedule,
        optimiser=settings.optimiser,
        average=settings.average,
        weight_decay=settings.weight_decay,
        clip=settings.clip,
        sharding=settings.sharding,
        seed=settings.seed,
        precision=precision,
        patience=settings.patience,
        validate_every=settings.validate_every,
        validate_seconds=settings.validate_seconds,
        keep=settings.keep,
    )
    notes = [] if probe else [_course_note(options)]
    windowed = sum(text.most_windows > 1 for text in texts)
    if windowed:
        long = plural(windowed, "training text is", "training texts are")
        than = "the model" if settings.window is None else f"{settings.window} tokens"
        notes.append(f"{long} longer than {than} and read in windows")
    if many := sum(text.most_windows > most for text in texts):
        notes.append(f"{many} of them train with {most} of their windows, drawn anew each epoch")
    weights = None
    if settings.class_weights:
        weights = task.weights(rows.answers(rows.train), rows.meaning)
    method = method_named(
        settings.method, layers=settings.layers, rank=settings.rank, width=settings.width
    )
    if settings.method != "full":
        notes.append(method.about)
    return Plan(
        options,
        precision,
        usual_tokens(model.device),
        probe,
        most,
        weights,
        beside=beside,
        notes=notes,
        hidden=hidden,
        method=method,
        layer_decay=settings.layer_decay,
        contrast=contrast,
    )


def _check_validation(rows: Rows, settings: Settings) -> None:
    """Whether there is what is to be validated so often."""
    for name in ("validate_every", "validate_seconds"):
        value = getattr(settings, name)
        if value is not None and not len(rows.validation):
            raise ConfigError(
                f"{name} = {value!r} without validation rows",
                next_step="give a part of the training rows, such as --validation 0.1",
            )


def _contrasts(rows: Rows, settings: Settings, *, probe: bool) -> bool | None:
    """Whether the body learns by contrast first; None = the probe decides.

    Raises:
        ConfigError: it is asked for, and cannot be.
    """
    start = rows.task.start
    fits = (
        probe
        and start is not None
        and start.contrast is not None
        and rows.meaning.kind == "single-label"
        and settings.method == "full"
    )
    if settings.contrast and not fits:
        raise ConfigError(
            "contrast = True",
            allowed="with texts of one label each, a linear head that starts from a probe, and all "
            "weights learning",
        )
    return settings.contrast if fits else False


def rate_for(course: Course, hidden: int, settings: Settings | None = None) -> float:
    """A course's peak learning rate, in proportion to the width of wider models, and as optimisers
    and ways to adapt need it.

    >>> rate_for(Course(epochs=3, rate=1e-4), 384), rate_for(Course(epochs=3, rate=1e-4), 768)
    (0.0001, 5e-05)

    Source: what models of 768 and 1,024 are tuned with, Devlin et al. 2018 (arXiv 1810.04805, A.3);
    why width: Yang et al. 2022, arXiv 2203.03466.
    """
    rate = course.rate * min(1.0, USUAL_HIDDEN / hidden)
    if settings is None:
        return rate
    return rate * OPTIMISERS[settings.optimiser].rate * METHODS[settings.method].rate


def after_probe(plan: Plan, settings: Settings, course: Course, right: float | None) -> Plan:
    """The plan once the probe is known: classes that the body knows are trained gently.

    Args:
        plan: as `plan_run` made it.
        settings: what the user asked for stays.
        course: how to train, where the user does not say.
        right: share of the training rows that the probe gets right, cross-validated; None where
            that cannot be told.
    """
    options = replace(
        plan.options,
        epochs=settings.epochs or course.epochs,
        learning_rate=settings.lr or rate_for(course, plan.hidden, settings),
    )
    said = "the head starts from a linear probe"
    if right is not None:
        said += f", right on {right:.0%} of rows it was not fitted on"
    return replace(plan, options=options, notes=[*plan.notes, said, _course_note(options)])


def _course_note(options: Options) -> str:
    return (
        f"{plural(options.epochs, 'epoch')} at {options.learning_rate:g}, {options.batch_tokens} "
        f"tokens a step, {options.precision}"
    )
