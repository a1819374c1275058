"""The phases of a plan on any engine: types, shards, and types of the shards together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pyarrow as pa

from headway.data.badrows import BadRows
from headway.data.dataset import Dataset
from headway.data.reading.together import together
from headway.data.shards.engines import Run
from headway.data.shards.facts import Facts, add_bad_rows, bad_rows_in, read_facts, schema_in
from headway.data.shards.job import Job
from headway.data.shards.shard import made_already, make, settle
from headway.data.shards.types import Types, given_types, look, looked_name, types_of
from headway.errors import DataError
from headway.logs import progress

__all__ = ["all_made", "left_out"]


def all_made(
    job: Job, schema: pa.Schema | None, run: Run
) -> tuple[Sequence[Facts], pa.Schema, int]:
    """What each shard holds, all with the same types; these types; how many were made now."""
    types = _types(job, schema, run)
    every = range(len(job.inputs))
    told = {i: facts for i in every if (facts := made_already(job, i)) is not None}
    missing = [i for i in every if i not in told]
    told |= dict(progress(run(partial(make, job, types), missing), "write", total=len(missing)))
    full = [i for i in every if told[i]["rows"]]
    if not full:
        raise DataError(
            f"not one row of {len(job.inputs)} shards is left", allowed="at least one row"
        )
    common = _common([(told[i]["from"], schema_in(told[i])) for i in full])
    narrow = [i for i in full if schema_in(told[i]) != common]
    again = run(partial(settle, job, common), narrow)
    told |= dict(progress(again, "settle types", total=len(narrow)))
    return [told[i] for i in every], common, len(missing)


def _types(job: Job, schema: pa.Schema | None, run: Run) -> Types:
    if schema is not None and not job.options.features:
        return given_types(job, [schema] * (job.inputs[-1].file + 1), None)
    every = range(len(job.inputs))
    seen = {i: facts for i in every if (facts := read_facts(job.folder / looked_name(i)))}
    missing = [i for i in every if i not in seen]
    seen |= dict(progress(run(partial(look, job), missing), "find types", total=len(missing)))
    found = types_of(job, [seen[i] for i in every])
    if schema is None:
        return found
    return given_types(job, [schema] * len(found.files), found.before)


def _common(schemas: Sequence[tuple[str, pa.Schema]]) -> pa.Schema:
    """The names and types that hold the rows of all shards; a column may be absent in some.

    Raises:
        DataError: a column whose types have nothing in common; the shards are named.
    """
    first = schemas[0][1]
    if all(schema == first for _, schema in schemas):
        return first
    names = dict.fromkeys(name for _, schema in schemas for name in schema.names)
    parts = []
    for place, schema in schemas:
        table = schema.empty_table()
        for name in names:
            if name not in schema.names:
                table = table.append_column(name, pa.nulls(0))
        parts.append(Dataset(table.select(list(names)), name=place))
    try:
        return together(parts, name="").to_arrow().schema
    except DataError as error:
        raise DataError(
            error.problem,
            allowed="one type in a column of all shards",
            next_step="give values of one type in map(), or cast() the column",
        ) from error


def left_out(job: Job, told: Sequence[Facts]) -> Facts:
    """The rows that all tasks have left out, when types were found and when rows were made."""
    bad = BadRows(job.keep or 0)
    for number, facts in enumerate(told):
        for each in (read_facts(job.folder / looked_name(number)), facts):
            if each is not None:
                add_bad_rows(bad, each)
    return bad_rows_in(bad)
