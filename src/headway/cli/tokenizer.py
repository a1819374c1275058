"""`headway tokenizer`: texts to tokens and back, and new tokenizers."""

from __future__ import annotations

from typing import Any

import click

from headway.cli.terminal.group import Group
from headway.cli.terminal.options import FILE_OPTIONS, file_options, json_option
from headway.cli.terminal.output import say, say_json
from headway.cli.terminal.texts import lines_or_column, texts_or_lines

SPECIAL = click.option(
    "--special/--no-special",
    default=True,
    show_default=True,
    help="With the model's special tokens around.",
)


@click.group("tokenizer", cls=Group)
def command() -> None:
    """Cut texts into tokens, train and convert tokenizers.

    A tokenizer is a MODEL, or a file: tokenizer.json, vocab.txt, vocab.json with merges.txt, a
    SentencePiece .model, tiktoken's ranks (NAME.tiktoken, or Llama 3's tokenizer.model), or a
    .gguf; also as pkg:NAME[/FILE], where a package carries it.
    """


@command.command("encode")
@click.argument("model", metavar="MODEL|FILE")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--pair", metavar="TEXT", help="A second text for each.")
@SPECIAL
@json_option
def encode(
    model: str, texts: tuple[str, ...], *, pair: str | None, special: bool, as_json: bool
) -> None:
    """The ids of each TEXT, a line a text.

    Without TEXT, or with - in its place, every line of standard input is one.
    """
    from headway.cli.terminal.tokens import as_document, tokenizer_of

    tokenizer = tokenizer_of(model)
    encodings = (tokenizer.encode(text, pair, special) for text in texts_or_lines(texts))
    if as_json:
        say_json([as_document(encoding) for encoding in encodings])
        return
    for encoding in encodings:
        say(" ".join(map(str, encoding.ids)))


@command.command("decode", context_settings={"ignore_unknown_options": True})
@click.argument("model", metavar="MODEL|FILE")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--skip-special/--keep-special",
    default=True,
    show_default=True,
    help="Whether special tokens are left out.",
)
@json_option
def decode(model: str, ids: tuple[str, ...], *, skip_special: bool, as_json: bool) -> None:
    """The text of some IDs.

    Without them, or with - in their place, every line of standard input holds some.
    """
    from headway.cli.terminal.tokens import numbers_in, tokenizer_of

    tokenizer = tokenizer_of(model)
    rows = [" ".join(ids)] if ids and ids != ("-",) else texts_or_lines(ids)
    found = (tokenizer.decode(numbers_in(row), skip_special) for row in rows)
    if as_json:
        say_json(list(found))
        return
    for text in found:
        say(text)


@command.command("show")
@click.argument("model", metavar="MODEL|FILE")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--pair", metavar="TEXT", help="A second text for each.")
@SPECIAL
@json_option
def show(
    model: str, texts: tuple[str, ...], *, pair: str | None, special: bool, as_json: bool
) -> None:
    """The text as its tokens cut it, then each token with its place.

    Neighbouring tokens have different colours; those that go on with a word are underlined,
    unknown ones red, special ones dim. Without colours, │ stands between tokens and ┊ between
    those of one word. Spaces are ·, and … is a further token of the character before it.

    Without TEXT, or with - in its place, every line of standard input is one.
    """
    from headway.cli.terminal.token_view import show_tokens
    from headway.cli.terminal.tokens import as_document, byte_offsets, tokenizer_of

    tokenizer = tokenizer_of(model)
    rows = ([text] if pair is None else [text, pair] for text in texts_or_lines(texts))
    encodings = ((row, tokenizer.encode(row[0], pair, special)) for row in rows)
    if as_json:
        documents = (
            {
                "text": row[0],
                **as_document(encoding),
                "byte_offsets": byte_offsets(row, encoding),
            }
            for row, encoding in encodings
        )
        say_json(list(documents))
        return
    for number, (row, encoding) in enumerate(encodings):
        if number:
            say()
        show_tokens(tokenizer, row, encoding)


@command.command("convert")
@click.argument("model", metavar="MODEL|FILE")
@click.option(
    "--to",
    "format",
    type=click.Choice(["bpe", "gguf", "json", "sentencepiece", "tiktoken", "wordpiece"]),
    required=True,
    help="The format.",
)
@click.option("--out", required=True, metavar="DIR", help="Where the files are written.")
@json_option
def convert(model: str, *, format: str, out: str, as_json: bool) -> None:
    """Write a tokenizer in another format.

    json is tokenizer.json, which says everything; wordpiece is BERT's vocab.txt; bpe is vocab.json
    with merges.txt; tiktoken is a file of ranks; sentencepiece is a .model, of what was one. The
    files give the same ids for every text, or none are written and the part is named that the
    format cannot say.
    """
    from headway.cli.terminal.tokens import tokenizer_of
    from headway.cli.terminal.trained import refuse_file, save_whole

    refuse_file(out)
    tokenizer = tokenizer_of(model)
    if format == "json":
        save_whole(tokenizer, out)
        names = ["tokenizer.json", "tokenizer_config.json"]
    else:
        names = [path.name for path in tokenizer.export(out, format)]
    if as_json:
        say_json({"folder": out, "files": names, "size": len(tokenizer)})
    else:
        say(f"Written into {click.style(out, bold=True)}: {', '.join(names)}")


@command.command("train")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--kind",
    type=click.Choice(["bpe", "byte-bpe", "char", "unigram", "word", "wordpiece"]),
    default="byte-bpe",
    show_default=True,
    help="Of tokenizer.",
)
@click.option("--size", type=int, default=30_000, show_default=True, help="Of the vocabulary.")
@click.option("--out", required=True, metavar="DIR", help="Where it is saved.")
@click.option("--threads", type=int, default=2, show_default=True, help="To count and learn with.")
@click.option("--lowercase", is_flag=True, help="Lowercase all text, now and ever after.")
@click.option("--special", multiple=True, metavar="TOKEN", help="Further special tokens.")
@click.option("--min-frequency", type=int, metavar="N", help="Of pairs and words.  [default: 2]")
@click.option(
    "--split",
    type=click.Choice(["gpt-2", "gpt-4", "gpt-4o", "qwen-2"]),
    help="Pattern that cuts texts into words, for byte-bpe.  [default: gpt-2]",
)
@click.option(
    "--coverage",
    type=float,
    metavar="SHARE",
    help="Of the characters that become tokens.  [default: 0.9995]",
)
@click.option("--byte-fallback", is_flag=True, help="Tokens of bytes for unknown characters.")
@click.option(
    "--memory",
    type=int,
    default=512,
    show_default=True,
    metavar="MB",
    help="For counting words; beyond it a temporary file is used.",
)
@click.option("--text", metavar="COL", help="Text column of the rows.  [default: guessed and said]")
@file_options
@json_option
def train(
    files: tuple[str, ...],
    *,
    out: str,
    text: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Learn a vocabulary from text FILES and save a tokenizer.

    Each line of a text file in UTF-8 is a text. Other FILES are DATA: csv, jsonl, parquet and so
    on, compressed text, folders (of splits, train), pkg:NAME. DIR gets a tokenizer.json, which
    other libraries read too.
    Ctrl-C ends training, and saves nothing.
    """
    from headway.cli.terminal.trained import refuse_file, save_whole, show_training, summary_of
    from headway.tokenizer.training import train

    refuse_file(out)
    how = {name: options.pop(name) for name in FILE_OPTIONS}
    texts = lines_or_column(files, text=text, **how)
    training = train(texts, **options)
    summary = {**summary_of(training, options["threads"]), "folder": out}
    save_whole(training.tokenizer, out)
    if as_json:
        say_json(summary)
    else:
        show_training(training, summary)
