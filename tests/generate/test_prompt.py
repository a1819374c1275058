"""Prompts with segments are continued as the reference continues them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from headway.errors import ConfigError
from headway.generate.prompt import MarkedPrompt

from .references import pair

NEW = 7


def marked(case: Any) -> list[MarkedPrompt]:
    segments = case.some_texts(tuple(map(len, case.texts)), case.seed + 3)
    return [MarkedPrompt(ids, marks) for ids, marks in zip(case.texts, segments, strict=True)]


@pytest.mark.parametrize("seed", [2, 19, 26])
@pytest.mark.parametrize("beams", [1, 3])
def test_new_tokens_have_the_segment_of_the_last(seed: int, beams: int, tmp_path: Path) -> None:
    case, theirs, model = pair("gpt2", seed, tmp_path)
    prompts, wanted = marked(case), []
    for prompt in prompts:
        out = theirs.generate(
            torch.tensor([prompt]),
            token_type_ids=torch.tensor([prompt.segments]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
            max_new_tokens=NEW,
            do_sample=False,
            num_beams=beams,
            pad_token_id=0,
        )
        wanted.append(out[0, len(prompt) :].tolist())
    assert model.generate_ids(prompts, max_new_tokens=NEW, beams=beams) == wanted
    assert model.generate_ids(case.texts, max_new_tokens=NEW, beams=beams) != wanted


def test_every_way_of_writing_keeps_to_the_segments(tmp_path: Path) -> None:
    """Contrastive search over one candidate, and a draft by the model itself, are greedy."""
    case, _, model = pair("gpt2", 19, tmp_path)
    prompts = marked(case)
    greedy = model.generate_ids(prompts, max_new_tokens=NEW)
    for options in ({"contrastive": 0.0, "top_k": 2}, {"draft": model}):
        assert model.generate_ids(prompts, max_new_tokens=NEW, **options) == greedy
    alone = [model.generate_ids([prompt], max_new_tokens=NEW)[0] for prompt in prompts]
    assert alone == greedy


def test_segments_that_cannot_be(tmp_path: Path) -> None:
    case, _, model = pair("gpt2", 2, tmp_path / "gpt2")
    with pytest.raises(ConfigError, match="1 segments for a prompt of 2 tokens"):
        MarkedPrompt([1, 2], [1])
    with pytest.raises(ConfigError, match="segments of 1 of 2 prompts"):
        model.generate_ids([MarkedPrompt([1], [1]), [2]], max_new_tokens=2)
    with pytest.raises(ConfigError, match="token id"):
        model.generate_ids([MarkedPrompt([1], [case.config.vocab_size])], max_new_tokens=2)
    _, _, other = pair("llama", 5, tmp_path / "llama")
    with pytest.raises(ConfigError, match="no segments that are words"):
        other.generate_ids([MarkedPrompt([1], [1])], max_new_tokens=2)
