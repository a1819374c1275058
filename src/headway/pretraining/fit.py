"""The training of one run: what is measured, averaged and kept around its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Generator, Tensor
from torch.optim import Optimizer

from headway.core.dropout import at_rate
from headway.core.ragged import usual_tokens
from headway.core.recomputed import recomputed_while
from headway.core.stacks import EncoderDecoder
from headway.errors import ConfigError
from headway.logs import log
from headway.model import Model
from headway.pretraining.measure import measure
from headway.pretraining.run import Run
from headway.pretraining.steps import cut_of, epochs_of
from headway.pretraining.stored import round_weights
from headway.training import History, train
from headway.training.accumulate import Backward, backward, vectors_backward
from headway.training.average import Average
from headway.training.collate import Batch, Ready
from headway.training.depth import ends
from headway.training.energy import metered
from headway.training.followers import Follower, followed
from headway.training.interrupt import stop_on_interrupt
from headway.training.keeper import Keeper
from headway.training.learner import Learner
from headway.training.loop import Epochs, last_batch, steps_of
from headway.training.machine import timed
from headway.training.objectives import ComparesTexts, Learns, Objective
from headway.training.optimisers import OPTIMISERS, parameter_groups
from headway.training.processes import crew
from headway.training.scaling import scale_for
from headway.training.sharding import sharded
from headway.training.utilisation import Products
from headway.training.validations import Validations

__all__ = ["HELD_OUT", "epochs_in", "fit", "learning", "measuring"]

HELD_OUT = "held-out"
"""What is measured of the texts themselves is called so."""

MEASUREMENTS, LEAST = 20, 50
"""How often held-out text is measured on the way, and steps between, where nothing else is said."""


def fit(run: Run, keeper: Keeper | None = None, followers: Sequence[Follower] = ()) -> None:
    """Measures what the model knows, trains it, and measures again; the run notes all.

    Args:
        run: every number decided.
        keeper: keeps it on its way, and goes on with one; None = it is not kept.
        followers: are told of every step.

    Raises:
        ConfigError: the loss became infinite or undefined, or what is kept is another run.
    """
    run.model.requires_grad_(True)
    learner, backward = learning(run.objective, run.model)
    learner.eval()
    with at_rate(learner, run.dropout):  # which is how some objectives measure
        with timed(run.seconds, "measure"):
            run.measured["before"] = _measured(run, learner)
        _learn(run, learner, backward, keeper, followers)
        if not run.interrupted:
            with measuring(run):
                round_stored(run)
                with timed(run.seconds, "measure again"):
                    run.measured["after"] = _measured(run, learner)


@contextmanager
def measuring(run: Run) -> Iterator[None]:
    """While open, Ctrl-C ends the run as an interrupted one: what was trained is not lost."""
    try:
        yield
    except KeyboardInterrupt:
        run.history.stopped = "interrupted behind training, before all was measured"


def _learn(
    run: Run,
    learner: Learner,
    backward: Backward,
    keeper: Keeper | None,
    followers: Sequence[Follower],
) -> None:
    """Trains what learns; measured, averaged and kept on the way."""
    model, history = run.model, run.history
    steps = _Steps(run)
    epochs = epochs_in(run)
    total = steps_of(epochs, run.options)
    options = run.options
    if options.validate_every is None and options.validate_seconds is None:
        options = replace(options, validate_every=max(LEAST, total // MEASUREMENTS))
    history.learned = sum(p.numel() for p in learner.parameters())
    with (
        timed(run.seconds, "train"),
        metered() as run.energy,
        stop_on_interrupt() as stop,
        followed(followers, history) as watching,
        recomputed_while(model.body) if options.checkpoint_activations else nullcontext(),
        sharded(learner, options.sharding) as held,
    ):
        average = Average(learner, options.average) if options.average is not None else None
        optimiser = _optimiser(run, learner)
        scale = scale_for(options.precision, learner)

        def look(history: History) -> bool:
            if len(run.held):
                with average.used() if average is not None else nullcontext(), held.whole():
                    _note(run, learner, total)
                watching.see(history)
            return False

        def after_step(history: History) -> bool:
            if average is not None and history.step > average.steps:
                average.see()
            watching.see(history)
            validations.after_step(history)
            if keeper is not None:
                keeper.after_step(history)
            return False

        validations = Validations(learner, look, options, total=total)
        try:
            if keeper is not None:
                states = {"average": average, "scale": scale}
                others = {name: state for name, state in states.items() if state is not None}
                keeper.begin(learner, optimiser, history, others, held.states)
            validations.begin(history)
            watching.begin(history, total)
            train(
                learner,
                optimiser,
                epochs,
                steps.parts_of,
                options=options,
                precision=options.precision,
                stop=stop,
                cost_of=steps.cost_of,
                backward=backward,
                scale=scale,
                after_epoch=validations.after_epoch,
                after_step=after_step,
                history=history,
            )
            if history.interrupted and keeper is not None:
                keeper.keep()
        except ConfigError:
            if history.stopped:  # the last step's loss or gradient was not finite
                run.failed = last_batch(epochs, history).windows
            raise
        finally:
            learner.eval()
            held.rest()
            if average is not None:
                average.put()


def round_stored(run: Run) -> None:
    """Rounds the weights to the numbers that they are saved in."""
    found = round_weights(run.model, run.stored)
    if found != run.stored:
        said = f"a weight is too large for {run.stored}: all are saved in {found}"
        run.notes.append(said)
        log.warning("%s", said)
    run.stored = found


def _note(run: Run, learner: Learner, total: int) -> None:
    """Measures held-out text on the way."""
    history = run.history
    found = _measured(run, learner, "Validating", earlier=False)[HELD_OUT]
    epoch = history.train[-1]["epoch"]
    history.validation.append({"step": history.step, "epoch": epoch, **found})
    said = found[run.objective.terms[0]]
    log.info("step %d of %d: held-out loss %.4f", history.step, total, said)


def learning(objective: Objective, model: Model) -> tuple[Learner, Backward]:
    """What a step runs, and how its parts come together."""
    beside = objective.begun(model) if isinstance(objective, Learns) else None
    if not isinstance(objective, ComparesTexts):
        return Learner(model, objective.loss, beside), backward

    def compare(vectors: Sequence[Tensor], parts: Sequence[Ready]) -> Sequence[Tensor]:
        first, second = vectors
        return objective.compare(first, second)

    return Learner(model, objective.vectors, beside), vectors_backward(compare)


def epochs_in(run: Run) -> Epochs[Batch]:
    """The steps of each epoch of a run."""
    settings = run.settings
    cut = cut_of(
        run.put,
        batch_tokens=run.options.batch_tokens,
        window=settings.window,
        joined=run.objective.joins,
    )
    how = {"epochs": settings.epochs, "most": settings.max_steps}
    return epochs_of(run.train, run.put, cut, seed=settings.seed, **how)


@dataclass
class _Steps:
    """What a step of a run reads."""

    run: Run

    def parts_of(self, batch: Batch, chance: Generator) -> list[Ready]:
        """A step's parts, each small enough for the memory."""
        most = crew().part_tokens(batch.tokens, self.run.options.micro_batch_tokens)
        return [
            self.run.objective.collate(self.run.model, part, chance) for part in batch.cut(most)
        ]

    def cost_of(self, batch: Batch) -> tuple[int, float]:
        """Tokens of a step, and the operations that it asks for; 0 where a second stack writes,
        whose tokens are not known before they are drawn."""
        if isinstance(self.run.model.body, EncoderDecoder):
            return batch.tokens, 0.0
        twice = isinstance(self.run.objective, ComparesTexts)
        lengths = [len(window) for window in batch.windows] * (1 + twice)
        return batch.tokens, self.products.learning_flops(lengths)

    @cached_property
    def products(self) -> Products:
        """What the model multiplies for a token."""
        return Products.of(self.run.model)


def _optimiser(run: Run, learner: Learner) -> Optimizer:
    """A fresh one, over all that learns."""
    options = run.options
    groups = parameter_groups(
        [(options.learning_rate, learner.parameters())],
        weight_decay=options.weight_decay,
        outer=ends(run.model),
    )
    return OPTIMISERS[options.optimiser].over(groups)


def _measured(
    run: Run, learner: Learner, what: str = "Measuring", *, earlier: bool = True
) -> dict[str, dict[str, float]]:
    """Held-out blocks, and those of earlier texts, by name."""
    parts = {HELD_OUT: run.held, **(run.earlier if earlier else {})}
    return {
        name: measure(
            learner,
            run.objective,
            blocks,
            run.put,
            precision=run.options.precision,
            batch_tokens=usual_tokens(run.model.device),
            what=what,
        ).values()
        for name, blocks in parts.items()
        if len(blocks)
    }
