"""A plan gives what `read` and the verbs of a data set give, as shards that are always the same."""

from __future__ import annotations

import functools
import gzip
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import BadRows, Dataset, Label, Text, scan
from headway.data import compute as pc
from headway.data.formats.source import ReadOptions
from headway.data.shards import shard
from headway.errors import ConfigError, DataError, HeadwayError
from headway.tokenizer import Tokenizer

from .helpers import contents, corpus_rows, one, visible_in, write_corpus, write_jsonl

SUFFIXES = [".jsonl", ".csv", ".tsv", ".txt", ".parquet", ".arrow"]

TOKENIZER = Tokenizer.from_document(
    {
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {
            "type": "WordLevel",
            "unk_token": "[UNK]",
            "vocab": {"[UNK]": 0, "GOOD": 1, "DAY": 2},
        },
    }
)


def clean(row: dict[str, Any]) -> dict[str, Any]:
    return {"text": row["text"].upper(), "length": len(row["text"])}


def long_enough(row: dict[str, Any]) -> bool:
    return len(row["text"]) > 9


def piped(data: Any) -> Any:
    """The same verbs on a plan or on a data set."""
    return data.filter(long_enough).map(clean).tokenize(TOKENIZER).rename({"length": "size"})


@pytest.mark.parametrize("format", ["parquet", "arrow"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_shards_are_what_read_and_the_verbs_give(suffix: str, format: str, tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "in", suffix)
    plan = piped(scan(folder, shard_bytes=4000))
    made = plan.write(tmp_path / "out", format=format)
    assert len(made.files) > (3 if suffix not in (".csv", ".tsv") else 2)
    assert visible_in(made.folder) == [file.name for file in made.files]
    assert made.files[0].name == f"part-00000-of-{len(made.files):05d}.{format}"
    expected = piped(one(folder))
    assert one(made.folder).fingerprint == expected.fingerprint
    assert (made.rows, made.bytes) == (
        len(expected),
        sum(file.stat().st_size for file in made.files),
    )
    with_two = plan.write(tmp_path / "two", format=format, workers=2)
    assert contents(with_two) == contents(made)


def test_shards_open_elsewhere_in_order(tmp_path: Path) -> None:
    from pyarrow import dataset

    made = scan(write_corpus(tmp_path / "in", ".jsonl"), shard_bytes=4000).write(tmp_path / "out")
    expected = one(tmp_path / "in")["n"]
    assert dataset.dataset(made.folder).to_table()["n"].to_pylist() == expected


def test_verbs_are_those_of_a_data_set(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "in", ".jsonl", files=1)

    def verbs(data: Any) -> Any:
        data = data.filter(pc.field("lang") == "en").cast({"n": "float64"}).drop(["lang"])
        data = data.map(lambda rows: {"half": rows["n"] / 2}, batched="numpy")
        return data.map(
            lambda rows: {"n": [n for n in rows["half"] for _ in (1, 2)]},
            batched=True,
            replace=True,
        ).keep(["n"])

    made = verbs(scan(folder, shard_bytes=2000)).write(tmp_path / "out")
    assert one(made.folder).fingerprint == verbs(one(folder)).fingerprint


@pytest.mark.parametrize("verb", ["sort", "shuffle", "select", "split", "concatenate", "cached"])
def test_verbs_that_need_all_rows_say_what_to_do(verb: str) -> None:
    with pytest.raises(ConfigError, match=rf"{verb}\(\) needs all rows at once.*Next: "):
        getattr(scan("x"), verb)("n")
    assert hasattr(Dataset, verb)
    with pytest.raises(AttributeError):
        _ = scan("x").nothing


def test_every_verb_of_a_data_set_is_a_plans_or_is_refused() -> None:
    """A new verb of `Dataset` is thought about here too."""
    looks = {"column", "column_names", "fingerprint", "from_columns", "from_rows", "name"}
    looks |= {"rows", "ragged"}
    verbs = {name for name in dir(Dataset) if not name.startswith(("_", "to_"))}
    for verb in verbs - looks:
        try:
            assert callable(getattr(scan("x"), verb))
        except ConfigError as error:
            assert error.next_step, verb


def test_options_are_checked_before_anything_is_written(tmp_path: Path) -> None:
    write_corpus(tmp_path / "in", ".csv", files=1)
    plan = scan(tmp_path / "in")
    with pytest.raises(ConfigError, match=r"no format of shards 'parket' \(did you mean"):
        plan.write(tmp_path / "out", format="parket")
    with pytest.raises(ConfigError, match="no engine 'spark'"):
        plan.write(tmp_path / "out", engine="spark")
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigError, match="0 workers"):
        plan.write(tmp_path / "out", workers=0)
    with pytest.raises(ConfigError, match="of this machine"):
        plan.write(tmp_path / "out", address="head:6379")
    with pytest.raises(ConfigError, match=r"no format 'cvs' \(did you mean 'csv'"):
        scan("x", format="cvs")
    with pytest.raises(ConfigError, match="shard_bytes=0"):
        scan("x", shard_bytes=0)
    with pytest.raises(ConfigError, match=r"BadRows\(\)"):
        scan("x", bad_rows=print)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="batched='rows'"):
        plan.map(clean, batched="rows")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="means nothing for csv"):
        scan(tmp_path / "in", field="rows").write(tmp_path / "out")


# Types


def test_a_column_has_the_type_of_all_files(tmp_path: Path) -> None:
    """Whole numbers, decimals, nothing, and a key that comes late: as `read` has it."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_jsonl(folder / "a.jsonl", [{"n": n, "x": None} for n in range(50)])
    write_jsonl(folder / "b.jsonl", [{"n": n + 0.5, "x": "text"} for n in range(50)])
    write_jsonl(folder / "c.jsonl", [{"n": None, "x": None} for _ in range(50)])
    seen = scan(folder, shard_bytes=200).map(lambda row: {"kind": type(row["n"]).__name__})
    made = seen.write(tmp_path / "out")
    data = one(made.folder)
    expected = one(folder).map(lambda row: {"kind": type(row["n"]).__name__})
    assert data.fingerprint == expected.fingerprint
    assert set(data["kind"]) == {"float", "NoneType"}


def test_a_key_that_comes_late_is_missing_before(tmp_path: Path) -> None:
    path = write_jsonl(
        tmp_path / "a.jsonl", [*({"n": n} for n in range(30)), {"n": 1, "late": "x"}]
    )
    made = scan(path, shard_bytes=50).map(lambda row: {"has": row["late"]}).write(tmp_path / "out")
    assert one(made.folder)["has"] == [None] * 30 + ["x"]


def test_types_that_functions_give_are_settled(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(300)))

    def f(row: dict[str, Any]) -> dict[str, Any]:
        n = row["n"]
        made: dict[str, Any] = {"v": None if n < 100 else n if n < 200 else n / 2}
        return made if n < 250 else {**made, "more": "x"}

    plan = scan(path, shard_bytes=100).map(f)
    made = plan.write(tmp_path / "out")
    data = one(made.folder)
    assert data.fingerprint == one(path).map(f).fingerprint
    assert data.to_arrow().schema.field("v").type == pa.float64()
    schemas = {one(file).to_arrow().schema for file in made.files}
    assert len(schemas) == 1
    assert contents(plan.write(tmp_path / "two", workers=2)) == contents(made)


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_types_that_grow_inside_of_a_shard_are_settled(
    format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "_PORTION_BYTES", 100)
    path = write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(40)))
    kinds = [None, 1, 2.5]
    plan = scan(path).map(lambda row: {"v": kinds[min(2, row["n"] // 13)]})
    made = plan.write(tmp_path / "out", format=format)
    assert one(made.folder)["v"] == [kinds[min(2, n // 13)] for n in range(40)]


def test_types_that_do_not_go_together_name_both_shards(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(100)))
    write_jsonl(tmp_path / "b.jsonl", ({"n": n} for n in range(100, 200)))
    plan = scan(tmp_path / "*.jsonl", shard_bytes=500)
    plan = plan.map(lambda row: {"v": row["n"] if row["n"] < 100 else "x"})
    with pytest.raises(DataError, match=r"b\.jsonl, bytes 0 to \d+: column 'v' holds string, but"):
        plan.write(tmp_path / "out")
    assert visible_in(tmp_path / "out") == []


def test_columns_of_files_that_differ_are_told_as_read_tells_them(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"n": 1}])
    write_jsonl(tmp_path / "b.jsonl", [{"m": 1}])
    assert said(lambda: scan(tmp_path / "*.jsonl").write(tmp_path / "out")) == said(
        lambda: one(tmp_path / "*.jsonl")
    )


def test_a_schema_that_is_given_spares_the_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(100)))
    schema = pa.schema([("n", pa.float64())])
    monkeypatch.setattr("headway.data.shards.run.look", None)
    made = scan(path, schema=schema, shard_bytes=200).write(tmp_path / "out")
    assert one(made.folder).to_arrow().schema == schema
    wrong = pa.schema([("n", pa.string())])
    with pytest.raises(DataError, match="rows of other types than those given"):
        scan(made.folder, schema=wrong).write(tmp_path / "no")


# What is wrong with rows


def said(work: Any) -> str:
    with pytest.raises(DataError) as caught:
        work()
    return str(caught.value)


def broken(path: Path, *lines: int) -> Path:
    """Rows of which some lines are none."""
    rows = [json.dumps(row) for row in corpus_rows(200)]
    for line in lines:
        rows[line - 1] = '{"text": oops}'
    path.write_text("\n\n".join(rows[:50]) + "\n" + "\r\n".join(rows[50:]), "utf-8", newline="")
    return path


@pytest.mark.parametrize("line", [1, 20, 90, 150, 200])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_row_is_told_with_the_line_of_the_file(
    line: int, workers: int, tmp_path: Path
) -> None:
    path = broken(tmp_path / "a.jsonl", line)
    told = said(lambda: scan(path, shard_bytes=1500).write(tmp_path / "out", workers=workers))
    assert told == said(lambda: one(path))
    assert f"a.jsonl line {line + min(line, 50) - 1}: not JSON" in told  # blank lines count too


@pytest.mark.parametrize("size", [100, 500, 2000])
def test_a_row_that_contradicts_another_stretch_is_told_as_read_tells_it(
    size: int, tmp_path: Path
) -> None:
    """Also where it is the first of its stretch, and so seems to be right and the others wrong."""
    rows: list[dict[str, Any]] = corpus_rows(100)
    rows[80]["n"] = "eighty"
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    told = said(lambda: scan(path, shard_bytes=size).write(tmp_path / "out"))
    assert "line 81" in told
    assert told == said(lambda: one(path))


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"good\n" * 100 + b"b\xffd\n" + b"good\n" * 100)
    told = said(lambda: scan(path, shard_bytes=100).write(tmp_path / "out"))
    assert "line 101, byte 2" in told
    assert told == said(lambda: one(path))


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(1, 200), min_size=1, max_size=20))
def test_bad_rows_are_left_out_and_counted(
    tmp_path_factory: pytest.TempPathFactory, lines: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("bad")
    path = broken(folder / "a.jsonl", *lines)
    ours, theirs = BadRows(keep=5), BadRows(keep=5)
    plan = scan(path, bad_rows=ours, shard_bytes=1500)
    made = plan.write(folder / "out")
    assert one(made.folder).fingerprint == one(path, bad_rows=theirs).fingerprint
    assert (ours.count, ours.first) == (theirs.count, theirs.first)
    again = BadRows(keep=5)  # a call that makes nothing tells them too
    assert replace(plan, options=ReadOptions(bad_row=again)).write(folder / "out").made == 0
    assert (again.count, again.first) == (theirs.count, theirs.first)


@pytest.mark.parametrize("size", [100, 500, 2000])
def test_rows_of_other_kinds_in_later_stretches_are_left_out(size: int, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = corpus_rows(100)
    for place in (40, 80, 99):
        rows[place]["n"] = "no number"
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    ours, theirs = BadRows(), BadRows()
    made = scan(path, bad_rows=ours, shard_bytes=size).write(tmp_path / "out")
    assert one(made.folder).fingerprint == one(path, bad_rows=theirs).fingerprint
    assert [row.line for row in ours.first] == [row.line for row in theirs.first] == [41, 81, 100]


def test_features_are_checked_with_the_row_of_the_file(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = corpus_rows(100)
    rows[77]["lang"] = "fr"
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    features = {"lang": Label(("de", "en"))}
    told = said(lambda: scan(path, features=features, shard_bytes=500).write(tmp_path / "out"))
    assert "row 78" in told
    assert told == said(lambda: one(path, features=features))
    ours, theirs = BadRows(), BadRows()
    for schema in (None, one(path).to_arrow().schema):
        plan = scan(path, features=features, bad_rows=ours, shard_bytes=500, schema=schema)
        made = plan.write(tmp_path / f"good{schema is None}")
        expected = one(path, features=features, bad_rows=theirs)
        assert one(made.folder).fingerprint == expected.fingerprint
        assert (ours.count, ours.first) == (theirs.count, theirs.first)


def test_all_kinds_of_files_take_features(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        if suffix == ".txt":
            continue
        folder = write_corpus(tmp_path / suffix[1:], suffix)
        features = {"lang": Label(("de", "en"))}
        made = scan(folder, features=features, shard_bytes=4000).write(tmp_path / f"out{suffix}")
        assert one(made.folder).fingerprint == one(folder, features=features).fingerprint


def test_what_a_function_raises_comes_with_its_place(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(100)))

    def fail(row: dict[str, Any]) -> dict[str, Any]:
        if row["n"] == 60:
            raise DataError("sixty is too much", allowed="less")
        return {}

    for workers in (1, 2):
        with pytest.raises(DataError) as caught:
            scan(path, shard_bytes=300).map(fail).write(tmp_path / "out", workers=workers)
        assert str(caught.value) == "sixty is too much. Allowed: less."
        assert any("a.jsonl, bytes" in note for note in caught.value.__notes__)


def test_a_plan_that_leaves_no_row_is_an_error(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(100)))
    plan = scan(path, shard_bytes=300).filter(lambda row: False).map(clean).keep(["length"])
    with pytest.raises(DataError, match="not one row"):
        plan.write(tmp_path / "out")


def test_shards_without_rows_are_left_out(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(100)))
    plan = scan(path, shard_bytes=200).filter(pc.field("n") >= 70).map(lambda row: {"m": row["n"]})
    made = plan.keep(["m"]).write(tmp_path / "out")
    assert one(made.folder)["m"] == list(range(70, 100))
    assert all(len(one(file)) for file in made.files)
    assert [file.name for file in made.files] == visible_in(made.folder)


@pytest.mark.parametrize("content", ["", "\n\n\n", "{}\n"])
def test_files_without_rows_are_told_as_read_tells_them(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    told = said(lambda: scan(tmp_path / "a.jsonl", shard_bytes=1).write(tmp_path / "out"))
    assert told == said(lambda: one(tmp_path / "a.jsonl"))


values = st.one_of(
    st.none(),
    st.integers(-5, 5),
    st.sampled_from([0.5, 2.0, 1e300]),
    st.text("aé語", max_size=3),
    st.lists(st.integers(0, 3), max_size=2),
)
drawn_lines = st.lists(
    st.one_of(
        st.dictionaries(st.sampled_from("ab"), values, min_size=1),
        st.fixed_dictionaries({"a": st.integers(0, 9)}),
        st.sampled_from(["", "{", "[1]", " "]),
    ),
    min_size=1,
    max_size=10,
)


def outcome(work: Any) -> Any:
    """The rows and types that come, or what is said."""
    try:
        data = work()
    except DataError as error:
        return str(error)
    return data.to_arrow().schema, list(data)


@settings(max_examples=60, deadline=None)
@given(drawn_lines, st.integers(1, 80), st.booleans())
def test_any_lines_in_any_stretches_are_what_read_makes_of_them(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Any], size: int, lenient: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = folder / "a.jsonl"
    written = (json.dumps(line) if isinstance(line, dict) else line for line in lines)
    path.write_text("\n".join(written), "utf-8")
    ours, theirs = (BadRows(), BadRows()) if lenient else (None, None)

    def sharded() -> Dataset:
        return one(scan(path, bad_rows=ours, shard_bytes=size).write(folder / "out").folder)

    expected = outcome(lambda: one(path, bad_rows=theirs))
    assert outcome(sharded) == expected
    if ours is not None and theirs is not None and not isinstance(expected, str):
        # What a row contradicts is "line 1" there, and "the lines above" across stretches; where
        # it contradicts in two columns, either is told.
        assert [row.line for row in ours.first] == [row.line for row in theirs.first]


def test_a_whole_number_too_large_for_a_decimal_is_told(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{"n": 2**60}, {"n": 0.5}])
    for size in (1, 1000):
        told = said(lambda size=size: scan(path, shard_bytes=size).write(tmp_path / "out"))
        assert "column 'n'" in told
    with pytest.raises(DataError, match="column 'n'"):
        one(path)


@pytest.mark.parametrize("late", ["007", "x", "1.5", ""])
def test_cells_of_a_csv_file_are_what_the_whole_file_says(late: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, last in (("a", "7"), ("b", late)):
        cells = "".join(f"good day,{n}\n" for n in range(50))
        (folder / f"{name}.csv").write_text(f"text,n\n{cells}one,two,three\nlast,{last}\n")
    ours, theirs = BadRows(), BadRows()
    plan = scan(folder, bad_rows=ours)
    told = outcome(lambda: one(plan.write(tmp_path / "out").folder))
    assert told == outcome(lambda: one(folder, bad_rows=theirs))
    if not isinstance(told, str):
        assert (ours.count, ours.first) == (theirs.count, theirs.first)
    features = {"n": Text()}
    made = scan(folder, bad_rows=BadRows(), features=features).write(tmp_path / "texts")
    expected = one(folder, features=features, bad_rows=BadRows())
    assert one(made.folder).fingerprint == expected.fingerprint


# How rows come


def test_compressed_files_and_whole_formats_are_read(tmp_path: Path) -> None:
    rows = corpus_rows(50)
    folder = tmp_path / "gz"
    folder.mkdir()
    for name in ("a", "b"):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    made = scan(folder / "*.jsonl.gz").write(tmp_path / "out")
    assert len(made.files) == 2
    assert list(one(made.folder)) == [*rows, *rows]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    assert list(one(scan(tmp_path / "a.json").write(tmp_path / "json").folder)) == rows
    (tmp_path / "p.txt").write_text("one\ntwo\n\nthree\n")
    paragraphs = scan(tmp_path / "p.txt", sample_by="paragraph")
    assert one(paragraphs.write(tmp_path / "p").folder)["text"] == ["one\ntwo", "three"]


def test_batches_are_whole_in_a_portion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard, "_PORTION_BYTES", 20_000)
    path = write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(9500)))
    sizes: list[int] = []

    def f(rows: dict[str, Any]) -> dict[str, Any]:
        sizes.append(len(rows["n"]))
        return {"m": rows["n"]}

    made = scan(path).map(f, batched=True).write(tmp_path / "out")
    assert sizes == [1000] * 9 + [500]
    assert one(made.folder)["m"] == list(range(9500))


def test_long_rows_come_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard, "_PORTION_BYTES", 10_000)
    path = write_jsonl(tmp_path / "a.jsonl", ({"text": "x" * 3000} for _ in range(100)))
    sizes: list[int] = []

    def f(rows: dict[str, Any]) -> dict[str, Any]:
        sizes.append(len(rows["text"]))
        return {}

    assert scan(path).map(f, batched=True).write(tmp_path / "out").rows == 100
    assert max(sizes) <= 4


def test_a_file_that_changes_meanwhile_is_told(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(100)))

    def f(row: dict[str, Any]) -> dict[str, Any]:
        with path.open("a") as file:
            file.write("{}\n")
        return {}

    with pytest.raises(DataError, match=r"a\.jsonl has no longer the \d+ bytes"):
        scan(path, shard_bytes=300).map(f).write(tmp_path / "out")


def _die(row: dict[str, Any], *, marker: Path) -> dict[str, Any]:
    if row["n"] == 250 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"m": row["n"]}


def test_a_worker_that_is_killed_is_told_and_the_next_call_goes_on(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(400)))
    plan = scan(path, shard_bytes=300).map(functools.partial(_die, marker=tmp_path / "marker"))
    with pytest.raises(HeadwayError, match="ended by signal 9"):
        plan.write(tmp_path / "out", workers=2)
    made = plan.write(tmp_path / "out", workers=2)
    assert 0 < made.made < len(made.files)
    assert one(made.folder)["m"] == list(range(400))
