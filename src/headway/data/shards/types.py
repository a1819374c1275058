"""The types of a whole data set, found by looking at each stretch alone.

What a column is may depend on its last cell, and a function shall see the same types in every
stretch. So text is parsed twice: once for its types, once for its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa

from headway.data.dataset import Dataset
from headway.data.features import apply_features
from headway.data.formats.parts import plain
from headway.data.formats.source import ReadOptions
from headway.data.reading.files import FORMATS
from headway.data.reading.together import together
from headway.data.shards.facts import Facts, bad_rows_in, schema_in, write_facts, written_schema
from headway.data.shards.job import Job, reading
from headway.data.shards.stretches import parts_of
from headway.errors import DataError

__all__ = ["Types", "given_types", "look", "looked_name", "types_of"]

_SAID = ("parquet", "arrow", "txt")  # formats of which the first part says the types of all


@dataclass(frozen=True)
class Types:
    """What is known before rows are made.

    Attributes:
        files: names and types of each file alone.
        all: those of the data set.
        before: for each input, how many rows of its file come before it; None if nobody counted.
    """

    files: Sequence[pa.Schema]
    all: pa.Schema
    before: Sequence[int] | None


def looked_name(number: int) -> str:
    """The file in which a task tells what types it has seen."""
    return f"types-{number:05d}.json"


def look(job: Job, number: int, above: pa.Schema | None = None) -> Facts:
    """The types of a stretch, its number of rows, and the rows that cannot be read.

    Args:
        job: what is read.
        number: of the input.
        above: the types of what is above it in the file, if rows that contradict them are bad.
    """
    job.begin(number, "types")
    options, bad = job.counted(number)
    schema, rows = _looked(job, number, options, above)
    facts = {
        "schema": None if schema is None else written_schema(schema),
        "rows": rows,
        "bad": bad_rows_in(bad, job.at_lines_of_the_file(number, bad)),
    }
    write_facts(job.folder / looked_name(number), facts)
    return facts


def _looked(
    job: Job, number: int, options: ReadOptions, known: pa.Schema | None
) -> tuple[pa.Schema | None, int]:
    given = job.inputs[number]
    schema, rows = known, 0

    with reading(given, options, lambda options: parts_of(given, options, known)):
        for part in parts_of(given, options, known):
            here, rows = part.table.schema, rows + part.rows
            schema = here if schema is None else _widened(given.format, schema, here)
            if given.format in _SAID and not options.features:
                break
    return schema, rows


def _widened(format: str, a: pa.Schema, b: pa.Schema) -> pa.Schema:
    parts = FORMATS[format].parts
    return a if parts is None else parts.widen(a, b)


def types_of(job: Job, seen: Sequence[Facts]) -> Types:
    """The types of the data set, as `read` would find them.

    Args:
        job: what is read.
        seen: what `look` gave for each input.

    Raises:
        DataError: a file without rows, or columns that do not go together; file and line are named.
    """
    files: list[pa.Schema] = []
    before: list[int] = []
    for _, group in groupby(range(len(job.inputs)), lambda i: job.inputs[i].file):
        schema: pa.Schema | None = None
        rows = 0
        for number in group:
            before.append(rows)
            facts = seen[number]
            here = schema_in(facts)
            if here is not None and schema is not None:
                try:
                    schema = _widened(job.inputs[number].format, schema, here)
                except (pa.ArrowException, ValueError):
                    # Another stretch says otherwise: read below it, this one tells the bad rows.
                    facts = look(job, number, schema)
                    schema = schema_in(facts)
            else:
                schema = here if schema is None else schema
            rows += facts["rows"]
        path = job.inputs[len(before) - 1].path
        if schema is None or not len(schema):
            raise DataError(f"{path} holds no rows", allowed="at least one row with one column")
        files.append(plain(schema))
    return given_types(job, files, before)


def given_types(job: Job, files: Sequence[pa.Schema], before: Sequence[int] | None) -> Types:
    """Types where those of each file are known."""
    names = {given.file: given.path for given in job.inputs}
    parts = []
    for number, schema in enumerate(files):
        table = schema.empty_table()
        if job.options.features:
            table = apply_features(table, job.options.features, file=str(names[number]))
        parts.append(Dataset(table, name=str(names[number])))
    return Types(files, together(parts, name="").to_arrow().schema, before)
