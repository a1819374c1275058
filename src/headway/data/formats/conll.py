"""CoNLL files: a token on every line, a blank line after every sentence.

Two dialects, told apart by the first line of tokens: CoNLL-U (ten tab-separated columns, the first
a number; see `conllu`) and the plain one of the CoNLL shared tasks (token first, tag last, columns
separated by tabs or else by spaces).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from headway.data.badrows import BadRow, shown
from headway.data.formats.conllu import (
    SentenceError,
    is_conllu,
    sentence_of,
    table_of_sentences,
)
from headway.data.formats.source import ReadOptions, text_buffer
from headway.errors import DataError

__all__ = ["read_conll"]

# The comments and the tokens of a sentence; a token is its line in the file and its cells.
Sentence = tuple[list[str], list[tuple[int, list[str]]]]


@dataclass(frozen=True, slots=True)
class _Dialect:
    columns: int
    tabs: bool
    universal: bool


def read_conll(path: Path, options: ReadOptions) -> pa.Table:
    """Columns `tokens` and `tags`, list<string>, one row a sentence, and a list for every other.

    CoNLL-U: a word is a syntactic word, its tag the universal part of speech. Then come lemmas,
    xpos, feats, heads (list<int32>, 1 is the first word, 0 the root), deprels, deps, misc; sent_id
    and text where comments say them; multiword (tokens that are several words:
    `tokens[start:end]`, form, feats, misc), empty_nodes (after how many words, form, lemma, upos,
    xpos, feats, deps, misc) and comments (the other comments).
    Plain: further columns are column_2, column_3, ... and `-DOCSTART-` lines are skipped.

    Raises:
        DataError: a line with another number of columns than the first, CoNLL-U numbers out of
            order, or no tokens at all.
    """
    text = text_buffer(path, options).to_pybytes().decode()
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    tokens = [line for line in lines if line.strip() and not line.startswith("-DOCSTART-")]
    # A token may be "#" in the plain dialect, so a line of comments is only the last choice.
    first = next((line for line in tokens if not line.startswith("#")), (tokens or [""])[0])
    tabs = "\t" in first
    cells = _cells(first, tabs)
    if len(cells) < 2:
        raise DataError(
            f"{path} is not CoNLL: {'one column' if cells[0] else 'no tokens'} in it",
            allowed="a token and its tag on every line, a blank line after every sentence",
            next_step='format="txt" (--format txt) if every line is a text',
        )
    dialect = _Dialect(len(cells), tabs, tabs and is_conllu(cells))
    sentences = _sentences(path, lines, dialect, options)
    return (_universal if dialect.universal else _plain)(path, sentences, dialect, options)


def _universal(
    path: Path, sentences: Iterator[Sentence], dialect: _Dialect, options: ReadOptions
) -> pa.Table:
    found = []
    for comments, tokens in sentences:
        try:
            found.append(sentence_of(comments, tokens))
        except SentenceError as error:
            options.bad_row(
                BadRow(
                    str(path),
                    error.line,
                    error.column,
                    shown(error.value),
                    str(error),
                    error.allowed,
                    "correct the line",
                )
            )
    return table_of_sentences(found)


def _plain(
    path: Path, sentences: Iterator[Sentence], dialect: _Dialect, options: ReadOptions
) -> pa.Table:
    rows = [tokens for _, tokens in sentences]
    names = {"tokens": 0, "tags": dialect.columns - 1}
    names |= {f"column_{i + 1}": i for i in range(1, dialect.columns - 1)}
    return pa.table(
        {
            name: pa.array(
                [[cells[i] for _, cells in tokens] for tokens in rows], pa.list_(pa.string())
            )
            for name, i in names.items()
        }
    )


def _sentences(
    path: Path, lines: list[str], dialect: _Dialect, options: ReadOptions
) -> Iterator[Sentence]:
    comments: list[str] = []
    tokens: list[tuple[int, list[str]]] = []
    whole = True
    for number, line in enumerate([*lines, ""], 1):
        if not line.strip():
            if tokens and whole:
                yield comments, tokens
            if tokens or not whole:
                comments, tokens, whole = [], [], True
            continue
        cells = _cells(line, dialect.tabs)
        if line.startswith("#") and (dialect.universal or len(cells) != dialect.columns):
            comments.append(line[1:])
        elif not dialect.universal and line.startswith("-DOCSTART-"):
            continue
        elif len(cells) == dialect.columns:
            tokens.append((number, cells))
        elif whole:
            options.bad_row(_ragged(path, number, line, cells, dialect))
            whole = False  # the rest of the sentence goes with it


def _ragged(path: Path, number: int, line: str, cells: list[str], dialect: _Dialect) -> BadRow:
    return BadRow(
        str(path),
        number,
        "",
        shown(line),
        f"{len(cells)} columns, expected {dialect.columns} as in the first line of tokens",
        f"{dialect.columns} columns separated by {'a tab' if dialect.tabs else 'spaces'}",
        "correct the line, or separate sentences with a blank line",
    )


def _cells(line: str, tabs: bool) -> list[str]:
    return line.split("\t") if tabs else re.split("[ \t]+", line.strip(" \t"))
