"""From raw text to a model: begun from nothing or from a checkpoint, measured and saved."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import torch

from headway.core.dropout import drops
from headway.core.ragged import usual_tokens
from headway.errors import ConfigError
from headway.logs import log
from headway.model import Model
from headway.pretraining.begin import begun_model
from headway.pretraining.corpus import (
    Corpus,
    Texts,
    around,
    blocks_of,
    held_out,
    read_earlier,
    read_texts,
)
from headway.pretraining.fit import HELD_OUT, epochs_in, fit, measuring, round_stored
from headway.pretraining.following import check_followers, followers_of
from headway.pretraining.report import build_report, save_pretrained
from headway.pretraining.run import Run
from headway.pretraining.settings import Settings
from headway.pretraining.tokenizer import TokenizerPlan
from headway.reports.plain import plain
from headway.training import Options
from headway.training.chance import own_randomness
from headway.training.identity import changing_weights, identity_of
from headway.training.keeper import Keeper
from headway.training.machine import timed
from headway.training.objectives import ComparesTexts, Objective
from headway.training.optimisers import OPTIMISERS
from headway.training.output import KEPT, check_output
from headway.training.precision import chosen_precision
from headway.training.processes import crew, joined, restarted
from headway.training.threads import chosen_threads, computing_with

__all__ = ["Pretrained", "pretrain"]

USUAL_HIDDEN = 256
"""The size of hidden states that objectives' learning rates are meant for."""


@dataclass
class Pretrained:
    """What a pre-training leaves.

    Attributes:
        model: with the objective's head, in evaluation mode.
        report: what was measured, the same as report.json; empty for an interrupted run.
        folder: where it was saved, or None.
        stopped: why training ended before its last step, or empty.
    """

    model: Model
    report: dict[str, Any]
    folder: Path | None = None
    stopped: str = ""

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it; then nothing was measured."""
        return not self.report


@joined()
def pretrain(
    model: Model | str | Path,
    texts: Texts,
    *,
    out: str | Path | None = None,
    earlier: Mapping[str, Texts] | Sequence[str | Path] = (),
    tokenizer: str | Path | TokenizerPlan | None = None,
    layers: int | None = None,
    hidden: int | None = None,
    heads: int | None = None,
    command: str = "",
    **settings: Any,
) -> Pretrained:
    """Trains a model on raw text, measures what it learned, and saves it.

    The same texts, settings and seed give the same parameters on the same machine, bit for bit.
    Ctrl-C ends training behind the current step, and what there is then is saved. Processes that
    torchrun starts train one model.

    Args:
        model: a model, or a name that `load` takes: it is trained further. A model is changed in
            place, and its `source` is `out` then, or empty. Or the name of a family (bert, gpt2,
            llama, t5, bart, electra, ...) or a config.json: it starts from nothing.
        texts: rows with a column of texts, splits of them, or files that `read` takes. A split
            called validation or test is held out; else some blocks are.
        out: the folder for the model and its report; None = nothing is written.
        earlier: texts of other kinds, by name, on which the model is measured before and after:
            what it forgets. Files are read in the format that their names say, or else in that of
            `texts`, with those of the settings that this format has; the column is `text` where
            they have one of that name, and else it is guessed and said.
        tokenizer: for a model that starts from nothing: a folder or file of one, or how one is
            learnt from the texts; None = the family's usual kind is learnt.
        layers, hidden, heads: size of a model that starts from nothing by its family's name; None =
            4 blocks of 256.
        command: how the run was started, for the report.
        settings: fields of `Settings`: objective, window, max_steps, lr, batch_tokens, seed, ...

    Raises:
        InputError: model, texts, a setting or the output folder cannot be used; said before any
            training.
        ConfigError: the loss became infinite or undefined; the last sound state is in `out`.

    Example:
        made = headway.pretrain("bert", ["corpus.txt"], max_steps=1000, out="runs/tiny-bert")
        made.report["after"]["held-out"]["loss"]
    """
    chosen = Settings(**settings)
    folder = None if out is None else Path(out)
    check_followers(chosen, folder)
    seconds: dict[str, float] = {}
    with timed(seconds, "load"):
        others = _named(earlier)
        corpus = read_texts(texts, chosen)
        sizes = {"layers": layers, "hidden": hidden, "heads": heads}
        shape = {name: size for name, size in sizes.items() if size is not None}
        with own_randomness(chosen.seed, _device(model)):
            started, objective = begun_model(model, corpus, tokenizer, shape, chosen)
    if folder is not None:
        check_output(folder, started)
    kept = None if folder is None or not chosen.resume else folder / KEPT
    with computing_with(chosen_threads(chosen.threads, started, kept)):
        with own_randomness(chosen.seed, started.device):
            with timed(seconds, "tokenize"):
                run = _prepared(started, objective, corpus, others, chosen)
            run.seconds = seconds
            run.inputs = {"model": started.source or str(model), "command": command,
                          "texts": corpus.name}  # fmt: skip
            for note in run.notes:
                log.info("%s", note)
            keeper = None if folder is None else _keeper(run, folder)
            given = model if isinstance(model, Model) else started
            try:
                with changing_weights(started, given):
                    fit(run, keeper, followers_of(run, folder))
            except ConfigError as error:
                if folder is None or not run.history.stopped:
                    raise
                _save(run, {}, folder, state="diverged")
                hint = (
                    f"{error.next_step}; the last good state and the step's texts are in {folder}"
                )
                raise ConfigError(error.problem, next_step=hint) from error
        report: dict[str, Any] = {}
        if not run.interrupted:
            with measuring(run):
                report = build_report(run)
        if folder is not None:
            _save(run, report, folder, state="done" if report else "interrupted")
    return Pretrained(started, report, folder, run.history.stopped)


def _save(run: Run, report: dict[str, Any], folder: Path, *, state: str) -> None:
    """By one of the processes; all others wait for it."""
    round_stored(run)  # nothing changes where they were measured
    if crew().main:
        save_pretrained(run, report, folder, state=state)
    crew().wait()
    run.model.source = str(folder)


def _prepared(
    model: Model,
    objective: Objective,
    corpus: Corpus,
    earlier: Mapping[str, Texts],
    settings: Settings,
) -> Run:
    """Texts as blocks, and every number decided."""
    tokenizer = model.need_tokenizer()
    window, joined = settings.window, objective.joins
    if model.longest is not None and window > model.longest:
        raise ConfigError(
            f"window = {window}", allowed=f"at most the model's {model.longest} tokens"
        )
    put = around(tokenizer, model.body, joined=joined)
    blocks = blocks_of(corpus.texts, tokenizer, window, put, joined=joined)
    if corpus.held is not None:
        train, _ = held_out(blocks, 0, settings.seed)
        _, held = held_out(blocks_of(corpus.held, tokenizer, window, put, joined=joined), 1, 0)
    else:
        train, held = held_out(blocks, settings.validation, settings.seed)
    others = {}
    for name, texts in earlier.items():  # of each, what its own pre-training held out
        other = read_earlier(texts, settings)
        whole = other.texts if other.held is None else other.held
        found = blocks_of(whole, tokenizer, window, put, joined=joined)
        share = settings.validation or None
        if other.held is not None or len(found) < 2:
            share = 1.0
        _, others[name] = held_out(found, share, settings.seed)
    precision = chosen_precision(settings.precision, model.device)
    rate = settings.lr or objective.rate * min(1.0, USUAL_HIDDEN / model.checkpoint.config.hidden)
    options = Options(
        epochs=settings.epochs or 1,
        max_steps=settings.max_steps,
        max_seconds=settings.max_seconds,
        learning_rate=rate if settings.lr else rate * OPTIMISERS[settings.optimiser].rate,
        batch_tokens=settings.batch_tokens,
        micro_batch_tokens=settings.micro_batch_tokens or _read_at_once(objective, model.device),
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
        validate_every=settings.validate_every,
        validate_seconds=settings.validate_seconds,
    )
    run = Run(model, objective, corpus, put, train, held, others, settings, options, {})
    run.texts = blocks.texts
    run.stored = settings.weights
    run.options = dataclasses.replace(options, epochs=len(epochs_in(run)))
    run.dropout = _dropout(run)
    tokens = int(blocks.lengths.sum())
    run.notes = [
        *corpus.notes,
        objective.about,
        f"{blocks.texts:,} texts, {tokens:,} tokens in {len(blocks):,} blocks of up to {window}; "
        f"{len(held):,} blocks are held out",
        f"{options.batch_tokens:,} tokens a step, peak rate {options.learning_rate:.2g}, "
        f"{options.schedule}, {precision}",
    ]
    if run.dropout == 0 and settings.dropout is None and drops(model.body):
        run.notes.append("no dropout, as no text is read twice")
    return run


def _dropout(run: Run) -> float | None:
    """What is dropped; None = as the model has it."""
    once = run.options.epochs == 1 and not isinstance(run.objective, ComparesTexts)
    return 0.0 if once and run.settings.dropout is None else run.settings.dropout


def _read_at_once(objective: Objective, device: torch.device) -> int | None:
    """Most tokens of a part of a step: on a processor parts that its caches hold are read sooner,
    unless texts are compared with all others of a step, which has parts read twice."""
    if device.type != "cpu" or isinstance(objective, ComparesTexts):
        return None
    return usual_tokens(device)


def _keeper(run: Run, folder: Path) -> Keeper:
    """Keeps the run on its way; knows what makes it what it is."""
    passing = ("save_every", "resume", "tensorboard", "weights")
    settings = {
        name: value
        for name, value in dataclasses.asdict(run.settings).items()
        if name not in passing
    }
    about = {
        "texts": run.corpus.fingerprint,
        "held": run.corpus.held_fingerprint,
        **identity_of(run.model),
        **settings,
        "objective": _told(run.objective),
        "precision": run.options.precision,
        "micro_batch_tokens": run.options.micro_batch_tokens,
    }
    chosen = run.settings
    return Keeper(folder / KEPT, plain(about), seconds=chosen.save_every,
                  resume=chosen.resume or restarted())  # fmt: skip


def _told(objective: Objective) -> str:
    """What an objective is, and which functions it is made of: the same text in every process,
    where `str` has a function's address."""
    parts = [part.__name__ for part in vars(objective).values() if isinstance(part, FunctionType)]
    return " ".join([type(objective).__name__, *parts])


def _named(texts: Mapping[str, Texts] | Sequence[str | Path]) -> dict[str, Texts]:
    """Texts by name; files are called by theirs."""
    found: dict[str, Texts] = {}
    if isinstance(texts, Mapping):
        found.update(texts)
    else:
        for place in texts:
            name = Path(place).stem
            if name in found:
                raise ConfigError(f"two earlier texts are called {name!r}")
            found[name] = place
    if HELD_OUT in found:
        raise ConfigError(
            f"earlier texts are called {HELD_OUT!r}, as what is held out of the new ones is",
            allowed="any other name",
        )
    return found


def _device(model: Model | str | Path) -> torch.device:
    return model.device if isinstance(model, Model) else torch.device("cpu")
