"""Perplexity: against models whose perplexity is known."""

import math

import numpy as np
import pytest

from headway.errors import ConfigError
from headway.metrics import bits_per_byte, byte_perplexity, token_perplexity


@pytest.mark.parametrize("vocabulary", [1, 2, 50_000])
def test_a_model_that_guesses_has_the_size_of_its_vocabulary(vocabulary):
    counts = np.array([3, 0, 11])
    found = token_perplexity(counts * math.log(vocabulary), counts)
    assert found == pytest.approx(vocabulary, rel=1e-12)


def test_rows_are_joined_not_averaged():
    # one sure token and three that cost 1 nat each: e ** (3 / 4), not a mean of two values
    assert token_perplexity([0.0, 3.0], [1, 3]) == pytest.approx(math.exp(0.75), abs=1e-12)


def test_bytes_are_those_of_utf_8():
    texts = ["né", "日", "\ud800", "", "ab"]
    counts = [3, 3, 3, 0, 2]
    nats = [1.0, 2.0, 0.5, 0.0, 4.0]
    assert byte_perplexity(nats, texts) == byte_perplexity(nats, counts)
    assert byte_perplexity(nats, texts) == pytest.approx(math.exp(7.5 / 11), abs=1e-12)
    assert bits_per_byte(nats, texts) == pytest.approx(7.5 / 11 / math.log(2), abs=1e-12)
    assert 2 ** bits_per_byte(nats, texts) == pytest.approx(byte_perplexity(nats, texts))


def test_a_byte_model_that_guesses_needs_eight_bits():
    assert bits_per_byte([math.log(256) * 5], ["abcde"]) == pytest.approx(8.0, abs=1e-12)


@pytest.mark.parametrize("function", [token_perplexity, byte_perplexity, bits_per_byte])
def test_nothing_to_predict_is_zero(function):
    assert function([], []) == function([0.0], [0]) == 0.0


@pytest.mark.parametrize("function", [token_perplexity, byte_perplexity, bits_per_byte])
@pytest.mark.parametrize(
    ("predictions", "references", "said"),
    [
        ([1.0], [1, 2], "1 predictions for 2 references"),
        ([float("nan")], [1], "row 0 of the predictions is nan"),
        ([1.0, -0.5], [1, 1], "row 1 of the predictions is -0.5"),
        ([1.0], [1.5], "row 0 of the references is 1.5"),
        ([1.0], [-1], "row 0 of the references is -1"),
    ],
)
def test_what_is_no_likelihood_or_count_is_refused(function, predictions, references, said):
    with pytest.raises(ConfigError, match=said):
        function(predictions, references)
