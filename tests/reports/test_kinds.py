"""What pages, cards and terminals say of each kind of answers, in its own words and units."""

import re

import pytest
from huggingface_hub import ModelCard

from headway.reports import headline
from headway.reports.card import card
from headway.reports.facts import facts
from headway.reports.limits import limits
from headway.reports.page import MOST_ANSWERS, page
from headway.reports.pictures import pictures
from headway.reports.plain import plain, printable
from headway.reports.sheets import SHEETS

from .frozen_kinds import EXAMPLES, KINDS, LONG, of_kind
from .parsed import Parsed
from .test_pictures import texts

WRITTEN = ("replies", "summaries", "translations", "texts")


def said_of(kind: str) -> str:
    """The page's words of the examples."""
    text = " ".join(Parsed(page(printable(plain(of_kind(kind))))).text.split())
    return text[text.index("Examples", text.index("Limits Measured")) : text.index("tokens read")]


def test_every_kind_has_a_report_here():
    assert set(KINDS) == set(SHEETS)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_better_model_is_called_better(kind):
    report = of_kind(kind)
    assert not any("worse than" in line or "not clearly" in line for line in limits(report))
    said = headline(report)
    lower = not SHEETS[kind].measures[0].larger_is_better
    assert ("which is better" in said) is lower
    assert (" below a simple method (TF-IDF, " if lower else " above a simple method (") in said
    report["test"], report["baseline"] = (
        report["baseline"] | {"n": 400},
        report["test"] | {"name": "x"},
    )
    assert any("It is worse than x" in line for line in limits(report))
    assert ("which is worse" in headline(report)) is lower


@pytest.mark.parametrize("kind", EXAMPLES)
def test_numbers_have_the_units_of_their_measures(kind):
    found = facts(plain(of_kind(kind)))
    for measure, row, seeds in zip(
        SHEETS[kind].measures, found["results"], found["seeds"], strict=True
    ):
        wanted = {"%": "60.0%", "100": "60.0", "more": "0.600", "less": "12.50"}[unit_of(measure)]
        assert row[:2] == (measure.name, wanted)
        zero = {"%": "0.0%", "100": "0.0"}.get(unit_of(measure), "0.000")
        assert seeds == (measure.name, f"{wanted} ± {zero}", f"{wanted}, {wanted}")


def unit_of(measure):
    if measure.share:
        return "%" if measure.percent else "100"
    return "more" if measure.larger_is_better else "less"


def test_chrf_and_bleu_are_of_a_hundred_without_a_sign():
    assert headline(of_kind("translations")).startswith("ChrF 60.0 on 400 test texts, 95%")


@pytest.mark.parametrize(
    ("kind", "row", "counted"),
    [
        ("answer-spans", "test questions", None),
        ("ranked-replies", "test replies", None),
        ("similarity", "test pairs", None),
        ("entities", "test texts", "entities in the test rows"),
        ("tags", "test texts", "words in the test rows"),
    ],
)
def test_rows_have_the_name_of_the_kind(kind, row, counted):
    report = of_kind(kind)
    said = " ".join(limits(report))
    assert f"Measured on 400 {row} of judged.jsonl" in said
    assert f"covers the choice of {row}" in facts(plain(report))["measured"]
    assert f"same {row}" in pictures(report)["intervals"].caption
    if counted:
        assert f"Fewer than 10 {counted}" in said
        assert f"| F1 | {SHEETS[kind].support} |" in card(printable(plain(report)), "run")


def test_columns_and_truth_have_the_words_of_the_kind():
    data = dict(facts(plain(of_kind("answer-spans")))["data"])
    assert data["Columns"] == "text: text, answer: category"
    assert data["Test rows from"] == "judged.jsonl"


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_was_written_is_neither_right_nor_wrong(kind):
    said = said_of(kind)
    assert "wrong" not in said and "written" in said and "by people" in said
    assert EXAMPLES[kind][3] in said and str(EXAMPLES[kind][2]) in said
    exact = of_kind(kind)
    exact["examples"][0] |= {"right": True, "prediction": LONG}
    assert "✓ right" in Parsed(page(plain(exact))).text


def test_a_text_without_an_answer_is_measured_only():
    said = said_of("language")
    assert "8.11 bits a byte A text that surprises." in said
    assert "wrong" not in said and "true" not in said
    assert "3 told of 8 hidden A text with words." in said_of("masked-words")


def test_of_many_answers_the_first_are_shown():
    said = said_of("tags")
    assert "✗ wrong · score 40.0%" in said
    assert f"word{MOST_ANSWERS - 1} = NOUN and {20 - MOST_ANSWERS} more" in said
    assert f"word{MOST_ANSWERS} = NOUN" not in said


def test_texts_of_a_row_are_shown_apart():
    shown = page(plain(of_kind("answer-spans")))
    assert '<div dir="auto">Where did she stay?</div><div dir="auto">She came to' in shown


def test_cosines_are_drawn_in_their_own_unit():
    drawn = pictures(of_kind("similarity"))
    assert "3 of 400 pairs" in drawn["cosines"].caption
    assert {"true score", "cosine"} <= set(texts(drawn["cosines"].svg))
    assert "Cosines beside the true scores" in page(plain(of_kind("similarity")))


@pytest.mark.parametrize("kind", ["tags", "translations", "language"])
def test_the_scale_beside_the_baseline_is_that_of_the_measure(kind):
    report = of_kind(kind)
    report["baseline"] |= {SHEETS[kind].measures[0].key: 0.02, "confidence_interval_95": [0, 0.05]}
    ticks = [text for text in texts(pictures(report)["intervals"].svg) if "  " not in text]
    numbers = [float(tick.rstrip("%").replace("−", "-")) for tick in ticks]
    assert len(numbers) > 2
    assert all(tick.endswith("%") is (kind == "tags") for tick in ticks)
    if kind != "language":
        assert min(numbers) >= 0 and max(numbers) <= 100


def test_a_window_of_the_run_is_no_limit_of_the_model():
    report = of_kind("answer-spans")
    report["lengths"] |= {"window": 192}
    assert any("longer than the 192 tokens that are read at once" in one for one in limits(report))
    found = dict(facts(plain(report))["lengths"])
    assert (found["Model's limit"], found["Read at once"]) == ("512 tokens", "192 tokens")
    assert "read at once 192" in texts(pictures(report)["lengths"].svg)


@pytest.mark.parametrize(
    ("kind", "called", "behind"),
    [
        ("summaries", '["your text"]', '"your text"'),
        ("masked-words", '["a text with a <mask> in it"]', '"a text with a <mask> in it"'),
        ("replies", 'history=["What do you like?"], persona=["I like ships."]', '"your text"'),
        ("regression", '[("your text", "another text")]', '"your text" --pair "another text"'),
        ("choice", '"a context", ["a choice", "another"]', "--file DATA"),
    ],
)
def test_the_card_asks_as_the_kind_is_asked(kind, called, behind):
    report = KINDS[kind]() | {"mask_token": "<mask>"}
    text = card(printable(plain(report)), "run")
    assert f"print(predict({called}))" in text
    assert f"headway predict run {behind}\n" in text


def test_the_hub_knows_the_task_and_the_test_rows():
    front = ModelCard(card(printable(plain(of_kind("replies"))), "run")).data
    assert front.pipeline_tag == "text-generation" and "dialogue" in front.tags
    assert front.eval_results[0].task_type == "text-generation"
    assert front.eval_results[0].dataset_name == "judged.jsonl"


def test_without_a_baseline_there_is_no_column_for_one():
    report = of_kind("replies") | {"baseline": None}
    text = card(printable(plain(report)), "run")
    assert "|  | this model | 95% interval |\n|---|---:|---:|\n| F1 of words | 60.0% |" in text
    assert "difference" not in text.lower() and "Baseline" not in text
    assert "difference" not in Parsed(page(plain(report))).text


def test_what_is_not_read_is_said():
    report = of_kind("replies")
    report["lengths"] |= {"windowed": 0, "left_out": 7}
    assert any(
        re.match("7 texts are longer than the model takes beside", s) for s in limits(report)
    )
    assert "7 texts have no room" in pictures(report)["lengths"].caption
    assert dict(facts(plain(report))["lengths"])["Texts whose beginning is not read"] == "7"


def test_one_point_makes_no_curve():
    assert "Accuracy" not in texts(pictures(of_kind("tags"))["curve"].svg)
