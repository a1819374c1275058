"""The work of one task: a stretch of a file in, a shard out, a portion of rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from headway.data.badrows import BadRow
from headway.data.cache.flush import flush
from headway.data.dataset import Dataset
from headway.data.features import apply_features
from headway.data.formats.parts import without_counting
from headway.data.formats.source import ReadOptions
from headway.data.reading.settle import tables_of_piece
from headway.data.reading.sources import Piece
from headway.data.shards.facts import (
    Facts,
    bad_rows_in,
    read_facts,
    unfinished,
    write_facts,
    writing,
    written_schema,
)
from headway.data.shards.job import Job, reading
from headway.data.shards.types import Types
from headway.data.shards.writer import FORMATS, ShardWriter, digest_of
from headway.data.tables import stacked

__all__ = ["facts_name", "made_already", "make", "settle", "shard_name"]

_PORTION_BYTES = 16 << 20
_ROWS_TOGETHER = 1000  # what `map(batched=...)` takes at a time


def shard_name(job: Job, number: int) -> str:
    """The file of a task while shards are made."""
    return f"{number:05d}.{job.format}"


def facts_name(number: int) -> str:
    """The file that says what a shard holds; it is there once the shard is whole."""
    return f"{number:05d}.json"


def made_already(job: Job, number: int) -> Facts | None:
    """What an earlier run tells of a shard, if the shard is there."""
    facts = read_facts(job.folder / facts_name(number))
    path = job.folder / shard_name(job, number)
    there = facts is not None and path.is_file() and path.stat().st_size == facts["bytes"]
    return facts if there else None


def make(job: Job, types: Types, number: int) -> Facts:
    """Writes a shard; gives its rows, bytes, hash and types, and how many rows were left out."""
    given = job.inputs[number]
    job.begin(number, "shard")
    options, bad = job.counted(number)
    with unfinished(job.folder / shard_name(job, number)) as made:
        writer = ShardWriter(made, job.format)
        try:
            for first, table in _portions(_rows(job, types, number, options)):
                try:
                    data = _done(job, Dataset(table, name=str(given)))
                    if len(data):
                        writer.write(data.to_arrow())
                except Exception as error:
                    error.add_note(f"in {given}, rows from {first + 1} on")
                    raise
        finally:
            writer.close()
        facts = {
            "from": str(given),
            "rows": writer.rows,
            # Not one row may be left, and nothing tells the types of none.
            "schema": None if writer.schema is None else written_schema(writer.schema),
            "bad": bad_rows_in(bad, job.at_lines_of_the_file(number, bad)),
            **_finished(made),
        }
    write_facts(job.folder / facts_name(number), facts)
    return facts


def settle(job: Job, schema: pa.Schema, number: int) -> Facts:
    """Writes a shard once more with the types that all shards have together."""
    path, told = job.folder / shard_name(job, number), job.folder / facts_name(number)
    facts = read_facts(told)
    assert facts is not None
    with unfinished(path) as made:
        writer = ShardWriter(made, job.format, schema)
        try:
            for table in FORMATS[job.format].tables(path):
                writer.write(table)
        finally:
            writer.close()
        facts |= {"schema": written_schema(schema), **_finished(made)}
        told.unlink()  # from here on the shard is not finished, until it is told again
    write_facts(told, facts)
    return facts


def _finished(made: Path) -> Facts:
    """The bytes and the hash of a file that is on the disk from here on."""
    with writing(made):
        made.touch()
        flush(made)
        return {"bytes": made.stat().st_size, "hash": digest_of(made)}


def _done(job: Job, data: Dataset) -> Dataset:
    for verb in job.verbs:
        if not len(data):  # verbs cannot tell what columns they would make of no rows
            break
        data = verb(data)
    return data


def _portions(tables: Iterable[pa.Table]) -> Iterator[tuple[int, pa.Table]]:
    """Rows some megabytes at a time, and how many there were before.

    What `map(batched=...)` takes at a time is whole in a portion, unless rows are very long.
    """
    rest: list[pa.Table] = []
    first = size = 0
    for table in tables:
        rest.append(table)
        size += table.nbytes
        if size < _PORTION_BYTES:
            continue
        whole = pa.concat_tables(rest)
        step = _PORTION_BYTES * whole.num_rows // size
        if step > _ROWS_TOGETHER // 4:
            step = max(1, round(step / _ROWS_TOGETHER)) * _ROWS_TOGETHER
        step = max(1, step)
        while whole.num_rows >= step:
            yield first, whole.slice(0, step)
            first, whole = first + step, whole.slice(step)
        rest, size = ([whole], whole.nbytes) if whole.num_rows else ([], 0)
    if rest:
        yield first, pa.concat_tables(rest)


def _rows(job: Job, types: Types, number: int, options: ReadOptions) -> Iterator[pa.Table]:
    """The rows of a stretch, with the columns and types of the whole data set."""
    given, schema = job.inputs[number], types.files[job.inputs[number].file]
    # Bad rows were told of when types were found, unless the types were given.
    quiet = options if types.before is None else without_counting(options)
    quiet = replace(quiet, features=None)
    rows = types.before[number] if types.before is not None else 0

    piece = Piece(given.path, given.format, (given.path,))

    def tables(options: ReadOptions) -> Iterator[pa.Table]:
        return tables_of_piece(piece, schema, options)

    with reading(given, quiet, tables):
        for table in tables(quiet):
            count = table.num_rows
            if options.features:
                table = _with_features(table, options, given.path, rows)
            rows += count
            if table.num_rows:
                yield stacked([types.all.empty_table(), table.select(types.all.names)])


def _with_features(table: pa.Table, options: ReadOptions, path: Path, before: int) -> pa.Table:
    def bad_row(row: BadRow) -> None:
        options.bad_row(replace(row, line=row.line + before))

    assert options.features is not None
    return apply_features(table, options.features, file=str(path), bad_row=bad_row)
