"""A folder of class folders: `<label>/<file>.txt`, one file a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from headway.data.formats.compression import without_compression
from headway.data.formats.parts import BLOCK_BYTES, Part, Parts
from headway.data.formats.source import ReadOptions, text_buffer
from headway.data.reading.layout import visible
from headway.errors import DataError
from headway.logs import log

__all__ = ["FOLDER", "class_folders", "read_folder", "texts_in"]


def class_folders(path: Path) -> list[Path]:
    """The folders right under `path` that hold .txt files, sorted; hidden ones are left out."""
    folders = [one for one in visible(path.iterdir()) if one.is_dir()]
    return [folder for folder in folders if any(_texts(folder))]


def texts_in(folder: Path) -> list[Path]:
    """The .txt files right in a folder, sorted."""
    return sorted(_texts(folder))


def read_folder(path: Path, options: ReadOptions) -> pa.Table:
    r"""Columns `text`, `label` (the folder's name) and `file` (`label/name.txt`), sorted by file.

    A text keeps its spaces; `\r\n` becomes `\n`. An empty file is an empty text.

    Raises:
        DataError: no class folders, or a file that is not text in this encoding.
    """
    return pa.concat_tables([part.table for part in _parts(path, options, None)])


def _parts(path: Path, options: ReadOptions, known: pa.Schema | None) -> Iterator[Part]:
    """Some megabytes of texts at a time."""
    folders = class_folders(path)
    if not folders:
        raise DataError(
            f"{path} has no folders with .txt files",
            allowed="<label>/<name>.txt, one folder for a label and one file for a text",
            next_step="check the folder, or name a file in it",
        )
    if len(folders) == 1:
        log.warning("%s holds one class folder only, %r", path, folders[0].name)
    rows, size = list[tuple[str, str, str]](), 0
    for folder in folders:
        for file in texts_in(folder):
            content = text_buffer(file, options, empty_allowed=True).to_pybytes()
            text = content.decode().replace("\r\n", "\n")
            rows.append((text, folder.name, f"{folder.name}/{file.name}"))
            size += len(content)
            if size >= BLOCK_BYTES:
                yield _part(path, rows)
                rows, size = [], 0
    if rows:
        yield _part(path, rows)


def _part(path: Path, rows: list[tuple[str, str, str]]) -> Part:
    names = ("text", "label", "file")
    try:
        table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    except UnicodeEncodeError:
        raise DataError(
            f"{path}: a folder or file name in it is not UTF-8",
            allowed="names that are text",
            next_step="rename it",
        ) from None
    return Part(table, len(rows))


def _texts(folder: Path) -> list[Path]:
    files = folder.iterdir()
    return [
        f
        for f in files
        if without_compression(f).suffix.lower() == ".txt"
        and not f.name.startswith(".")
        and f.is_file()
    ]


FOLDER = Parts(_parts, lambda a, b: a)
