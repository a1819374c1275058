"""BLEU and chrF: equal to sacrebleu's own corpus scores."""

from __future__ import annotations

import gzip
import subprocess
import sys

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF

from headway.errors import ConfigError
from headway.metrics import bleu, chrf, confidence_interval

from .contracts import columns_for


def streams(references: list[list[str]]) -> list[list[str | None]]:
    most = max(map(len, references))
    return [[row[i] if i < len(row) else None for row in references] for i in range(most)]


@pytest.mark.parametrize("tokenize", ["13a", "intl", "char", "zh", "none"])
@pytest.mark.parametrize("smoothing", ["exp", "floor", "add-k", "none"])
def test_bleu_equals_sacrebleu(tokenize, smoothing):
    for seed in range(4):
        p, r = columns_for("bleu", seed=seed, n=12)
        peer = BLEU(tokenize=tokenize, smooth_method=smoothing, lowercase=bool(seed % 2))
        found = bleu(p, r, tokenize=tokenize, smoothing=smoothing, lowercase=bool(seed % 2))
        assert found == pytest.approx(peer.corpus_score(p, streams(r)).score, abs=1e-9)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"words": 2}, {"word_order": 2}),
        ({"characters": 3, "beta": 1}, {"char_order": 3, "beta": 1}),
        ({"lowercase": True}, {"lowercase": True}),
    ],
)
def test_chrf_equals_sacrebleu(ours, theirs):
    for seed in range(4):
        p, r = columns_for("chrf", seed=seed, n=12)
        expected = CHRF(**theirs).corpus_score(p, streams(r)).score
        assert chrf(p, r, **ours) == pytest.approx(expected, abs=1e-9)


def test_equal_on_captions(shared):
    with gzip.open(shared / "multi30k" / "test_2016_flickr.en.gz", "rt", encoding="utf-8") as file:
        references = file.read().splitlines()
    random = np.random.default_rng(0)
    predictions = [
        " ".join(word for word in line.split() if random.random() < 0.85) for line in references
    ]
    expected = BLEU().corpus_score(predictions, [references]).score
    assert 30 < expected < 90
    assert bleu(predictions, references) == pytest.approx(expected, abs=1e-9)
    expected = CHRF().corpus_score(predictions, [references]).score
    assert chrf(predictions, references) == pytest.approx(expected, abs=1e-9)


def test_bleu_is_of_all_rows_not_a_mean_of_rows():
    p, r = columns_for("bleu", seed=7, n=10)
    alone = [bleu(p[i : i + 1], r[i : i + 1]) for i in range(10)]
    assert bleu(p, r) != pytest.approx(np.mean(alone), abs=0.1)


def test_the_bootstrap_counts_n_grams_once():
    p, r = columns_for("bleu", seed=1, n=40)
    found = confidence_interval("bleu", p, r, resamples=60, seed=3)
    random = np.random.default_rng(3)
    scores = []
    for _ in range(60):
        rows = random.integers(0, 40, size=40)
        scores.append(bleu([p[i] for i in rows], [r[i] for i in rows]))
    assert found == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])), abs=1e-9)


@pytest.mark.parametrize("function", [bleu, chrf])
def test_empty_and_hostile_texts(function):
    assert function([], []) == 0.0
    assert function([""], [""]) == 0.0
    assert function(["", "a \ud800 b c d e"], ["a", "a \ud800 b c d e"]) > 0.0
    same = ["the cat sat on the mat \U0001f469‍\U0001f4bb now"]
    assert function(same, same) == pytest.approx(100.0, abs=1e-9)


@pytest.mark.parametrize(
    ("function", "predictions", "references", "options", "said"),
    [
        (bleu, ["a"], [[]], {}, "row 0 has 0 references"),
        (bleu, [3], ["a"], {}, "row 0 of the predictions is 3"),
        (bleu, ["a"], ["a", "b"], {}, "1 predictions for 2 references"),
        (bleu, ["a"], ["a"], {"tokenize": "spm"}, "unknown tokenize 'spm'"),
        (bleu, ["a"], ["a"], {"smoothing": "log"}, "unknown smoothing 'log'"),
        (chrf, ["a"], ["a"], {"characters": 0}, "chrF with characters=0"),
        (chrf, ["a"], ["a"], {"beta": 0}, "beta=0"),
    ],
)
def test_what_cannot_be_scored_is_refused(function, predictions, references, options, said):
    with pytest.raises(ConfigError, match=said):
        function(predictions, references, **options)


def test_without_sacrebleu_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['sacrebleu'] = None\n"
        "from headway.errors import ConfigError\n"
        "from headway.metrics import metric\n"
        "for name in ('bleu', 'chrf'):\n"
        "    try:\n"
        "        metric(name, ['a'], ['a'])\n"
        "    except ConfigError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("pip install 'headway[metrics]'") == 2
