"""`headway pretrain`: from raw text to a model."""

from __future__ import annotations

from typing import Any

import click

from headway.cli.terminal.options import PRECISION, file_options, json_option
from headway.cli.terminal.output import say_error, say_json


@click.command("pretrain")
@click.argument("model")
@click.argument("texts", nargs=-1, required=True)
@click.option(
    "--objective",
    type=click.Choice(["masked", "causal", "denoise", "replaced", "contrastive"]),
    help="What it is asked.  [default: by the model]",
)
@click.option("--out", required=True, metavar="DIR", help="Where model and report are saved.")
@click.option(
    "--masking",
    type=click.Choice(["tokens", "words", "spans"]),
    help="Of masked and replaced: what is hidden together.  [default: tokens]",
)
@click.option(
    "--noise",
    type=click.Choice(["spans", "infilling"]),
    help="Of denoise: T5's or BART's.  [default: by the tokenizer]",
)
@click.option("--layers", type=int, metavar="N", help="Blocks of a new model.  [default: 4]")
@click.option("--hidden", type=int, metavar="N", help="Its hidden size.  [default: 256]")
@click.option("--heads", type=int, metavar="N", help="Its attention heads.  [default: by its size]")
@click.option("--tokenizer", metavar="PATH", help="Of a new model.  [default: learnt from TEXTS]")
@click.option(
    "--vocabulary", type=int, metavar="N", help="Tokens, where it is learnt.  [default: 16000]"
)
@click.option("--cased", is_flag=True, help="Learn a tokenizer that keeps capitals.")
@click.option("--text", metavar="COL", help="Text column.  [default: guessed and said]")
@file_options
@click.option(
    "--earlier",
    multiple=True,
    metavar="FILE",
    help="Texts that it shall not forget, in a format and column of their own: measured before and "
    "after. May be repeated.",
)
@click.option("--window", type=int, default=128, show_default=True, help="Tokens of a block.")
@click.option(
    "--validation", type=float, metavar="SHARE", help="Of the blocks, to measure.  [default: some]"
)
@click.option(
    "--validate-every", type=int, metavar="N", help="Steps.  [default: a twentieth of all]"
)
@click.option("--validate-seconds", type=float, metavar="S", help="Seconds, in place of steps.")
@click.option("--tensorboard", is_flag=True, help="Write event files into DIR/tensorboard.")
@click.option("--epochs", type=int, help="Passes over the texts.  [default: as steps need, or 1]")
@click.option("--max-steps", type=int, metavar="N", help="Most steps.  [default: all epochs']")
@click.option("--max-seconds", type=float, metavar="S", help="End training behind so many seconds.")
@click.option("--lr", type=float, help="Peak learning rate.  [default: by the objective]")
@click.option("--batch-tokens", type=int, default=2048, show_default=True, help="Tokens a step.")
@click.option(
    "--micro-batch-tokens",
    type=int,
    metavar="N",
    help="Read a step in parts of so many tokens; the gradient is the same.  "
    "[default: all, or on a processor 2048]",
)
@click.option(
    "--checkpoint-activations",
    is_flag=True,
    help="Compute blocks twice, for less memory; the gradient is the same.",
)
@click.option(
    "--schedule",
    type=click.Choice(["linear", "cosine", "wsd", "inverse-square-root", "constant"]),
    default="cosine",
    show_default=True,
    help="How the learning rate moves.",
)
@click.option(
    "--optimiser",
    type=click.Choice(["adamw", "adamw8bit", "adafactor", "lion", "muon"]),
    default="adamw",
    show_default=True,
    help="What moves the weights.",
)
@click.option(
    "--dropout",
    type=float,
    metavar="SHARE",
    help="While it trains.  [default: the model's where texts are read several times, else 0]",
)
@click.option(
    "--average", type=float, metavar="SHARE", help="Keep an average of the weights, such as 0.999."
)
@click.option(
    "--sharding",
    type=click.Choice(["none", "full"]),
    default="none",
    show_default=True,
    help="Under torchrun: each process holds the model, or a share of it (adamw, lion).",
)
@click.option("--precision", type=PRECISION, default="auto", show_default=True)
@click.option(
    "--weights",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    default="fp32",
    show_default=True,
    help="Numbers of the saved weights: the latter two take half the room.",
)
@click.option(
    "--threads",
    type=int,
    metavar="N",
    help="Of the processor.  [default: measured once]",
)
@click.option(
    "--save-every",
    type=float,
    default=600.0,
    metavar="SECONDS",
    help="Keep the run on its way in DIR/training.  [default: 600]",
)
@click.option("--resume", is_flag=True, help="Go on behind the last step that was kept there.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is drawn.")
@json_option
@click.pass_obj
def command(
    typed: str,
    /,
    model: str,
    texts: tuple[str, ...],
    *,
    tokenizer: str | None,
    vocabulary: int | None,
    cased: bool,
    as_json: bool,
    **settings: Any,
) -> int:
    """Train MODEL on raw TEXTS.

    MODEL is a folder, pkg:NAME or hf://org/name: it is trained further, on the words of your field
    perhaps. Or it is the name of a family (bert, electra, gpt2, llama, t5, bart, ...) or a
    config.json: then it starts from nothing, with a tokenizer that is learnt from the texts first.

    TEXTS are txt, jsonl, csv, parquet or arrow files, or a folder of them. What comes out is a
    model for `headway adapt`.
    """
    import headway
    from headway.errors import ConfigError
    from headway.pretraining import TokenizerPlan

    how: str | TokenizerPlan | None = tokenizer
    if vocabulary is not None or cased:
        if tokenizer is not None:
            raise ConfigError("--tokenizer with --vocabulary or --cased", allowed="one of the two")
        plan = TokenizerPlan(lowercase=False if cased else None)
        how = plan if vocabulary is None else TokenizerPlan(size=vocabulary,
                                                            lowercase=plan.lowercase)  # fmt: skip
    result = headway.pretrain(
        model,
        texts[0] if len(texts) == 1 else list(texts),
        tokenizer=how,
        command=typed,
        **settings,
    )
    if as_json:
        say_json(result.report or {"state": "interrupted", "folder": str(result.folder)})
    elif not result.interrupted:
        from headway.cli.terminal.pretrained import show_pretrained

        show_pretrained(result.report, str(result.folder))
    if result.interrupted:
        say_error(f"{result.stopped}; the model as it was then is saved in {result.folder}")
        return 2
    return 0
