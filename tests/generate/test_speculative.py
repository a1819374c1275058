"""With a draft model the text is what the large model alone writes; drafts only save steps."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
import torch
from pipelines.models import classifier, writer
from training.tiny import FAMILIES

from headway.checkpoints import Checkpoint, HeadPlan
from headway.core.initial import initialise
from headway.errors import ConfigError
from headway.generate import Decoding, OneOf
from headway.generate.choosing import distribution
from headway.generate.filters import Filter
from headway.generate.rules import filters_of
from headway.model import Model

from .letters import letters_model
from .references import TASKS, pair

WORDS = 5


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("ahead", [1, 4])
def test_greedy_text_stays_the_same(kind: str, ahead: int, tmp_path: Path) -> None:
    case, _, large = pair(kind, 3, tmp_path / "large")
    small = pair(kind, 3, tmp_path / "small")[2]
    with torch.no_grad():  # a model that agrees now and then
        for parameter in small.body.parameters():
            parameter += 0.05 * torch.randn(
                parameter.shape, dtype=parameter.dtype, generator=torch.Generator().manual_seed(1)
            )
    for options in (
        {},
        {"no_repeat_ngram": 2, "repetition_penalty": 1.3},
        {"min_new_tokens": 2, "stop_tokens": (1, 2, 3, 4, 5, 8)},
    ):
        for draft in (small, large):
            got = large.generate_ids(case.texts, 9, draft=draft, draft_tokens=ahead, **options)
            assert got == large.generate_ids(case.texts, 9, **options)


def test_acceptance_is_told() -> None:
    large = letters_model("gpt2")
    (same,) = large.generate_details(["ab"], 16, draft=large, stop_tokens=())
    assert same.acceptance == 1.0
    assert large.generate_details(["ab"], 5)[0].acceptance is None
    (other,) = large.generate_details(
        ["ab"], 16, draft=letters_model("gpt2", seed=9), stop_tokens=()
    )
    assert other.acceptance is not None and other.acceptance < 0.5
    plain = large.generate_details(["ab"], 16, stop_tokens=())[0]
    assert same.text == other.text == plain.text
    assert same.log_probabilities == pytest.approx(plain.log_probabilities, abs=1e-4)


def test_steps_are_saved() -> None:
    large, steps = letters_model("llama", layers=2), 0

    def count(*_: Any) -> None:
        nonlocal steps
        steps += 1

    large.body.register_forward_hook(count)
    twin = letters_model("llama", layers=2)
    large.generate(["ab"], 20, draft=twin, draft_tokens=4, stop_tokens=())
    assert steps == 4  # five tokens each


def test_streams_are_drafted_too() -> None:
    model, draft = letters_model(), letters_model(seed=1)
    options: dict[str, Any] = {"max_new_tokens": 20, "draft": draft, "temperature": 1.0}
    assert "".join(model.stream("ab", **options)) == model.generate(["ab"], **options)[0]


def few_words(seed: int) -> Model:
    """A random model of five words."""
    family = FAMILIES["gpt2"]
    config = family.Config(vocabulary=WORDS, hidden=8, layers=1, heads=1, inner=8, positions=8)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        body = family.build(config)
        initialise(body, 0.4)
        model = Model(Checkpoint(family, config, body, values={"model_type": "gpt2"})).eval()
        model.put_head(HeadPlan("text-generation", family.HEADS["text-generation"]))
    return model


@pytest.mark.parametrize("filters", [{}, {"top_k": 3}, {"temperature": 2.0, "top_p": 0.9}])
def test_draws_have_the_large_models_distribution(filters: dict[str, Any]) -> None:
    large, small = few_words(0), few_words(1)
    options: dict[str, Any] = {"temperature": 1.0, **filters}
    wanted, draws = filters_of(Decoding(**options)), 2000
    options |= {"draft": small, "draft_tokens": 2, "sequences": 1000, "batch": 1000}
    counts: Counter[tuple[int, ...]] = Counter()
    for seed in range(2):
        counts.update(map(tuple, large.generate_ids([[1, 2]], 2, seed=seed, **options)))
    assert sum(counts.values()) == draws
    chi, cells = 0.0, 0
    for first, second in itertools.product(range(WORDS), repeat=2):
        expected = draws * joint(large, [1, 2], first, second, wanted)
        if expected < 1e-9:
            assert counts[first, second] == 0
        else:
            chi += (counts[first, second] - expected) ** 2 / expected
            cells += 1
    assert cells > 4
    assert chi < float(scipy.stats.chi2.ppf(0.999, cells - 1))


@torch.no_grad()
def joint(model: Model, prompt: list[int], first: int, second: int, filters: list[Filter]) -> float:
    """The probability that a model draws these two tokens."""
    logits = model.forward([[*prompt, first]]).logits
    assert logits is not None
    rows = distribution(logits[0][-2:], filters)
    return float(rows[0, first] * rows[1, second])


def test_what_drafts_for_nothing() -> None:
    model = writer("gpt2")
    with pytest.raises(ConfigError, match="has other tokens than tiny-gpt2"):
        model.generate(["w1"], draft=letters_model("gpt2"))
    with pytest.raises(ConfigError, match=r"another kind of model. Allowed: two decoders"):
        model.generate(["w1"], draft=writer("t5"))
    for options in ({"beams": 2}, {"contrastive": 0.5}, {"constraint": OneOf("w1")}):
        with pytest.raises(ConfigError, match="a draft model beside beams"):
            model.generate(["w1"], draft=model, **options)
    with pytest.raises(ConfigError, match="draft_tokens = 0"):
        model.generate(["w1"], draft=model, draft_tokens=0)
    with pytest.raises(ConfigError, match="draft_tokens, and no model that drafts"):
        model.generate(["w1"], draft_tokens=2)
    with pytest.raises(ConfigError, match="writes no text"):
        model.generate(["w1"], draft=classifier())


def test_a_draft_model_that_takes_less_does_not_draft_further() -> None:
    large, small = few_words(0), few_words(1)
    large.checkpoint.config = dataclasses.replace(large.checkpoint.config, positions=8)
    small.checkpoint.config = dataclasses.replace(small.checkpoint.config, positions=5)
    got = large.generate_ids([[1, 2, 3], [1]], 5, draft=small)
    assert got == large.generate_ids([[1, 2, 3], [1]], 5)
