from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from training.tiny import put_head, rows, tiny_model

from headway.adaptation.plan import Plan, after_probe, plan_run, rate_for
from headway.adaptation.rows import prepare_rows
from headway.adaptation.settings import Settings
from headway.data import Dataset
from headway.tasks import Course, Meaning, task_named
from headway.windows import window_texts

TASK = task_named("text-classification")


def planned(data: Dataset, **settings: Any) -> Plan:
    chosen = Settings(**{"precision": "fp32", **settings})
    model = tiny_model()
    found = prepare_rows(
        TASK, data, chosen, test=Dataset.from_rows([{"text": "zzz", "label": data["label"][0]}])
    )
    put_head(model, found.meaning.labels, found.meaning.kind)
    texts = window_texts(model.need_tokenizer(), found.inputs(found.train), size=model.longest)
    return plan_run(model, texts, found, chosen)


def test_what_is_asked_is_taken() -> None:
    plan = planned(
        rows(n=40), epochs=7, lr=0.01, batch_tokens=99, warmup=0.3, weight_decay=0.2, clip=5.0,
        patience=4, seed=8, probe=False, most_windows=3, precision="bf16",
    )  # fmt: skip
    options = plan.options
    assert (options.epochs, options.learning_rate, options.batch_tokens) == (7, 0.01, 99)
    assert (options.warmup, options.weight_decay, options.clip) == (0.3, 0.2, 5.0)
    assert (options.patience, options.seed, plan.precision) == (4, 8, "bf16")
    assert (plan.probe, plan.most_windows) == (False, 3)


def test_few_rows_a_class_want_more_epochs_and_a_probe() -> None:
    few, many = planned(rows(n=40)), planned(rows(n=600))
    assert few.probe and not many.probe
    assert few.options.epochs > many.options.epochs
    assert not any("epochs" in note for note in few.notes)  # the probe decides first


def test_classes_that_the_body_knows_are_trained_gently() -> None:
    few = planned(rows(n=40))
    gentle, firm = (TASK.course(40, Meaning("single-label", ("a", "b")), r) for r in (0.95, 0.4))
    known = after_probe(few, Settings(), gentle, 0.95)
    unknown = after_probe(few, Settings(), firm, 0.4)
    assert known.options.learning_rate < unknown.options.learning_rate
    assert known.options.epochs < unknown.options.epochs
    assert after_probe(few, Settings(), firm, None).options == unknown.options
    assert any("95%" in note and "probe" in note for note in known.notes)
    asked = after_probe(few, Settings(epochs=7, lr=0.01), gentle, 0.95).options
    assert (asked.epochs, asked.learning_rate) == (7, 0.01)


def test_one_very_long_text_does_not_change_the_batches() -> None:
    """It trains with a few of its windows, and only these count."""
    data = rows(n=100)
    long = Dataset.from_rows([*data, {"text": "w1 " * 20_000, "label": "red"}])
    usual, with_it = (planned(d, most_windows=2).options.batch_tokens for d in (data, long))
    assert usual <= with_it < 1.2 * usual


def test_rare_classes_count_more() -> None:
    labels = ["a"] * 30 + ["b"] * 10
    data = Dataset.from_columns(
        {"text": [f"w{n % 20} w{n // 20}" for n in range(40)], "label": labels}
    )
    weights = planned(data, class_weights=True).class_weights
    assert weights is not None and weights.tolist() == pytest.approx([40 / 60, 2.0])
    assert (weights[0] * 30 + weights[1] * 10) / 40 == pytest.approx(1)


def test_rare_labels_of_sets_count_more() -> None:
    labels = [["a", "b"]] * 10 + [["a"]] * 20 + [[]] * 10
    data = Dataset.from_columns(
        {"text": [f"w{n % 20} w{n // 20}" for n in range(40)], "label": labels}
    )
    weights = planned(data, class_weights=True).class_weights
    assert weights is not None and weights.tolist() == pytest.approx([10 / 30, 3.0])


def test_long_texts_are_said() -> None:
    data = Dataset.from_rows([*rows(n=10), {"text": "w1 " * 200, "label": "red"}])
    notes = planned(data, most_windows=2).notes
    assert "1 training text is longer than the model and read in windows" in notes
    assert "1 of them train with 2 of their windows, drawn anew each epoch" in notes
    assert not any("longer" in note for note in planned(rows(n=10)).notes)


def test_wide_models_learn_more_gently() -> None:
    course = Course(epochs=3, rate=1e-4)
    rates = [rate_for(course, hidden) for hidden in (64, 384, 768, 1024)]
    assert rates == sorted(rates, reverse=True) and rates[0] == rates[1] == 1e-4
    assert rates[2] == pytest.approx(5e-5)
    wide = dataclasses.replace(planned(rows(n=40)), hidden=768)
    assert after_probe(wide, Settings(), course, 0.4).options.learning_rate == rates[2]
    assert after_probe(wide, Settings(lr=0.01), course, 0.4).options.learning_rate == 0.01
