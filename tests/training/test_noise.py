"""Noise on texts: what is read and what is written are the text again."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headway.training.noise import NOISES, Marks, infilling, spans

SENTINELS = tuple(range(1000, 1100))
MARKS = Marks(mask=999, sentinels=SENTINELS, ends=frozenset({7}))


def chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def parts(written: list[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for token in written:
        if token in SENTINELS:
            found[token] = []
        else:
            found[max(found)].append(token)
    return found


@given(st.lists(st.integers(0, 900), min_size=1, max_size=300), st.integers(0, 99))
def test_spans_are_the_text_again(ids: list[int], seed: int) -> None:
    read, written = spans(ids, MARKS, chance(seed))
    gone = parts(written)
    again = [one for token in read for one in gone.get(token, [token])]
    assert again == ids
    marks = [token for token in read if token in SENTINELS]
    assert marks == list(SENTINELS[: len(marks)]) == list(gone)
    if len(ids) > 1:
        assert sum(map(len, gone.values())) == max(1, round(0.15 * len(ids)))
        assert all(gone.values())


def test_spans_have_three_tokens_on_average() -> None:
    _, written = spans(list(range(600)), MARKS, chance(0))
    lengths = [len(part) for part in parts(written).values()]
    assert sum(lengths) == 90 and len(lengths) == 30 and len(set(lengths)) > 2


def test_few_sentinels_make_longer_spans() -> None:
    _, written = spans(list(range(100)), Marks(sentinels=SENTINELS[:2]), chance(0))
    assert len(parts(written)) == 2


@given(st.lists(st.integers(0, 900).filter(lambda n: n != 7), max_size=200), st.integers(0, 99))
def test_infilling_hides_runs_behind_one_mask_each(ids: list[int], seed: int) -> None:
    read, written = infilling(ids, MARKS, chance(seed))
    assert written == ids
    kept = [token for token in read if token != 999]
    rest = iter(ids)
    assert all(token in rest for token in kept)  # in their order
    assert len(ids) - len(kept) == round(0.3 * len(ids)) or len(ids) < 8


def test_infilling_hides_a_third_and_shuffles_sentences() -> None:
    ids = [n if n % 10 else 7 for n in range(1, 301)]
    read, _ = infilling(ids, MARKS, chance(0))
    kept = [token for token in read if token != 999]
    assert len(kept) == 210
    assert kept != sorted(kept, key=lambda n: (n == 7, n)) and read.count(999) > 15
    assert 10 < read.count(999) < 60


@pytest.mark.parametrize("noise", NOISES)
def test_a_seed_decides(noise: str) -> None:
    ids = list(range(80))
    one, same, other = (NOISES[noise](ids, MARKS, chance(n)) for n in (1, 1, 2))
    assert one == same != other
