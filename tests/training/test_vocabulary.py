from __future__ import annotations

import pytest
import torch
from torch import Tensor

from headway.model import Model
from headway.tasks.labels.kinds import KINDS
from headway.training import Options, train
from headway.training.collate import Batch, Ready, epoch_batches, text_logits
from headway.training.interrupt import StopFlag
from headway.training.learner import Learner
from headway.training.optimisers import OPTIMISERS, parameter_groups
from headway.training.vocabulary import used_rows_only
from headway.windows import Windowed, window_texts

from .tiny import put_head, tiny_model

TEXTS = ["w1 red", "w2 w3 w1 green", "w5 red w5", "w2 green", "w6 w1 green", "red w3"]
TARGETS = torch.tensor([0, 1, 0, 1, 1, 0])


def read(model: Model) -> list[Windowed]:
    return window_texts(model.need_tokenizer(), TEXTS, size=24)


def trained(model: Model) -> None:
    def loss(model: Model, part: Ready) -> tuple[Tensor, ...]:
        return KINDS["single-label"].loss(text_logits(model, part.batch), part.wanted, None)

    def parts_of(batch: Batch, chance: torch.Generator) -> list[Ready]:
        return [Ready(batch, TARGETS[batch.rows], (float(len(batch.rows)),))]

    options = Options(epochs=4, learning_rate=1e-2)
    optimiser = OPTIMISERS[options.optimiser].over(
        parameter_groups([(options.learning_rate, model.parameters())], weight_decay=0.0)
    )
    epochs = [
        epoch_batches(read(model), batch_tokens=16, seed=seed, most_windows=8) for seed in range(4)
    ]
    train(
        Learner(model, loss),
        optimiser,
        epochs,
        parts_of,
        options=options,
        precision="fp32",
        stop=StopFlag(),
        cost_of=lambda batch: (batch.tokens, 0.0),
    )


def test_equals_training_with_the_full_table() -> None:
    full, part = (put_head(tiny_model(), ("a", "b")) for _ in range(2))
    before = part.body.embeddings.words.weight.detach().clone()
    trained(full)
    used = [ids for text in read(part) for ids in text.ids]
    table = part.body.embeddings.words
    with used_rows_only(part.body.embeddings, used):
        assert part.body.embeddings.words.weight.shape[0] == len({n for ids in used for n in ids})
        trained(part)
    assert part.body.embeddings.words is table
    for name, value in full.state_dict().items():
        torch.testing.assert_close(part.state_dict()[name], value, rtol=0, atol=1e-6)
    unused = sorted(set(range(len(before))) - {n for ids in used for n in ids})
    assert unused and torch.equal(table.weight[unused], before[unused])
    moved = (table.weight - before).abs().amax(dim=1) > 0
    assert moved.sum() == len(before) - len(unused)


def test_what_was_trained_is_kept_through_an_error() -> None:
    model = tiny_model()
    table = model.body.embeddings.words
    with pytest.raises(KeyboardInterrupt), used_rows_only(model.body.embeddings, [[3, 5]]):
        with torch.no_grad():
            model.body.embeddings.words.weight.fill_(7.0)
        raise KeyboardInterrupt
    assert model.body.embeddings.words is table
    assert (table.weight == 7.0).all(dim=1).nonzero().flatten().tolist() == [3, 5]


def test_a_frozen_table_stays_frozen() -> None:
    model = tiny_model()
    model.body.embeddings.words.weight.requires_grad_(False)
    with used_rows_only(model.body.embeddings, [[1, 2]]):
        assert not model.body.embeddings.words.weight.requires_grad
