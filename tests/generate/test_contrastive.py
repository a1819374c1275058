"""Contrastive search is the formula, computed here without a cache."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from headway.model import Model

from .references import TASKS, pair


@torch.no_grad()
def plainly(model: Model, prompt: list[int], new: int, weight: float, candidates: int) -> list[int]:
    """Reads the whole text anew for each candidate."""
    seq2seq = TASKS[model.checkpoint.family.Config.__module__.rpartition(".")[2]].startswith(
        "text2"
    )
    start = [model.checkpoint.generation.first(10**6)] if seq2seq else prompt

    def read(ids: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        out = model.forward([prompt], target=[ids]) if seq2seq else model.forward([ids])
        assert out.logits is not None
        return out.last[0], out.logits[0]

    ids = list(start)
    for _ in range(new):
        states, logits = read(ids)
        best = logits[-1].softmax(-1).topk(candidates)
        values = []
        for probability, token in zip(best.values, best.indices.tolist(), strict=True):
            last = read([*ids, token])[0][-1]
            alike = torch.cosine_similarity(states, last[None], dim=-1).max()
            values.append(float((1 - weight) * probability - weight * alike))
        ids.append(int(best.indices[values.index(max(values))]))
    return ids[len(start) :]


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize(("weight", "candidates"), [(0.6, 7), (0.0, 3)])
def test_a_ragged_batch_is_the_formula(
    kind: str, weight: float, candidates: int, tmp_path: Path
) -> None:
    case, _, model = pair(kind, 3, tmp_path)
    wanted = [plainly(model, prompt, 6, weight, candidates) for prompt in case.texts]
    got = model.generate_ids(case.texts, 6, contrastive=weight, top_k=candidates)
    assert got == wanted
    if not weight:
        assert got == model.generate_ids(case.texts, 6)
    else:
        assert got != model.generate_ids(case.texts, 6)
    usual = model.generate_ids(case.texts, 6, contrastive=weight)
    assert usual == model.generate_ids(case.texts, 6, contrastive=weight, top_k=4)
