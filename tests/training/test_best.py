from __future__ import annotations

import torch
from torch import nn

from headway.training.best import Best


def scored(scores: list[float], patience: int) -> tuple[nn.Linear, Best, list[bool]]:
    """Epoch n leaves n in every parameter."""
    module = nn.Linear(2, 1)
    best = Best(module, patience)
    ends = []
    for number, score in enumerate(scores, start=1):
        for parameter in module.parameters():
            parameter.data.fill_(number)
        ends.append(best.see(score))
    return module, best, ends


def test_the_best_epoch_comes_back() -> None:
    module, best, ends = scored([0.5, 0.9, 0.7, 0.8], patience=2)
    assert ends == [False, False, False, True]
    assert (best.number, best.score) == (2, 0.9)
    best.restore()
    assert all((p == 2).all() for p in module.parameters())


def test_of_equal_scores_the_earliest_counts() -> None:
    _, best, ends = scored([0.5, 0.5, 0.6, 0.6, 0.6], patience=2)
    assert best.number == 3 and ends == [False, False, False, False, True]


def test_a_score_that_is_no_number_does_not_win() -> None:
    _, best, ends = scored([float("nan"), 0.1, float("nan")], patience=2)
    assert best.number == 2 and ends == [False, False, False]


def test_without_an_epoch_nothing_changes() -> None:
    module = nn.Linear(2, 1)
    before = module.weight.detach().clone()
    Best(module, 1).restore()
    assert torch.equal(module.weight, before)
