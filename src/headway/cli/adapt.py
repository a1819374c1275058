"""`headway adapt`: from labelled text to a measured, saved model."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

import headway
from headway.cli.terminal.options import (
    PRECISION,
    column_options,
    file_options,
    json_option,
    near_option,
)
from headway.cli.terminal.output import say_error, say_json


@click.command("adapt")
@click.argument("model")
@click.argument("data")
@click.option(
    "--task",
    metavar="NAME",
    default="text-classification",
    show_default=True,
    help="What it learns: token-classification, question-answering, summarization, ...",
)
@click.option("--out", metavar="DIR", help="Where model and report are saved.")
@column_options
@click.option(
    "--test", metavar="DATA", help="Rows that judge.  [default: the test split, or a cut]"
)
@file_options
@near_option(
    "Drop training rows that share so much of their text with a test row or an earlier one, such "
    "as 0.8.  [default: only equal ones]"
)
@click.option(
    "--kind",
    metavar="NAME",
    help="Of the answers, where a task has several: single-label, multi-label, regression; "
    "entities, nested-entities, tags; ...  [default: read off the label column]",
)
@click.option(
    "--out-of-scope",
    metavar="LABEL",
    help="Of texts that belong to no other label: the answer below a threshold that validation "
    'rows decide.  [default: oos, out_of_scope, ..., where a row has it; "" for none]',
)
@click.option(
    "--max-labels-per-class",
    type=int,
    metavar="N",
    help="Train on N rows of each class; all others test where no test is given.",
)
@click.option(
    "--validation",
    type=float,
    metavar="SHARE",
    help="Of the training rows, to choose the best epoch.  [default: 0.1 from 1,000 rows on]",
)
@click.option(
    "--method",
    type=click.Choice(["full", "gradual", "last-layers", "lora", "adapters", "biases", "head"]),
    help="Which weights learn.  [default: full, all of them]",
)
@click.option("--layers", type=int, metavar="N", help="Of last-layers, how many.  [default: 2]")
@click.option("--rank", type=int, metavar="N", help="Of lora's matrices.  [default: 8]")
@click.option("--width", type=int, metavar="N", help="Of adapters.  [default: hidden size / 16]")
@click.option(
    "--layer-decay",
    type=float,
    metavar="SHARE",
    help="Rate of each level as a share of the one above.  [default: 1]",
)
@click.option("--epochs", type=int, help="Passes over the rows.  [default: by their number]")
@click.option("--max-steps", type=int, metavar="N", help="Most steps.  [default: all epochs']")
@click.option("--max-seconds", type=float, metavar="S", help="End training behind so many seconds.")
@click.option("--lr", type=float, help="Peak learning rate.  [default: by the number of rows]")
@click.option("--find-lr", is_flag=True, help="Try rates first; take the one that learns fastest.")
@click.option("--batch-tokens", type=int, help="Most tokens a step.  [default: by the lengths]")
@click.option(
    "--micro-batch-tokens",
    type=int,
    metavar="N",
    help="Read a step in parts of so many tokens, for less memory; the gradient is the same.",
)
@click.option(
    "--checkpoint-activations",
    is_flag=True,
    help="Compute blocks twice, for less memory; the gradient is the same.",
)
@click.option(
    "--schedule",
    type=click.Choice(["linear", "cosine", "wsd", "inverse-square-root", "constant"]),
    help="How the learning rate moves.  [default: linear]",
)
@click.option(
    "--optimiser",
    type=click.Choice(["adamw", "adamw8bit", "adafactor", "lion", "muon"]),
    help="What moves the weights.  [default: adamw]",
)
@click.option(
    "--sharding",
    type=click.Choice(["none", "full"]),
    help="Under torchrun: each process holds the model, or a share of it.  [default: none]",
)
@click.option(
    "--average",
    type=float,
    metavar="SHARE",
    help="Keep an average of the weights, of which a step leaves so much, such as 0.999.",
)
@click.option("--patience", type=int, help="Validations without a better one.  [default: 2]")
@click.option(
    "--validate-every",
    type=int,
    metavar="N",
    help="Validate behind every N steps.  [default: behind each epoch]",
)
@click.option(
    "--validate-seconds",
    type=float,
    metavar="S",
    help="Validate when S seconds of training are over: by the clock, so no run repeats another's.",
)
@click.option(
    "--keep",
    type=click.Choice(["best", "last"]),
    help="Which state is saved: of the best validation, or of the last step.  [default: best]",
)
@click.option(
    "--contrast/--no-contrast",
    default=None,
    help="Let the body tell labels apart by its vectors first.  [default: with few labels]",
)
@click.option("--class-weights", is_flag=True, help="Let rare classes count more.")
@click.option(
    "--head",
    type=click.Choice(["linear", "mlp", "lstm", "crf", "lstm-crf", "biaffine", "family", "choice"]),
    default="linear",
    show_default=True,
    help="crf and the like are for tokens, choice is for dialogues. The family's own head opens in "
    "other libraries.",
)
@click.option(
    "--pooling",
    type=click.Choice(["first", "last", "max", "mean", "attention"]),
    help="Of a head that is not the family's.  [default: as the model embeds]",
)
@click.option(
    "--design",
    type=click.Choice(["one-text", "two-stacks"]),
    help="Of a dialogue model.  [default: one text for decoders, else two stacks]",
)
@click.option("--window", type=int, help="Most tokens read at once.  [default: all it takes]")
@click.option("--stride", type=int, help="Tokens that windows share.  [default: window / 8]")
@click.option("--precision", type=PRECISION, default="auto", show_default=True)
@click.option(
    "--threads",
    type=int,
    metavar="N",
    help="Of the processor.  [default: measured once]",
)
@click.option("--no-baseline", "baseline", flag_value=False, default=True, help="Compare nothing.")
@click.option(
    "--save-every",
    type=float,
    metavar="SECONDS",
    help="Keep the run on its way in DIR/training.  [default: 600]",
)
@click.option("--resume", is_flag=True, help="Go on behind the last step that was kept there.")
@click.option("--tensorboard", is_flag=True, help="Write event files in DIR/tensorboard, too.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is drawn.")
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Repeat with N seeds: seed, seed + 1, ... The first is saved in DIR, the others in "
    "DIR/seed-K.",
)
@click.option(
    "--advise",
    "advice_seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Try each method for so long on a part of the training rows, say which to take, and stop.",
)
@json_option
@click.pass_obj
def command(
    typed: str,
    /,
    model: str,
    data: str,
    *,
    seed: int,
    seeds: int,
    advice_seconds: float | None,
    as_json: bool,
    **settings: Any,
) -> int:
    """Adapt MODEL to the labelled rows of DATA and measure it.

    Every task is learned so; README.md has a line for each. DATA is a csv, tsv, jsonl, json, txt,
    conll, parquet or arrow file, a folder of them or of class folders, or pkg:NAME. What you leave
    open is chosen from the rows, and said.

    Ctrl-C ends training behind the current step and saves the model as it is.
    """
    if advice_seconds is not None:
        return _advise(model, data, advice_seconds, settings | {"seed": seed}, as_json=as_json)
    if settings["out"] is None:
        raise click.UsageError("Missing option '--out'.")
    if seeds == 1:
        result = headway.adapt(model, data, command=typed, seed=seed, **settings)
    else:
        from headway.adaptation.seeds import adapt_seeds

        result = adapt_seeds(model, data, command=typed, first=seed, count=seeds, **settings)
    if as_json:
        say_json(result.report or {"state": "interrupted", "folder": result.folder})
    elif not result.interrupted:
        from headway.cli.terminal.runs import show_result

        show_result(result.report, str(result.folder))
    if result.interrupted:
        say_error(f"{result.stopped}; the model as it was then is saved in {result.folder}")
        return 2
    return 0


def _advise(
    model: str, data: str, seconds: float, settings: dict[str, Any], *, as_json: bool
) -> int:
    """Every method for a while, and which to take."""
    passing = ("out", "test", "baseline", "tensorboard")  # what advice has no use for
    given = {name: value for name, value in settings.items() if name not in passing}
    advice = headway.advise(model, data, seconds=seconds, **given)
    if as_json:
        say_json(dataclasses.asdict(advice))
    else:
        from headway.cli.terminal.advice import show_advice

        show_advice(advice)
    return 0
