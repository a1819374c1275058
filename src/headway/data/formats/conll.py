"""CoNLL files: a token on every line, a blank line after every sentence.

Two dialects, told apart by the first line of tokens: CoNLL-U (ten tab-separated columns, the first
a number; https://universaldependencies.org/format.html) and the plain one of the CoNLL shared
tasks (token first, tag last, columns separated by tabs or else by spaces).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from headway.data.formats.source import ReadOptions, text_buffer
from headway.errors import DataError

__all__ = ["read_conll"]

# CoNLL-U column | ours
_UNIVERSAL = {
    1: "tokens",
    2: "lemmas",
    3: "tags",
    4: "xpos",
    5: "feats",
    6: "heads",
    7: "deprels",
    8: "deps",
    9: "misc",
}
_WORD_ID = re.compile(r"[0-9]+")
_SPAN_OR_EMPTY_ID = re.compile(r"[0-9]+[-.][0-9]+")

Sentence = tuple[dict[str, str], list[tuple[int, list[str]]]]  # comments, (line, cells) per token


def read_conll(path: Path, options: ReadOptions) -> pa.Table:
    """Columns `tokens` and `tags`, list<string>, one row a sentence, and a list for every other.

    CoNLL-U: tags are the universal parts of speech; lemmas, xpos, feats, heads (list<int32>),
    deprels, deps, misc, and the comments sent_id and text follow. Words are the syntactic ones:
    lines of multiword tokens (`29-30`) and empty nodes (`8.1`) are skipped. Plain: further
    columns are column_2, column_3, ... and `-DOCSTART-` lines are skipped.

    Raises:
        DataError: a line with another number of columns than the first, or no tokens at all.
    """
    text = text_buffer(path, options).to_pybytes().decode()
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    tokens = [line for line in lines if line.strip() and not line.startswith("-DOCSTART-")]
    # A token may be "#" in the plain dialect, so a line of comments is only the last choice.
    first = next((line for line in tokens if not line.startswith("#")), (tokens or [""])[0])
    tabs = "\t" in first
    cells = _cells(first, tabs)
    if tabs and len(cells) == 10 and re.match(r"[0-9]", cells[0]):
        return _universal(path, lines)
    return _plain(path, lines, cells, tabs=tabs)


def _universal(path: Path, lines: list[str]) -> pa.Table:
    sentences = list(_sentences(path, lines, columns=10, tabs=True, universal=True))
    columns: dict[str, pa.Array] = {}
    for position, name in _UNIVERSAL.items():
        words = [
            [cells[position] for _, cells in tokens if not _SPAN_OR_EMPTY_ID.fullmatch(cells[0])]
            for _, tokens in sentences
        ]
        if name == "heads":
            heads = [[None if head == "_" else int(head) for head in row] for row in words]
            columns[name] = pa.array(heads, pa.list_(pa.int32()))
        else:
            columns[name] = pa.array(words, pa.list_(pa.string()))
    order = ["tokens", "tags", *(name for name in columns if name not in ("tokens", "tags"))]
    table = pa.table({name: columns[name] for name in order})
    for comment in ("sent_id", "text"):
        if any(comment in comments for comments, _ in sentences):
            said = [comments.get(comment) for comments, _ in sentences]
            table = table.append_column(comment, pa.array(said, pa.string()))
    return table


def _plain(path: Path, lines: list[str], first: list[str], *, tabs: bool) -> pa.Table:
    if len(first) < 2:
        raise DataError(
            f"{path} is not CoNLL: {'one column' if first[0] else 'no tokens'} in it",
            allowed="a token and its tag on every line, a blank line after every sentence",
            next_step='format="txt" (--format txt) if every line is a text',
        )
    sentences = _sentences(path, lines, columns=len(first), tabs=tabs, universal=False)
    rows = [tokens for _, tokens in sentences]
    names = {"tokens": 0, "tags": len(first) - 1}
    names |= {f"column_{i + 1}": i for i in range(1, len(first) - 1)}
    return pa.table(
        {
            name: pa.array(
                [[cells[i] for _, cells in tokens] for tokens in rows], pa.list_(pa.string())
            )
            for name, i in names.items()
        }
    )


def _sentences(
    path: Path, lines: list[str], *, columns: int, tabs: bool, universal: bool
) -> Iterator[Sentence]:
    comments: dict[str, str] = {}
    tokens: list[tuple[int, list[str]]] = []
    for number, line in enumerate([*lines, ""], 1):
        if not line.strip():
            if tokens:
                yield comments, tokens
                comments, tokens = {}, []
            continue
        cells = _cells(line, tabs)
        if line.startswith("#") and (universal or len(cells) != columns):
            name, _, value = line[1:].partition("=")
            comments[name.strip()] = value.strip()
        elif not universal and line.startswith("-DOCSTART-"):
            continue
        elif len(cells) != columns:
            raise DataError(
                f"{path} line {number}: {len(cells)} columns, expected {columns} as in the first "
                "line of tokens",
                allowed=f"{columns} columns separated by {'a tab' if tabs else 'spaces'}",
                next_step="correct the line, or separate sentences with a blank line",
            )
        else:
            if universal:
                _check_universal(path, number, cells)
            tokens.append((number, cells))


def _check_universal(path: Path, number: int, cells: list[str]) -> None:
    word = _WORD_ID.fullmatch(cells[0])
    if not word and not _SPAN_OR_EMPTY_ID.fullmatch(cells[0]):
        raise DataError(
            f"{path} line {number}: {cells[0]!r} is not a word number",
            allowed="1, 2, 3, ... or 1-2 for a multiword token or 1.1 for an empty node",
            next_step="correct the line",
        )
    if word and not (cells[6] == "_" or _WORD_ID.fullmatch(cells[6])):
        raise DataError(
            f"{path} line {number}: the head {cells[6]!r} is not a word number",
            allowed="a number or _",
            next_step="correct the line",
        )


def _cells(line: str, tabs: bool) -> list[str]:
    return line.split("\t") if tabs else re.split("[ \t]+", line.strip(" \t"))
