"""What is drawn has the model's probabilities, and depends on nothing but the prompt and a seed."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st
from pipelines.models import writer

from headway.generate.choosing import drawn, greedy, pick
from headway.generate.filters import temperature, top_k
from headway.generate.text import Text, draw_for


def test_greedy_takes_the_first_of_equals() -> None:
    assert greedy(torch.tensor([[0.0, 2.0, 2.0], [1.0, 0.0, 0.0]])).tolist() == [1, 0]


@given(
    weights=st.lists(st.sampled_from([0.0, 1e-12, 0.3, 1.0, 7.0]), min_size=1, max_size=6),
    at=st.floats(0, 1, exclude_max=True),
)
def test_a_weight_of_nothing_is_never_picked(weights: list[float], at: float) -> None:
    if not any(weights):
        return
    place = int(pick(torch.tensor([weights]), [at]))
    assert weights[place] > 0
    before = sum(weights[:place])
    assert before <= at * sum(weights) + 1e-6
    assert before + weights[place] >= at * sum(weights) - 1e-6


def test_counts_are_as_probable() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0]])
    choose, text = drawn([temperature(1.5), top_k(3)]), Text(prompt=[0])
    counts = torch.zeros(4)
    for _ in range(4000):
        counts[choose(logits, [text])] += 1
    wanted = (logits[0, :3] / 1.5).softmax(-1) * 4000
    assert counts[3] == 0
    assert float(((counts[:3] - wanted) ** 2 / wanted).sum()) < 13.8  # 99.9% of two degrees


OPTIONS: dict[str, Any] = {"max_new_tokens": 6, "temperature": 3.0, "stop_tokens": ()}


def test_neighbours_and_order_change_nothing() -> None:
    model = writer("llama")
    prompts = ["w1 w2", "w3", "w4 w5 w6 w7", "w8"]
    alone = [model.generate([prompt], **OPTIONS)[0] for prompt in prompts]
    assert len(set(alone)) == 4
    assert model.generate(prompts, **OPTIONS) == alone
    assert model.generate(prompts[::-1], **OPTIONS) == alone[::-1]
    assert model.generate(prompts, batch=2, **OPTIONS) == alone
    assert model.generate(["w1 w2"] * 2, **OPTIONS) == [alone[0]] * 2


def test_seeds_and_sequences_differ() -> None:
    model = writer("gpt2")
    seeds = {model.generate(["w1"], seed=seed, **OPTIONS)[0] for seed in (0, 1, 2, -1)}
    assert len(seeds) == 4
    several = model.generate(["w1", "w2"], sequences=3, **OPTIONS)
    assert len(set(several)) == 6
    assert several[0] == model.generate(["w1"], **OPTIONS)[0]
    assert several[3] == model.generate(["w2"], **OPTIONS)[0]


def test_temperature_0_is_greedy() -> None:
    model = writer("gpt2")
    assert model.generate(["w1"], 5, temperature=0) == model.generate(["w1"], 5)


def test_random_numbers_are_of_what_is_asked() -> None:
    numbers = {
        draw_for(seed, prompt, sequence).random()
        for seed in (0, 1)
        for prompt in ([1, 2], [12], [1], [])
        for sequence in (0, 1)
    }
    assert len(numbers) == 16
