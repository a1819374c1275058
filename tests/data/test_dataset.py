from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data import Dataset, Label
from headway.errors import ConfigError, DataError, InputError

from .helpers import texts

ROWS = [
    {"text": "one two", "label": "b", "n": 3},
    {"text": "three", "label": "a", "n": None},
    {"text": "", "label": "b", "n": 1},
    {"text": "ä漢", "label": "c", "n": 2},
]


@pytest.fixture
def data() -> Dataset:
    return Dataset.from_rows(ROWS, name="demo")


datasets = st.lists(
    st.fixed_dictionaries({"text": texts, "label": st.sampled_from("abc")}), min_size=1, max_size=40
).map(Dataset.from_rows)


def test_looking(data: Dataset) -> None:
    assert len(data) == 4
    assert data.column_names == ["text", "label", "n"]
    assert (data[0], data[-1]) == (ROWS[0], ROWS[3])
    assert list(data) == ROWS
    assert data["n"] == [3, None, 1, 2]
    assert data.column("text").type == pa.string()
    assert data.to_arrow().num_rows == 4
    assert data.to_numpy("label").tolist() == ["b", "a", "b", "c"]
    assert repr(data) == "Dataset('demo', 4 rows, text: string, label: string, n: int64)"


@pytest.mark.parametrize("row", [4, -5, 100])
def test_a_row_that_is_not_there(data: Dataset, row: int) -> None:
    with pytest.raises(IndexError, match=f"row {row} of a data set with 4 rows"):
        data[row]


@given(
    start=st.none() | st.integers(-6, 6),
    stop=st.none() | st.integers(-6, 6),
    step=st.sampled_from([None, 1, 2, -1, -3]),
)
def test_slices_are_those_of_lists(start: int | None, stop: int | None, step: int | None) -> None:
    part = Dataset.from_rows(ROWS, name="demo")[start:stop:step]
    assert list(part) == ROWS[start:stop:step]
    assert part.name == "demo"


@pytest.mark.parametrize(
    "use",
    [
        lambda d: d["txt"],
        lambda d: d.column("txt"),
        lambda d: d.to_numpy("txt"),
        lambda d: d.sort("txt"),
        lambda d: d.rename({"txt": "a"}),
        lambda d: d.keep(["txt"]),
        lambda d: d.drop(["txt"]),
        lambda d: d.deduplicate(["txt"]),
        lambda d: d.split(0.5, stratify="txt"),
        lambda d: d.tokenize(Letters(), column="txt"),
    ],
)
def test_a_column_that_is_not_there(data: Dataset, use: Any) -> None:
    with pytest.raises(DataError, match=r"no column 'txt' in demo \(did you mean 'text'\?\)"):
        use(data)


def test_pandas(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pytest.importorskip("pandas") and data.to_pandas()
    assert frame["label"].tolist() == ["b", "a", "b", "c"]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="pip install pandas"):
        data.to_pandas()


def test_numbers_leave_without_a_copy() -> None:
    column = pa.array(np.arange(1000))
    found = Dataset.from_columns({"n": column}).to_numpy("n")
    assert found.__array_interface__["data"][0] == column.buffers()[1].address


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="make no table"):
        Dataset.from_columns({"a": [1, 2], "b": [1]})


@pytest.mark.parametrize("columns", [{}, {"a": [1, "x"]}, {"a": [2**70]}])
def test_columns_that_are_none(columns: dict[str, list[object]]) -> None:
    with pytest.raises(DataError):
        Dataset.from_columns(columns)


def test_a_column_twice_is_refused() -> None:
    with pytest.raises(DataError, match="'a' stands in"):
        Dataset(pa.table([[1], [2]], names=["a", "a"]))


@given(data=datasets, seed=st.integers(0, 5))
def test_a_shuffle_is_a_permutation_that_the_seed_decides(data: Dataset, seed: int) -> None:
    shuffled = data.shuffle(seed=seed)
    assert Counter(map(str, shuffled)) == Counter(map(str, data))
    assert list(shuffled) == list(data.shuffle(seed=seed))


def test_another_seed_gives_another_order() -> None:
    data = Dataset.from_columns({"n": list(range(100))})
    orders = {tuple(data.shuffle(seed=seed)["n"]) for seed in range(5)}
    assert len(orders) == 5
    assert tuple(range(100)) not in orders


@given(data=datasets, chosen=st.data())
def test_select_of_select_is_one_select(data: Dataset, chosen: st.DataObject) -> None:
    row = st.integers(0, len(data) - 1)
    first = chosen.draw(st.lists(row, min_size=1, max_size=10))
    second = chosen.draw(st.lists(st.integers(0, len(first) - 1), max_size=10))
    both = data.select(first).select(second)
    assert list(both) == [data[first[i]] for i in second]
    assert both.column_names == data.column_names


@given(start=st.integers(0, 4), stop=st.integers(0, 4), step=st.sampled_from([1, 2, -1]))
def test_select_takes_ranges(start: int, stop: int, step: int) -> None:
    places = range(min(start, 3), stop, step)
    assert list(Dataset.from_rows(ROWS).select(places)) == [ROWS[i] for i in places]


@pytest.mark.parametrize("rows", [[4], [-1], np.array([0, 9]), range(2, 6)])
def test_selecting_rows_that_are_not_there(data: Dataset, rows: Any) -> None:
    with pytest.raises(IndexError, match="of a data set with 4 rows"):
        data.select(rows)


@given(data=datasets, descending=st.booleans())
def test_sort_is_stable(data: Dataset, descending: bool) -> None:
    expected = sorted(data, key=lambda row: row["label"], reverse=descending)
    if descending:  # sorted(reverse=True) keeps equal rows in order too
        assert [row["label"] for row in expected] == sorted(data["label"], reverse=True)
    assert list(data.sort("label", descending=descending)) == expected


def test_missing_values_sort_last_and_lists_not_at_all(data: Dataset) -> None:
    assert data.sort("n")["n"] == [1, 2, 3, None]
    assert data.sort("n", descending=True)["n"] == [3, 2, 1, None]
    with pytest.raises(DataError, match="has no order"):
        Dataset.from_columns({"a": [[1], [2]]}).sort("a")


@given(data=datasets)
def test_filter_keeps_order(data: Dataset) -> None:
    kept = data.filter(lambda row: row["label"] != "a")
    assert list(kept) == [row for row in data if row["label"] != "a"]


@given(
    data=datasets.filter(lambda d: len(d) >= 2), part=st.floats(0.05, 0.95), seed=st.integers(0, 3)
)
def test_split_cuts_every_row_into_one_of_two(data: Dataset, part: float, seed: int) -> None:
    numbered = data.map(lambda rows: {"row": range(len(rows["text"]))}, batched=True)
    rest, cut = numbered.split(part, seed=seed, stratify="label")
    assert sorted(rest["row"] + cut["row"]) == list(range(len(data)))
    assert rest["row"] == sorted(rest["row"])
    assert cut["row"] == sorted(cut["row"])
    assert len(cut) == min(max(round(part * len(data)), 1), len(data) - 1)
    again = numbered.split(part, seed=seed, stratify="label")[1]
    assert cut["row"] == again["row"]


@pytest.mark.parametrize("part", [0.0, 1.0, -0.1, 1.5, 0, 4, -1, 5])
def test_a_split_that_leaves_nothing(data: Dataset, part: float) -> None:
    with pytest.raises(ConfigError, match="leaves one part empty"):
        data.split(part)


def test_split_by_number_of_rows(data: Dataset) -> None:
    rest, cut = data.split(1)
    assert (len(rest), len(cut)) == (3, 1)


def test_concatenate(data: Dataset) -> None:
    turned = data.keep(["n", "text", "label"])
    both = data.concatenate(turned, data[:1])
    assert list(both) == [*ROWS, *ROWS, ROWS[0]]
    with pytest.raises(DataError, match="columns"):
        data.concatenate(data.drop(["n"]))
    with pytest.raises(DataError, match="changes its type"):
        data.concatenate(data.map(lambda row: {"n": "x"}))


def test_concatenate_whole_numbers_with_decimals() -> None:
    whole, decimal = (Dataset.from_columns({"n": values}) for values in ([1], [2.5]))
    assert whole.concatenate(decimal)["n"] == [1.0, 2.5]


def test_deduplicate() -> None:
    data = Dataset.from_rows([{"t": "a", "l": 1}, {"t": "a ", "l": 2}, {"t": "b", "l": 1}])
    assert data.deduplicate(["t"])["l"] == [1, 1]
    assert len(data.deduplicate()) == 3


def test_rename_keep_drop(data: Dataset) -> None:
    assert data.rename({"text": "sentence"}).column_names == ["sentence", "label", "n"]
    assert data.keep(["n", "text"]).column_names == ["n", "text"]
    assert data.drop(["n"]).column_names == ["text", "label"]
    with pytest.raises(DataError, match="more than once"):
        data.rename({"text": "label"})


def test_map_adds_and_replaces_columns(data: Dataset) -> None:
    made = data.map(lambda row: {"n": len(row["text"]), "upper": row["text"].upper()})
    assert made.column_names == ["text", "label", "n", "upper"]
    assert made["n"] == [7, 5, 0, 2]
    assert made["upper"] == ["ONE TWO", "THREE", "", "Ä漢"]
    assert data["n"] == [3, None, 1, 2]


@given(rows=st.integers(0, 2500))
def test_map_in_batches_is_map(rows: int) -> None:
    data = Dataset.from_columns({"n": pa.array(range(rows), pa.int64())})
    one = data.map(lambda row: {"twice": 2 * row["n"]})
    many = data.map(lambda batch: {"twice": [2 * n for n in batch["n"]]}, batched=True)
    assert list(one) == list(many) == ([{"n": n, "twice": 2 * n} for n in range(rows)])


def test_map_with_other_rows(data: Dataset) -> None:
    words = data.map(
        lambda batch: {"word": [w for text in batch["text"] for w in text.split()]},
        batched=True,
        replace=True,
    )
    assert list(words) == [{"word": w} for w in ("one", "two", "three", "ä漢")]
    assert data.map(lambda row: {"l": row["label"]}, replace=True).column_names == ["l"]


def test_types_that_are_known_late() -> None:
    data = Dataset.from_columns({"n": list(range(1500))})
    late = data.map(lambda row: {"m": None if row["n"] < 1200 else row["n"] / 2})
    assert late["m"][1199:1202] == [None, 600.0, 600.5]


@pytest.mark.parametrize(
    ("f", "options", "says"),
    [
        (lambda row: None, {}, "map() got NoneType"),
        (lambda row: [1], {"batched": True}, "map() got list"),
        (lambda batch: {"a": [1]}, {"batched": True}, "1 rows back for 4"),
        (lambda row: {}, {"replace": True}, "without columns"),
        (lambda rows: rows.append_column("n", rows["n"]), {"batched": "arrow"}, "named once"),
        (lambda rows: {"n": [1]}, {"batched": "numpy"}, "1 rows back for 4"),
        (lambda row: {"a": 1 if row["n"] else "x"}, {}, "make no table"),
    ],
)
def test_maps_that_make_no_columns(data: Dataset, f: Any, options: Any, says: str) -> None:
    with pytest.raises(DataError) as caught:
        data.map(f, **options)
    assert says in str(caught.value)


def test_batches_of_another_kind_are_refused(data: Dataset) -> None:
    with pytest.raises(ConfigError, match="batched='torch'"):
        data.map(lambda rows: rows, batched="torch")  # type: ignore[arg-type]


def test_batches_begin_at_multiples_of_a_thousand_whatever_the_chunks() -> None:
    parts = [Dataset.from_columns({"n": range(size)}) for size in (700, 1, 1800)]
    whole = parts[0].concatenate(*parts[1:])
    sizes: list[int] = []
    turned = whole.shuffle(seed=1)
    for data in (whole, turned):
        data.map(lambda rows: sizes.append(len(rows["n"])) or {}, batched=True)  # type: ignore[func-returns-value]
    assert sizes == [1000, 1000, 501] * 2


def test_filter_by_an_expression(data: Dataset) -> None:
    assert data.filter(pc.field("n") > 1)["n"] == [3, 2]
    assert data.filter(pc.field("label") == "b").filter(pc.field("text") == "")["n"] == [1]
    assert len(data.filter(pc.field("n") > 100)) == 0
    with pytest.raises(DataError, match=r"cannot use the expression.*from the columns text"):
        data.filter(pc.field("m") == 1)
    with pytest.raises(DataError, match="cannot use the expression"):
        data.filter(pc.field("n") == "x")


def test_cast(data: Dataset) -> None:
    assert data.cast({"n": pa.float32(), "label": "large_string"})["n"] == [3.0, None, 1.0, 2.0]
    named = data.map(lambda row: {"n": 1}).cast({"n": Label(("no", "yes"))})
    assert named["n"] == ["yes"] * 4
    with pytest.raises(DataError, match="row 1 holds 'three', which is no int64"):
        data.map(lambda row: {"text": row["text"].replace("one two", "12")}).cast({"text": "int64"})
    with pytest.raises(DataError, match="cannot become"):
        data.cast({"n": pa.list_(pa.int8())})
    with pytest.raises(ConfigError, match="no type 'whole'"):
        data.cast({"n": "whole"})
    with pytest.raises(DataError, match="no column 'm'"):
        data.cast({"m": "int8"})


def test_a_type_that_changes_between_batches() -> None:
    data = Dataset.from_columns({"n": list(range(1500))})
    with pytest.raises(DataError, match="changes its type"):
        data.map(lambda row: {"m": 1 if row["n"] < 1000 else "x"})


class Letters:
    """A tokenizer whose ids are code points, between 1 and 2."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def encode_arrow(self, array: pa.Array, /, *, special: bool = True) -> pa.RecordBatch:
        self.rows.append(len(array))
        edge = [[1], [2]] if special else [[], []]
        ids = [edge[0] + [ord(c) for c in text] + edge[1] for text in array.to_pylist()]
        return pa.record_batch({"ids": pa.array(ids, pa.list_(pa.int32()))})


def test_tokenize(data: Dataset) -> None:
    made = data.tokenize(Letters(), column="label")
    assert made.column("ids").type == pa.list_(pa.int32())
    assert made["ids"] == [[1, 98, 2], [1, 97, 2], [1, 98, 2], [1, 99, 2]]
    assert made.tokenize(Letters()).column_names == ["text", "label", "n", "ids"]


def test_tokenize_follows_slices_and_chunks(data: Dataset) -> None:
    part = data[1:3].concatenate(data[3:])
    assert part.tokenize(Letters())["ids"] == [[1, *map(ord, row["text"]), 2] for row in ROWS[1:]]


def test_a_long_chunk_is_tokenized_in_pieces() -> None:
    tokenizer = Letters()
    data = Dataset.from_columns({"text": ["a"] * 70_000}).tokenize(tokenizer)
    assert tokenizer.rows == [65_536, 4_464]
    assert len(data) == 70_000


@pytest.mark.parametrize(
    ("column", "says"), [("n", "is int64"), ("gap", "no text in 2 rows, the first is row 1")]
)
def test_what_cannot_be_tokenized(data: Dataset, column: str, says: str) -> None:
    data = data.map(lambda batch: {"gap": ["x", None, None, "y"]}, batched=True)
    with pytest.raises(DataError, match=says):
        data.tokenize(Letters(), column=column)


def test_no_rows_at_all(data: Dataset) -> None:
    none = data[:0]
    assert (len(none), list(none), none["text"]) == (0, [], [])
    assert none.shuffle().column_names == data.column_names
    assert len(none.deduplicate()) == len(none.filter(lambda row: True)) == 0
    assert none.tokenize(Letters()).column_names[-1] == "ids"
    assert none.fingerprint != data.fingerprint
