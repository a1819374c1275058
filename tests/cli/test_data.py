from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from headway import data as library
from headway.data import Dataset
from headway.tokenizer import Tokenizer

from .calls import document, error_of, headway
from .tiny import rows, write_csv, write_jsonl


@pytest.fixture
def splits(tmp_path: Path) -> str:
    """Train and test with everything that can be amiss."""
    made = rows(12)
    folder = tmp_path / "splits"
    folder.mkdir()
    odd = [
        {"text": made[0]["text"].replace(" ", "  "), "label": "delivery"},
        {"text": made[1]["text"], "label": "praise"},
        {"text": "bell \x07 rings", "label": "quality"},
        {"text": "word9 " * 100, "label": "quality"},
        {"text": "", "label": "quality"},
    ]
    write_csv(folder / "train.csv", [*made, *odd])
    write_csv(folder / "test.csv", [made[2], *rows(3, seed=5)])
    return str(folder)


def test_json_is_the_card(splits: str, model: str) -> None:
    told = document(headway("data", "inspect", splits, "--tokenizer", model, "--json"))
    rows_ = library.read(splits)
    columns = library.guess_columns(rows_, labelled=False)
    assert told == library.inspect(rows_, columns, tokenizer=Tokenizer.load(model))


def test_what_is_amiss_is_said(splits: str) -> None:
    result = headway("data", "inspect", splits)
    assert result.exit_code == 0, result.stderr
    shown = result.stdout.splitlines()
    assert shown[0] == "21 rows: train 17, test 4"
    assert shown[1] == "text column 'text', label column 'label' (3 labels)"
    for line in (
        "  ! train: 2 rows repeat an earlier one, 1 of them but for spacing",
        "  ! train: 1 text with several different labels",
        "  ! train: control characters in 1 row of 'text', such as row 14 (counted from",
        "    0)",
        "  ! 1 row of test (25.0%) is also in train",
        "languages, guessed (train): unknown 100.0%",
    ):
        assert line in shown
    assert max(map(len, shown)) <= 80


def test_near_duplicates_and_near_leaks_are_said(tmp_path: Path) -> None:
    text = "It was a long winter in the north of the country, and nobody came to see us"
    folder = tmp_path / "splits"
    folder.mkdir()
    write_csv(folder / "train.csv", [{"text": text}, {"text": f"{text}."}, {"text": "no"}])
    write_csv(folder / "test.csv", [{"text": f"{text}!"}, {"text": "yes"}])
    shown = headway("data", "inspect", str(folder), "--text", "text").stdout.splitlines()
    assert "  ! train: 1 row is nearly an earlier one, such as row 1 and row 0" in shown
    assert "  ! 1 row of test is nearly one of train, such as row 0 and row 0 there" in shown


def test_labels_are_bars(splits: str) -> None:
    shown = headway("data", "inspect", splits).stdout.splitlines()
    train = [line.split() for line in shown if "█" in line][:3]
    assert [row[:3] for row in train] == [
        ["quality", "7", "41.2%"],
        ["delivery", "5", "29.4%"],
        ["praise", "5", "29.4%"],
    ]
    assert [len(row[3]) for row in train] == [24, 17, 17]


def test_words_that_give_a_label_away(tickets: str) -> None:
    shown = headway("data", "inspect", tickets).stdout
    line = next(line for line in shown.splitlines() if "late (" in line)
    assert line.split()[:3] == ["delivery", "late", "(30/30)"]


def test_nothing_amiss(tmp_path: Path) -> None:
    data = write_csv(
        tmp_path / "fine.csv", [{"text": f"a b {n}", "label": n % 2} for n in range(6)]
    )
    shown = headway("data", "inspect", str(data)).stdout
    assert "No doubles, leaks, contradictions or odd rows." in shown
    assert "!" not in shown


def test_tokens_beside_a_limit(splits: str, model: str, tmp_path: Path) -> None:
    tokenizer = Tokenizer.load(model)
    tokenizer.max_length = 50
    tokenizer._config["model_max_length"] = 50
    tokenizer.save(tmp_path / "tokenizer")
    shown = headway("data", "inspect", splits, "--tokenizer", str(tmp_path / "tokenizer")).stdout
    assert "train: 1 row (5.9%) longer than the model's 50 tokens: they are read in" in shown
    assert "tokens (train)" in shown


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--text", "text", "--label", "label"), "label column 'label'"),
        (("--text", "label"), "text column 'label'"),
        (("--pair", "label"), "pair column 'label'"),
        (("--encoding", "latin-1"), "90 rows"),
        (("--format", "csv"), "90 rows"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_every_option(tickets: str, options: tuple[str, ...], said: str) -> None:
    result = headway("data", "inspect", tickets, *options)
    assert result.exit_code == 0, result.stderr
    assert said in result.stdout


def test_numbers_many_labels_and_no_labels(tmp_path: Path) -> None:
    numbers = write_jsonl(
        tmp_path / "a.jsonl", [{"text": f"a b {n}", "score": n / 4} for n in range(5)]
    )
    shown = headway("data", "inspect", str(numbers)).stdout
    assert [line.split() for line in shown.splitlines() if line.split()[:1] == ["mean"]] == [
        ["mean", "0.500"]
    ]
    many = write_csv(
        tmp_path / "b.csv",
        [{"text": f"t w{n} {m}", "label": f"l{n}"} for n in range(40) for m in range(9)],
    )
    shown = headway("data", "inspect", str(many)).stdout
    assert "10 more" in shown and "30 more" in shown
    texts = tmp_path / "c.txt"
    texts.write_text("one line\nanother [one]\n")
    shown = headway("data", "inspect", str(texts)).stdout
    assert shown.startswith("2 rows\ntext column 'text'\n") and "█" not in shown


def test_out_writes_the_page_and_the_card(splits: str, model: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = document(
        headway("data", "inspect", splits, "--model", model, "--out", str(out), "--json")
    )
    assert json.loads((out / "report.json").read_text("utf-8")) == told
    page, card = (out / "report.html").read_text("utf-8"), (out / "README.md").read_text("utf-8")
    assert "<title>splits: data set</title>" in page and "Tokens in a row of train" in page
    assert card.startswith("---\npretty_name: ") and "# splits" in card
    (out / "README.md").write_text("mine")
    assert "choose another --out" in error_of(headway("data", "inspect", splits, "--out", str(out)))


def test_what_cannot_be_read(tmp_path: Path, tickets: str) -> None:
    assert "no file or folder" in error_of(headway("data", "inspect", str(tmp_path / "x.csv")))
    assert "'x'" in error_of(headway("data", "inspect", tickets, "--label", "x"))
    said = error_of(headway("data", "inspect", tickets, "--tokenizer", str(tmp_path)))
    assert "has no tokenizer" in said


def keep_at_least(most: int) -> None:
    data = Dataset.from_columns({"n": range(1000)}).cached()
    data.filter(lambda row: row["n"] >= most)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache with two results of one step."""
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    for most in (3, 4):
        keep_at_least(most)


@pytest.mark.usefixtures("kept")
def test_why_a_step_was_computed() -> None:
    shown = headway("data", "why").stdout.splitlines()
    assert shown[-1] == "          first time"
    assert "was 3 and is 4" in " ".join(" ".join(shown).split())
    assert re.match(
        r"[0-9a-f]{8}  \d{4}-\d\d-\d\d \d\d:\d\d  filter <lambda>  996 rows, ", shown[0]
    )
    newest, first = document(headway("data", "why", "--json"))
    assert newest["why"][0].endswith(
        f"most of {__name__}.keep_at_least.<locals>.<lambda> was 3 and is 4"
    )
    assert (newest["rows"], first["rows"]) == (996, 997)
    one = headway("data", "why", first["key"][:6]).stdout
    assert first["key"] in one
    assert "first time" in one
    assert len(document(headway("data", "why", "--last", "1", "--json"))) == 1
    assert "no result 'xyz'" in error_of(headway("data", "why", "xyz"))


@pytest.mark.usefixtures("kept")
def test_the_cache_is_shown_and_cleaned() -> None:
    shown = headway("data", "cache").stdout
    assert re.match(r"2 results, \d+ kB of at most 20\.0 GB\n", shown)
    assert len(re.findall(r"filter <lambda> +\d+ kB", shown)) == 2
    assert re.search(r"filter <lambda>  996 rows, \d+ kB, ", headway("data", "why").stdout)
    assert shown.count("filter <lambda>") == 2
    kept = document(headway("data", "cache", "--json"))["kept"]
    size = kept[0]["bytes"] + kept[1]["bytes"] - 1
    left = document(headway("data", "cache", "--most", f"{size}B", "--json"))
    assert [one["key"] for one in left["kept"]] == [kept[0]["key"]]
    assert left["removed"] == [kept[1]["key"]]
    assert re.match(r"Removed 1 result, \d+ kB\.", headway("data", "cache", "--clear").stdout)
    assert headway("data", "cache").stdout.startswith("0 results, 0 B of at most 20.0 GB")
    assert headway("data", "why").stdout.startswith("No step was computed yet")


def test_a_folder_that_was_prepared_and_what_was_kept_of_it(
    splits: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    before = document(headway("data", "inspect", splits, "--json"))
    found = library.prepare(splits)
    assert isinstance(found, dict)
    assert document(headway("data", "inspect", splits, "--json")) == before
    for made, split in zip(
        document(headway("data", "why", "--json")), ("test", "train"), strict=True
    ):
        kept = tmp_path / "cache" / "steps" / made["key"]
        card = document(headway("data", "inspect", str(kept), "--json"))
        assert (card["rows"], card["columns"]["label"]) == (len(found[split]), "label")


@pytest.mark.parametrize("size", ["", "GB", "-1GB", "5 potatoes", "1e9"])
def test_sizes_that_are_none(size: str) -> None:
    assert "no size" in error_of(headway("data", "cache", "--most", size))
