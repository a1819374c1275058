"""One line to read rows: a file, a folder, a pattern of names, or a data set's name on a hub."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from headway.data.badrows import BadRows
from headway.data.dataset import Dataset
from headway.data.features import Feature
from headway.data.formats.compression import MAX_EXPANSION
from headway.data.formats.recipes import Recipe
from headway.data.reading.files import FORMATS
from headway.data.reading.find import Place, find_sources
from headway.data.reading.options import read_options
from headway.data.reading.sources import Source, read_source
from headway.logs import log

__all__ = ["FORMATS", "read"]


def read(
    path: Place,
    *,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool | None = None,
    delimiter: str | None = None,
    quoting: bool | None = None,
    field: str | None = None,
    sample_by: str | None = None,
    recipe: Recipe | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    max_expansion: float = MAX_EXPANSION,
    features: Mapping[str, Feature] | str | os.PathLike[str] | None = None,
    bad_rows: BadRows | None = None,
) -> Dataset | dict[str, Dataset]:
    """One data set; or a dict with train, validation and test, where the names of files say so.

    - A file is one data set. Its suffix says the format.
    - A folder or a pattern such as `"news-*.csv"` is read by the names in it: files or subfolders
      called train, valid, val, dev, validation or test become splits, and several files of one
      split follow each other in the order of their names. Where no name says a split, all files
      are one data set.
    - A list of files is one data set, in the order of the list and whatever the files are called.
    - A folder of class folders, `<label>/<file>.txt`, has columns text, label and file; it may
      stand inside `train/` and `test/`.
    - XML, and files of which line n of each makes row n, need a `recipe`.
    - A file of text may be compressed: `news.jsonl.gz`, and so with .bz2, .xz and .zst.
    - `pkg:NAME` and `hf://datasets/ORG/NAME` are data sets that `headway.hub` has on this machine.

    Nothing in the files is ever executed, and no format here can hold code.

    Args:
        path: a file, a folder, a pattern, a name, or a list of them.
        format: csv, tsv, jsonl, json, squad, txt, marked (entities between tags: `<PER>Ada</PER>`),
            labelled-lines (the first word of a line is its label), conll, parquet, arrow, xml,
            parallel or folder, where the name does not say.
        encoding: any text codec of Python; `latin-1` takes every byte.
        header: csv and tsv: whether the first line names the columns. By default that is guessed
            from its cells; without a header the columns are column_1, column_2, ...
        delimiter: csv and tsv: what stands between cells.
        quoting: csv and tsv: whether cells may stand in double quotes; csv yes, tsv no.
        field: json: which list of the object holds the rows.
        sample_by: txt: what makes a row: `line`, which is the default, `paragraph` (what stands
            between blank lines) or `document` (the whole file).
        recipe: xml and parallel: what is a row and what is a column, as `Recipe` says, or the path
            of a .toml or .json file that says it. It names the format too.
        max_expansion: how many times larger than a compressed file its contents may be, which
            stops a small file that would fill the memory; 16 MB are always allowed.
        features: what columns hold, such as `{"label": Label(("neg", "pos")), "words":
            Sequence(Text())}` (`headway.data.features`), or the path of a .toml or .json file that
            says it (`headway.data.reading.featurefiles`); every value is checked and converted.
        bad_rows: `BadRows()` leaves out rows that cannot be read, counts them and keeps the first
            few with file, line, column and value; without it the first bad row is an error.

    Raises:
        DataError: a missing, empty or broken file, with the line and what to do.
        ConfigError: an unknown format, or an option that the format does not have.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tickets.csv"
    ...     _ = file.write_text("text,label\\nwhere is it?,delivery\\n")
    ...     read(file)[0]
    {'text': 'where is it?', 'label': 'delivery'}
    """
    format, options = read_options(
        format,
        {
            "encoding": encoding,
            "header": header,
            "delimiter": delimiter,
            "quoting": quoting,
            "field": field,
            "sample_by": sample_by,
            "recipe": recipe,
            "max_expansion": max_expansion,
            "features": features,
            "bad_rows": bad_rows,
        },
    )
    found = find_sources(path, format, options)
    if isinstance(found, Source):
        data: Dataset | dict[str, Dataset] = read_source(found, options)
    else:
        data = {split: read_source(source, options) for split, source in found.items()}
    if bad_rows is not None and bad_rows.count:
        log.warning("%s: %s", path, bad_rows)
    return data
