"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = [
    "FILE_OPTIONS",
    "PRECISION",
    "column_options",
    "file_options",
    "json_option",
    "near_option",
    "together",
]

F = TypeVar("F", bound=Callable[..., Any])

PRECISION = click.Choice(["auto", "fp32", "bf16", "fp16"])

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of text."
)


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, shown in this order."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


column_options = together(
    click.option("--text", metavar="COL", help="Text column.  [default: guessed and said]"),
    click.option("--pair", metavar="COL", help="Column of the second text, for pairs."),
    click.option("--label", metavar="COL", help="Label column.  [default: guessed and said]"),
)

FILE_OPTIONS = ("encoding", "format", "recipe", "sample_by", "features")
"""The names under which a command gets `file_options`."""

file_options = together(
    click.option("--encoding", metavar="NAME", help="Of the data files.  [default: utf-8]"),
    click.option("--format", metavar="NAME", help="Of the data files.  [default: by their names]"),
    click.option(
        "--recipe",
        metavar="FILE",
        help="A .toml or .json file that says what are rows and columns of XML or parallel files.",
    ),
    click.option(
        "--sample-by",
        type=click.Choice(["line", "paragraph", "document"]),
        help="What makes a row of a txt file.  [default: line; a paragraph for pretrain]",
    ),
    click.option(
        "--features",
        metavar="FILE",
        help="A .toml or .json file that says what columns hold, such as the names of labels.",
    ),
)


def near_option(help: str) -> Callable[[F], F]:
    """How alike two texts are that count as the same."""
    return click.option("--near", type=click.FloatRange(0.1, 1), metavar="SHARE", help=help)
