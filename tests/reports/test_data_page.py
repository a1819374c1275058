"""report.html and README.md of a data set: whole, escaped, and with one script of its own."""

import base64
import hashlib
import json
import re

import pytest
import yaml

from headway.data import Dataset, guess_columns, inspect, row_sample
from headway.errors import OutputError
from headway.reports import write_data_report
from headway.reports.data_card import MARK, data_card
from headway.reports.data_page import MOST_LABELS, data_page
from headway.reports.plain import plain, printable

from .parsed import Parsed
from .test_page import HOSTILE

HOSTILE_ROWS = [
    *(text.replace("\ud800", "?") for text in HOSTILE),
    "</script><script>document.title='run'</script>",
    "</div></li></ol>",
]


def looked_at(data, *, labelled=True):
    columns = guess_columns(data, labelled=labelled)
    card = inspect(data, columns)
    return card, row_sample(data, columns, card)


def hostile():
    rows = [{"text": text, HOSTILE[0]: "x", "label": text or "none"} for text in HOSTILE_ROWS]
    again = Dataset.from_rows(rows * 2)
    return looked_at({HOSTILE[1]: again, "te\0st": Dataset.from_rows(rows)}, labelled=False)


def ordinary(rows=300):
    texts = [f"This is the story of {n} men and it was long" for n in range(rows)]
    texts[3] = "cafÃ© &amp; bar"
    labels = ["a" if n % 3 else "b" for n in range(rows)]
    texts = [f"{t} zebra" if label == "a" else t for t, label in zip(texts, labels, strict=True)]
    data = Dataset.from_columns({"text": texts, "label": labels})
    return looked_at({"train": data, "test": data[:50]})


def source(card, rows, name="demo"):
    return data_page(printable(plain(card)), printable(plain(rows)), printable(name))


def test_everything_is_on_the_page():
    text = Parsed(source(*ordinary())).text
    for said in (
        "350 rows: train 300, test 50",
        "text column 'text', label column 'label' (2 labels)",
        "50 rows of test are also in train, or nearly.",
        "train: UTF-8 read as Latin-1 in 1 row.",
        "Characters in a row of train",
        "remains of HTML",
        "zebra",
        "200 of 200",
        "en 99.7%",
        "All 350 rows of the data set, counted from 0.",
    ):
        assert said in text, said


def test_only_its_own_script_may_run():
    for card, rows in (ordinary(), hostile()):
        html = source(card, rows, HOSTILE[0])
        (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
        assert "default-src 'none'" in policy
        assert re.findall(r"script-src ([^;]*)", policy) == [f"'sha256-{digest}'"]
        assert not re.search(r"\son\w+\s*=|javascript:|https?://(?!www\.w3\.org)", script)


def test_hostile_texts_are_texts():
    parsed = Parsed(source(*hostile(), name=HOSTILE[0]))
    assert parsed.problems == []
    assert "alert(1)" in parsed.text and "{{ 7 * 7 }}" in parsed.text
    assert "49" not in re.findall(r"\d+", source(*hostile()).split('id="rows"')[1])
    tags = re.findall(r"<(\w+)", source(*hostile()))
    assert tags.count("script") == 1 and "img" not in tags


def test_ids_are_unique_and_links_lead_somewhere():
    html = source(*ordinary())
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_many_labels_and_a_sample_are_said():
    data = Dataset.from_columns(
        {"text": [f"text {n}" for n in range(3000)], "label": [f"l{n % 60}" for n in range(3000)]}
    )
    text = Parsed(source(*looked_at(data))).text
    assert f"{60 - MOST_LABELS} more labels are in report.json." in text
    assert "rows out of 3,000, counted from 0" in text


@pytest.mark.parametrize(
    "data",
    [
        Dataset.from_columns({"text": ["one text"]}),
        Dataset.from_columns({"text": ["a b"], "label": ["x"]})[:0],
        Dataset.from_columns({"text": ["a b", "c d"], "score": [0.5, 1.5]}),
    ],
    ids=["one row", "no rows", "decimals"],
)
def test_little_data(data):
    card, rows = looked_at(data, labelled=False)
    assert "Rows" in Parsed(source(card, rows)).text
    assert "## Columns" in data_card(plain(card), "demo")


def test_the_card_says_the_same():
    card, _ = ordinary()
    text = data_card(plain(card), "de*mo")
    front = yaml.safe_load(text.split("---\n")[1])
    assert front == {
        "pretty_name": "de*mo",
        "language": ["en"],
        "size_categories": ["n<1K"],
        "tags": ["text", "headway"],
    }
    for said in (
        "# de\\*mo",
        "- 50 rows of test are also in train, or nearly.",
        "| a | 200 | 66.7% |",
        "| test in train | 50 | 100.0% | 50 |",
        "- train: en 99.7%, unknown 0.3% (of 300 rows)",
        "| a | zebra | 0.585 |",
    ):
        assert said in text, said
    assert "\n\n\n" not in text


def test_a_hostile_card_stays_markdown():
    card, _ = hostile()
    text = data_card(printable(plain(card)), printable(HOSTILE[0]))
    assert yaml.safe_load(text.split("---\n")[1])["pretty_name"] == HOSTILE[0]
    assert "<script>" not in text.split("---\n", 2)[2]
    columns = {line.replace("\\|", "").count("|") for line in text.splitlines() if line[:1] == "|"}
    assert columns <= {4, 6, 9}


@pytest.mark.parametrize(
    ("rows", "size"), [(999, "n<1K"), (1000, "1K<n<10K"), (10**7, "n>10M"), (99_999, "10K<n<100K")]
)
def test_sizes(rows, size):
    card, _ = ordinary()
    text = data_card(plain(card) | {"rows": rows}, "x")
    assert yaml.safe_load(text.split("---\n")[1])["size_categories"] == [size]


def test_three_files_and_a_stranger_s_readme_is_left_alone(tmp_path):
    card, rows = ordinary()
    write_data_report(card, rows, tmp_path / "out", name="demo")
    write_data_report(card, rows, tmp_path / "out", name="demo")
    there = {path.name: path.read_text("utf-8") for path in (tmp_path / "out").iterdir()}
    assert set(there) == {"README.md", "report.html", "report.json"}
    assert json.loads(there["report.json"]) == plain(card)
    assert MARK in there["README.md"]
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(OutputError, match="choose another --out"):
        write_data_report(card, rows, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["README.md"]
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_data_report(card, rows, tmp_path / "file")
