"""Beam search finds what the reference finds, whatever the options; small random models."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from pipelines.models import writer

from headway.generate.beams import drawn, likeliest
from headway.generate.text import Text

from .references import TASKS, pair, written_alone, written_padded

SEEDS = range(3)


def some_options(draw: random.Random, words: int) -> tuple[int, dict[str, Any]]:
    """So many new tokens, and options of ours."""
    new, beams = draw.randint(3, 9), draw.randint(1, 5)
    ends = draw.choice([(), tuple(draw.sample(range(1, words), 2)), (draw.randrange(1, words),)])
    options: dict[str, Any] = {
        "beams": beams,
        "sequences": draw.randint(1, beams),
        "length_penalty": draw.choice([1.0, 0.0, -1.0, 2.0]),
        "early_stopping": draw.choice([True, False, "never"]),
        "no_repeat_ngram": draw.choice([0, 2, 3]),
        "repetition_penalty": draw.choice([1.0, 1.7]),
        "min_new_tokens": draw.choice([0, 3]) if ends else 0,
        "stop_tokens": ends,
        "forced_last": draw.choice([(), (draw.randrange(words),)]),
        "bad_words": draw.choice([(), ((draw.randrange(1, words),), (3, 4))]),
    }
    return new, options


THEIRS = {
    "beams": "num_beams",
    "sequences": "num_return_sequences",
    "no_repeat_ngram": "no_repeat_ngram_size",
}


def in_their_words(new: int, options: dict[str, Any]) -> dict[str, Any]:
    theirs = {THEIRS.get(key, key): value for key, value in options.items()}
    ends, last = list(theirs.pop("stop_tokens")), theirs.pop("forced_last")
    words = [list(word) for word in theirs.pop("bad_words")]
    return {
        **theirs,
        "max_new_tokens": new,
        "eos_token_id": ends or None,
        "forced_eos_token_id": last[0] if last else None,
        "bad_words_ids": words or None,
    }


@pytest.mark.parametrize(("kind", "seed"), [(kind, seed) for kind in TASKS for seed in SEEDS])
def test_a_ragged_batch_finds_what_the_reference_finds_alone(
    kind: str, seed: int, tmp_path: Path
) -> None:
    case, theirs, model = pair(kind, seed, tmp_path)
    draw = random.Random(seed)
    found = []
    for _ in range(3):
        new, options = some_options(draw, case.config.vocab_size)
        wanted = written_alone(theirs, case.texts, **in_their_words(new, options))
        assert model.generate_ids(case.texts, new, **options) == wanted
        found += wanted
    assert len({tuple(ids) for ids in found}) > 6


@pytest.mark.parametrize("kind", TASKS)
def test_a_ragged_batch_is_a_padded_one(kind: str, tmp_path: Path) -> None:
    case, theirs, model = pair(kind, 4, tmp_path, torch.float32)
    prompts = [[id or 1 for id in prompt] for prompt in case.texts]  # 0 is padding there
    for beams in (1, 4):
        wanted = written_padded(theirs, prompts, max_new_tokens=7, num_beams=beams)
        assert model.generate_ids(prompts, 7, beams=beams) == wanted


def test_scores_are_log_probabilities_over_lengths() -> None:
    model = writer("llama")
    found = model.generate_details(
        ["w1 w2"], 4, beams=3, sequences=3, length_penalty=2.0, stop_tokens=()
    )
    for written in found:
        assert written.score == pytest.approx(sum(written.log_probabilities) / 4**2)
    assert [w.score for w in found] == sorted((w.score for w in found), reverse=True)  # type: ignore[type-var]


@torch.no_grad()
def test_a_wide_search_finds_the_best_of_all_texts() -> None:
    model = writer("gpt2")
    words = model.checkpoint.config.vocabulary
    prompt = model.need_tokenizer().encode("w1").ids
    best, score = [], -float("inf")
    logits = model.forward([prompt]).logits
    assert logits is not None
    first = logits[0][-1].log_softmax(-1)
    seconds = model.forward([[*prompt, token] for token in range(words)]).logits
    assert seconds is not None
    for token in range(words):
        value, after = (first[token] + seconds[token][-1].log_softmax(-1)).max(0)
        if float(value) > score:
            best, score = [token, int(after)], float(value)
    assert model.generate_ids([prompt], 2, beams=words, stop_tokens=()) == [best]


def test_drawn_candidates_have_their_probabilities() -> None:
    sums = torch.tensor([0.5, 0.3, 0.2]).log()
    text = Text(prompt=[0])
    firsts = torch.zeros(3)
    for _ in range(3000):
        scores, places = drawn(sums, 2, text)
        assert len(set(places)) == 2 and scores == sorted(scores, reverse=True)
        firsts[({0, 1, 2} - set(places)).pop()] += 1
    # Left out: both others were drawn, in either order.
    wanted = [0.3 * 0.2 * (1 / 0.7 + 1 / 0.8), 0.5 * 0.2 * (1 / 0.5 + 1 / 0.8)]
    assert (firsts[:2] / 3000).tolist() == pytest.approx(wanted, abs=0.03)
    assert likeliest(sums, 2, text)[1] == [0, 1]


def test_beams_are_drawn_by_a_seed() -> None:
    model = writer("gpt2")
    options: dict[str, Any] = {"beams": 3, "temperature": 2.0, "stop_tokens": ()}
    texts = {model.generate(["w1 w2"], 6, seed=seed, **options)[0] for seed in range(6)}
    assert len(texts) > 2
    prompts = ["w1 w2", "w3", "w4 w5 w6"]
    together = model.generate(prompts, 6, **options)
    assert together == [model.generate([prompt], 6, **options)[0] for prompt in prompts]
