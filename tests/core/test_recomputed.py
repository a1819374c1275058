"""Blocks that keep their input alone have the same gradients, and hold less."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pretraining.texts import small
from training.objectives.test_objectives import TEXTS, batch_of

from headway import train_tokenizer
from headway.checkpoints import HeadPlan
from headway.checkpoints.fresh import STARTABLE, Shape, fresh_checkpoint, fresh_values
from headway.core.recomputed import recomputed_while
from headway.model import Model
from headway.pretraining import Settings
from headway.pretraining.begin import objective_for
from headway.pretraining.fit import learning
from headway.training.chance import generator_for
from headway.training.objectives import Objective


@pytest.mark.filterwarnings("ignore:Mismatch dtype")  # torch's, of Qwen3's norms in bf16
@pytest.mark.parametrize("family", STARTABLE)
@pytest.mark.parametrize("precision", ["fp32", pytest.param("bf16", marks=pytest.mark.slow)])
def test_gradients_are_the_same_to_the_bit(family: str, precision: str) -> None:
    objective, model = asked_of(family)
    learner, backward = learning(objective, model)
    learner.train()  # dropout draws the same both times
    ready = objective.collate(model, batch_of(model, objective), generator_for(0))
    found: list[tuple[float, list[torch.Tensor]]] = []
    for again in (False, True):
        learner.zero_grad()
        if again:
            with recomputed_while(model.body):
                loss = backward(learner, [ready], (0, 1), precision)
        else:
            loss = backward(learner, [ready], (0, 1), precision)
        found.append((loss, [p.grad.clone() for p in learner.parameters() if p.grad is not None]))
    (loss, whole), (other, twice) = found
    assert loss == other and len(whole) == len(twice) > 10
    assert all(torch.equal(one, two) for one, two in zip(whole, twice, strict=True))


def asked_of(family: str) -> tuple[Objective, Model]:
    """A model of three blocks, and what it is asked."""
    tokenizer = train_tokenizer(iter(TEXTS * 9), kind="unigram", size=40)
    torch.manual_seed(0)
    checkpoint = fresh_checkpoint(fresh_values(family, Shape(3, 32, 2)), tokenizer)
    model = Model(checkpoint)
    objective = objective_for(model, Settings(noise="infilling" if "text2" in str(
        checkpoint.family.HEADS) else None))  # fmt: skip
    model.put_head(HeadPlan(objective.head, checkpoint.family.HEADS[objective.head]))
    return objective, model


def held(model: torch.nn.Module, run: Any) -> int:
    """Bytes of the tensors that a forward pass keeps for its backward pass."""
    seen: dict[int, torch.UntypedStorage] = {}
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}

    def note(tensor: torch.Tensor) -> None:  # no tensor: one in its own graph is never freed
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage

    with torch.autograd.graph.saved_tensors_hooks(note, lambda nothing: nothing):
        run()
    return sum(storage.nbytes() for storage in seen.values())


def test_less_is_kept() -> None:
    objective, model = asked_of("bert")
    model.train()
    ready = objective.collate(model, batch_of(model, objective), generator_for(0))
    whole = held(model, lambda: objective.loss(model, ready))
    with recomputed_while(model.body):
        less = held(model, lambda: objective.loss(model, ready))
    assert less < 0.7 * whole


def test_blocks_are_as_before_when_it_closes() -> None:
    _, model = asked_of("bert")
    with pytest.raises(ZeroDivisionError), recomputed_while(model.body):
        assert ["forward" in vars(layer) for layer in model.body.layers] == [False, True, True]  # type: ignore[union-attr]
        raise ZeroDivisionError
    assert not any("forward" in vars(part) for part in model.modules())


def test_a_run_with_it_ends_the_same() -> None:
    one, other = small(max_steps=4), small(max_steps=4, checkpoint_activations=True)
    for left, right in zip(one.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(left, right)
