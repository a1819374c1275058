"""What the values of a column mean: text, a label with names, a sequence, spans, an image.

A feature is given to `read`, which then checks and converts every value, or inferred from a data
set to be looked at. Arrow types say how values are stored; features say what they may be.

feature  | stored as                                    | taken from
Text     | string                                       | text, numbers
Number   | int64 or double                              | numbers, text that is one
Label    | string, one of the names                     | text, or places in the list of names
Sequence | list of what is inside                       | lists
Spans    | list<struct<start: int32, end: int32, label: string>> | lists of such objects
Image    | binary, a whole file                         | bytes, or the hub's {bytes, path}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from headway.data import compute as pc
from headway.data.badrows import BadRow, refuse_row, shown
from headway.data.tables import is_text
from headway.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Feature",
    "Image",
    "Label",
    "Number",
    "Sequence",
    "Spans",
    "Text",
    "apply_features",
    "form_of",
    "is_image",
    "is_list",
    "is_number",
    "is_struct",
]

_NUMBERS = {
    pa.int64(): r"^[-+]?[0-9]{1,19}$",
    pa.float64(): r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$",
}
_SPAN = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("label", pa.string())])
# The first bytes of image files
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")

if TYPE_CHECKING:
    Bad = npt.NDArray[np.bool_]  # True where a value is not what the feature allows


class Feature(Protocol):
    """What values may be."""

    def convert(self, array: pa.Array, rows: pa.RecordBatch) -> tuple[pa.Array, Bad]:
        """The values as they are stored, and which of them are wrong; missing ones never are.

        Raises:
            TypeError: no value of this Arrow type can be one; the message says what could.
        """


@dataclass(frozen=True, slots=True)
class Text:
    """Text; numbers become their digits."""

    def convert(self, array: pa.Array, rows: pa.RecordBatch) -> tuple[pa.Array, Bad]:
        """`string`."""
        if not (is_text(array.type) or is_number(array.type) or pa.types.is_null(array.type)):
            raise TypeError("text or numbers")
        wide = pa.types.is_large_string(array.type)
        return (array if wide else array.cast(pa.string())), _none_of(array)

    def __str__(self) -> str:
        return "text"


@dataclass(frozen=True, slots=True)
class Number:
    """Whole numbers of 64 bits, or decimals.

    whole: whether all numbers are whole.
    """

    whole: bool = False

    def convert(self, array: pa.Array, rows: pa.RecordBatch) -> tuple[pa.Array, Bad]:
        """`int64` or `double`; text is read as a number, and an empty text is a missing one."""
        kind = pa.int64() if self.whole else pa.float64()
        if is_text(array.type):
            array = pc.if_else(pc.equal(array, ""), pa.scalar(None, array.type), array)
            good = pc.match_substring_regex(array, _NUMBERS[kind])
        elif is_number(array.type) or pa.types.is_null(array.type):
            good = pc.equal(array, pc.floor(array)) if self.whole else pc.is_valid(array)
        else:
            raise TypeError("numbers, or text that is one")
        bad = _false(good)
        array = array.filter(pa.array(~bad)) if bad.any() else array
        try:
            converted = array.cast(kind)
        except pa.ArrowInvalid as error:
            raise TypeError(f"numbers that fit in 64 bits ({error})") from error
        if bad.any():
            places = np.cumsum(~bad) - 1
            converted = converted.take(pa.array(places, mask=bad))
        return converted, bad

    def __str__(self) -> str:
        return "whole number" if self.whole else "number"


@dataclass(frozen=True, slots=True)
class Label:
    """One of some names.

    names: all of them. Where none is a number, a number in the data is a place in this list,
        from 0.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        if not self.names or len(set(self.names)) < len(self.names):
            raise ConfigError(f"labels {self.names!r}", allowed="at least one name, none twice")

    def convert(self, array: pa.Array, rows: pa.RecordBatch) -> tuple[pa.Array, Bad]:
        """`string`: the names."""
        if pa.types.is_boolean(array.type):
            array = array.cast(pa.int8())
        kind = array.type
        if not (is_text(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
            raise TypeError("names of labels, or whole numbers that are places in their list")
        array = array.cast(pa.string())
        names = pa.array(self.names, pa.string())
        known = pc.is_in(array, value_set=names)
        if not any(name.isdecimal() for name in self.names):  # else a number is a name
            places = pc.index_in(array, pa.array(map(str, range(len(names))), pa.string()))
            array = pc.if_else(known, array, pc.coalesce(names.take(places), array))
            known = pc.or_(known, pc.is_valid(places))
        return array, _false(pc.or_(known, pc.is_null(array)))

    def __str__(self) -> str:
        few = ", ".join(self.names[:10])
        return f"label, {len(self.names)} names: {few}{', ...' if len(self.names) > 10 else ''}"


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of values of one feature, such as tokens or their tags.

    of: what is in the list.
    """

    of: Feature

    def convert(self, array: pa.Array, rows: pa.RecordBatch) -> tuple[pa.Array, Bad]:
        """A list of what `of` makes; it is wrong where a value in it is."""
        if pa.types.is_null(array.type):
            array = array.cast(pa.list_(pa.null()))
        if not is_list(array.type):
            raise TypeError(f"lists of {self.of}")
        inside, wrong = self.of.convert(array.flatten(), rows)
        bad = np.zeros(len(array), dtype=bool)
        bad[np.asarray(pc.list_parent_indices(array))[wrong]] = True
        return _relisted(array, inside), bad

    def __str__(self) -> str:
        return f"sequence of {self.of}"


@dataclass(frozen=True, slots=True)
class Spans:
    """Stretches of a text, in characters: `text[start:end]`, with a label or without.

    text: the column with the text, against whose length they are checked.
    labels: the names allowed; none means any.
    """

    text: str
    labels: tuple[str, ...] = ()

    def convert(self, array: pa.Array, rows: pa.RecordBatch) -> tuple[pa.Array, Bad]:
        """Lists of {start, end, label}; wrong where one does not lie in the text of its row."""
        if pa.types.is_null(array.type):
            array = array.cast(pa.list_(_SPAN))
        kind = array.type
        inner = kind.value_type if is_list(kind) else None
        names = [one.name for one in inner] if inner is not None and is_struct(inner) else []
        if not {"start", "end"} <= set(names) <= {"start", "end", "label"}:
            raise TypeError("lists of objects with start, end and perhaps label")
        if self.text not in rows.schema.names:
            raise ConfigError(
                f"spans of a column {self.text!r} that is not there",
                allowed=", ".join(rows.schema.names),
            )
        spans = array.flatten()
        start, end = (pc.struct_field(spans, name) for name in ("start", "end"))
        if not (pa.types.is_integer(start.type) and pa.types.is_integer(end.type)):
            raise TypeError("lists of objects whose start and end are whole numbers")
        label = pc.struct_field(spans, "label") if "label" in names else pa.nulls(len(spans))
        label = label.cast(pa.string())
        parents = pc.list_parent_indices(array)
        length = pc.utf8_length(rows.column(self.text)).cast(pa.int64()).take(parents)
        good = pc.and_(pc.less_equal(0, start), pc.less_equal(start, end))
        good = pc.fill_null(pc.and_(good, pc.less_equal(end, length)), False)
        if self.labels:
            good = pc.and_(good, pc.is_in(label, value_set=pa.array(self.labels, pa.string())))
        wrong = _false(good)
        bad = np.zeros(len(array), dtype=bool)
        bad[np.asarray(parents)[wrong]] = True
        nothing = pa.scalar(None, pa.int32())
        ends = [pc.if_else(good, one, 0).cast(pa.int32()) for one in (start, end)]
        ends = [pc.if_else(good, one, nothing) for one in ends]
        inside = pa.StructArray.from_arrays([*ends, label], fields=list(_SPAN))
        return _relisted(array, inside), bad

    def __str__(self) -> str:
        return f"spans of {self.text!r}" + (f": {', '.join(self.labels)}" if self.labels else "")


@dataclass(frozen=True, slots=True)
class Image:
    """The bytes of an image file: PNG, JPEG, GIF, BMP, TIFF or WebP. They are not decoded."""

    def convert(self, array: pa.Array, rows: pa.RecordBatch) -> tuple[pa.Array, Bad]:
        """`binary`."""
        if is_struct(array.type) and "bytes" in [one.name for one in array.type]:
            array = pc.struct_field(array, "bytes")
        if pa.types.is_null(array.type):
            array = array.cast(pa.binary())
        if not (pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)):
            raise TypeError("the bytes of image files")
        heads = pc.binary_slice(array, 0, 12).to_pylist()
        bad = np.array([head is not None and not is_image(head) for head in heads], dtype=bool)
        return array, bad

    def __str__(self) -> str:
        return "image"


def form_of(feature: Feature) -> Any:
    """A feature as a file of features has it, which `load_features` reads.

    >>> form_of(Sequence(Label(("O", "PER"))))
    {'sequence': {'label': ['O', 'PER']}}
    """
    match feature:
        case Label(names):
            return {"label": list(names)}
        case Sequence(of):
            return {"sequence": form_of(of)}
        case Spans(text, labels):
            return {"spans": text} | ({"labels": list(labels)} if labels else {})
    return str(feature)


def apply_features(
    table: pa.Table,
    features: Mapping[str, Feature],
    *,
    file: str,
    bad_row: Callable[[BadRow], None] = refuse_row,
    before: int = 0,
) -> pa.Table:
    """The table with every value of these columns checked and stored as its feature says.

    Args:
        table: the rows.
        features: for some or all columns, what they hold.
        file: where the rows come from, for messages.
        bad_row: told of rows with a wrong value; where it returns, they are left out.
        before: how many rows of the file come before the table, to number its rows.

    Raises:
        DataError: a column that is not there, or one of a type that cannot hold the feature.

    >>> table = pa.table({"text": ["good", "bad"], "label": [1, 0]})
    >>> features = {"label": Label(("negative", "positive"))}
    >>> apply_features(table, features, file="demo")["label"].to_pylist()
    ['positive', 'negative']
    """
    for name in features:
        if name not in table.column_names:
            hint = nearest(name, table.column_names)
            raise DataError(
                f"{file} has no column {name!r}" + (f" ({hint})" if hint else ""),
                allowed=", ".join(table.column_names),
            )
    done: list[pa.Table] = []
    rows = before
    for batch in table.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]:
        done.append(_applied(batch, features, file, rows, bad_row))
        rows += batch.num_rows
    return pa.concat_tables(done, promote_options="permissive")


def _applied(
    batch: pa.RecordBatch,
    features: Mapping[str, Feature],
    file: str,
    before: int,
    bad_row: Callable[[BadRow], None],
) -> pa.Table:
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    wrong: dict[int, str] = {}
    for name, feature in features.items():
        given = columns[name]
        try:
            columns[name], bad = feature.convert(given, batch)
        except TypeError as error:
            raise DataError(
                f"{file}: column {name!r} holds {given.type}, which cannot be {feature}",
                allowed=str(error),
            ) from error
        for place in np.flatnonzero(bad).tolist():
            wrong.setdefault(place, name)
    for row in sorted(wrong):
        name = wrong[row]
        value = shown(batch.column(name)[row].as_py())
        problem = f"{value} is not {features[name]}"
        bad_row(BadRow(file, before + row + 1, name, value, problem, unit="row"))
    made = pa.table(columns)
    if not wrong:
        return made
    keep = np.ones(batch.num_rows, dtype=bool)
    keep[list(wrong)] = False
    return made.filter(pa.array(keep))


def is_image(head: bytes) -> bool:
    """Whether bytes are the first twelve of an image file."""
    return head.startswith(_IMAGES) and (head[:4] != b"RIFF" or head[8:12] == b"WEBP")


def _relisted(lists: pa.Array, inside: pa.Array) -> pa.Array:
    """The same lists of other values."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    offsets = np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))])
    large = pa.types.is_large_list(lists.type)
    make, kind = (pa.LargeListArray, pa.int64()) if large else (pa.ListArray, pa.int32())
    mask = lists.is_null() if lists.null_count else None
    return make.from_arrays(pa.array(offsets, kind), inside, mask=mask)


def _false(good: pa.Array) -> Bad:
    """Where a condition is false; where it is missing, so is the value."""
    return np.asarray(pc.invert(pc.fill_null(good, True)))


def _none_of(array: pa.Array) -> Bad:
    return np.zeros(len(array), dtype=bool)


def is_number(kind: pa.DataType) -> bool:
    """Whether a type is one of whole numbers or decimals."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is one of lists."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def is_struct(kind: pa.DataType) -> bool:
    """Whether a type is one of objects."""
    return bool(pa.types.is_struct(kind))
