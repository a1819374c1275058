"""Lines of text in which entities stand between tags: `<PER>Ada</PER> lived in <LOC>London</LOC>.`

Tags are names alone, without attributes, closed in the order in which they were opened; `&lt;`,
`&gt;`, `&amp;` and other references of HTML stand for their characters. What looks like no tag
(`a < b`) is text.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pyarrow as pa

from headway.data.badrows import BadRow
from headway.data.formats.source import ReadOptions, text_buffer
from headway.data.formats.text import lines_of
from headway.errors import DataError

__all__ = ["read_marked"]

TAG = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z_][\w.-]*)>")

ENTITIES = pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64()), ("label", pa.string())]))


def read_marked(path: Path, options: ReadOptions) -> pa.Table:
    """Columns `text` and `entities`: a row a line, its entities as start, end and label.

    Places are in characters of the text without its tags; the end is behind the last. Blank lines
    are skipped.

    Raises:
        DataError: no line with text, or (unless `bad_row` goes on) a tag that is not closed, or
            closed and never opened.
    """
    texts, entities = [], []
    for number, line in enumerate(lines_of(text_buffer(path, options)).to_pylist(), 1):
        if not line.strip():
            continue
        found = _read(line)
        if isinstance(found, str):
            options.bad_row(
                BadRow(
                    str(path),
                    number,
                    "text",
                    line[:80],
                    found,
                    "each <TAG> closed by </TAG> on its line",
                    "close the tag, or write &lt; for a < that is none",
                    "line",
                )
            )
            continue
        texts.append(found[0])
        entities.append(found[1])
    if not texts:
        raise DataError(f"{path} holds no lines with text", allowed="text with <TAG>entities</TAG>")
    return pa.table({"text": texts, "entities": pa.array(entities, ENTITIES)})


def _read(line: str) -> tuple[str, list[dict[str, Any]]] | str:
    """The text and its entities, or what is wrong with the tags."""
    parts: list[str] = []
    length = last = 0
    open_: list[tuple[str, int]] = []
    entities: list[dict[str, Any]] = []
    for tag in TAG.finditer(line):
        part = html.unescape(line[last : tag.start()])
        parts.append(part)
        length, last, name = length + len(part), tag.end(), tag["name"]
        if not tag["close"]:
            open_.append((name, length))
        elif not open_ or open_[-1][0] != name:
            return f"</{name}> closes nothing"
        else:
            _, start = open_.pop()
            entities.append({"start": start, "end": length, "label": name})
    if open_:
        return f"<{open_[-1][0]}> is not closed"
    parts.append(html.unescape(line[last:]))
    return "".join(parts), sorted(entities, key=lambda one: (one["start"], -one["end"]))
