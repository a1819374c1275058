"""One of the answers is written, whatever the tokens; no other beginning is offered."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipelines.models import writer

from headway.errors import ConfigError
from headway.generate import OneOf
from headway.generate.answers import answer_guides
from headway.generate.spelling import spelling_of

from .letters import letters_model, letters_tokenizer

TOKENIZER = letters_tokenizer()
SPELLING = spelling_of(TOKENIZER)


@settings(max_examples=40)
@given(answers=st.lists(st.text("aber🙂", min_size=1, max_size=5), min_size=1, max_size=4))
def test_the_guide_offers_all_ways_to_answers_and_no_other(answers: list[str]) -> None:
    wanted = {answer.encode() for answer in answers}
    beginnings = {data[:n] for data in wanted for n in range(len(data) + 1)}
    open_, reached = [(b"", answer_guides(answers, SPELLING, 300)())], set()
    while open_:
        data, guide = open_.pop()
        assert guide.whole == (data in wanted)
        assert guide.done == all(
            len(each) == len(data) for each in wanted if each[: len(data)] == data
        )
        if guide.whole:
            reached.add(data)
        offered = {SPELLING.later[int(id)] for id in guide.allowed().nonzero()}
        assert offered == {
            spelt for spelt in SPELLING.later if spelt and data + spelt in beginnings
        }
        for spelt in offered:
            after = guide.fork()
            after.take(SPELLING.later.index(spelt))
            open_.append((data + spelt, after))
    assert reached == wanted


@pytest.mark.parametrize("options", [{}, {"temperature": 1.0}, {"beams": 4}, {"contrastive": 0.3}])
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_models_answer(kind: str, options: dict[str, Any]) -> None:
    model = letters_model(kind)
    answers = ["true", "false", "yes 🙂", "yes"]
    prompts = ["a", "b", "abc", "d"]
    found = model.generate_details(prompts, 30, constraint=OneOf(answers), **options)
    assert all(written.text in answers for written in found)
    assert {written.stopped_by for written in found} <= {"constraint", "end"}


def test_the_likeliest_answer_is_found_by_beams() -> None:
    model = letters_model("gpt2")
    answers = ["".join(letters) for letters in itertools.product("cd", repeat=3)]
    (found,) = model.generate_details(
        ["a"], beams=16, constraint=OneOf(answers), length_penalty=0.0, stop_tokens=()
    )
    prompt = model.need_tokenizer().encode("a").ids
    rows = [model.need_tokenizer().encode(answer).ids for answer in answers]
    logits = model.forward([[*prompt, *row] for row in rows]).logits
    assert logits is not None
    scores = [
        sum(
            float(made.detach()[len(prompt) - 1 + n].log_softmax(-1)[id])
            for n, id in enumerate(row)
        )
        for made, row in zip(logits, rows, strict=True)
    ]
    assert found.text == answers[scores.index(max(scores))]


def test_answers_that_tokens_cannot_write() -> None:
    with pytest.raises(ConfigError, match="no token can begin a text of"):
        writer().generate(["w1"], constraint=OneOf(["zebra"]))
    (found,) = writer().generate_details(["w1"], constraint=OneOf(["w1 zebra"]))
    assert found.stopped_by == "nothing_left"
    assert writer().generate(["w1"], constraint=OneOf(["w1 w2"])) == ["w1 w2"]
    for wrong in ((), ("",), (1,)):
        with pytest.raises(ConfigError, match="allowed answers"):
            OneOf(wrong)  # type: ignore[arg-type]
    assert OneOf("yes").answers == ("yes",)
