"""The training of one adaptation: what is validated, averaged and kept around its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from headway.adaptation.plan import Plan
from headway.adaptation.rows import Rows
from headway.adaptation.scoring import score_texts
from headway.adaptation.steps import Steps, learning, rows_in_use
from headway.checkpoints.lora import Adapter
from headway.core.recomputed import recomputed_while
from headway.errors import ConfigError
from headway.model import Model
from headway.reports.sheets import LOWER_IS_BETTER
from headway.training import History, train
from headway.training.accumulate import Backward
from headway.training.average import Average
from headway.training.best import Best
from headway.training.followers import Follower, Followers, followed
from headway.training.interrupt import StopFlag
from headway.training.keeper import Keeper
from headway.training.learner import Learner
from headway.training.loop import ended_early, last_batch, steps_of
from headway.training.processes import crew
from headway.training.scaling import scale_for
from headway.training.sharding import Shared, Single, sharded
from headway.training.validations import Validations
from headway.windows import Windowed

__all__ = ["fit"]


def fit(
    model: Model,
    texts: Mapping[str, Sequence[Windowed]],
    targets: Any,
    rows: Rows,
    plan: Plan,
    stop: StopFlag,
    history: History,
    keeper: Keeper | None = None,
    followers: Sequence[Follower] = (),
) -> Adapter | None:
    """Trains body and head; where validation rows choose, the state of the best validation is kept.

    That holds for every end: behind the last epoch, early, interrupted, or by an error.

    Args:
        model: with its head.
        texts: `train` and `validation`.
        targets: of the training texts, in the unit to train in.
        rows: the task and the answers.
        plan: every number decided.
        stop: asked to end, training ends behind the current step.
        history: where it is noted what happens.
        keeper: keeps the run on its way, and goes on with one; None = it is not kept.
        followers: are told of every step and validation, and of the end.

    Returns:
        What was learned by itself, where the way to adapt knows it.

    Raises:
        ConfigError: the loss became infinite or undefined, or what is kept is another run.
    """
    options, method = plan.options, plan.method
    steps = Steps(model, texts["train"], targets, rows.task, rows.meaning, plan)
    twice = recomputed_while(model.body) if options.checkpoint_activations else nullcontext()
    with rows_in_use(model, texts), followed(followers, history) as watching, twice:
        try:
            method.begin(model)
            history.learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
            learner, backward = learning(rows.task, model, rows.meaning)
            with sharded(learner, options.sharding) as held:
                _learn(learner, backward, held, steps, texts, rows, stop, history, keeper, watching)
        finally:
            model.eval().requires_grad_(True)
            adapter = method.end(model)
    return adapter


def _learn(
    learner: Learner,
    backward: Backward,
    held: Single | Shared,
    steps: Steps,
    texts: Mapping[str, Sequence[Windowed]],
    rows: Rows,
    stop: StopFlag,
    history: History,
    keeper: Keeper | None,
    watching: Followers,
) -> None:
    """Trains what learns; the state that is left is the one that counts."""
    model, plan = learner.model, steps.plan
    options, method = plan.options, plan.method
    best = Best(model if options.keep == "best" else None, options.patience)
    average = Average(model, options.average) if options.average is not None else None
    epochs = steps.epochs()
    total = steps_of(epochs, options)

    def look(history: History) -> bool:
        if not texts["validation"]:
            return False
        with average.used() if average is not None else nullcontext():
            with held.whole(), method.whole(model):
                score = _validated(model, texts, rows, plan, history)
            best.see(max(crew().most(score)))  # all keep the state of one validation
        watching.see(history)
        return best.over

    def after_step(history: History) -> bool:
        if average is not None and history.step > average.steps:
            average.see()
        watching.see(history)
        if validations.after_step(history):
            return True
        if keeper is not None:
            keeper.after_step(history)
        return False

    validations = Validations(model, look, options, total=total)
    optimiser, scale = steps.optimiser(), scale_for(plan.precision, learner)
    try:
        if keeper is not None:
            bests = best if texts["validation"] else None
            states = {"best": bests, "average": average, "scale": scale}
            others = {name: state for name, state in states.items() if state is not None}
            keeper.begin(learner, optimiser, history, others, held.states)
        validations.begin(history)
        watching.begin(history, total)
        if best.seen and best.over and history.step < total:  # what goes on was at its end
            history.stopped = ended_early(history)
        else:
            train(
                learner,
                optimiser,
                epochs,
                steps.parts_of,
                options=options,
                precision=plan.precision,
                stop=stop,
                cost_of=steps.cost_of,
                backward=backward,
                scale=scale,
                before_epoch=lambda number: method.begin_epoch(model, number, options.epochs),
                after_epoch=validations.after_epoch,
                after_step=after_step,
                history=history,
            )
        if history.interrupted and keeper is not None:
            keeper.keep()
    except ConfigError:
        if history.stopped:  # the last step's loss or gradient was not finite
            history.failed_rows = sorted(last_batch(epochs, history).rows)
        raise
    finally:
        held.rest()
        if average is not None:
            average.put()
        best.restore()
        history.kept = best.number if best.state else 0


def _validated(
    model: Model,
    texts: Mapping[str, Sequence[Windowed]],
    rows: Rows,
    plan: Plan,
    history: History,
) -> float:
    """The validation rows' main score behind a step, the higher the better; it is noted."""
    scored = score_texts(
        rows.task,
        model,
        texts["validation"],
        rows.answers(rows.validation),
        rows.meaning,
        precision=plan.precision,
        batch_tokens=plan.read_tokens,
        what="Validating",
    )
    main = rows.task.main(rows.meaning.kind)
    score = scored.scores[main]
    epoch = history.train[-1]["epoch"]
    history.validation.append({"step": history.step, "epoch": epoch, main: score})
    return -score if main in LOWER_IS_BETTER else score
