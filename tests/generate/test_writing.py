"""Prompts are written in batches, and come back in their order."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from pipelines.models import writer

from headway.generate.writing import PROMPT_TOKENS, batches


@given(lengths=st.lists(st.integers(1, PROMPT_TOKENS * 2), max_size=20), most=st.integers(1, 6))
def test_batches_hold_every_prompt_once_and_not_too_much(lengths: list[int], most: int) -> None:
    made = list(batches(lengths, most))
    assert sorted(number for batch in made for number in batch) == list(range(len(lengths)))
    for batch in made:
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or sum(lengths[number] for number in batch) <= PROMPT_TOKENS
    for first, second in itertools.pairwise(made):
        assert lengths[first[-1]] >= lengths[second[0]]
        room = sum(lengths[number] for number in first) + lengths[second[0]]
        assert len(first) == most or room > PROMPT_TOKENS


def test_texts_come_back_in_the_order_of_their_prompts() -> None:
    model = writer("llama")
    prompts = ["w1", "w2 w3 w4", "w5 w6", "w7", "w1 w2"]
    alone = [model.generate([prompt], 5)[0] for prompt in prompts]
    for batch in (1, 2, 3, 64):
        assert model.generate(prompts, 5, batch=batch) == alone
    beams = [model.generate([prompt], 5, beams=2)[0] for prompt in prompts]
    assert model.generate(prompts, 5, beams=2, batch=4) == beams
