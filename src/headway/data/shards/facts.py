"""What tasks tell each other: small JSON files, each whole or not there at all."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from headway.data.badrows import BadRow, BadRows
from headway.data.cache.flush import flush
from headway.errors import OutputError

__all__ = [
    "Facts",
    "add_bad_rows",
    "bad_rows_in",
    "not_writable",
    "read_facts",
    "schema_in",
    "unfinished",
    "write_facts",
    "writing",
    "written_schema",
]

Facts = dict[str, Any]


def write_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Writes a JSON file, which is there as a whole or not at all."""
    with writing(path), unfinished(path) as made:
        made.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
        flush(made)


def read_facts(path: Path) -> Facts | None:
    """What a JSON file says, or None where there is none."""
    with suppress(OSError, ValueError):
        said = json.loads(path.read_text("utf-8"))
        return said if isinstance(said, dict) else None
    return None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tells of a place that cannot be written."""
    try:
        yield
    except OSError as error:
        raise not_writable(path)(error) from error


def not_writable(path: Path) -> Callable[[OSError], OutputError]:
    """What makes the error for a file that cannot be written."""
    return lambda error: OutputError(
        f"cannot write {path.parent}: {error.strerror or error}",
        allowed="a folder that may be written, with room for the shards",
    )


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """A name beside a file; what is written there takes the file's place if nothing goes wrong."""
    made = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    try:
        yield made
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def written_schema(schema: pa.Schema) -> str:
    """Names and types as text that JSON holds."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def schema_in(facts: Facts) -> pa.Schema | None:
    """The names and types that facts tell, if there were rows."""
    if facts["schema"] is None:
        return None
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(facts["schema"])))


def bad_rows_in(bad: BadRows | None, place: Callable[[BadRow], BadRow] = lambda row: row) -> Facts:
    """The rows that a task has left out."""
    if bad is None:
        return {"count": 0, "first": []}
    return {"count": bad.count, "first": [asdict(place(row)) for row in bad.first]}


def add_bad_rows(told: BadRows, facts: Facts) -> None:
    """Adds what a task has left out to what all have."""
    told.count += facts["bad"]["count"]
    rows = [BadRow(**row) for row in facts["bad"]["first"]]
    told.first.extend(rows[: max(0, told.keep - len(told.first))])
