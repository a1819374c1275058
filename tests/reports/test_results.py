"""The rows, the headline, the limits and the seeds say what the numbers say."""

import pytest
from scipy import stats

from headway.reports import headline, result_rows, seed_rows
from headway.reports.limits import limits
from headway.reports.words import decimals, megabytes, percent, points, seconds

from .frozen import REPORTS, multi_label, regression, single_label


def test_rows_hold_numbers_and_say_them():
    accuracy, macro = result_rows(single_label())
    assert accuracy.value == 1920 / 2077
    assert accuracy.difference == pytest.approx(1920 / 2077 - 0.8849)
    assert accuracy.interval == (0.9123, 0.9350)
    assert macro.interval is None
    assert macro.text == ("Macro F1", "92.3%", "–", "88.1%", "+4.2")


def test_smaller_errors_show_a_minus():
    rows = {row.measure.key: row for row in result_rows(regression())}
    assert list(rows) == ["pearson", "spearman", "mae", "mse", "r2"]
    assert rows["mae"].text[-1] == "−0.660"
    assert rows["pearson"].text[-1] == "+0.497"


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        (0.80, "12.4 points above TF-IDF + logistic regression (80.0%)."),
        (0.92, "0.4 points above TF-IDF + logistic regression (92.0%), not clearly different."),
        (0.97, "4.6 points below TF-IDF + logistic regression (97.0%)."),
        (1920 / 2077, "the same as TF-IDF + logistic regression, not clearly different."),
    ],
)
def test_the_headline_compares_honestly(baseline, said):
    report = single_label()
    interval = [baseline - 0.01, min(1.0, baseline + 0.01)]
    report["baseline"] |= {"accuracy": baseline, "confidence_interval_95": interval}
    assert headline(report).endswith("; " + said)


def test_headlines_of_the_other_kinds():
    assert headline(multi_label()).startswith("49.2% of 400 test texts have all their labels right")
    assert headline(regression()).startswith("Pearson correlation 0.928 on 400 test texts, 95%")


def test_the_headline_without_a_baseline_or_any_measure():
    report = single_label()
    del report["baseline"]
    assert headline(report).endswith("95% interval 91.2% to 93.5%.")
    report["test"] = {"n": 0}
    assert headline(report) == "Nothing was measured."


def test_seed_interval_is_students():
    values = [0.9, 0.92, 0.97]
    (row,) = seed_rows([{"seed": i, "accuracy": v} for i, v in enumerate(values)])
    low, high = stats.t.interval(0.95, 2, loc=sum(values) / 3, scale=stats.sem(values))
    assert (row.mean - row.half_width, row.mean + row.half_width) == pytest.approx((low, high))
    assert row.values == tuple(values)


def test_one_seed_has_no_interval_and_a_missing_value_no_row():
    assert seed_rows([{"seed": 0, "accuracy": 0.9}]) == []
    assert seed_rows([]) == []
    partly = [{"seed": 0, "accuracy": 0.9, "macro_f1": None}, {"seed": 1, "accuracy": 0.8}]
    assert [row.name for row in seed_rows(partly)] == ["Accuracy"]


def joined(report):
    return " ".join(limits(report))


def test_a_good_run_has_only_the_limits_of_every_run():
    report = single_label()
    report["data"]["rows"]["validation"] = 100
    report["lengths"]["windowed"] = 0
    report["test"]["calibration"]["expected_calibration_error"] = 0.01
    report["data"]["near_leaks"] = 0
    found = limits(report)
    assert len(found) == 2
    assert "not what texts from another source" in found[0]
    assert "groups of people" in found[1]
    report["bias"] = {"measured": True}
    assert len(limits(report)) == 1


def plant(report, **changes):
    for path, value in changes.items():
        part = report
        *way, last = path.split("__")
        for key in way:
            part = part[key]
        part[last] = value
    return report


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seeds": []}, "One run with one seed"),
        ({"data__rows__validation": 0}, "No validation rows"),
        ({"data__near_leaks": 1}, "1 test text is nearly as in training"),
        ({"lengths__windowed": 1}, "1 text is longer than the model's 512 tokens"),
        ({"data__labels__sport": 3}, "Fewer than 8 training rows: sport."),
        ({"test__per_label__sport__support": 9}, "hardly measured: sport."),
        ({"test__per_label__sport__recall": 0.0}, "Never found in the test set"),
        ({"test__calibration__expected_calibration_error": 0.2}, "off by 20.0% on average"),
        ({"adapters": 24}, "transformers and sentence-transformers refuse the folder"),
        ({"baseline__confidence_interval_95": [0.9, 0.92]}, "Accuracy is not clearly different"),
        (
            {"baseline__accuracy": 0.99, "baseline__confidence_interval_95": [0.98, 0.995]},
            "It is worse than TF-IDF + logistic regression",
        ),
    ],
)
def test_each_limit_is_said_when_it_holds_and_only_then(changes, said):
    clean = plant(
        single_label(),
        data__rows__validation=100,
        data__near_leaks=0,
        lengths__windowed=0,
        test__calibration__expected_calibration_error=0.01,
    )
    assert said not in joined(clean)
    assert said in joined(plant(clean, **changes))


def test_many_thin_labels_are_counted():
    report = plant(single_label(), data__labels={f"l{i}": 1 for i in range(20)})
    assert "l11 and 8 more." in joined(report)


@pytest.mark.parametrize("kind", REPORTS)
def test_every_limit_is_a_sentence(kind):
    for line in limits(REPORTS[kind]()):
        assert line[0].isupper() or line[0].isdigit()
        assert line.endswith(".")


def test_words():
    assert (percent(None), points(None), decimals(None), seconds(None), megabytes(None)) == (
        "–",
    ) * 5
    assert points(0.0) == "+0.0"
    assert decimals(-1234.5) == "−1,234"
    assert decimals(0.0) == "0.000"
    assert decimals(-0.5) == "−0.500"
    assert decimals(0.00012) == "0.00012"
    assert seconds(3600) == "1 h 0 min"
