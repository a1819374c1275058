"""`headway vocabulary`: more words for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headway.cli.terminal.group import Group
from headway.cli.terminal.options import file_options, json_option
from headway.cli.terminal.output import say, say_json, say_prose, show, table
from headway.logs import log
from headway.reports.words import NOTHING

if TYPE_CHECKING:
    from headway.adaptation.new_words import Word
    from headway.tokenizer import Tokenizer

SHOWN = 15
"""Words in the table; --json has all."""


@click.group("vocabulary", cls=Group)
def command() -> None:
    """Words of a domain as tokens of a model."""


@command.command("add")
@click.argument("model")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--words-file", metavar="FILE", help="Words to add, one a line.")
@click.option(
    "--from",
    "data",
    metavar="DATA",
    help="Texts of the domain: they say which words are too rare, or which to add.",
)
@click.option("--text", metavar="COL", help="Text column of DATA.  [default: guessed]")
@click.option(
    "--most", type=int, metavar="N", help="Without words: add the N that shorten DATA the most."
)
@file_options
@click.option("--out", required=True, metavar="DIR", help="Where the model is saved.")
@json_option
def add(
    model: str,
    words: tuple[str, ...],
    *,
    words_file: str | None,
    data: str | None,
    text: str | None,
    most: int | None,
    out: str,
    as_json: bool,
    **reading: Any,
) -> None:
    """Give a MODEL words as tokens of their own.

    Each starts as the mean of the pieces that it was cut into, in every table of the vocabulary.
    Then let the model read texts that have them: headway adapt OUT TEXTS --task fill-mask (or
    text-generation), and adapt that to your rows.
    """
    from pathlib import Path

    from headway.checkpoints import load_checkpoint, saved_checkpoint, with_words
    from headway.errors import ConfigError
    from headway.hub import resolve_model

    given = [*words, *(_lines(words_file) if words_file is not None else [])]
    if bool(given) == (most is not None) or (most is not None and data is None):
        raise ConfigError(
            f"{len(given)} words, --most {most} and --from {data}",
            allowed="WORDs, --words-file FILE, or --most N with --from DATA",
        )
    folder = resolve_model(model)
    if Path(out).resolve() == folder.resolve():
        raise ConfigError("--out is the folder of the MODEL itself", next_step="name another one")
    old = load_checkpoint(folder)
    if old.tokenizer is None:
        raise ConfigError(f"{model} has no tokenizer", allowed="a folder with tokenizer.json")
    texts = None if data is None else _texts(data, text, reading)
    found = _found(old.tokenizer, given, texts, most)
    new = with_words(old, [word.text for word in found])
    assert new.tokenizer is not None
    for note in new.notes:
        log.info("%s", note)
    with saved_checkpoint(new, Path(out)):
        pass
    tokens = {"before": len(old.tokenizer), "now": len(new.tokenizer)}
    if as_json:
        told = [
            {"word": word.text, "count": word.count, "pieces": word.pieces, "rare": word.rare}
            for word in found
        ]
        say_json({"folder": out, "words": told, "tokens": tokens})
        return
    _show(found, counts=texts is not None)
    where = click.style(out, bold=True)
    say(f"Saved in {where}: {tokens['now']:,} tokens, {tokens['before']:,} before")


def _found(
    tokenizer: Tokenizer, given: list[str], texts: list[str] | None, most: int | None
) -> list[Word]:
    """The words to add, with what the texts say of them."""
    from headway.adaptation.new_words import RARE, counted, worth_adding
    from headway.errors import ConfigError

    if most is None:
        return counted(tokenizer, list(dict.fromkeys(given)), texts or [])
    found = worth_adding(tokenizer, texts or [], most=most)
    if not found:
        raise ConfigError(
            "no word is worth a token of its own",
            allowed=f"words that come {RARE} times or more and are cut into pieces",
        )
    return found


def _show(found: list[Word], *, counts: bool) -> None:
    """Some of the words; those that are too rare to learn first."""
    from headway.adaptation.new_words import RARE

    rare = [word for word in found if counts and word.rare]
    rows = table(["word", "times", "cut into"], right=(1,))
    for word in [*rare, *(word for word in found if word not in rare)][:SHOWN]:
        rows.add_row(word.text, f"{word.count:,}" if counts else NOTHING, " ".join(word.pieces))
    show(rows)
    say()
    if len(found) > SHOWN:
        say_prose(f"And {len(found) - SHOWN:,} more.")
    if rare:
        say_prose(
            f"{len(rare):,} of {len(found):,} words come less than {RARE} times: too rare to learn "
            "more than the mean of their pieces."
        )


def _lines(path: str) -> list[str]:
    """The words of a file, empty lines left out."""
    from pathlib import Path

    from headway.errors import DataError

    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}", allowed="a word a line") from None
    return [line.strip() for line in lines if line.strip()]


def _texts(data: str, text: str | None, reading: dict[str, Any]) -> list[str]:
    from headway.cli.terminal.texts import one_in
    from headway.data import guess_columns

    rows = one_in(data, **reading)
    column = text or guess_columns(rows, labelled=False).text
    return [one for one in rows[column] if isinstance(one, str)]
