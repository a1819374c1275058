"""ROUGE: equal to Google's rouge-score."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer
from rouge_score import tokenizers as peer_tokenizers

from headway.errors import ConfigError
from headway.metrics import confidence_interval, metric, rouge1, rouge2, rougeL, rougeLsum
from headway.metrics.words import TOKENIZERS

from .contracts import columns_for

NAMES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
MEASURES = {"precision": "precision", "recall": "recall", "f1": "fmeasure"}


def peer(predictions, references, measure="f1", **options):
    scorer = rouge_scorer.RougeScorer(NAMES, **options)
    rows = [
        scorer.score_multi(texts, said) for said, texts in zip(predictions, references, strict=True)
    ]
    return {
        name: float(np.mean([getattr(row[name], MEASURES[measure]) for row in rows]))
        for name in NAMES
    }


@pytest.mark.parametrize("measure", MEASURES)
def test_equal_to_rouge_score_on_texts_of_many_lines(measure):
    for seed in range(6):
        p, r = columns_for("rouge", seed=seed, n=20)
        p = [text.replace("star!", "\n") for text in p]
        r = [[text.replace("star!", "\n") for text in texts] for texts in r]
        expected = peer(p, r, measure)
        found = metric("rouge", p, r, measure=measure, tokenizer="ascii")
        assert found == pytest.approx(expected, abs=1e-9)


ascii_texts = st.text(alphabet="aAb cC_1.\n'-", max_size=30)
any_texts = st.text(max_size=15)


@settings(deadline=None)
@given(st.lists(st.tuples(ascii_texts, st.lists(ascii_texts, min_size=1, max_size=3)), min_size=1))
def test_the_default_tokens_equal_rouge_score_on_ascii(rows):
    p, r = [list(column) for column in zip(*rows, strict=True)]
    assert metric("rouge", p, r) == pytest.approx(peer(p, r), abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.tuples(any_texts, any_texts), min_size=1))
def test_ascii_tokens_equal_rouge_score_on_any_text(rows):
    p, r = [list(column) for column in zip(*rows, strict=True)]
    expected = peer(p, [[text] for text in r])
    assert metric("rouge", p, r, tokenizer="ascii") == pytest.approx(expected, abs=1e-9)


def test_a_tokenizer_that_stems_can_be_handed_in():
    stem = PorterStemmer().stem
    p = ["the runners were running faster", "he ran"]
    r = [["a runner runs fast"], ["they run"]]

    def stemmed(text):
        return [stem(word) if len(word) > 3 else word for word in TOKENIZERS["ascii"](text)]

    expected = peer(p, r, use_stemmer=True)
    assert metric("rouge", p, r, tokenizer=stemmed) == pytest.approx(expected, abs=1e-9)
    assert expected["rouge1"] > rouge1(p, r)


def test_the_peers_tokens_are_ours():
    theirs = peer_tokenizers.DefaultTokenizer()
    for text in ("Don't_stop 3rd-time", "K İstanbul Élan", "日本 ab\u200bcd", ""):
        assert TOKENIZERS["ascii"](text) == theirs.tokenize(text)


def test_words_of_other_scripts_count():
    assert rouge1(["日本語"], ["日本"]) == pytest.approx(0.8)
    assert rouge1(["Привет, мир"], ["привет мир"]) == 1.0
    assert rouge1(["Привет, мир"], ["привет мир"], tokenizer="ascii") == 0.0
    assert rougeL(["été fini"], ["l'été"]) == pytest.approx(0.5)


def test_equal_on_summaries(shared):
    with (shared / "scitldr" / "test.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][:150]
    predictions = [" ".join(row["source"][:2]) for row in rows]
    references = [row["target"] for row in rows]
    found = metric("rouge", predictions, references, tokenizer="ascii")
    expected = peer(predictions, references)
    assert 0.05 < expected["rouge2"] < 0.9
    assert found == pytest.approx(expected, abs=1e-9)


def test_the_bootstrap_reads_the_texts_once():
    p, r = columns_for("rouge2", seed=1, n=40)
    found = confidence_interval("rouge2", p, r, resamples=50, seed=3)
    random = np.random.default_rng(3)
    drawn = [random.integers(0, 40, size=40) for _ in range(50)]
    scores = [rouge2([p[i] for i in rows], [r[i] for i in rows]) for rows in drawn]
    assert found == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])), abs=1e-9)


@pytest.mark.parametrize("function", [rouge1, rouge2, rougeL, rougeLsum])
def test_nothing_shared_and_nothing_there(function):
    assert function([], []) == function([""], [""]) == function(["a b"], ["c d"]) == 0.0
    assert function(["a b", ""], ["a b", "x"]) == 0.5


@pytest.mark.parametrize(
    ("predictions", "references", "options", "said"),
    [
        (["a"], [[]], {}, "row 0 has 0 references"),
        ([None], ["a"], {}, "row 0 of the predictions is None"),
        (["a"], ["a"], {"measure": "f"}, "unknown measure 'f'"),
        (["a"], ["a"], {"tokenizer": "word"}, "unknown tokenizer 'word'.*did you mean 'words'"),
    ],
)
def test_what_cannot_be_compared_is_refused(predictions, references, options, said):
    with pytest.raises(ConfigError, match=said):
        rouge1(predictions, references, **options)
