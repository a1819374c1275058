"""The decoding loop, with steps that are plain functions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from headway.generate import continue_texts, greedy


class Counting:
    """After token n comes n + 1; remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[list[list[int]]] = []

    def __call__(self, chunks: Sequence[Sequence[int]]) -> Tensor:
        self.seen.append([list(chunk) for chunk in chunks])
        last = [chunk[-1] for chunk in chunks if chunk]
        return torch.nn.functional.one_hot(torch.tensor(last) + 1, 100).float()


def test_each_text_ends_for_itself_and_is_not_read_again() -> None:
    step = Counting()
    new = continue_texts(step, [[7], [1, 2], [8]], max_new_tokens=4, stop={10, 50})
    assert new == [[8, 9], [3, 4, 5, 6], [9]]
    assert step.seen == [
        [[7], [1, 2], [8]],
        [[8], [3], [9]],
        [[9], [4], []],
        [[], [5], []],
    ]


def test_the_loop_ends_when_all_texts_have() -> None:
    step = Counting()
    assert continue_texts(step, [[7], [8]], max_new_tokens=50, stop={9}) == [[8], []]
    assert len(step.seen) == 2


@pytest.mark.parametrize(("most", "new"), [(0, [[], []]), (1, [[2], [6]]), (2, [[2, 3], [6, 7]])])
def test_as_many_as_asked_for(most: int, new: list[list[int]]) -> None:
    step = Counting()
    assert continue_texts(step, [[1], [5]], max_new_tokens=most) == new
    assert len(step.seen) == most


def test_another_choice() -> None:
    new = continue_texts(
        Counting(), [[1]], max_new_tokens=3, choose=lambda logits: greedy(logits) + 1
    )
    assert new == [[3, 5, 7]]


def test_greedy_takes_the_first_of_equals() -> None:
    assert greedy(torch.tensor([[0.0, 2.0, 2.0], [1.0, 0.0, 0.0]])).tolist() == [1, 0]
