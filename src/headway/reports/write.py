"""What was measured becomes a folder's report.json, report.html and README.md."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headway.errors import OutputError
from headway.reports.card import card
from headway.reports.data_card import MARK, data_card
from headway.reports.data_page import data_page
from headway.reports.live import live_page
from headway.reports.page import page
from headway.reports.pictures import Picture
from headway.reports.plain import plain, printable, to_json

__all__ = ["write_data_report", "write_files", "write_live", "write_report"]


def write_report(report: dict[str, Any], folder: Path | str, *, name: str = "") -> None:
    """Writes the three files that explain a run; `folder` is made if it is not there.

    All three are made before the first is written, and each replaces its older self at once, so
    that nobody ever reads half a file.

    Args:
        report: what `headway adapt` measured; numpy numbers and arrays are welcome, NaN and
            infinity become null.
        folder: where the model lies.
        name: of the model on the card, or its path as the user writes it; "" = the folder's name.

    Raises:
        OutputError: the folder cannot be written.
    """
    folder = Path(folder)
    shown = printable(plain(report))
    files = {
        "report.json": to_json(report),
        "report.html": page(shown),
        "README.md": card(shown, name or folder.resolve().name or "model"),
    }
    write_files(files, folder)


def write_data_report(
    card: dict[str, Any], rows: Sequence[dict[str, Any]], folder: Path | str, *, name: str = "data"
) -> None:
    """Writes report.json, report.html and README.md, the data card, of a data set.

    A README.md that is there and was not written by this function is left alone, and refused.

    Args:
        card: from `headway.data.inspect`.
        rows: from `headway.data.inspection.row_sample`, to be read on the page.
        folder: made if it is not there.
        name: of the data set.

    Raises:
        OutputError: the folder cannot be written, or holds a README.md of somebody else.
    """
    folder = Path(folder)
    readme = folder / "README.md"
    if readme.is_file() and MARK not in readme.read_text("utf-8", errors="replace"):
        raise OutputError(
            f"{readme} is there and was not written by headway data inspect",
            next_step="choose another --out",
        )
    shown = printable(plain(card))
    name = printable(name)
    files = {
        "report.json": to_json(card),
        "report.html": data_page(shown, printable(plain(list(rows))), name),
        "README.md": data_card(shown, name),
    }
    write_files(files, folder)


def write_live(report: dict[str, Any], path: Path, pictures: Sequence[Picture] = ()) -> None:
    """Writes the page of a run on its way, all at once; its folder is made if it is not there.

    Args:
        report: as `live_page` takes it; NaN and infinity are shown as missing.
        path: of the page.
        pictures: as `live_pictures` draws them.

    Raises:
        OSError: it cannot be written; the old one is whole.
    """
    text = live_page(report, pictures)
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, text)


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Writes all files of a report, each at once: after a crash it is the old or the new one.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            _replace(folder / name, text)
    except OSError as error:
        raise OutputError(
            f"cannot write the report to {folder}: {error}", next_step="choose another --out"
        ) from error


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        with temporary.open("rb+") as file:  # the name must not lead to what is not on the disk yet
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
