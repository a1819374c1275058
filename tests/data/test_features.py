from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data import (
    BadRows,
    Dataset,
    Image,
    Label,
    Number,
    Sequence,
    Spans,
    Text,
    apply_features,
    describe_features,
    infer_features,
)
from headway.data.features import form_of
from headway.data.reading.featurefiles import load_features
from headway.errors import ConfigError, DataError

from .helpers import one, read_bytes

PNG = b"\x89PNG\r\n\x1a\n and so on"
SPAN = {"start": 1, "end": 3, "label": "x"}


@pytest.mark.parametrize(
    ("feature", "values", "stored", "kind"),
    [
        (Text(), ["a", None, ""], ["a", None, ""], pa.string()),
        (Text(), [1, None], ["1", None], pa.string()),
        (Text(), [None, None], [None, None], pa.string()),
        (Number(), ["1", "2.5", "", None], [1.0, 2.5, None, None], pa.float64()),
        (Number(whole=True), ["007", "-3"], [7, -3], pa.int64()),
        (Number(whole=True), [1.0, None], [1, None], pa.int64()),
        (Number(), [1, 2], [1.0, 2.0], pa.float64()),
        (Label(("no", "yes")), [1, 0, None], ["yes", "no", None], pa.string()),
        (Label(("no", "yes")), [True, False], ["yes", "no"], pa.string()),
        (Label(("no", "yes")), ["yes", None], ["yes", None], pa.string()),
        (Label(("3", "1", "2")), [1, 2, 3], ["1", "2", "3"], pa.string()),
        (Label(("no", "yes")), ["1", "no", "0"], ["yes", "no", "no"], pa.string()),
        (Sequence(Text()), [["a", None], [], None], [["a", None], [], None], pa.list_(pa.string())),
        (Sequence(Label(("O", "B"))), [[0, 1], [1]], [["O", "B"], ["B"]], pa.list_(pa.string())),
        (
            Sequence(Sequence(Number(whole=True))),
            [[["1"], []], []],
            [[[1], []], []],
            pa.list_(pa.list_(pa.int64())),
        ),
        (Image(), [PNG, None], [PNG, None], pa.binary()),
        (Image(), [{"bytes": PNG, "path": "a.png"}, None], [PNG, None], pa.binary()),
    ],
)
def test_values_as_they_are_stored(
    feature: Any, values: list[Any], stored: list[Any], kind: pa.DataType
) -> None:
    table = apply_features(pa.table({"c": pa.array(values)}), {"c": feature}, file="f")
    assert table["c"].to_pylist() == stored
    assert table["c"].type == kind


@pytest.mark.parametrize(
    ("feature", "values", "row"),
    [
        (Number(), ["1", "one", "3"], 2),
        (Number(whole=True), ["1", "2.0"], 2),
        (Number(whole=True), [1.0, 2.5], 2),
        (Label(("no", "yes")), ["yes", "maybe"], 2),
        (Label(("no", "yes")), [2, 0], 1),
        (Label(("1", "2")), [1, 0], 2),
        (Label(("no", "yes")), [0, -1], 2),
        (Sequence(Label(("O", "B"))), [["O"], ["B", "I"], []], 2),
        (Image(), [PNG, b"RIFF1234WAVE"], 2),
    ],
)
def test_a_wrong_value_is_named_or_left_out(feature: Any, values: list[Any], row: int) -> None:
    table = pa.table({"c": pa.array(values), "n": list(range(len(values)))})
    with pytest.raises(DataError) as caught:
        apply_features(table, {"c": feature}, file="f.csv")
    assert f"f.csv row {row}, column 'c': {str(ascii(values[row - 1]))[:30]}" in str(caught.value)
    bad = BadRows()
    kept = apply_features(table, {"c": feature}, file="f.csv", bad_row=bad)
    assert kept["n"].to_pylist() == [n for n in range(len(values)) if n != row - 1]
    assert (bad.count, bad.first[0].line, bad.first[0].column) == (1, row, "c")


@pytest.mark.parametrize(
    ("feature", "values"),
    [
        (Text(), [["a"]]),
        (Text(), [b"a"]),
        (Number(), [["a"]]),
        (Number(whole=True), ["9" * 19]),
        (Label(("a",)), [1.5]),
        (Sequence(Text()), ["a"]),
        (Spans("t"), ["a"]),
        (Spans("t"), [[{"start": 1}]]),
        (Spans("t"), [[{"start": "a", "end": "b"}]]),
        (Image(), ["a"]),
    ],
)
def test_a_column_that_cannot_be_it(feature: Any, values: list[Any]) -> None:
    table = pa.table({"t": ["x"] * len(values), "c": pa.array(values)})
    with pytest.raises(DataError, match=r"f: column 'c' holds .*, which cannot be"):
        apply_features(table, {"c": feature}, file="f")


def test_columns_and_labels_that_are_none() -> None:
    with pytest.raises(DataError, match=r"no column 'labl'.*did you mean 'label'"):
        apply_features(pa.table({"label": ["a"]}), {"labl": Text()}, file="f")
    for names in ((), ("a", "a")):
        with pytest.raises(ConfigError, match="labels"):
            Label(names)
    spans = pa.table({"c": pa.array([[SPAN]])})
    with pytest.raises(ConfigError, match="a column 't' that is not there"):
        apply_features(spans, {"c": Spans("t")}, file="f")


@given(
    rows=st.lists(
        st.tuples(
            st.text(st.sampled_from("aé漢\U0001f600"), max_size=5),
            st.lists(
                st.tuples(
                    st.none() | st.integers(-1, 6), st.integers(-1, 6), st.sampled_from("xyz")
                ),
                max_size=3,
            ),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_spans_lie_in_their_text(rows: list[tuple[str, list[Any]]]) -> None:
    spans = [[dict(zip(SPAN, one, strict=True)) for one in found] for _, found in rows]
    kind = pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64()), ("label", pa.string())]))
    table = pa.table({"text": [text for text, _ in rows], "spans": pa.array(spans, kind)})
    bad = BadRows()
    kept = apply_features(
        table, {"spans": Spans("text", ("x", "y"))}, file="f", bad_row=bad
    ).to_pylist()
    expected = [
        {"text": text, "spans": found}
        for (text, _), found in zip(rows, spans, strict=True)
        if all(
            s["start"] is not None
            and 0 <= s["start"] <= s["end"] <= len(text)
            and s["label"] in "xy"
            for s in found
        )
    ]
    assert kept == expected
    assert bad.count == len(rows) - len(expected)


def test_slices_and_chunks_change_nothing() -> None:
    values = [["a", "b"], None, ["c"], [], ["d", "x"]]
    whole = pa.table({"c": pa.array(values)})
    pieces = pa.concat_tables([whole.slice(0, 2), whole.slice(2)]).slice(1)
    bad = BadRows()
    kept = apply_features(pieces, {"c": Sequence(Label(tuple("abcd")))}, file="f", bad_row=bad)
    assert kept["c"].to_pylist() == [None, ["c"], []]
    assert bad.first[0].line == 4


def test_what_is_inferred_says_so_and_changes_nothing() -> None:
    data = Dataset.from_columns(
        {
            "text": ["a film to see", "not this one", "a second time", "never again, no"],
            "label": ["pos", "neg", "pos", "neg"],
            "n": [1, 2, 3, 4],
            "score": [0.5, 1.0, 2.0, 3.0],
            "tokens": [["a", "b"], ["c"], [], ["d", "e"]],
            "tags": [["O", "B"], ["O"], ["B"], ["O", "B"]],
            "spans": [[{"start": 0, "end": 1, "label": "x"}], [], [], []],
            "image": [PNG] * 4,
            "nothing": [None] * 4,
        }
    )
    features = infer_features(data)
    assert describe_features(features).splitlines() == [
        "text: text",
        "label: label, 2 names: neg, pos",
        "n: whole number",
        "score: number",
        "tokens: sequence of text",
        "tags: sequence of label, 2 names: B, O",
        "spans: spans of 'text'",
        "image: image",
        "nothing: text",
    ]
    applied = apply_features(data.to_arrow(), features, file="f")
    assert applied.to_pylist() == list(data)
    with pytest.raises(DataError, match="column 'on' holds date32"):
        infer_features(Dataset(pa.table({"on": pa.array([1], pa.date32())})))


def test_read_takes_them(tmp_path: Path) -> None:
    content = b"text,label,n\n1.50,1,2\nb,3,x\nc,0,3\n"
    features = {"text": Text(), "label": Label(("no", "yes")), "n": Number(whole=True)}
    bad = BadRows()
    data = read_bytes(content, "a.csv", features=features, bad_rows=bad)
    assert list(data) == [
        {"text": "1.50", "label": "yes", "n": 2},
        {"text": "c", "label": "no", "n": 3},
    ]
    assert [(row.line, row.column, row.value) for row in bad.first] == [(2, "label", "'3'")]


def test_read_takes_them_from_every_format(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"tags": [0, 1], "id": 5}) + "\n")
    features = {"tags": Sequence(Label(("O", "B"))), "id": Text()}
    assert one(tmp_path / "a.jsonl", features=features)[0] == {"tags": ["O", "B"], "id": "5"}
    for label in ("good", "bad"):
        (tmp_path / "classes" / label).mkdir(parents=True)
        (tmp_path / "classes" / label / "1.txt").write_text("a text")
    labels = {"label": Label(("bad", "good"))}
    assert one(tmp_path / "classes", features=labels)["label"] == ["bad", "good"]
    with pytest.raises(DataError, match="row 2, column 'label': 'good'"):
        one(tmp_path / "classes", features={"label": Label(("bad",))})


@given(
    st.recursive(
        st.sampled_from([Text(), Number(), Number(whole=True), Image()])
        | st.lists(st.text(max_size=3), min_size=1, unique=True).map(Label)
        | st.builds(Spans, st.text(), st.lists(st.text(max_size=3), max_size=2).map(tuple)),
        lambda inner: inner.map(Sequence),
        max_leaves=3,
    )
)
def test_the_form_in_a_file_is_read_as_the_same_feature(feature: Any) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "features.json"
        file.write_text(json.dumps({"column": form_of(feature)}), encoding="utf-8")
        assert load_features(file) == {"column": feature}
