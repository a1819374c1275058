"""A folder of class folders: `<label>/<file>.txt`, one file a row."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from headway.data.formats.source import ReadOptions, text_buffer
from headway.data.reading.compression import without_compression
from headway.data.reading.layout import visible
from headway.errors import DataError
from headway.logs import log

__all__ = ["class_folders", "read_folder"]


def class_folders(path: Path) -> list[Path]:
    """The folders right under `path` that hold .txt files, sorted; hidden ones are left out."""
    folders = [one for one in visible(path.iterdir()) if one.is_dir()]
    return [folder for folder in folders if any(_texts(folder))]


def read_folder(path: Path, options: ReadOptions) -> pa.Table:
    r"""Columns `text`, `label` (the folder's name) and `file` (`label/name.txt`), sorted by file.

    A text keeps its spaces; `\r\n` becomes `\n`. An empty file is an empty text.

    Raises:
        DataError: no class folders, or a file that is not text in this encoding.
    """
    folders = class_folders(path)
    if not folders:
        raise DataError(
            f"{path} has no folders with .txt files",
            allowed="<label>/<name>.txt, one folder for a label and one file for a text",
            next_step="check the folder, or name a file in it",
        )
    texts, labels, files = [], [], []
    for folder in folders:
        for file in sorted(_texts(folder)):
            buffer = text_buffer(file, options, empty_allowed=True)
            texts.append(buffer.to_pybytes().decode().replace("\r\n", "\n"))
            labels.append(folder.name)
            files.append(f"{folder.name}/{file.name}")
    if len(folders) == 1:
        log.warning("%s holds one class folder only, %r", path, folders[0].name)
    try:
        return pa.table({"text": texts, "label": labels, "file": files})
    except UnicodeEncodeError:
        raise DataError(
            f"{path}: a folder or file name in it is not UTF-8",
            allowed="names that are text",
            next_step="rename it",
        ) from None


def _texts(folder: Path) -> list[Path]:
    files = folder.iterdir()
    return [
        f
        for f in files
        if without_compression(f).suffix.lower() == ".txt"
        and not f.name.startswith(".")
        and f.is_file()
    ]
