from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from headway.tasks.labels.kinds import KINDS
from headway.training.accumulate import mean_loss
from headway.training.collate import Batch, epoch_batches, equal_epochs, text_logits
from headway.windows import Windowed, window_texts

from .tiny import WORDS, put_head, tiny_model

TEXTS = ["w1", "w2 w3 w4 w5 w6", " ".join(WORDS * 4), "w7 w8 red", " ".join(WORDS * 2)]


def read(kind: str = "bert") -> list[Windowed]:
    return window_texts(tiny_model(kind).need_tokenizer(), TEXTS, size=24)


def single(text: Windowed) -> Batch:
    return Batch([0], text.ids, text.segments, [list(range(len(text.ids)))])


def together(texts: list[Windowed]) -> Batch:
    return Batch(
        list(range(len(texts))),
        [ids for text in texts for ids in text.ids],
        [marks for text in texts for marks in text.segments],
        [list(range(len(text.ids))) for text in texts],
    )


def test_every_text_is_in_every_epoch_once() -> None:
    texts = read()
    assert sum(len(text.ids) > 1 for text in texts) == 2
    for seed in range(3):
        batches = epoch_batches(texts, batch_tokens=40, seed=seed, most_windows=8)
        assert Counter(row for batch in batches for row in batch.rows) == Counter(range(5))
        for batch in batches:
            assert sum(batch.counts) == len(batch.windows) == len(batch.segments)
            expected = [ids for row in batch.rows for ids in texts[row].ids]
            assert batch.windows == expected
            assert len(batch.rows) == 1 or sum(map(len, batch.windows)) <= 40


def test_tokens_beside_the_windows_count_too() -> None:
    texts, beside = read()[:2] * 6, [20, 1] * 6
    plain: dict[str, Any] = {"batch_tokens": 40, "seed": 1, "most_windows": 8}
    for batch in epoch_batches(texts, **plain, beside=beside):
        tokens = sum(map(len, batch.windows)) + sum(beside[row] for row in batch.rows)
        assert len(batch.rows) == 1 or tokens <= 40
    none = [batch.rows for batch in epoch_batches(texts, **plain, beside=[0] * 12)]
    assert none == [batch.rows for batch in epoch_batches(texts, **plain)]


def test_a_seed_decides_the_order() -> None:
    texts = read() * 5
    orders = {
        seed: [b.rows for b in epoch_batches(texts, batch_tokens=40, seed=seed, most_windows=8)]
        for seed in (0, 1)
    }
    again = [b.rows for b in epoch_batches(texts, batch_tokens=40, seed=0, most_windows=8)]
    assert orders[0] == again != orders[1]


def test_a_very_long_text_takes_part_with_some_windows_drawn_anew() -> None:
    texts = read()
    assert len(texts[2].ids) >= 4
    drawn = set()
    for seed in range(20):
        batches = epoch_batches(texts, batch_tokens=40, seed=seed, most_windows=2)
        batch = next(batch for batch in batches if 2 in batch.rows)
        start = sum(batch.counts[: batch.rows.index(2)])
        windows = batch.windows[start : start + 2]
        assert batch.counts[batch.rows.index(2)] == 2
        places = [texts[2].ids.index(ids) for ids in windows]
        assert places == sorted(places)
        drawn.update(places)
    assert drawn == set(range(len(texts[2].ids)))


@given(st.integers(0, 999), st.integers(1, 80), st.integers(1, 60), st.sampled_from([None, 1, 3]))
def test_epochs_that_are_said_to_be_equal_are(
    seed: int, count: int, batch_tokens: int, most: int | None
) -> None:
    draw = random.Random(seed)
    windows = [[[7] * draw.randint(1, 9) for _ in range(draw.choice([1, 1, 2]))]
               for _ in range(count)]  # fmt: skip
    texts = [Windowed(ids, [[0] * len(one) for one in ids], 0) for ids in windows]
    how: dict[str, Any] = {"batch_tokens": batch_tokens, "most_windows": most,
                           "beside": draw.choice([[], [draw.randint(0, 5)] * count])}  # fmt: skip
    if equal_epochs(texts, **how):
        assert len({len(epoch_batches(texts, seed=epoch, **how)) for epoch in range(9)}) == 1


def test_epochs_differ_where_windows_are_drawn_or_texts_are_many() -> None:
    """Or may differ: of either kind some do."""
    uneven = [Windowed([[7] * 9, [7]], [[0] * 9, [0]], 10)] * 4
    single = [Windowed([[7] * (n % 9 + 1)], [[0] * (n % 9 + 1)], 9) for n in range(300)]
    for texts, tokens in ((uneven, 12), (single, 13)):
        how: dict[str, Any] = {"batch_tokens": tokens, "most_windows": 1}
        assert not equal_epochs(texts, **how)
        assert len({len(epoch_batches(texts, seed=epoch, **how)) for epoch in range(30)}) > 1


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama", "roberta", "distilbert"])
def test_logits_do_not_depend_on_batch_mates(kind: str) -> None:
    model, texts = put_head(tiny_model(kind), ("a", "b", "c")), read(kind)
    alone = torch.cat([text_logits(model, single(text)) for text in texts])
    batched = text_logits(model, together(texts))
    assert batched.shape == (5, 3) and batched.dtype == torch.float32
    torch.testing.assert_close(batched, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", list(KINDS))
def test_gradient_of_a_batch_is_the_mean_of_single_texts(kind: str) -> None:
    labels = ("score",) if kind == "regression" else ("a", "b")
    model, texts = put_head(tiny_model(), labels, kind), read()
    targets: Tensor = {
        "single-label": torch.tensor([0, 1, 1, 0, 1]),
        "multi-label": torch.tensor([[0.0, 1], [1, 1], [0, 0], [1, 0], [1, 1]]),
        "regression": torch.tensor([0.5, -2.0, 3.0, 0.0, 1.0]),
    }[kind]

    def loss_and_gradient(batch: Batch, wanted: Tensor) -> tuple[Tensor, list[Tensor]]:
        sums = KINDS[kind].loss(text_logits(model, batch), wanted, None)
        loss = mean_loss(sums, KINDS[kind].counts(wanted, None))
        return loss.detach(), list(torch.autograd.grad(loss, list(model.parameters())))

    loss, gradient = loss_and_gradient(together(texts), targets)
    singles = [loss_and_gradient(single(t), targets[n : n + 1]) for n, t in enumerate(texts)]
    torch.testing.assert_close(loss, torch.stack([one for one, _ in singles]).mean())
    for place, whole in enumerate(gradient):
        mean = torch.stack([parts[place] for _, parts in singles]).mean(dim=0)
        torch.testing.assert_close(whole, mean, rtol=1e-4, atol=1e-6)
    assert any(part.abs().max() > 1e-3 for part in gradient)


def test_segments_are_left_out_where_the_model_knows_one_only() -> None:
    model = put_head(tiny_model("roberta"), ("a", "b"))
    texts = window_texts(model.need_tokenizer(), [("w1 w2", "w3")], size=24)
    assert 1 in texts[0].segments[0]
    assert text_logits(model, single(texts[0])).shape == (1, 2)


def test_segments_count_where_the_model_knows_two() -> None:
    model = put_head(tiny_model("bert"), ("a", "b"))
    texts = window_texts(model.need_tokenizer(), [("w1 w2", "w3")], size=24)
    batch = single(texts[0])
    plain = Batch(batch.rows, batch.windows, [[0] * len(batch.windows[0])], batch.numbers)
    assert not torch.allclose(text_logits(model, batch), text_logits(model, plain))
