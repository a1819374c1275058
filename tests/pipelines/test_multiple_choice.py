"""The pipeline of choices: what it takes, what it gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training.choosing import put_choice_head
from training.tiny import put_head, tiny_model

from headway.data import Dataset
from headway.errors import ConfigError, TokenizerError
from headway.pipelines import MultipleChoice, inputs

ROWS = [
    ("w1 w2", ["w3", "w4 w5", "w6"]),
    (" ".join(f"w{n % 20}" for n in range(60)), ["w1", "w2"]),
    ("w7", ["w8"]),
]


@pytest.fixture(scope="module")
def choose() -> MultipleChoice:
    return MultipleChoice(put_choice_head(tiny_model()))


def close(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> bool:
    """Whether answers are the same, but for the order in which numbers are added up."""
    same = [(one["label"], one["index"], one["tokens"]) for one in a] == [
        (one["label"], one["index"], one["tokens"]) for one in b
    ]
    pairs = zip(a, b, strict=True)
    return same and all(np.allclose(x["scores"], y["scores"], atol=1e-6) for x, y in pairs)


def test_an_answer_says_the_choice_and_all_scores(choose: MultipleChoice) -> None:
    told = choose(ROWS)
    for (context, choices), one in zip(ROWS, told, strict=True):
        assert set(one) == {"label", "index", "score", "scores", "tokens"}
        assert one["label"] == choices[one["index"]]
        assert one["score"] == max(one["scores"]) == one["scores"][one["index"]]
        assert sum(one["scores"]) == pytest.approx(1)
        words = len(choices) * len(context.split()) + sum(len(c.split()) for c in choices)
        assert one["tokens"]["total"] == words
    assert [one["tokens"]["windows"] for one in told] == [3, 8, 1]
    assert told[2]["scores"] == [1.0]


def test_everything_that_can_be_asked(choose: MultipleChoice, tmp_path: Path) -> None:
    told = choose(ROWS)
    asked = [{"context": context, "choices": choices} for context, choices in ROWS]
    assert close([choose(*ROWS[0])], told[:1])
    assert close([choose(ROWS[0])], told[:1])
    assert close([choose(asked[0])], told[:1])
    assert close(choose(asked), told)
    assert close(choose(Dataset.from_rows(asked)), told)
    lines = ["text,option1,option2,option3", "w1 w2,w3,w4 w5,w6", "w7,w8,,"]
    (tmp_path / "asked.csv").write_text("\n".join(lines), encoding="utf-8")
    assert close(choose(tmp_path / "asked.csv"), [told[0], told[2]])
    assert choose([]) == []


def test_what_choices_go_on_from_is_read_before_each(choose: MultipleChoice) -> None:
    begun = choose("w1", ["w3", "w4"], beginning="w2")
    plain = choose("w1", ["w2 w3", "w2 w4"])
    assert begun["scores"] == pytest.approx(plain["scores"])
    assert begun["label"] in ("w3", "w4")
    assert close([choose({"context": "w1", "choices": ["w3", "w4"], "beginning": "w2"})], [begun])


def test_scores_depend_on_the_context(choose: MultipleChoice) -> None:
    one, other = choose([("w1", ROWS[0][1]), ("w2 w3 w4 w5", ROWS[0][1])])
    assert not np.allclose(one["scores"], other["scores"], atol=1e-4)


def test_an_iterator_is_answered_lazily(
    choose: MultipleChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "CHUNK", 2)
    taken = 0

    def endless() -> Iterator[Any]:
        nonlocal taken
        while True:
            taken += 1
            yield ROWS[(taken - 1) % 3]

    answers = choose(endless())
    assert taken == 0
    assert close([next(answers) for _ in range(3)], choose(ROWS))
    assert taken == 4


def test_answers_do_not_depend_on_neighbours_order_or_batches(choose: MultipleChoice) -> None:
    told = choose(ROWS)
    assert close(choose(ROWS[::-1]), told[::-1])
    assert close(MultipleChoice(choose.reader.model, batch_tokens=1)(ROWS), told)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("w1",), "'w1' is a str"),
        ((["w1", "w2"],), "'w1' is a str"),
        (("w1", []), r"\('w1', \[\]\) is asked"),
        (("w1", "w2"), r"\('w1', 'w2'\) is asked"),
        (("w1", ["w2", 3]), "is asked"),
        ((3, ["w2"]), "is asked"),
        (({"context": "w1"},), "is a dict"),
    ],
)
def test_what_cannot_be_asked(
    choose: MultipleChoice, arguments: tuple[Any, ...], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        choose(*arguments)


def test_texts_that_cannot_be_read_are_named_by_number(choose: MultipleChoice) -> None:
    with pytest.raises(TokenizerError, match=r"text 1: .*half of a surrogate pair"):
        choose([ROWS[0], ("w1", ["\ud83d"])])
    with pytest.raises(TokenizerError, match=r"text 1: a window of 24 tokens has no room"):
        choose([ROWS[0], ("w1 " * 30, ["w2 " * 31])])


def test_what_cannot_choose_says_so() -> None:
    with pytest.raises(ConfigError, match=r"no head for choices.*it is for text-classification"):
        MultipleChoice(put_head(tiny_model(), ("a", "b")))
    with pytest.raises(ConfigError, match=r"tiny-bert has no head for choices. Next"):
        MultipleChoice(tiny_model())
