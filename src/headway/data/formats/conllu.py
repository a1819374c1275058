"""CoNLL-U sentences: words, multiword tokens, empty nodes and comments, so that nothing is lost.

Source of the format: https://universaldependencies.org/format.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

__all__ = ["SentenceError", "is_conllu", "sentence_of", "table_of_sentences"]

_WORD = re.compile(r"[1-9][0-9]*")
_RANGE = re.compile(r"([1-9][0-9]*)-([1-9][0-9]*)")
_EMPTY = re.compile(r"(0|[1-9][0-9]*)\.([1-9][0-9]*)")
# Our column | its place on a line, or the comment it is
_COLUMNS: dict[str, int | str] = {
    "tokens": 1,
    "tags": 3,
    "lemmas": 2,
    "xpos": 4,
    "feats": 5,
    "heads": 6,
    "deprels": 7,
    "deps": 8,
    "misc": 9,
    "sent_id": "sent_id",
    "text": "text",
}
_MULTIWORD = pa.struct(
    [("start", pa.int32()), ("end", pa.int32())]
    + [(name, pa.string()) for name in ("form", "feats", "misc")]
)
_EMPTY_NODE = pa.struct(
    [("after", pa.int32())]
    + [(name, pa.string()) for name in ("form", "lemma", "upos", "xpos", "feats", "deps", "misc")]
)


class SentenceError(ValueError):
    """A line that has no place in a sentence: which column, what is wrong, what is allowed."""

    def __init__(self, line: int, column: str, value: str, problem: str, allowed: str) -> None:
        super().__init__(problem)
        self.line, self.column, self.value, self.allowed = line, column, value, allowed


@dataclass(slots=True)
class _Sentence:
    words: list[list[str]] = field(default_factory=list)
    multiword: list[dict[str, Any]] = field(default_factory=list)
    empty: list[dict[str, Any]] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)


def is_conllu(cells: list[str]) -> bool:
    """Whether the cells of the first line of tokens are those of CoNLL-U."""
    return len(cells) == 10 and bool(re.match(r"[0-9]", cells[0]))


def sentence_of(comments: Iterable[str], tokens: list[tuple[int, list[str]]]) -> _Sentence:
    """A sentence of its comments (without `#`) and its lines, (number in the file, ten cells) each.

    Raises:
        SentenceError: ids that do not count 1, 2, 3, a range or an empty node out of its place, or
            a head that is no word.
    """
    found = _Sentence()
    for comment in comments:
        name, equals, value = comment.partition("=")
        if equals and name.strip() in ("sent_id", "text") and name.strip() not in found.named:
            found.named[name.strip()] = value.strip()
        else:
            found.comments.append(comment.strip())
    for line, cells in tokens:
        _add_line(found, line, cells)
    last = len(found.words)
    for line, cells in tokens:
        head = cells[6]
        word = _WORD.fullmatch(cells[0])
        if word and head != "_" and not (head == "0" or _is_word(head, last)):
            raise SentenceError(
                line,
                "heads",
                head,
                f"the head {head!r} is not a word number",
                f"0 to {last}, or _",
            )
    if found.multiword and found.multiword[-1]["end"] > last:
        problem = f"a token of words up to {found.multiword[-1]['end']} in a sentence of {last}"
        raise SentenceError(tokens[-1][0], "multiword", tokens[-1][1][0], problem, f"up to {last}")
    return found


def _is_word(number: str, last: int) -> bool:
    return bool(_WORD.fullmatch(number)) and len(number) < 10 and int(number) <= last


def _add_line(found: _Sentence, line: int, cells: list[str]) -> None:
    number, count = cells[0], len(found.words)
    if _WORD.fullmatch(number):
        if number != str(count + 1):
            problem = f"word number {number} follows {count}"
            raise SentenceError(line, "id", number, problem, "1, 2, 3, ... in every sentence")
        found.words.append(cells)
    elif span := _RANGE.fullmatch(number):
        _add_multiword(found, line, cells, int(span[1][:9]), int(span[2][:9]))
    elif node := _EMPTY.fullmatch(number):
        before = sum(one["after"] == count for one in found.empty)
        if node[1] != str(count) or node[2] != str(before + 1):
            problem = f"empty node {number} follows word {count} and {before} empty nodes"
            raise SentenceError(line, "id", number, problem, f"{count}.{before + 1}")
        names = ("form", "lemma", "upos", "xpos", "feats")
        values = dict(zip(names, cells[1:6], strict=True))
        found.empty.append({"after": count, **values, "deps": cells[8], "misc": cells[9]})
    else:
        raise SentenceError(
            line,
            "id",
            number,
            f"{number!r} is not a word number",
            "1, 2, 3, ... or 1-2 for a multiword token or 1.1 for an empty node",
        )


def _add_multiword(found: _Sentence, line: int, cells: list[str], first: int, last: int) -> None:
    count = len(found.words)
    end = found.multiword[-1]["end"] if found.multiword else 0
    if first != count + 1 or last <= first or first <= end:
        problem = f"the multiword token {cells[0]} stands before word {count + 1}"
        raise SentenceError(line, "id", cells[0], problem, "before its first word, without overlap")
    for place in (2, 3, 4, 6, 7, 8):
        if cells[place] != "_":
            problem = f"{cells[place]!r} in the line of a multiword token"
            allowed = "_ in all columns but form, feats and misc"
            raise SentenceError(line, f"column {place + 1}", cells[place], problem, allowed)
    made = {"start": count, "end": last, "form": cells[1], "feats": cells[5], "misc": cells[9]}
    found.multiword.append(made)


def table_of_sentences(sentences: list[_Sentence]) -> pa.Table:
    """A row a sentence: what `read_conll` promises."""
    texts = pa.list_(pa.string())
    columns: dict[str, pa.Array] = {}
    for name, place in _COLUMNS.items():
        if isinstance(place, str):
            said = [sentence.named.get(place) for sentence in sentences]
            if any(value is not None for value in said):
                columns[name] = pa.array(said, pa.string())
            continue
        words = [[cells[place] for cells in sentence.words] for sentence in sentences]
        if name == "heads":
            heads = [[None if head == "_" else int(head) for head in row] for row in words]
            columns[name] = pa.array(heads, pa.list_(pa.int32()))
        else:
            columns[name] = pa.array(words, texts)
    columns["multiword"] = pa.array([one.multiword for one in sentences], pa.list_(_MULTIWORD))
    columns["empty_nodes"] = pa.array([one.empty for one in sentences], pa.list_(_EMPTY_NODE))
    columns["comments"] = pa.array([one.comments for one in sentences], texts)
    return pa.table(columns)
