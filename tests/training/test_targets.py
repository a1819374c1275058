"""States of texts to be written: each prompt read once is each prompt read again and again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from headway.checkpoints import Checkpoint
from headway.core.initial import initialise
from headway.families import FAMILIES
from headway.model import Model
from headway.training.collate import Batch
from headway.training.targets import States, continued_states

SIZES: dict[str, dict[str, Any]] = {
    "gpt2": {"inner": 20},
    "openai-gpt": {},
    "llama": {"inner": 20, "kv_heads": 1},
    "mistral": {"inner": 20, "window": 3, "model_type": "mistral"},
}


def model_of(kind: str, seed: int) -> Model:
    family = FAMILIES[kind]
    config = family.Config(vocabulary=31, hidden=16, layers=2, heads=2, positions=40, **SIZES[kind])
    torch.manual_seed(seed)
    body = family.build(config)
    initialise(body, 0.3)
    return Model(Checkpoint(family, config, body)).eval()


@contextmanager
def counted(model: Model) -> Iterator[list[int]]:
    """How many tokens the body reads in each pass."""
    seen: list[int] = []
    hook = model.body.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    yield seen
    hook.remove()


def close(ours: Tensor | None, theirs: Tensor | None) -> None:
    if ours is None or theirs is None:
        assert ours is theirs
        return
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_a_prompt_is_read_once(kind: str, seed: int, whole: bool) -> None:
    draw = random.Random(seed)
    model = model_of(kind, seed)

    def words(count: int) -> list[int]:
        return draw.choices(range(31), k=count)

    prompts = [words(draw.randint(1, 12)) for _ in range(3)]
    owners = [0, 0, 0, 1, 2, 2, 2, 2] if seed else [2, 0, 1, 0]
    targets = [words(draw.randint(1, 7)) for _ in owners]
    segments = [words(len(prompt)) for prompt in prompts] if "gpt" in kind else None
    batch = Batch([0, 1, 2], prompts, [[0] * len(one) for one in prompts], [[0]] * 3)

    def states(*, numbers: list[int] | None = owners, some: Any = targets) -> States:
        return continued_states(model, batch, some, numbers, segments=segments, whole=whole)

    again = states()
    with torch.inference_mode(), counted(model) as seen:
        once = states()
        read = sum(map(len, targets)) - (0 if whole else len(targets))
        assert seen == [sum(map(len, prompts)), read]
        one_each = [[5]] * len(owners)
        short = states(some=one_each)
        alone = states(numbers=None, some=targets[:3])
    assert once.before.shape == (sum(map(len, targets)), 16)
    close(once.before, again.before)
    close(once.last, again.last)
    close(short.before, states(some=one_each).before)
    close(alone.before, states(numbers=None, some=targets[:3]).before)
