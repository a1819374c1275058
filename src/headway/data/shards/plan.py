"""A pipeline that is said first and run later, on this machine or on many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa

from headway.data.badrows import BadRows, refuse_row
from headway.data.cache import key_of, reached
from headway.data.formats.source import ReadOptions
from headway.data.reading.find import Place
from headway.data.reading.options import read_options
from headway.data.reading.sources import Piece
from headway.data.shards.engines import ENGINES
from headway.data.shards.facts import add_bad_rows
from headway.data.shards.folder import (
    Shards,
    begin,
    complete,
    finish,
    held,
    opened,
    publish,
)
from headway.data.shards.job import Job, Verb
from headway.data.shards.run import all_made, left_out
from headway.data.shards.shard import shard_name
from headway.data.shards.stretches import input_files, inputs_of
from headway.data.shards.writer import FORMATS
from headway.data.transforms import BATCHES, Batched, Encoder
from headway.errors import ConfigError, nearest
from headway.logs import log

if TYPE_CHECKING:
    from typing import Unpack

    from headway.data import compute as pc
    from headway.data.features import Feature
    from headway.data.reading.options import Reading

__all__ = ["Plan", "scan"]

_SHARD_BYTES = 64 << 20

_NEED_ALL_ROWS = {
    **dict.fromkeys(
        ("sort", "shuffle", "deduplicate", "group_by"),
        "write() the shards, and read() them for it",
    ),
    **dict.fromkeys(("select", "split"), "filter(), or read() the shards for it"),
    "concatenate": "scan() a pattern that matches all files",
    "cached": "write(), which keeps each shard that is finished",
}


def scan(
    path: Place,
    *,
    format: str | None = None,
    schema: pa.Schema | None = None,
    shard_bytes: int = _SHARD_BYTES,
    **how: Unpack[Reading],
) -> Plan:
    """A data set of any size, to which verbs are applied when it is written: nothing is read yet.

    Args:
        path: a file, a list of files, a folder of files, or a pattern such as
            `"corpus/*.jsonl.gz"`; the files of one data set, as `read` has them.
        format: as in `read`.
        schema: names and types of the rows in the files, if they are known. Without, text is parsed
            once more to find them, since the type of a column may depend on its last row.
        shard_bytes: about how much of a file makes a shard. jsonl and plain text are cut at ends of
            lines, Parquet between row groups, Arrow between record batches; any other file, and
            one that is compressed, makes one shard.
        **how: the other options of `read`. `bad_rows` has counted the rows that were left out when
            `write` is done.

    >>> from tempfile import TemporaryDirectory
    >>> from headway.data import read
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tickets.csv"
    ...     _ = file.write_text("text,lang\\nwhere is it?,en\\nwo ist es?,de\\n")
    ...     plan = scan(file).filter(lambda row: row["lang"] == "en").keep(["text"])
    ...     made = plan.write(Path(folder) / "shards")
    ...     made.rows, [file.name for file in made.files], read(made.folder)[0]
    (1, ['part-00000-of-00001.parquet'], {'text': 'where is it?'})
    """
    if shard_bytes < 1:
        raise ConfigError(f"shard_bytes={shard_bytes}", allowed="1 or more")
    format, options = read_options(format, how)
    return Plan(path, format, options, schema, shard_bytes, ())


@dataclass(frozen=True, eq=False)
class Plan:
    """Files, and the verbs that are applied to their rows; `scan` makes one.

    The verbs are those of `Dataset`, as far as they look at one row, or one batch, at a time. Each
    returns a new plan.

    Attributes:
        path: of the files.
        format: how they are written, where their names do not say it.
        options: how they are read.
        schema: names and types of their rows, or None to have them found.
        shard_bytes: about how much of a file makes a shard.
        verbs: what is done to the rows, in order.
    """

    path: Place
    format: str | None
    options: ReadOptions
    schema: pa.Schema | None
    shard_bytes: int
    verbs: tuple[Verb, ...]

    def map(
        self, f: Callable[[Any], Any], *, batched: Batched = False, replace: bool = False
    ) -> Plan:
        """New columns from a function of each row or batch: `Dataset.map`.

        A batch lies in one shard, and has less than 1,000 rows at the end of about every 16 MB.
        """
        if batched not in BATCHES:
            raise ConfigError(
                f"map(batched={batched!r})", allowed=", ".join(repr(name) for name in BATCHES)
            )
        return self._then("map", f=f, batched=batched, replace=replace)

    def filter(self, keep: Callable[[dict[str, Any]], object] | pc.Expression) -> Plan:
        """The rows for which a function, or an Arrow expression, is true: `Dataset.filter`."""
        return self._then("filter", keep=keep)

    def tokenize(
        self, tokenizer: Encoder, *, column: str = "text", threads: int | None = None
    ) -> Plan:
        """Adds `ids`, the token ids of a text column: `Dataset.tokenize`."""
        return self._then("tokenize", tokenizer=tokenizer, column=column, threads=threads)

    def rename(self, names: Mapping[str, str]) -> Plan:
        """Columns under other names: `Dataset.rename`."""
        return self._then("rename", names=dict(names))

    def keep(self, columns: Sequence[str]) -> Plan:
        """Only these columns, in this order."""
        return self._then("keep", columns=list(columns))

    def drop(self, columns: Sequence[str]) -> Plan:
        """All columns but these."""
        return self._then("drop", columns=list(columns))

    def cast(self, types: Mapping[str, pa.DataType | str | Feature]) -> Plan:
        """Columns as other types: `Dataset.cast`."""
        return self._then("cast", types=dict(types))

    def write(
        self,
        to: str | Path,
        *,
        format: str = "parquet",
        engine: str = "local",
        workers: int | None = None,
        address: str | None = None,
    ) -> Shards:
        """Reads, works and writes: a folder of shards, which `read(to)` opens in order.

        The shards are the same, byte for byte, whoever writes them. One that a killed run has
        finished is not made again, while the files, the verbs and the code that they reach stay as
        they are. Shards without a row are left out.

        Args:
            to: the folder, which is new, empty, or of an earlier call.
            format: parquet or arrow.
            engine: `local`, or `ray` for a cluster (docs/shards.md).
            workers: how many tasks run at a time; if it is not said, 1 here, and on a cluster as
                many as it has processors.
            address: where the cluster is; without, the one that `ray.init` has connected to, or
                one of this machine that ends with the call.

        Raises:
            DataError: what `read` and the verbs refuse; rows of different shards that do not go
                together; or not one row is left.
            ConfigError: an unknown format or engine, or no cluster.
            OutputError: a folder that holds something else, or cannot be written.
            Whatever a function raises, with the place as a note.
        """
        _refuse_unknown("format of shards", format, FORMATS)
        _refuse_unknown("engine", engine, ENGINES)
        folder = Path(to).absolute()
        files = input_files(self.path, self.format, self.options)
        parts = self._key_parts(files, format)
        with held(folder):
            manifest, made = complete(folder, parts), 0
            if manifest is None:
                place, manifest = begin(folder, parts)
                if manifest is None:
                    job = self._job(files, format, place)
                    with ENGINES[engine](workers, address) as run:
                        told, schema, made = all_made(job, self.schema, run)
                    names = [shard_name(job, number) for number in range(len(job.inputs))]
                    said = ", ".join(f"{field.name}: {field.type}" for field in schema)
                    about = {"schema": said, "bad": left_out(job, told)}
                    manifest = finish(folder, parts, names, told, about)
                publish(folder, manifest)
        bad = self.options.bad_row
        if isinstance(bad, BadRows):
            add_bad_rows(bad, manifest)
            if manifest["bad"]["count"]:
                log.warning("%s: %s", self.path, bad)
        return opened(folder, manifest, made)

    def __getattr__(self, name: str) -> NoReturn:
        if name in _NEED_ALL_ROWS:
            raise ConfigError(
                f"{name}() needs all rows at once, and a plan sees one shard at a time",
                allowed="map, filter, tokenize, rename, keep, drop, cast",
                next_step=_NEED_ALL_ROWS[name],
            )
        raise AttributeError(f"a plan has no {name!r}")

    def _then(self, name: str, **arguments: Any) -> Plan:
        return replace(self, verbs=(*self.verbs, Verb(name, arguments)))

    def _key_parts(self, files: Sequence[Piece], format: str) -> dict[str, str]:
        """What the shards depend on, by name."""
        paths = [file.path for file in files]
        top = os.path.commonpath([path.parent for path in paths])
        states = {path: path.stat() for path in paths}
        listed = {
            os.path.relpath(file, top): f"{one.st_size} {one.st_mtime_ns}"
            for file, one in states.items()
        }
        options = replace(self.options, bad_row=refuse_row)
        strict = self.options.bad_row is refuse_row
        parts = {
            "format": format,
            "shard_bytes": str(self.shard_bytes),
            "number of files": str(len(files)),
            "bytes": str(sum(one.st_size for one in states.values())),
            "names and times of files": f"sha256:{key_of(listed)}",
            "bad rows": "an error" if strict else "left out",
            **reached(read_as=self.format, options=options, schema=self.schema),
        }
        for number, verb in enumerate(self.verbs, 1):
            for name, part in reached(**verb.arguments).items():
                common = name in ("Python", "Headway") or name.startswith("package ")
                parts[name if common else f"{number} {verb.name}, {name}"] = part
            parts[f"{number}"] = verb.name
        return parts

    def _job(self, files: Sequence[Piece], format: str, place: Path) -> Job:
        inputs = inputs_of(files, self.options, self.shard_bytes)
        bad = self.options.bad_row
        keep = bad.keep if isinstance(bad, BadRows) else None
        return Job(tuple(inputs), self.options, keep, self.verbs, format, place)


def _refuse_unknown(what: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        hint = nearest(name, known)
        raise ConfigError(
            f"no {what} {name!r}" + (f" ({hint})" if hint else ""), allowed=", ".join(known)
        )
