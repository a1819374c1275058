"""Question answering from rows to a saved model, and beside the reference's own rules."""

from __future__ import annotations

import json
import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from adaptation.quick import quick
from training.questions import put_span_head, questions
from training.steps import mean_of
from training.tiny import WORDS, tiny_model

from headway import compare, evaluate, load, pipeline
from headway.data import Dataset
from headway.errors import ConfigError, DataError, TokenizerError
from headway.heads import SpanHead
from headway.tasks import Meaning, task_named
from headway.tasks.answers.columns import question_columns
from headway.tasks.answers.spans import spans_in, without_answer
from headway.tasks.question_answering import QuestionAnswering
from headway.training.collate import epoch_batches
from tests.tasks.answers.squad_reference import reference_answers

TASK = QuestionAnswering()
MEANING = Meaning("answer-spans")
LEARNS: dict[str, Any] = {"task": "question-answering", "epochs": 6, "lr": 5e-3}


def words(count: int) -> str:
    return " ".join(f"w{n % 20}" for n in range(count))


@pytest.mark.parametrize(
    ("kind", "head", "without"),
    [
        ("bert", "linear", 0.0),
        ("roberta", "mlp", 0.3),
        ("bert", "family", 0.3),
        ("gpt2", "linear", 0.0),
    ],
)
def test_learns_planted_answers_and_opens_again(
    kind: str, head: str, without: float, tmp_path: Path
) -> None:
    data, test = (questions(n, seed=n, without=without) for n in (240, 60))
    out = tmp_path / "run"
    result = quick(tiny_model(kind), data, test=test, out=out, head=head, baseline=True, **LEARNS)
    scores = result.report["test"]
    assert scores["n"] == 60
    assert scores["exact_match"] > 0.85 and scores["f1"] >= scores["exact_match"]
    low, high = scores["confidence_interval_95"]
    assert low <= scores["f1"] <= high
    assert result.report["kind"] == ("answer-spans-or-none" if without else "answer-spans")
    assert ("left_unanswered" in scores) == bool(without)
    same = {one["key"]: one for one in compare(out, out, test)["measures"]}
    assert set(same) == {"f1", "exact_match"} | (
        {"answerable_f1", "left_unanswered"} if without else set()
    )
    for key, one in same.items():
        assert one["first"] == scores[key] and one["p_value"] == 1
        assert one["intervals"][0][0] <= scores[key] <= one["intervals"][0][1]
    assert result.report["baseline"]["f1"] < scores["f1"]

    again = load(out)
    assert again.task == "question-answering" and isinstance(again.head, SpanHead)
    assert evaluate(out, test)["test"] == scores
    answer = pipeline(out)
    told = answer(test)
    assert [one["answer"] for one in told] == [
        one["answer"] for one in pipeline(result.model)(test)
    ]
    for row, one in zip(test, told, strict=True):
        if one["start"] is None:
            assert one["answer"] == "" and without
        else:
            assert row["context"][one["start"] : one["end"]] == one["answer"]
    right = sum(
        one["answer"] in row["answers"]["text"]
        or one["answer"] == "" == "".join(row["answers"]["text"])
        for row, one in zip(test, told, strict=True)
    )
    assert right / 60 == pytest.approx(scores["exact_match"])
    page = (out / "report.html").read_text()
    assert 'predict(question="your question", context=' in (out / "README.md").read_text()
    assert "Exact match" in page and json.loads((out / "run.json").read_text())["task"] == TASK_NAME


TASK_NAME = "question-answering"


def test_questions_of_one_context_are_never_on_two_sides() -> None:
    data = questions(90, each=3)
    result = quick(data=data, task=TASK_NAME, validation=0.2)
    parts = result.report["data"]["rows"]
    assert sum(parts.values()) == 90 - result.report["data"]["duplicates_dropped"]
    assert all(parts.values())
    notes = " ".join(result.report["notes"])
    assert "rows with the same context kept together" in notes
    assert "have a context that" not in notes


def test_contexts_that_both_sides_have_are_said() -> None:
    data = questions(40, each=2)
    train, test = data[0:31], data[31:40]  # the context of rows 30 and 31 is on both sides
    result = quick(data=train, test=test, task=TASK_NAME)
    assert (
        "1 test row has a context that training or validation rows have too: on what is all new "
        "the result may be worse"
    ) in result.report["notes"]


def test_targets_of_windows() -> None:
    model = tiny_model()  # windows of 24 tokens: 19 of the context beside a question of two
    context = words(40)
    start = context.index("w3 w4 w5")
    texts = TASK.encode(model, [("w1 w2", context)] * 3, size=24, stride=4)
    answers = [
        {"text": ["w3 w4 w5"], "answer_start": [start]},
        {"text": ["w18 w19 w0 w1", "w3"], "answer_start": [context.index("w18"), start]},
        None,
    ]
    found = TASK.targets(tiny_model(), texts, answers, Meaning("answer-spans-or-none"))
    assert [len(row) for row in found] == [len(text.ids) for text in texts] == [3] * 3
    assert found[0].tolist() == [[4, 23, 7, 9], [4, 23, 0, 0], [4, 14, 0, 0]]
    # 19 words, then from the 16th on: the first answer is whole in the second window only.
    assert found[1].tolist() == [[4, 23, 7, 7], [4, 23, 7, 10], [4, 14, 0, 0]]
    assert found[2][:, 2:].tolist() == [[0, 0]] * 3


def test_a_step_sees_windows_with_an_answer_however_long_the_context_is() -> None:
    context = words(400)
    (text,) = TASK.encode(tiny_model(), [("w1 w2", context)], size=24, stride=4)
    assert len(text.ids) == 27
    assert len(text.drawn(random.Random(0), 4)) == 4
    TASK.targets(tiny_model(), [text], [None], MEANING)
    assert text.holding == []
    place = len(words(200)) + 1
    TASK.targets(tiny_model(), [text], [{"text": ["w0 w1"], "answer_start": [place]}], MEANING)
    holding = set(text.holding)
    assert 1 <= len(holding) <= 2
    for seed in range(20):
        drawn = text.drawn(random.Random(seed), 4)
        assert drawn == sorted(set(drawn)) and len(drawn) == 4
        assert holding & set(drawn)
    assert text.drawn(random.Random(0), 27) == text.drawn(random.Random(0), None) == [*range(27)]
    assert set(text.drawn(random.Random(0), 1)) <= holding


def test_answers_that_are_elsewhere_are_found_or_refused(caplog: pytest.LogCaptureFixture) -> None:
    model = tiny_model()
    texts = TASK.encode(model, [("w1", "w2 w3 w2 w4")] * 2, size=None, stride=None)
    moved = [{"text": ["w3"], "answer_start": [0]}, "w4"]
    with caplog.at_level(logging.INFO, logger="headway"):
        found = TASK.targets(tiny_model(), texts, moved, MEANING)
    assert [row[0, 2:].tolist() for row in found] == [[4, 4], [6, 6]]
    assert "1 answers were taken from the one place where the context has them" in caplog.text
    wrong = [{"text": ["w2"], "answer_start": [1]}, {"text": ["w9"], "answer_start": [0]}]
    said = (
        r"row 1, 'w1': the answer 'w2' .* at character 1, but 2 times \(and 1 more such answers\)"
    )
    with pytest.raises(DataError, match=said):
        TASK.targets(tiny_model(), texts, wrong, MEANING)


def test_an_answer_that_no_window_holds_is_said(caplog: pytest.LogCaptureFixture) -> None:
    context = words(40)
    texts = TASK.encode(tiny_model(), [("w1 w2", context)], size=24, stride=4)
    with caplog.at_level(logging.INFO, logger="headway"):
        (found,) = TASK.targets(
            tiny_model(), texts, [{"text": [context], "answer_start": [0]}], MEANING
        )
    assert not found[:, 2:].any()
    assert "1 answers are whole in no window" in caplog.text


def test_the_loss_is_the_mean_surprise_of_starts_and_ends_over_context_and_null_place() -> None:
    model = put_span_head(tiny_model())
    data = questions(6, words=30)
    texts = TASK.encode(model, TASK.inputs(data, question_columns(data)), size=24, stride=None)
    targets = TASK.targets(tiny_model(), texts, data["answers"], MEANING)
    (batch,) = epoch_batches(texts, batch_tokens=10**6, seed=0, most_windows=None)
    loss = mean_of(TASK, model, batch, targets, MEANING)
    surprises = []
    for text, known in zip(texts, targets, strict=True):
        out = model.forward(text.ids, segments=text.segments)
        assert out.logits is not None
        for logits, (first, behind, *right) in zip(out.logits, known.tolist(), strict=True):
            places = [0, *range(first, behind)]
            for side in range(2):
                scores = logits[places, side].log_softmax(dim=0)
                surprises.append(-scores[places.index(right[side])].item())
    assert len(surprises) > 2 * len(texts)
    assert loss.item() == pytest.approx(np.mean(surprises), rel=1e-5)
    loss.backward()
    assert model.head is not None
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.head.parameters())


def test_answers_do_not_depend_on_neighbours_or_batches() -> None:
    model = put_span_head(tiny_model())
    data = questions(20, words=30)
    texts = TASK.encode(model, TASK.inputs(data, question_columns(data)), size=24, stride=None)
    whole = TASK.read(model, texts, MEANING, batch_tokens=10**6, what="")
    small = TASK.read(model, texts, MEANING, batch_tokens=1, what="")
    (alone,) = TASK.read(model, texts[7:8], MEANING, batch_tokens=10**6, what="")
    for a, b in zip(whole, small, strict=True):
        assert all(np.allclose(x, y, atol=1e-6) for x, y in zip(a, b, strict=True))
    assert all(np.allclose(x, y, atol=1e-6) for x, y in zip(alone, whole[7], strict=True))
    assert TASK.read(model, [], MEANING, batch_tokens=8, what="") == []


@pytest.mark.parametrize("seed", range(3))
def test_answers_are_those_of_the_references_model_and_rules(seed: int, tmp_path: Path) -> None:
    """Weights and tokens of transformers, and the rules that its scripts for SQuAD go by."""
    import transformers

    model = tiny_model()
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=len(model.need_tokenizer()),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=24,
        initializer_range=0.3,
    )
    theirs = transformers.BertForQuestionAnswering(config).eval()
    theirs.save_pretrained(tmp_path)
    model.need_tokenizer().save(tmp_path)
    data = questions(25, seed=seed, words=12)
    pairs = list(zip(data["question"], data["context"], strict=True))
    ours = pipeline(tmp_path, max_answer_tokens=5)
    told = ours(pairs)
    expected = reference_answers(theirs, tmp_path, pairs, size=24, stride=4, longest=5)
    assert [(one["start"], one["end"]) for one in told] == [one["span"] for one in expected]
    maybe = pipeline("question-answering", load(tmp_path), unanswerable=True, max_answer_tokens=5)
    for one, reference in zip(maybe(pairs), expected, strict=True):
        assert (one["answer"] == "") == (reference["null_score"] > reference["score"])

    # In several windows: the same windows, and each window's logits.
    long = list(zip(data["question"], questions(25, seed=9, words=45)["context"], strict=True))
    texts = TASK.encode(load(tmp_path), long, size=24, stride=4)
    found = TASK.read(load(tmp_path), texts, MEANING, batch_tokens=512, what="")
    for text, scores, one in zip(
        texts,
        found,
        reference_answers(theirs, tmp_path, long, size=24, stride=4, longest=5),
        strict=True,
    ):
        assert text.ids == one["ids"] and len(text.ids) > 2
        best = max(one["windows"], key=lambda window: window["log_probability"])
        (span,) = spans_in(text, scores, most_tokens=5)
        assert (span.start, span.end) == best["span"]
        assert span.score == pytest.approx(best["log_probability"], abs=1e-4)
        lowest = min(window["null_log_probability"] for window in one["windows"])
        assert without_answer(scores) == pytest.approx(lowest, abs=1e-4)


@pytest.mark.parametrize(
    ("columns", "label", "found"),
    [
        (
            {"question": "q", "context": "c", "answers": "c"},
            None,
            ("question", "context", "answers"),
        ),
        ({"Query": "q", "passage": "c", "answer": "c"}, None, ("Query", "passage", "answer")),
        ({"a": "x", "question": "q", "text": "c", "b": "c"}, "b", ("question", "text", "b")),
    ],
)
def test_columns_are_guessed_by_their_usual_names(
    columns: dict[str, str], label: str | None, found: tuple[str, ...]
) -> None:
    data = Dataset.from_columns({name: [value] for name, value in columns.items()})
    got = question_columns(data, label=label)
    assert (got.text, got.pair, got.label) == found
    assert got.group == found[1]
    assert got.said == "question column {!r}, context column {!r}, answers column {!r}".format(
        *found
    )


def test_a_column_of_starts_is_read_beside_one_of_texts() -> None:
    data = Dataset.from_columns(
        {
            "question": ["q", "q"],
            "context": ["b a b", "b"],
            "answer_text": ["b", None],
            "answer_start": [4, None],
        }
    )
    columns = question_columns({"train": data})
    assert columns.said.endswith("answers column 'answer_text' with places in 'answer_start'")
    assert columns.answers(data) == [{"text": "b", "answer_start": 4}, None]
    assert TASK.kind_of(columns.answers(data)) == "answer-spans-or-none"


def test_columns_that_are_not_there_are_said() -> None:
    data = Dataset.from_columns({"question": ["q"], "b": ["c"]}, name="rows")
    with pytest.raises(
        DataError, match=r"rows has no column that is called like a context.*--pair"
    ):
        question_columns(data)
    with pytest.raises(DataError, match=r"no column 'x' in rows"):
        question_columns(data, pair="x")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([3] * 20, r"row 1 of the train rows: 3 is no answer \(and 19 more"),
        (["w1 w2"] * 19 + [None], r"row 20 of the train rows: there is no answer"),
    ],
)
def test_rows_without_answers_that_can_be_used(answers: list[Any], said: str) -> None:
    rows = [
        {"question": "w1", "context": f"w1 w2 w{n} w3", "answers": answer}
        for n, answer in enumerate(answers)
    ]
    with pytest.raises(DataError, match=said):
        quick(data=Dataset.from_rows(rows), task=TASK_NAME, kind="answer-spans")


def test_what_the_task_cannot_do_is_said() -> None:
    with pytest.raises(ConfigError, match="is an encoder-decoder"):
        quick(tiny_model("t5"), questions(20), task=TASK_NAME)
    with pytest.raises(ConfigError, match="class_weights with answers"):
        quick(data=questions(20), task=TASK_NAME, class_weights=True)
    with pytest.raises(ConfigError, match=r"head 'lstm' is not known. Allowed: linear, mlp"):
        quick(data=questions(20), task=TASK_NAME, head="lstm")
    long = questions(20).map(lambda row: {"question": " ".join(WORDS)})
    with pytest.raises(TokenizerError, match=r"row \d+: the question has 20 tokens"):
        quick(data=long, task=TASK_NAME, window=22)
    assert task_named(TASK_NAME).label_counts([], MEANING) == {}
