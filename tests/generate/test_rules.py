"""Rules forbid and weigh down what the reference's processors do."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from pipelines.models import tokenizer_of, writer

from headway.errors import ConfigError
from headway.generate import Decoding, bans
from headway.generate.penalties import presence_and_frequency, repetition
from headway.generate.rules import rules_of
from headway.generate.text import Text

WORDS = 12


def case(seed: int) -> tuple[torch.Tensor, list[Text], torch.Tensor]:
    """Logits, texts of one length, and all their ids."""
    draw = random.Random(seed)
    logits = torch.randn(3, WORDS, generator=torch.Generator().manual_seed(seed))
    before, new = draw.randint(1, 6), draw.randint(0, 6)
    texts = [
        Text(
            prompt=draw.choices(range(WORDS), k=before),
            ids=draw.choices(range(WORDS), k=new),
            limit=new + draw.randint(1, 2),
        )
        for _ in range(3)
    ]
    return logits, texts, torch.tensor([text.all_ids for text in texts])


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_the_same_as_there(seed: int) -> None:
    logits, texts, ids = case(seed)
    new, before = len(texts[0].ids), len(texts[0].prompt)
    ends, cpu = torch.tensor([1, 2]), "cpu"
    pairs: list[tuple[Any, Any]] = [
        (repetition(1.5), transformers.RepetitionPenaltyLogitsProcessor(1.5)),
        (repetition(0.6), transformers.RepetitionPenaltyLogitsProcessor(0.6)),
        *[
            (bans.no_repeats(size), transformers.NoRepeatNGramLogitsProcessor(size))
            for size in (1, 2, 3)
        ],
        (
            bans.bad_words([[3], [4, 5], [1, 2, 6], [7, 7]]),
            transformers.NoBadWordsLogitsProcessor([[3], [4, 5], [1, 2, 6], [7, 7]]),
        ),
        (
            bans.not_yet([1, 2], new=4, length=0),
            transformers.MinNewTokensLengthLogitsProcessor(before, 4, ends, cpu),
        ),
        (
            bans.not_yet([1, 2], new=0, length=8),
            transformers.MinLengthLogitsProcessor(8, ends, cpu),
        ),
        (bans.never([3, 9]), transformers.SuppressTokensLogitsProcessor([3, 9], cpu)),
        (
            bans.never([3, 9], first=True),
            transformers.SuppressTokensAtBeginLogitsProcessor([3, 9], before, cpu),
        ),
        (
            bans.last_token([5]),
            transformers.ForcedEOSTokenLogitsProcessor(before + texts[0].limit, 5, cpu),
        ),
    ]
    if before == 1:
        pairs.append((bans.first_token(4), transformers.ForcedBOSTokenLogitsProcessor(4)))
    for ours, theirs in pairs:
        if isinstance(theirs, transformers.ForcedEOSTokenLogitsProcessor):
            texts = [Text(text.prompt, ids=text.ids, limit=texts[0].limit) for text in texts]
        got, wanted = ours(logits, texts), theirs(ids, logits.clone())
        assert torch.equal(got, wanted), type(theirs).__name__
    assert new == len(texts[0].ids)


def test_presence_and_frequency_count_what_was_written() -> None:
    texts = [Text(prompt=[0, 0], ids=[1, 1, 2]), Text(prompt=[3], ids=[])]
    got = presence_and_frequency(0.5, 0.25)(torch.zeros(2, 4), texts)
    assert got.tolist() == [[0.0, -1.0, -0.75, 0.0], [0.0] * 4]


def test_ids_beyond_the_logits_are_left_alone() -> None:
    texts = [Text(prompt=[9], ids=[9, 1])]
    got = presence_and_frequency(1.0, 0.0)(torch.zeros(1, 3), texts)
    assert got.tolist() == [[0.0, -1.0, 0.0]]
    assert repetition(2.0)(torch.ones(1, 3), texts).tolist() == [[1.0, 0.5, 1.0]]
    assert torch.equal(bans.never([8])(torch.ones(1, 3), texts), torch.ones(1, 3))


def test_bad_words_are_texts_or_ids() -> None:
    model = writer()
    tokenizer = tokenizer_of(model)
    free = model.generate(["w1 w2"], 8, stop_tokens=())[0].split()
    word = free[0]
    for bad in ((word,), (tuple(tokenizer.encode(word).ids),), word):
        texts = model.generate(["w1 w2", "w3"], 8, stop_tokens=(), bad_words=bad)
        assert word not in " ".join(texts).split()
    model.checkpoint.tokenizer = None
    with pytest.raises(ConfigError, match="bad word 'w1', and the model has no tokenizer"):
        model.generate_ids([[5]], bad_words="w1")


def test_a_guide_goes_before_other_rules() -> None:
    class Only:
        done, whole = False, False

        def allowed(self) -> torch.Tensor:
            return torch.tensor([True, True, False])

        def take(self, token: int) -> None: ...

        def fork(self) -> Only:
            return self

    rules = rules_of(Decoding(suppressed=(0,)), ends=[2], tokenizer=None)
    text = Text(prompt=[0], guide=Only())
    logits = torch.tensor([[3.0, 2.0, 1.0]])
    inf = float("inf")
    assert rules(logits, [text]).tolist() == [[-inf, 2.0, -inf]]
    both = rules_of(Decoding(suppressed=(0, 1)), ends=[2], tokenizer=None)
    assert both(logits, [text]).tolist() == [[3.0, 2.0, -inf]]
    text.guide.whole = True  # type: ignore[union-attr,misc]
    assert both(logits, [text]).tolist() == [[-inf, -inf, 1.0]]


def test_where_everything_is_forbidden_a_text_ends() -> None:
    model = writer()
    all_ = tuple(range(model.checkpoint.config.vocabulary))
    (found,) = model.generate_details(["w1"], 5, suppressed=all_)
    assert (found.ids, found.stopped_by) == ([], "nothing_left")
