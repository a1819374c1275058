"""The pipeline of answers: what it takes, what it gives, and contexts of any length."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from training.questions import put_span_head, questions
from training.tiny import put_head, tiny_model

import headway
from headway.data import Dataset
from headway.errors import ConfigError, DataError, TokenizerError
from headway.pipelines import QuestionAnswering, inputs

PAIRS = [
    ("w1 w2", "w3 red w4 w5"),
    ("w6", " ".join(f"w{n % 20}" for n in range(50))),
    ("w7 w8 w9", "blue"),
]


@pytest.fixture(scope="module")
def answer() -> QuestionAnswering:
    """A head whose numbers are far apart."""
    model = put_span_head(tiny_model())
    assert model.head is not None
    with torch.no_grad():
        model.head.output.weight.mul_(20)
    return QuestionAnswering(model)


def close(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> bool:
    """Whether answers are the same, but for the order in which numbers are added up."""
    scores = zip(a, b, strict=True)
    return all(math.isclose(x["score"], y["score"], rel_tol=1e-4) for x, y in scores) and [
        {**one, "score": 0} for one in a
    ] == [{**one, "score": 0} for one in b]


def test_an_answer_is_a_stretch_of_its_context(answer: QuestionAnswering) -> None:
    told = answer(PAIRS)
    for (question, context), one in zip(PAIRS, told, strict=True):
        assert set(one) == {"answer", "score", "start", "end", "tokens"}
        assert context[one["start"] : one["end"]] == one["answer"] != ""
        assert 0 < one["score"] <= 1
        total = len(question.split()) + len(context.split())
        assert one["tokens"]["used"] == one["tokens"]["total"] == total
    assert [one["tokens"]["windows"] for one in told] == [1, 3, 1]


def test_everything_that_can_be_asked(answer: QuestionAnswering) -> None:
    told = answer(PAIRS)
    asked = [{"question": question, "context": context} for question, context in PAIRS]
    assert close([answer(*PAIRS[:1])], told[:1])
    assert close([answer(asked[1])], told[1:2])
    assert close([answer(**asked[1])], told[1:2])
    assert close(answer(asked), told)
    names = [list(column) for column in zip(*PAIRS, strict=True)]
    assert close(answer(question=names[0], context=names[1]), told)
    both = answer(question=["w1 w2", "w6"], context=PAIRS[0][1])
    assert close(both[:1], told[:1]) and len(both) == 2
    assert close(answer(Dataset.from_rows(asked)), told)
    assert answer([]) == []


def test_a_file_of_rows(answer: QuestionAnswering, tmp_path: Path) -> None:
    lines = ["question,passage", *(f'"{question}","{context}"' for question, context in PAIRS)]
    (tmp_path / "asked.csv").write_text("\n".join(lines), encoding="utf-8")
    assert close(answer(tmp_path / "asked.csv"), answer(PAIRS))
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="called like a question"):
        answer(tmp_path / "other.csv")


def test_an_iterator_is_answered_lazily(
    answer: QuestionAnswering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "CHUNK", 2)
    taken = 0

    def endless() -> Iterator[Any]:
        nonlocal taken
        while True:
            question, context = PAIRS[taken % 3]
            taken += 1
            yield {"question": question, "context": context} if taken % 2 else (question, context)

    answers = answer(endless())
    assert taken == 0
    first = [next(answers) for _ in range(3)]
    assert taken == 4
    assert close(first, answer(PAIRS))
    assert close(answer(PAIRS), first)  # a list, in chunks


def test_the_best_answers_do_not_touch_each_other(answer: QuestionAnswering) -> None:
    best = answer(PAIRS[1])
    for top in (1, 3, 99):
        told = answer(PAIRS[1], top=top)
        assert (told["answer"][0], told["start"][0]) == (best["answer"], best["start"])
        assert 1 <= len(told["answer"]) <= top
        assert told["score"] == sorted(told["score"], reverse=True)
        places = sorted(zip(told["start"], told["end"], strict=True))
        assert all(one[1] < other[0] for one, other in itertools.pairwise(places))
        context = PAIRS[1][1]
        assert told["answer"] == [
            context[start:end] for start, end in zip(told["start"], told["end"], strict=True)
        ]
    words = QuestionAnswering(answer.reader.model, max_answer_tokens=1)
    assert len(words(PAIRS[1], top=99)["answer"]) == 50
    assert all(" " not in one for one in words(PAIRS[1], top=99)["answer"])


def test_answers_do_not_depend_on_neighbours_order_or_batches(answer: QuestionAnswering) -> None:
    told = answer(PAIRS)
    assert close(answer(PAIRS[::-1]), told[::-1])
    assert close(QuestionAnswering(answer.reader.model, batch_tokens=1)(PAIRS), told)


def test_a_question_can_be_left_without_an_answer() -> None:
    model = put_span_head(tiny_model(), kind="answer-spans-or-none")
    always = QuestionAnswering(model, unanswerable=False)
    usual = QuestionAnswering(model)  # the model's kind says that there can be none
    never = QuestionAnswering(model, threshold=-1e9)
    assert all(one["answer"] for one in always(PAIRS))
    assert all(one["answer"] for one in QuestionAnswering(model, threshold=1e9)(PAIRS))
    for one in never(PAIRS):
        assert (one["answer"], one["start"], one["end"]) == ("", None, None)
        assert 0 < one["score"] < 1
    told = never(PAIRS[0], top=3)
    assert told["answer"][0] == "" and told["answer"][1:] == always(PAIRS[0], top=2)["answer"]
    every = QuestionAnswering(model, threshold=1e9)(PAIRS[0], top=99)
    assert every["answer"][0] == always(PAIRS[0])["answer"] and every["answer"].count("") == 1
    assert every["score"][1:] == sorted(every["score"][1:], reverse=True)
    for one, other, nothing in zip(usual(PAIRS), always(PAIRS), never(PAIRS), strict=True):
        assert one["answer"] == ("" if nothing["score"] > other["score"] else other["answer"])


def test_contexts_that_have_nothing_to_point_at(answer: QuestionAnswering) -> None:
    for context in ("", " \n "):
        told = answer(("w1", context))
        assert (told["answer"], told["start"], told["end"]) == ("", None, None)
    assert answer(("", "w1"))["answer"] == "w1"


def test_a_context_of_thousands_of_windows() -> None:
    model = put_span_head(tiny_model())
    context = " ".join(["w3"] * 40_000 + ["red"] + ["w3"] * 10_000)
    told = QuestionAnswering(model, stride=0)(question="w1", context=context)
    assert context[told["start"] : told["end"]] == told["answer"]
    assert told["tokens"] == {"used": 50_002, "total": 50_002, "windows": -(-50_001 // 20)}


@pytest.mark.parametrize(
    ("arguments", "options", "problem"),
    [
        (("a text",), {}, "'a text' is a str"),
        ((["w1", "w2"],), {}, r"row 0 is 'w1'.*a question and its context"),
        (([("w1", 3)],), {}, r"row 0 is \('w1', 3\)"),
        (({"question": "w1"},), {}, "is a dict"),
        ((), {}, "None is a NoneType"),
        ((), {"question": "w1"}, "a question or a context alone"),
        ((PAIRS,), {"question": "w1", "context": "w1"}, "a question or a context alone"),
        ((), {"question": ["w1"], "context": ["w1", "w2"]}, "1 questions and 2 contexts"),
        ((PAIRS,), {"top": 0}, "top = 0"),
    ],
)
def test_what_cannot_be_asked(
    answer: QuestionAnswering, arguments: tuple[Any, ...], options: Any, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        answer(*arguments, **options)


def test_a_question_that_fills_a_window_is_named(answer: QuestionAnswering) -> None:
    with pytest.raises(TokenizerError, match="row 1: the question has 30 tokens, and a window 24"):
        answer([PAIRS[0], ("w1 " * 30, "w2")])


def test_what_cannot_answer_says_so() -> None:
    with pytest.raises(ConfigError, match=r"no head for answers.*it is for text-classification"):
        QuestionAnswering(put_head(tiny_model(), ("a", "b")))
    with pytest.raises(ConfigError, match="max_answer_tokens = 0"):
        QuestionAnswering(put_span_head(tiny_model()), max_answer_tokens=0)


def test_a_run_is_read_with_its_own_windows(tmp_path: Path) -> None:
    options: dict[str, Any] = {"epochs": 1, "baseline": False, "precision": "fp32"}
    out = tmp_path / "run"
    headway.adapt(
        tiny_model(), questions(20), task="question-answering", out=out, window=12, **options
    )
    assert headway.pipeline(out)(("w1 w2", "w3 " * 14))["tokens"]["windows"] == 3
