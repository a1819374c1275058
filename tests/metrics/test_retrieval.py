"""hits@k, mean reciprocal rank and nDCG: against scikit-learn, and all orders of equal scores."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import ndcg_score

from headway.errors import ConfigError
from headway.metrics import hits_at_k, mrr, ndcg


@pytest.mark.parametrize("k", [None, 1, 3, 50])
@pytest.mark.parametrize("steps", [3, 1_000_000])  # many ties, none
def test_ndcg_equals_scikit_learn(k, steps):
    for seed in range(10):
        random = np.random.default_rng(seed)
        scores = random.integers(0, steps, (20, 8)) / steps - 0.5
        grades = random.integers(0, 4, (20, 8)) * (random.random((20, 8)) < 0.4)
        assert ndcg(scores, grades, k=k) == pytest.approx(ndcg_score(grades, scores, k=k), abs=1e-9)


def by_definition(ranking, relevant, k):
    """hits@k and the reciprocal rank of one ranking."""
    places = [place for place, each in enumerate(ranking, 1) if each in relevant]
    first = min(places, default=None)
    if first is None or (k is not None and first > k):
        return 0.0, 0.0
    return 1.0, 1 / first


@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    st.integers(1, 7),
)
def test_equal_scores_count_as_the_mean_over_all_their_orders(documents, k):
    scores = np.array([[score for score, _ in documents]], dtype=float)
    relevant = {place for place, (_, good) in enumerate(documents) if good}
    orders = [
        order
        for order in permutations(range(len(documents)))
        if all(scores[0, a] >= scores[0, b] for a, b in pairwise(order))
    ]
    grades = np.array([[float(good) for _, good in documents]])
    hits, reciprocal = np.mean([by_definition(order, relevant, k) for order in orders], axis=0)
    assert hits_at_k(scores, grades, k=k) == pytest.approx(hits, abs=1e-9)
    assert mrr(scores, grades, k=k) == pytest.approx(reciprocal, abs=1e-9)


def test_lists_equal_the_scores_that_give_their_order():
    random = np.random.default_rng(0)
    scores = random.random((30, 7))
    grades = random.integers(0, 3, (30, 7))
    lists = np.argsort(-scores, axis=1)
    dicts = [{f"d{i}": int(g) for i, g in enumerate(row)} for row in grades]
    named = [[f"d{i}" for i in row] for row in lists]
    for function in (hits_at_k, mrr, ndcg):
        for k in (1, 3, 9):
            expected = function(scores, grades, k=k)
            assert function(named, dicts, k=k) == pytest.approx(expected, abs=1e-9)
    sets = [set(np.flatnonzero(row).tolist()) for row in grades]
    assert mrr(lists, sets) == pytest.approx(mrr(scores, grades), abs=1e-9)
    arrays = [np.flatnonzero(row) for row in grades]
    assert mrr(lists, arrays) == mrr(lists, sets)


def test_one_relevant_column_for_each_query():
    scores = np.array([[0.1, 0.9, 0.3], [0.5, 0.4, 0.3]])
    assert mrr(scores, [2, 0]) == 0.75
    assert hits_at_k(scores, np.array([0, 2]), k=2) == 0.0
    assert mrr([["a", "b"], ["b"]], ["b", "b"]) == 0.75


def test_what_is_not_found_costs_ndcg():
    assert ndcg([["a"]], [{"a": 1, "b": 1}]) == pytest.approx(1 / (1 + 1 / np.log2(3)))
    assert ndcg([["a"]], [{"a": 1, "b": 1}], k=1) == 1.0


def test_abstracts_by_their_words(shared):
    folder = shared / "cranfield"
    documents = {
        each.findtext("docno").strip(): each.findtext("text")
        for each in ElementTree.fromstring(
            f"<all>{(folder / 'cran.all.1400.xml').read_text()}</all>"
        ).iter("doc")
    }
    assert len(documents) > 900
    queries = list(ElementTree.fromstring((folder / "cran.qry.xml").read_text()).iter("top"))
    judged = np.zeros((len(queries), len(documents)))
    column = {name: i for i, name in enumerate(documents)}
    for line in (folder / "cranqrel.trec.txt").read_text().splitlines():
        query, _, document, grade = line.split()
        if document in column and int(query) <= len(queries):
            judged[int(query) - 1, column[document]] = max(0, int(grade))
    vectorizer = TfidfVectorizer().fit([text or "" for text in documents.values()])
    texts, asked = (
        vectorizer.transform(each)
        for each in ([t or "" for t in documents.values()], [q.findtext("title") for q in queries])
    )
    scores = (asked @ texts.T).toarray()
    found = ndcg(scores, judged, k=10)
    assert 0.2 < found < 0.8
    assert found == pytest.approx(ndcg_score(judged, scores, k=10), abs=1e-9)
    assert found < hits_at_k(scores, judged, k=10)


@pytest.mark.parametrize("function", [hits_at_k, mrr, ndcg])
def test_nothing_found_nothing_relevant_and_no_queries(function):
    assert function([], []) == function([[]], [[]]) == function([["a"]], [[]]) == 0.0
    assert function([[]], [["a"]]) == function([["b"]], [{"b": 0}]) == 0.0
    assert function(np.zeros((0, 4)), np.zeros((0, 4))) == 0.0
    assert function(np.zeros((2, 3)), np.zeros((2, 3))) == 0.0
    assert function(np.zeros((2, 0)), np.zeros((2, 0))) == 0.0
    assert function(np.zeros((1, 1)), [0]) == 1.0


@pytest.mark.parametrize(
    ("predictions", "references", "options", "said"),
    [
        ([["a", "a"]], [["a"]], {}, "row 0 ranks a document twice"),
        ([["a"]], [], {}, "1 predictions for 0 references"),
        (["abc"], [["a"]], {}, "row 0 of the rankings is 'abc'"),
        ([[0.2, 0.8]], [[1]], {}, r"scores are given as one array: numpy.array\(scores\)"),
        ([["a"]], [None], {}, "row 0 of the references is None"),
        ([["a"]], [{"a": -1}], {}, "row 0 has a grade that is negative"),
        ([["a"]], [{"a": float("nan")}], {}, "row 0 has a grade that is negative"),
        (np.array([[0.1, np.nan]]), [[0, 1]], {}, "a score is NaN"),
        (np.zeros((1, 2)), [[0, -1]], {}, "a grade is negative"),
        (np.zeros((1, 2)), [[0, 1, 0]], {}, r"scores \[1, 2\] with references of shape \[1, 3\]"),
        (np.zeros((1, 2)), [2], {}, "a relevant column is outside 0 to 1"),
        (np.zeros((1, 2)), [["a", "b"]], {}, "grades are not numbers"),
        (np.zeros((1, 2)), [0.5], {}, r"references of shape \[1\]"),
        (np.zeros((2, 2)), [[0, 1], [1]], {}, "grades are not numbers"),
        ([[["a"]]], [["a"]], {}, r"row 0 holds \['a'\]"),
        ([["a"]], [[{}]], {}, r"row 0 holds \{\}"),
        ([["a"]], [["a"]], {"k": 0}, "k is 0"),
    ],
)
def test_what_cannot_be_ranked_is_refused(predictions, references, options, said):
    with pytest.raises(ConfigError, match=said):
        mrr(predictions, references, **options)
