"""XML by a recipe: which elements are rows, and which texts and attributes inside are columns.

The file is read from front to back, a row at a time. Entities other than the five of XML itself
are refused and nothing outside the file is looked at, so that a document can neither grow nor reach
for other files (https://www.w3.org/TR/xml, sections 4.1 to 4.4). Several roots one after the other
are allowed, since collections are often written so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pyarrow as pa

from headway.data.badrows import BadRow, shown
from headway.data.formats.source import ReadOptions, text_buffer
from headway.errors import ConfigError, DataError

__all__ = ["read_xml"]

_DEEPEST = 200
_STEP = 1 << 20
_ROWS_AT_ONCE = 4096
_PROLOG = re.compile(rb"\s*(<\?xml\s[^>]*\?>)?")
_DOCTYPE = re.compile(rb"(?:\s++|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL)
_NAME = re.compile(r"[^\W\d][\w.-]*")

Row = dict[str, Any]


def read_xml(path: Path, options: ReadOptions) -> pa.Table:
    """The rows of the recipe: columns of text, or lists of text for places with `[]`.

    A text is all that stands inside an element, without white space at both ends. What a row lacks
    is missing (null). An element of the row's name inside a row is a part of it. Prefixes of names
    are left out: `tei:div` is `div`.

    Raises:
        ConfigError: no recipe for xml, or a place in it that is none.
        DataError: XML that is not well-formed, with line and column; an entity declaration; no
            rows; a place that is found twice in a row and is no list.
    """
    recipe = options.recipe
    if recipe is None or recipe.format != "xml" or recipe.row is None:
        raise ConfigError(
            f"{path}: nothing says which elements of the XML are rows",
            next_step='recipe={"format": "xml", "row": "doc", "columns": {"text": "body", '
            '"id": "@id"}}',
        )
    places = {name: _place(name, text) for name, text in recipe.columns.items()}
    text = pa.string()
    schema = pa.schema([(n, pa.list_(text) if p.many else text) for n, p in places.items()])
    reader = _Rows(path, recipe.row, places, options)
    batches = []
    rows: list[Row] = []
    for made in reader.read(text_buffer(path, options)):
        rows += made
        if len(rows) >= _ROWS_AT_ONCE:
            batches.append(pa.RecordBatch.from_pylist(rows, schema))
            rows = []
    batches.append(pa.RecordBatch.from_pylist(rows, schema))
    if not reader.seen:
        raise DataError(
            f"{path} has no element {recipe.row!r}",
            allowed=", ".join(sorted(reader.names - {"_"})[:20])
            or "XML; no element is in the file",
            next_step="correct row in the recipe",
        )
    return pa.Table.from_batches(batches, schema)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is: so many elements up, these names down, this attribute or the text."""

    up: int
    down: tuple[str, ...]
    attribute: str | None
    many: bool


def _place(column: str, text: str) -> _Place:
    up = len(re.match(r"(?:\.\./)*", text).group()) // 3  # type: ignore[union-attr]  # matches ""
    path, at, attribute = text[3 * up :].partition("@")
    steps = path.removesuffix("/" if at else "").split("/") if path not in ("", ".") else []
    names = [step.removesuffix("[]") for step in steps]
    named = all(map(_NAME.fullmatch, [*names, *([attribute] if at else [])]))
    if not named or not text or (up and (steps or not at)) or (path == "." and at):
        raise ConfigError(
            f"column {column!r} of the recipe is at {text!r}",
            allowed="a path such as title, head/title, @id, turn[], turn[]/@who, ../@date or .",
        )
    return _Place(up, tuple(names), attribute or None, "[]" in path)


class _Rows:
    """Listens to the parser, and makes a row of every element of a name."""

    def __init__(
        self, path: Path, row: str, places: dict[str, _Place], options: ReadOptions
    ) -> None:
        self.path, self.row, self.places, self.options = path, row, places, options
        self.names: set[str] = set()
        self.seen = 0
        self._open: list[tuple[str, dict[str, str]]] = []
        self._row: Row | None = None
        self._depth = self._line = self._skipped_lines = 0
        self._fault: tuple[str, str] | None = None  # column, value
        # (depth, column, parts of its text) for every value that is being read
        self._texts: list[tuple[int, str, list[str]]] = []
        self._done: list[Row] = []
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._entity
        self._parser.SkippedEntityHandler = self._unknown_entity
        self._parser.buffer_text = True

    def read(self, buffer: pa.Buffer) -> Iterator[list[Row]]:
        """The rows of the document, some at a time."""
        view = memoryview(buffer)
        prolog = _PROLOG.match(view)
        start = prolog.end() if prolog else 0
        self._skipped_lines = bytes(view[:start]).count(b"\n")
        # A document type must come first and allows one root only; else any number is put into one.
        wrapped = not _DOCTYPE.match(view, start)
        try:
            if wrapped:
                self._parser.Parse(b"<_>")
            for at in range(start, len(view), _STEP):
                self._parser.Parse(bytes(view[at : at + _STEP]))
                done, self._done = self._done, []
                yield done
            self._parser.Parse(b"</_>" if wrapped else b"", True)
        except expat.ExpatError as error:
            raise self._broken(error) from None
        yield self._done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = _local(name)
        attributes = {_local(key): value for key, value in attributes.items()}
        self._open.append((name, attributes))
        if len(self._open) > _DEEPEST:
            raise DataError(
                f"{self.path} line {self._here()}: elements nested more than {_DEEPEST} deep"
            )
        if self._row is not None:
            inside = tuple(one for one, _ in self._open[self._depth :])
            self._found(inside, attributes)
        elif name == self.row:
            self._row = {c: [] if p.many else None for c, p in self.places.items()}
            self._depth, self._line, self._fault = len(self._open), self._here(), None
            self._found((), attributes)
        elif len(self.names) < 1000:
            self.names.add(name)

    def _found(self, inside: tuple[str, ...], attributes: dict[str, str]) -> None:
        """Takes what the recipe wants of an element that has just begun."""
        for column, place in self.places.items():
            if place.down != inside:
                continue
            if place.attribute is None:
                self._texts.append((len(self._open), column, []))
            elif not place.up:
                self._take(column, attributes.get(place.attribute))
            elif self._depth - 1 - place.up >= 0:
                _, around = self._open[self._depth - 1 - place.up]
                self._take(column, around.get(place.attribute))

    def _take(self, column: str, value: str | None) -> None:
        assert self._row is not None
        if self.places[column].many:
            self._row[column].append(value)
        elif value is not None:
            if self._row[column] is not None and self._fault is None:
                self._fault = column, value
            self._row[column] = value

    def _end(self, name: str) -> None:
        while self._texts and self._texts[-1][0] == len(self._open):
            _, column, parts = self._texts.pop()
            self._take(column, "".join(parts).strip())
        if self._row is not None and len(self._open) == self._depth:
            self.seen += 1
            if self._fault is None:
                self._done.append(self._row)
            else:
                self._refuse(*self._fault)
            self._row = None
        self._open.pop()

    def _characters(self, text: str) -> None:
        for _, _, parts in self._texts:
            parts.append(text)

    def _refuse(self, column: str, value: str) -> None:
        self.options.bad_row(
            BadRow(
                str(self.path),
                self._line,
                column,
                shown(value),
                f"a second value {shown(value)} in one row",
                "one value, or a place with [] for a list",
                "write the place in the recipe with [], such as turn[]",
            )
        )

    def _entity(self, name: str, *rest: object) -> None:
        raise DataError(
            f"{self.path} line {self._here()}: the entity {name!r} is declared",
            allowed="XML without entities of its own, which can grow without limit or name files",
            next_step="write the texts out, for example with xmllint --noent",
        )

    def _unknown_entity(self, name: str, *rest: object) -> None:
        raise DataError(
            f"{self.path} line {self._here()}: the entity &{name}; is declared elsewhere",
            allowed="&amp; &lt; &gt; &apos; &quot; and numbers such as &#160;",
            next_step="write the texts out, for example with xmllint --noent",
        )

    def _here(self) -> int:
        return self._parser.CurrentLineNumber + self._skipped_lines

    def _broken(self, error: expat.ExpatError) -> DataError:
        line, column = error.lineno + self._skipped_lines, error.offset + 1
        if error.lineno == 1:  # behind the element that was put around
            column = max(1, column - len("<_>"))
        said = expat.ErrorString(error.code)
        return DataError(
            f"{self.path} line {line}, column {column}: not XML: {said}",
            allowed="well-formed XML",
            next_step="correct the file at this place",
        )


def _local(name: str) -> str:
    return name.rpartition(":")[2]
