"""What the pictures show, read back from their SVG."""

import re

import numpy as np
import pytest

from headway.reports.pictures import PICTURES, pictures
from headway.reports.pictures.confusion import confusion
from headway.reports.pictures.curve import curve
from headway.reports.pictures.label_bars import label_bars
from headway.reports.pictures.lengths import lengths
from headway.reports.pictures.rates import rates
from headway.reports.sheets import SHEETS

from .frozen import REPORTS, multi_label, regression, single_label


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_every_kind_has_measures_and_pictures():
    assert set(REPORTS) <= set(PICTURES) <= set(SHEETS)


def test_the_matrix_shows_every_count_and_label():
    report = single_label()
    shown = texts(confusion(report).svg)
    for row in report["test"]["confusion"]:
        for n in row:
            assert str(n) in shown
    assert all(shown.count(label) == 2 for label in report["label_names"])


def test_the_strength_of_a_cell_is_its_share_of_the_row():
    report = single_label()
    report["label_names"] = ["a", "b"]
    report["test"]["confusion"] = [[30, 10], [0, 5]]
    cells = re.findall(r"fill: var\(--blue\); opacity: ([\d.]+)", confusion(report).svg)
    shares = [(float(alpha) - 0.04) / 0.96 for alpha in cells] + [1.0] * (4 - len(cells))
    assert shares == pytest.approx([0.75, 0.25, 0.0, 1.0], abs=1e-3)


def test_pairs_are_ordered_by_how_often_they_happen():
    rows = confusion(single_label()).rows
    assert rows[0] == ("business", "politics", "31", "6.3%")
    assert [int(row[2]) for row in rows] == sorted((int(row[2]) for row in rows), reverse=True)


def test_a_perfect_matrix_has_no_pairs():
    report = single_label()
    report["test"]["confusion"] = np.diag([5, 5, 5, 5, 5]).tolist()
    picture = confusion(report)
    assert picture.rows == []
    assert "Most often confused" not in picture.svg


def test_a_run_of_a_hundred_thousand_steps_makes_no_larger_page():
    report = single_label()
    report["curve"]["train"] = [
        {"step": i, "epoch": 0, "loss": 1 / (i + 1), "learning_rate": 0.1} for i in range(100_000)
    ]
    assert len(curve(report).svg) < 60_000
    assert "100,000" in curve(report).svg or "99,999" in curve(report).svg


def test_the_curve_names_the_test_score():
    assert "test 92.4%" in texts(curve(single_label()).svg)


def test_the_curve_uses_the_score_that_validation_has():
    report = multi_label()
    report["curve"]["validation"] = [
        {"step": 10, "epoch": 1, "loss": 0.5, "micro_f1": 0.6},
        {"step": 20, "epoch": 2, "loss": 0.4, "micro_f1": 0.7},
    ]
    picture = curve(report)
    assert picture.columns[2] == "Micro F1"
    assert [row[2] for row in picture.rows] == ["60.0%", "70.0%"]


def test_losses_without_scores_make_one_panel():
    report = single_label()
    report["curve"]["validation"] = []
    del report["test"]["accuracy"]
    assert "Accuracy" not in texts(curve(report).svg)


@pytest.mark.parametrize(("limit", "drawn"), [(512, True), (8192, False), (0, True)])
def test_the_limit_is_drawn_where_it_is_in_sight(limit, drawn):
    report = single_label()
    report["lengths"]["max_model"] = limit
    found = [text for text in texts(lengths(report).svg) if text.startswith("model's limit")]
    assert bool(found) is drawn


def test_bars_beyond_the_limit_have_another_colour():
    svg = lengths(single_label()).svg
    assert svg.count("fill: var(--orange)") == 7
    assert svg.count("fill: var(--blue)") == 4


def test_only_the_worst_of_very_many_labels_get_a_bar():
    report = multi_label()
    report["test"]["per_label"] = {
        f"label {i}": {"precision": 0, "recall": 0, "f1": i / 100, "support": 9} for i in range(100)
    }
    picture = label_bars(report)
    shown = [text for text in texts(picture.svg) if text.startswith("label ")]
    assert shown == [f"label {i} (9)" for i in range(29, -1, -1)]
    assert "The 30 worst of 100 labels" in picture.caption


def test_scatter_of_equal_values_is_drawn():
    report = regression()
    report["test"]["points"] = [[1.0, 1.0]] * 3
    assert {"scatter", "residuals"} <= pictures(report).keys()


def test_a_sample_of_points_says_so():
    report = regression()
    report["test"]["n"] = 50_000
    assert "400 of 50,000 texts" in pictures(report)["scatter"].caption


def test_rates_that_were_tried_are_drawn_in_words_that_every_font_has():
    report = single_label()
    assert rates(report) is None
    report["curve"]["rates"] = [[1e-6 * 1.5**n, 2.0 - n / 50] for n in range(30)]
    report["settings"]["learning_rate"] = 1e-4
    picture = rates(report)
    assert picture is not None
    said = texts(picture.svg)
    assert "1e-5" in said and "1e-4" in said and "0.0001" in said
    assert not [word for word in said if "$" in word or "math" in word]
