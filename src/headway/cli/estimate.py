"""`headway estimate`: what a pre-training takes, before it is begun."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from headway.cli.terminal.options import json_option
from headway.cli.terminal.output import say_json, say_prose, show, table


@click.command("estimate")
@click.argument("model")
@click.option("--layers", type=int, metavar="N", help="Blocks, of a family.  [default: 4]")
@click.option("--hidden", type=int, metavar="N", help="Hidden size, likewise.  [default: 256]")
@click.option("--heads", type=int, metavar="N", help="Attention heads.  [default: by the size]")
@click.option("--tokens", type=float, default=1e9, show_default=True, help="To learn from.")
@click.option("--window", type=int, default=128, show_default=True, help="Tokens of a block.")
@click.option("--batch-tokens", type=int, default=8192, show_default=True,
              help="That a device reads at once.")  # fmt: skip
@click.option("--devices", type=int, default=1, show_default=True, metavar="N")
@click.option("--sharding", type=click.Choice(["none", "full"]), default="none", show_default=True,
              help="Whether devices divide weights, gradients and states.")  # fmt: skip
@click.option("--optimiser", type=click.Choice(["adamw", "adamw8bit", "adafactor", "lion", "muon"]),
              default="adamw", show_default=True)  # fmt: skip
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="bf16", show_default=True)
@click.option("--dropout", is_flag=True, help="Read texts several times, and so drop numbers.")
@click.option("--checkpoint-activations", is_flag=True, help="Compute blocks twice.")
@click.option("--fused-attention", is_flag=True, help="Keep no attention map, as on a GPU.")
@click.option("--peak-flops", type=float, metavar="N",
              help="Of a device, a second.  [default: this machine's, measured]")  # fmt: skip
@click.option("--utilisation", type=float, default=0.4, show_default=True, metavar="SHARE",
              help="Of these, that a run reaches.")  # fmt: skip
@click.option("--memory", type=float, metavar="GB", help="Of a device: whether it fits is said.")
@json_option
def command(
    model: str,
    *,
    layers: int | None,
    hidden: int | None,
    heads: int | None,
    peak_flops: float | None,
    memory: float | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Say what pre-training MODEL takes of memory and time.

    MODEL is a family (bert, gpt2, llama, ...), a config.json, or a folder of a model. Nothing of
    its size is built: a model of 70 billion parameters takes as long to estimate as a small one.
    """
    import torch

    from headway.errors import ConfigError
    from headway.pretraining.begin import values_of
    from headway.pretraining.estimate import Plan, estimate
    from headway.training.options import Range
    from headway.training.utilisation import matrix_peak

    room = Range(0, ends=False)
    if memory is not None and memory not in room:
        raise ConfigError(f"memory = {memory}", allowed=str(room))
    sizes = {"layers": layers, "hidden": hidden, "heads": heads}
    shape = {name: size for name, size in sizes.items() if size is not None}
    values = values_of(model, shape, given["window"])
    if peak_flops is None:
        peak_flops = matrix_peak(given["precision"], torch.device("cpu"))
    plan = Plan(peak_flops=peak_flops, **given)
    found = estimate(values, plan)
    if as_json:
        say_json({**dataclasses.asdict(found), "memory": found.memory,
                  "plan": dataclasses.asdict(plan)})  # fmt: skip
        return
    rows = table(["", "of one device"], right=(1,))
    parts = ("weights", "gradients", "optimiser", "activations", "logits", "memory")
    for name in parts:
        rows.add_row("all memory" if name == "memory" else name, _size(getattr(found, name)))
    show(rows)
    say_prose(
        f"{found.parameters:,} parameters; {plan.tokens:.3g} tokens take {_time(found.seconds)} on "
        f"{plan.devices} device{'s' * (plan.devices > 1)}, {found.tokens_per_second:,.0f} tokens a "
        f"second, at {plan.utilisation:.0%} of {plan.peak_flops:.3g} operations a second."
    )
    if memory is not None:
        fits = found.memory <= memory * 1e9
        hint = "" if fits else (": divide it (--devices, --sharding full), read less at once "
                                "(--batch-tokens), or --checkpoint-activations")  # fmt: skip
        say_prose(f"It {'fits' if fits else 'does not fit'} into {memory:g} GB{hint}.")


def _size(bytes_: float) -> str:
    """In the unit that fits.

    >>> _size(2.5e9), _size(3e6)
    ('2.5 GB', '3.0 MB')
    """
    return f"{bytes_ / 1e9:,.1f} GB" if bytes_ >= 1e9 else f"{bytes_ / 1e6:,.1f} MB"


def _time(seconds: float) -> str:
    """In the unit that fits.

    >>> _time(30), _time(7200), _time(864_000)
    ('30 seconds', '2.0 hours', '10.0 days')
    """
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 172_800 else f"{seconds / 86_400:,.1f} days"
