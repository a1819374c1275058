"""Which feature the values of each column seem to be, to be looked at or given to `read`."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from headway.data import compute as pc
from headway.data.columns import is_label, is_wordy
from headway.data.dataset import Dataset
from headway.data.features import (
    Feature,
    Image,
    Label,
    Number,
    Sequence,
    Spans,
    Text,
    is_image,
    is_list,
    is_number,
    is_struct,
)
from headway.data.tables import is_text
from headway.errors import DataError

__all__ = ["describe_features", "infer_features"]

_SAMPLE = 100


def infer_features(data: Dataset) -> dict[str, Feature]:
    """What the columns seem to hold. Text that repeats few values is a label, as in `Columns`.

    >>> data = Dataset.from_columns({"text": ["a b c", "d e f", "g h"], "topic": ["x", "y", "x"]})
    >>> print(describe_features(infer_features(data)))
    text: text
    topic: label, 2 names: x, y

    Raises:
        DataError: a column of a type that no feature is for, such as dates.
    """
    return {name: _inferred(name, data.column(name), data) for name in data.column_names}


def describe_features(features: Mapping[str, Feature]) -> str:
    """One line a column, for people."""
    return "\n".join(f"{name}: {feature}" for name, feature in features.items())


def _inferred(name: str, column: pa.ChunkedArray, data: Dataset) -> Feature:
    kind = column.type
    if is_text(kind):
        if is_label(column) and not is_wordy(column):
            return Label(tuple(sorted(pc.unique(column).drop_null().to_pylist())))
        return Text()
    if is_number(kind):
        return Number(whole=not pa.types.is_floating(kind))
    if is_list(kind):
        inner = kind.value_type
        if is_struct(inner) and {"start", "end"} <= {one.name for one in inner}:
            texts = [n for n in data.column_names if is_text(data.column(n).type)]
            if texts:
                return Spans("text" if "text" in texts else texts[0])
        return Sequence(_inferred(name, pc.list_flatten(column), data))
    image = is_struct(kind) and "bytes" in [one.name for one in kind]
    if image or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        found = pc.struct_field(column, "bytes") if image else column
        sample = found.slice(0, _SAMPLE).drop_null()
        if all(is_image(value) for value in pc.binary_slice(sample, 0, 12).to_pylist()):
            return Image()
    if pa.types.is_null(kind):
        return Text()
    raise DataError(
        f"column {name!r} holds {kind}, for which there is no feature",
        allowed="text, numbers, lists of them, spans and images",
        next_step="drop() the column, or map() it to one of these",
    )
