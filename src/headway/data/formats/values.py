"""JSON values that become columns: what a value may be, and that a column holds one kind of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from headway.data.badrows import BadRow, shown
from headway.errors import DataError

__all__ = ["DEEPEST", "Kinds", "RowError", "columns_of", "kind_of", "parse"]

DEEPEST = 100  # levels of lists and objects inside one row
_KINDS = {
    bool: "true/false",
    int: "a whole number",
    float: "a decimal number",
    str: "text",
    list: "a list",
    dict: "an object",
}


class RowError(ValueError):
    """A value that cannot stand in its column: which column, what it is, what is allowed."""

    def __init__(self, column: str, value: str, problem: str, allowed: str, next_step: str) -> None:
        super().__init__(problem)
        self.column, self.value, self.allowed, self.next_step = column, value, allowed, next_step

    def at(self, file: Path, number: int, unit: str) -> BadRow:
        """The bad row at this line (or other unit) of a file."""
        return BadRow(
            str(file),
            number,
            self.column,
            self.value,
            str(self),
            self.allowed,
            self.next_step,
            unit,
        )


@dataclass(slots=True)
class Kinds:
    """The kind of value that each column, and each place inside lists and objects, has shown.

    seen: place | kind, and where it was seen first, such as `line 3`.
    """

    seen: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, schema: pa.Schema, where: str) -> Kinds:
        """What the types of a table say."""
        found = cls()
        for one in schema:
            found._add(one.name, one.type, where)
        return found

    def check(self, row: dict[str, Any], where: str) -> None:
        """Takes note of the kinds of a row, if all fit.

        Raises:
            RowError: a value of another kind than those before, or one that no column can hold.
        """
        new: dict[str, tuple[str, str]] = {}
        for name, value in row.items():
            for path, depth, leaf in _walk(value, name):
                if depth > DEEPEST:
                    problem = f"nested more than {DEEPEST} deep"
                    raise RowError(name, shown(value), problem, "", "flatten the rows")
                if leaf is None:
                    continue
                problem = _unstorable(leaf)
                if problem:
                    raise RowError(path, shown(leaf), problem, "what JSON text allows", "")
                kind = "a number" if type(leaf) in (int, float) else kind_of(leaf)
                before, place = self.seen.get(path) or new.setdefault(path, (kind, where))
                if kind != before:
                    raise RowError(
                        path,
                        shown(leaf),
                        f"{kind} ({shown(leaf)}), but {before} in {place}",
                        "one kind of value in a column",
                        "write all values of this column the same way, for example as text",
                    )
        self.seen |= new

    def _add(self, path: str, kind: pa.DataType, where: str) -> None:
        if pa.types.is_struct(kind):
            self.seen[path] = "an object", where
            for one in kind:
                self._add(f"{path}.{one.name}", one.type, where)
        elif pa.types.is_list(kind):
            self.seen[path] = "a list", where
            self._add(f"{path}[]", kind.value_type, where)
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
            self.seen[path] = "a number", where
        elif pa.types.is_boolean(kind):
            self.seen[path] = _KINDS[bool], where
        elif pa.types.is_string(kind):
            self.seen[path] = _KINDS[str], where


def columns_of(path: Path, rows: Iterable[dict[str, Any]]) -> pa.Table:
    """A table of rows whose kinds were checked; a key that a row lacks is missing (null).

    Raises:
        DataError: numbers of one column that no type of column can hold together.
    """
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = []
    for name in names:
        try:
            columns.append(pa.array([row.get(name) for row in rows]))
        except (pa.ArrowException, OverflowError, TypeError) as error:
            raise DataError(f"{path}, column {name!r}: {error}") from error
    return pa.table(columns, names=names)


def parse(text: str) -> Any:
    """A JSON document.

    Raises:
        ValueError: text that is not JSON, nested too deep, or with a key twice in one object.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError(f"lists or objects nested more than {DEEPEST} deep") from None


def kind_of(value: Any) -> str:
    """`text`, `a list`, ... as messages name it."""
    return _KINDS.get(type(value), "null")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _walk(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, int, Any]]:
    yield path, depth, value
    if depth <= DEEPEST:
        if isinstance(value, list):
            for item in value:
                yield from _walk(item, f"{path}[]", depth + 1)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from _walk(item, f"{path}.{key}", depth + 1)


def _unstorable(leaf: Any) -> str:
    if isinstance(leaf, str) and not leaf.isascii():
        try:
            leaf.encode()
        except UnicodeEncodeError:
            return f"half of a surrogate pair in {shown(leaf)}"
    if type(leaf) is int and not -(2**63) <= leaf < 2**63:
        return f"{shown(leaf)} does not fit in 64 bits; write it as text"
    return ""
