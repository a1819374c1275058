from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import BadRows, stream
from headway.data.formats import parts
from headway.errors import ConfigError

from ..helpers import one, read_bytes, refusal, texts


def test_a_header_and_typed_columns() -> None:
    data = read_bytes(b"text,label,score\nhello there,1,0.5\nbye,0,2\n", "a.csv")
    assert list(data) == [
        {"text": "hello there", "label": 1, "score": 0.5},
        {"text": "bye", "label": 0, "score": 2.0},
    ]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2", "30"], [1, -2, 30]),
        (["1", "", "3"], [1, None, 3]),
        (["1", "2.5"], [1.0, 2.5]),
        (["007", "1"], ["007", "1"]),  # writing 7 back would lose the zeros
        (["1e5", "2"], ["1e5", "2"]),
        (["1e-05", "6.5E+3"], [1e-05, 6500.0]),
        (["1e+999", "2"], ["1e+999", "2"]),
        (["9" * 400, "2"], ["9" * 400, "2"]),
        (["NA", "2"], ["NA", "2"]),
        (["nan", "inf"], ["nan", "inf"]),
        (["true", "false"], ["true", "false"]),
        (["2020-01-01", "2020-01-02"], ["2020-01-01", "2020-01-02"]),
        (["", ""], ["", ""]),
        (["x", ""], ["x", ""]),
        (["9223372036854775807", "1"], [2**63 - 1, 1]),
        (["9223372036854775808", "1"], ["9223372036854775808", "1"]),
        (["1234567890123456789", "1.5"], ["1234567890123456789", "1.5"]),
        ([" 1", "2"], [" 1", "2"]),
        (["-0", "0"], [0, 0]),
    ],
)
def test_a_column_becomes_numbers_only_where_every_cell_is_one(
    cells: list[str], values: list[object]
) -> None:
    content = "name,c\n" + "".join(f"row,{cell}\n" for cell in cells)
    assert read_bytes(content.encode(), "a.csv")["c"] == values


def test_a_number_far_down_is_still_seen() -> None:
    content = "name,c\n" + "r,1\n" * 5000 + "r,x\n"
    assert read_bytes(content.encode(), "a.csv")["c"] == ["1"] * 5000 + ["x"]


@pytest.mark.parametrize(
    ("first", "is_header"),
    [
        (b"text,label", True),
        (b",text,label", True),
        (b"a fine film,1", False),
        (b"first sentence,second sentence,5.0", False),
        (b"x" * 65 + b",y", False),
        (b"text,", False),
    ],
)
def test_the_header_is_guessed_from_its_cells(first: bytes, is_header: bool) -> None:
    second = b",".join([b"other"] * (first.count(b",") + 1))
    data = read_bytes(first + b"\n" + second, "a.csv")
    assert len(data) == (1 if is_header else 2)
    assert ("column_2" in data.column_names) is not is_header


def test_a_first_cell_that_comes_back_in_its_column_is_no_name() -> None:
    data = read_bytes(b"great film\tpositive\nbad film\tnegative\nok\tpositive\n", "a.tsv")
    assert data["column_2"] == ["positive", "negative", "positive"]


def test_what_comes_after_the_first_megabyte_says_nothing_of_the_header(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A million texts may hold the name of their column somewhere; a name is not lost by that."""
    path = tmp_path / "a.csv"
    rows = b"".join(b"word %d,x\n" % number for number in range(90_000))
    path.write_bytes(b"text,label\n" + rows + b"text,x\n")
    assert path.stat().st_size > 1 << 20
    with caplog.at_level("INFO", logger="headway"):
        assert one(path).column_names == stream(path).schema.names == ["text", "label"]
    assert "the first line is taken as the header" in caplog.text
    path.write_bytes(b"text,label\ntext,x\n" + rows)
    assert one(path).column_names == ["column_1", "column_2"]


def test_header_can_be_said() -> None:
    assert read_bytes(b"a,b\nc,d\n", "a.csv", header=False)["column_1"] == ["a", "c"]
    assert read_bytes(b"1,2\n3,4\n", "a.csv", header=True).column_names == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "options"),
    [(b"a;b\n1;2\n", {}), (b"a\tb\n1\t2\n", {}), (b"a|b\n1|2\n", {"delimiter": "|"})],
)
def test_delimiters(content: bytes, options: dict[str, str]) -> None:
    assert read_bytes(content, "a.csv", **options)[0] == {"a": 1, "b": 2}


def test_a_semicolon_in_quotes_does_not_decide_the_delimiter() -> None:
    assert read_bytes(b'"a;b",c\n"1;2",3\n', "a.csv")[0] == {"a;b": "1;2", "c": 3}


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "é"])
def test_an_impossible_delimiter_is_refused(delimiter: str) -> None:
    if not delimiter:
        assert read_bytes(b"a,b\n1,2\n", "a.csv", delimiter=delimiter)[0] == {"a": 1, "b": 2}
        return
    with pytest.raises(ConfigError, match="delimiter"):
        read_bytes(b"a,b\n1,2\n", "a.csv", delimiter=delimiter)


def test_quotes_in_tsv_are_plain_characters_unless_asked() -> None:
    content = b'text\tlabel\n"hi" he said\tx\nthe 5" disk\ty\n'
    assert read_bytes(content, "a.tsv")["text"] == ['"hi" he said', 'the 5" disk']
    quoted = b'text\tlabel\n"a\tb"\tx\n'
    assert read_bytes(quoted, "a.tsv", quoting=True)["text"] == ["a\tb"]


def test_a_quote_inside_an_unquoted_cell_is_kept() -> None:
    assert read_bytes(b'a,b\nthe 5" disk,"x ""y"""\n', "a.csv")[0] == {
        "a": 'the 5" disk',
        "b": 'x "y"',
    }


@given(rows=st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_csv_reads_what_the_standard_library_writes(rows: list[tuple[str, str]]) -> None:
    rows = [(f"x{a}", f"y{b}") for a, b in rows]  # a letter first, so that no column is numbers
    file = io.StringIO()
    csv.writer(file).writerows([("one", "two"), *rows])
    data = read_bytes(file.getvalue().encode(), "a.csv", header=True)
    assert [tuple(row.values()) for row in data] == rows


@given(numbers=st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), min_size=1, max_size=8))
def test_whole_numbers_survive(numbers: list[int | None]) -> None:
    content = "r,n\n" + "".join(f"x,{'' if n is None else n}\n" for n in numbers)
    found = read_bytes(content.encode(), "a.csv", header=True)["n"]
    nothing = all(n is None for n in numbers)
    assert found == ([""] * len(numbers) if nothing else numbers)


odd_cells = st.sampled_from(
    [
        "1",
        "-7",
        "2.5",
        "007",
        "",
        "x",
        'the 5" disk',
        "a\nb",
        "é\r\n",
        '"',
        "1" * 16,
        "1" * 30,
        "1e-05",
    ]
)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block_bytes", [1, 9, 30])
@settings(deadline=None)  # threads start whenever the machine likes
@given(rows=st.lists(st.tuples(odd_cells, odd_cells), min_size=1, max_size=9), bare=st.booleans())
def test_blocks_leave_no_trace(
    block_bytes: int, end: str, rows: list[tuple[str, str]], bare: bool
) -> None:
    file = io.StringIO()
    quoting: Any = csv.QUOTE_MINIMAL if bare and end != "\r" else csv.QUOTE_ALL
    csv.writer(file, lineterminator=end, quoting=quoting).writerows([("one", "two"), *rows])
    # Quotes inside bare cells are allowed here, which the standard library never writes.
    content = file.getvalue().replace('"the 5"" disk"', 'the 5" disk').encode()
    expected = read_bytes(content, "a.csv", header=True).to_arrow()
    with mock.patch.object(parts, "BLOCK_BYTES", block_bytes):
        found = read_bytes(content, "a.csv", header=True).to_arrow()
    assert found.equals(expected), (found, expected)


bad_lines = st.sampled_from(
    ["a,b", '"a\nb",c', "x", "x,y,z", '"q"r,s', 'u,"v"w', "", 'l 5" m,n', "1,2"]
)


@pytest.mark.parametrize("block_bytes", [1, 12, 1 << 21])
@settings(deadline=None)  # threads start whenever the machine likes
@given(lines=st.lists(bad_lines, min_size=1, max_size=9))
def test_bad_rows_are_left_out_and_only_they(block_bytes: int, lines: list[str]) -> None:
    content = "\n".join(["one,two", "first,row", *lines]) + "\n"
    good = [("first", "row")]
    places, line = [], 3
    for text in lines:
        if text in ("x", "x,y,z", '"q"r,s', 'u,"v"w'):
            places.append(line)
        elif text:
            good.append(("a\nb", "c") if text.startswith('"a') else tuple(text.split(",")))  # type: ignore[arg-type]  # two cells
        line += 1 + text.count("\n")
    bad = BadRows(keep=99)
    with mock.patch.object(parts, "BLOCK_BYTES", block_bytes):
        data = read_bytes(content.encode(), "a.csv", header=True, bad_rows=bad)
    assert [tuple(map(str, row.values())) for row in data] == good
    assert [row.line for row in bad.first] == places
    assert bad.count == len(places)


def test_a_quote_that_is_never_closed_costs_its_line_only() -> None:
    bad = BadRows()
    content = b'a,b\nx,y\nu,"never\nv,w\n' + b"1,2\n" * 9
    assert len(read_bytes(content, "a.csv", bad_rows=bad)) == 11
    assert (bad.first[0].line, bad.first[0].value) == (3, """'u,"never\\n'""")
    assert "is never closed" in str(bad)


def test_a_number_in_a_later_block_widens_the_column() -> None:
    for cells, expected in (
        (["", "1", "2.5"], [None, 1.0, 2.5]),
        (["1", "x", ""], ["1", "x", ""]),
        (["1234567890123456", "2.5", "1"], ["1234567890123456", "2.5", "1"]),
        (["1234567890123456", "7", ""], [1234567890123456, 7, None]),
        (["", "", ""], ["", "", ""]),
    ):
        content = "a,b\n" + "".join(f"r,{cell}\n" for cell in cells)
        with mock.patch.object(parts, "BLOCK_BYTES", 1):
            assert read_bytes(content.encode(), "a.csv", header=True)["b"] == expected


def test_line_ends_of_every_kind() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        data = read_bytes(b"a,b" + end + b"x,1" + end + end + b"y,2", "a.csv")
        assert list(data) == [{"a": "x", "b": 1}, {"a": "y", "b": 2}]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert read_bytes(b"\xef\xbb\xbftext,b\nx,1\n", "a.csv").column_names == ["text", "b"]


def test_a_text_longer_than_a_block() -> None:
    long = "word " * 4_000_000  # 20 MB, more than the parser takes at once
    data = read_bytes(f'text,label\n"{long}",a\nshort,b\n'.encode(), "a.csv")
    assert data["text"] == [long, "short"]


@pytest.mark.parametrize("row", [b"only one", b"one,two,three"])
@pytest.mark.parametrize("rows_before", [0, 3])
def test_a_ragged_row_is_named(row: bytes, rows_before: int) -> None:
    said = refusal(b"text,label\n" + b'"x\ny",1\n' * rows_before + row + b"\nz,2\n", "a.csv")
    assert f"a.csv line {2 + 2 * rows_before}: {row.count(b',') + 1} columns, expected 2" in said


def test_a_ragged_row_in_tsv() -> None:
    assert "a.tsv line 3: 3 columns, expected 2" in refusal(b"a\tb\nc\td\ne\tf\tg\n", "a.tsv")


def test_a_ragged_row_after_blank_lines_and_crlf() -> None:
    assert "line 5: 1 columns, expected 2" in refusal(b"a,b\r\n\r\n\r\nc,d\r\ne\r\n", "a.csv")


@given(
    good=st.lists(st.tuples(texts, texts), max_size=5),
    rest=st.lists(st.tuples(texts, texts), max_size=3),
    wrong=st.sampled_from([1, 3, 4]),
)
def test_the_line_of_a_ragged_row_is_right(
    good: list[tuple[str, str]], rest: list[tuple[str, str]], wrong: int
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerows([("one", "two"), *good])
    before = file.getvalue().encode()
    line = before.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
    writer.writerow(["x"] * wrong)
    writer.writerows(rest)
    said = refusal(file.getvalue().encode(), "a.csv")
    assert f"line {line}: {wrong} columns, expected 2" in said


@pytest.mark.parametrize(
    "content",
    [b'a,b\nx,"never closed\ny,z\n', b'a,b\nx,"y', b'a,b\nx,"y""\n', b'a,b\nx,"\n1,2\n3,4\n'],
)
def test_a_quote_that_is_never_closed(content: bytes) -> None:
    assert "line 2: a double quote opens a cell and is never closed" in refusal(content, "a.csv")


def test_text_after_a_closing_quote() -> None:
    # Taken as it is, three lines would silently become one cell.
    said = refusal(b'a,b\n1,"abc\n2,def\n3,"ghi"\n', "a.csv")
    assert "line 4: text stands after the double quote that closes a cell" in said
    assert "quoting=False" in said


def test_one_name_for_two_columns() -> None:
    said = refusal(b"text,label,text\na,b,c\n", "a.csv")
    assert "line 1" in said
    assert "'text'" in said


def test_a_header_and_no_rows() -> None:
    said = refusal(b"text,label\n", "a.csv")
    assert "header line and no rows" in said
    assert "text, label" in said


@pytest.mark.parametrize("content", [b"\n\n", b"\r\n"])
def test_blank_lines_only(content: bytes) -> None:
    assert "only blank lines" in refusal(content, "a.csv")


def test_sst2_has_no_header_and_is_told_so(shared: Path) -> None:
    data = one(shared / "sst2" / "train.tsv")
    assert len(data) == 6920
    assert data.column_names == ["column_1", "column_2"]
    assert set(data["column_2"]) == {0, 1}


def test_mrpc_keeps_its_quotes_and_loses_its_byte_order_mark(shared: Path) -> None:
    data = one(shared / "mrpc" / "msr_paraphrase_train.txt", format="tsv")
    assert len(data) == 4076
    assert data.column_names == ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"]
    assert '"the witness"' in data[0]["#1 String"]


def test_scores_are_decimals(shared: Path) -> None:
    scores = one(shared / "stsb-multi" / "stsb-en-dev.csv")["column_3"]
    assert len(scores) == 1500
    assert math.isclose(max(scores), 5.0)
