"""The TF-IDF baseline learns what words tell, in any script, and survives what cannot be learnt."""

import numpy as np
import pytest

from headway.errors import ConfigError
from headway.metrics import accuracy, exact_match, mae, tfidf_baseline, tfidf_nearest

GOOD = ["a good film", "truly good play", "good story", "so good", "good good cast"]
BAD = ["a bad film", "truly bad play", "bad story", "so bad", "bad bad cast"]


def test_single_label_is_learnt():
    found = tfidf_baseline(
        GOOD + BAD,
        ["pos"] * 5 + ["neg"] * 5,
        ["good film", "bad film"],
        kind="single-label",
    )
    assert found.predictions == ["pos", "neg"]
    assert found.labels == ["neg", "pos"]
    assert found.probabilities.shape == (2, 2)
    assert found.probabilities.sum(axis=1) == pytest.approx([1, 1])
    assert found.name == "TF-IDF + logistic regression"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("这部电影很好看", "这部电影很难看"),
        ("यह फ़िल्म बहुत अच्छी है", "यह फ़िल्म बहुत ख़राब है"),
        ("หนังเรื่องนี้ดีมาก", "หนังเรื่องนี้แย่มาก"),
        ("nice 🙂", "nice 😡"),
    ],
)
def test_scripts_with_and_without_spaces(first, second):
    found = tfidf_baseline(
        [first, second] * 4, [1, 0] * 4, [first, second, first], kind="single-label"
    )
    assert found.predictions == [1, 0, 1]


def test_word_order_is_seen_by_pairs():
    train = ["dog bites man", "man bites dog"] * 6
    found = tfidf_baseline(train, ["d", "m"] * 6, train[:2], kind="single-label")
    assert found.predictions == ["d", "m"]


def test_the_two_texts_of_a_pair_are_told_apart():
    train = [("rain", "sun"), ("sun", "rain")] * 6
    found = tfidf_baseline(train, ["falls", "clears"] * 6, train[:2], kind="single-label")
    assert found.predictions == ["falls", "clears"]


def test_multi_label_is_learnt_from_sets_and_arrays():
    texts = ["red", "blue", "red blue", "none", "red", "blue", "red blue", "none"]
    sets = [{"r"}, {"b"}, {"r", "b"}, set()] * 2
    found = tfidf_baseline(texts, sets, texts, kind="multi-label", labels=["r", "b", "never"])
    truth = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]] * 2)
    assert found.labels == ["r", "b", "never"]
    assert exact_match(found.predictions, truth) == 1.0
    assert (found.probabilities[:, 2] == 0).all()
    again = tfidf_baseline(texts, truth, texts, kind="multi-label")
    assert (again.predictions == found.predictions).all()


def test_regression_is_learnt():
    texts = [f"{word} item" for word in ("free", "cheap", "dear", "gold")] * 10
    values = [0.0, 1.0, 2.0, 3.0] * 10
    found = tfidf_baseline(texts, values, texts[:4], kind="regression")
    assert mae(found.predictions, values[:4]) < 0.2
    assert found.probabilities is None


def test_the_same_seed_gives_the_same_answer():
    texts, labels = GOOD + BAD, [1] * 5 + [0] * 5
    runs = [tfidf_baseline(texts, labels, GOOD, kind="single-label", seed=3) for _ in range(2)]
    assert (runs[0].probabilities == runs[1].probabilities).all()


@pytest.mark.parametrize("texts", [["", " ", "...", "\ud800"], ["a", "a", "a", "a"]])
def test_texts_that_say_nothing_give_the_commonest_answer(texts):
    found = tfidf_baseline(texts, ["x", "y", "y", "y"], ["anything", ""], kind="single-label")
    assert found.predictions == ["y", "y"]
    numbers = tfidf_baseline(texts, [1, 2, 3, 6], ["b"], kind="regression")
    assert numbers.predictions == pytest.approx([3.0])


def test_one_class_and_no_test_texts():
    found = tfidf_baseline(["a b"] * 3, ["x"] * 3, ["c"], kind="single-label")
    assert (found.predictions, found.probabilities.tolist()) == (["x"], [[1.0]])
    for kind, labels in (
        ("single-label", ["a", "b"]),
        ("regression", [1, 2]),
        ("multi-label", [{"a"}, {"b"}]),
    ):
        assert len(tfidf_baseline(["a b", "c d"], labels, [], kind=kind).predictions) == 0


def test_one_row_a_label():
    names = [f"label {i}" for i in range(30)]
    texts = [f"word{i} filler" for i in range(30)]
    assert tfidf_baseline(texts, names, texts, kind="single-label").predictions == names


def test_many_rows_drop_words_seen_once():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 2500)
    texts = [f"{'plus' if y else 'minus'} unique{i}" for i, y in enumerate(labels)]
    found = tfidf_baseline(texts, labels, texts[:200], kind="single-label")
    assert accuracy(found.predictions, labels[:200]) == 1.0


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'multi-label'"):
        tfidf_baseline(["a"], ["a"], ["a"], kind="multilabel")
    with pytest.raises(ConfigError, match="0 training texts"):
        tfidf_baseline([], [], ["a"], kind="single-label")
    with pytest.raises(ConfigError, match="2 training texts with 1 labels"):
        tfidf_baseline(["a", "b"], ["a"], ["a"], kind="single-label")


def test_the_nearest_shares_the_rarest_words():
    rows = [["The cat sat.", "The dog ran home.", "The end."], ["猫が寝た。", "犬が走る。"]]
    known = ["The cat sat on the mat.", "The end of the day."]
    assert tfidf_nearest(["Where did the dog run?", "犬は?"], rows, known=known) == [1, 1]
    assert tfidf_nearest(["the"], [["the the", "the cat"]], known=["the", "cat"]) == [0]
    # Words that are known to be common count less.
    asked = ["a rare common"]
    assert tfidf_nearest(asked, [["common x", "rare y"]], known=["common"] * 9) == [1]


def test_the_nearest_where_there_is_nothing_to_compare():
    assert tfidf_nearest(["?"], [["!", "..."]], known=[]) == [0]
    assert tfidf_nearest(["word"], [["!", "other"]], known=[]) == [0]
    assert tfidf_nearest([], [], known=["a"]) == []
    with pytest.raises(ConfigError, match="2 queries with 1 rows of candidates"):
        tfidf_nearest(["a", "b"], [["a"]], known=[])
    with pytest.raises(ConfigError, match="one row of one candidate or more"):
        tfidf_nearest(["a"], [[]], known=[])
