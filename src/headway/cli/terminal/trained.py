"""A tokenizer that was trained: saved whole or not at all, and what is said of it."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from headway.cli.terminal.output import say, say_prose
from headway.errors import OutputError
from headway.logs import log
from headway.reports.words import count
from headway.tokenizer import Tokenizer
from headway.tokenizer.training import Training

__all__ = ["refuse_file", "save_whole", "show_training", "summary_of"]


def refuse_file(folder: str) -> None:
    """An error where a folder cannot be made, before the work begins.

    Raises:
        OutputError: a file is in its place, or in that of a folder above it.
    """
    for place in (Path(folder), *Path(folder).parents):
        if place.exists():
            if not place.is_dir():
                raise OutputError(f"{place} is a file", next_step="name another folder")
            return


def save_whole(tokenizer: Tokenizer, folder: str) -> None:
    """Writes a tokenizer beside its folder first, so that no half of it is ever there.

    Raises:
        OutputError: the folder cannot be written.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".training-", dir=target))
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error.strerror or error}",
            next_step="choose another folder",
        ) from None
    try:
        tokenizer.save(made)
        for path in made.iterdir():
            path.replace(target / path.name)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def summary_of(training: Training, threads: int) -> dict[str, Any]:
    """What is said of a training, as JSON holds it."""
    return {
        "kind": training.kind,
        "size": len(training.tokenizer),
        "special": list(dict.fromkeys(training.tokenizer.special.values())),
        "tokens_per_word": training.tokens_per_word(threads),
        **training.summary,
        "notes": training.notes,
    }


def show_training(training: Training, summary: dict[str, Any]) -> None:
    """The size, how well it fits the training text, and what to do with it."""
    for note in training.notes:
        log.info("%s", note)
    say_prose(
        f"Learnt {count(summary['size'])} tokens from {count(summary['words'])} words, "
        f"{count(summary['distinct'])} of them distinct, in {summary['seconds']:.1f} seconds: "
        f"{summary['tokens_per_word']:.3f} tokens per word."
    )
    folder = summary["folder"]
    say(f"Saved in {click.style(folder, bold=True)}: tokenizer.json and tokenizer_config.json.")
    say(f'Next: headway tokenizer show {shlex.quote(folder)} "your text"')
