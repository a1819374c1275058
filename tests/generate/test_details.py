"""Log-probabilities are the model's own, whatever the rules; alternatives are the likeliest."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pipelines.models import writer

from headway.model import Model

PROMPTS = ["w1 w2", "w3", "w4 w5 w6"]


@torch.no_grad()
def plainly(model: Model, prompt: str, ids: list[int]) -> torch.Tensor:
    """Log-probabilities at each place of what was written, [tokens, vocabulary]."""
    before = model.need_tokenizer().encode(prompt).ids
    logits = model.forward([[*before, *ids]]).logits
    assert logits is not None
    return logits[0][len(before) - 1 : -1].log_softmax(-1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 2.0, "top_k": 5},
        {"repetition_penalty": 2.0, "no_repeat_ngram": 1},
        {"beams": 3, "sequences": 2},
        {"contrastive": 0.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_log_probabilities(kind: str, options: dict[str, Any]) -> None:
    model = writer(kind)
    found = model.generate_details(PROMPTS, 7, alternatives=3, stop_tokens=(4, 9, 11), **options)
    assert len(found) == 3 * options.get("sequences", 1)
    assert [written.prompt for written in found] == sorted(written.prompt for written in found)
    for written in found:
        logs = plainly(model, PROMPTS[written.prompt], written.ids)
        chosen = logs[torch.arange(len(written.ids)), written.ids].tolist()
        assert written.log_probabilities == pytest.approx(chosen, abs=1e-4)
        assert len(written.alternatives) == len(written.ids) == written.tokens["new"]
        for row, told in zip(logs, written.alternatives, strict=True):
            best = row.topk(3)
            assert list(told) == best.indices.tolist()
            assert list(told.values()) == pytest.approx(best.values.tolist(), abs=1e-4)
        assert written.text == model.need_tokenizer().decode(written.ids)
        assert (written.score is not None) == ("beams" in options)


def test_texts_are_those_of_generate() -> None:
    model = writer("llama")
    found = model.generate_details(PROMPTS, 6)
    assert [written.text for written in found] == model.generate(PROMPTS, 6)
    assert {written.stopped_by for written in found} == {"max_new_tokens"}
    assert [written.tokens for written in found] == [{"prompt": n, "new": 6} for n in (2, 1, 3)]
    assert model.generate_details([]) == []
