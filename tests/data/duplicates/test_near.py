from __future__ import annotations

import gzip
import random
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import Dataset, drop_duplicates, drop_leaked, near_groups, near_matches
from headway.data.duplicates.minhash import MINIMA, bands_for, sketch
from headway.data.duplicates.shingles import SHINGLE, comparable_texts, jaccard
from headway.errors import ConfigError, DataError

HOSTILE = [
    "",
    " ",
    "a",
    "abcd",
    "abcde",
    "a\0b",
    "é" * 9,
    "漢字かな交じり文です",
    "👩‍👩‍👧 x",
    "שלום עולם",
    "x" * 5000,
]


def of(texts: list[str | None]) -> Dataset:
    return Dataset.from_columns({"text": pa.array(texts, pa.string())})


@cache
def shingles(text: str) -> frozenset[str]:
    """The readable twin of `shingle_hashes`."""
    line = " ".join(text.split()).lower()
    return frozenset(line[i : i + SHINGLE] for i in range(max(1, len(line) - SHINGLE + 1)))


def similarity(a: str, b: str) -> float:
    x, y = shingles(a), shingles(b)
    shared = len(x & y)
    return shared / (len(x) + len(y) - shared)


def mutated(number: int, *, seed: int) -> list[str]:
    """Texts of which about half are others with one to six changed words."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefghij", k=draw.randint(2, 9))) for _ in range(300)]
    texts: list[str] = []
    for _ in range(number):
        if texts and draw.random() < 0.5:
            row = draw.choice(texts).split()
            for _ in range(draw.randint(1, 4)):
                row[draw.randrange(len(row))] = draw.choice(words)
        else:
            row = draw.choices(words, k=draw.randint(10, 60))
        texts.append(" ".join(row))
    return texts


@pytest.mark.parametrize("pair", [("the cat sat", "the cat sat"), ("abcdef", "bcdefg"), ("", "a")])
def test_jaccard_by_hand(pair: tuple[str, str]) -> None:
    a, b = (pa.array([text], pa.large_string()) for text in pair)
    assert jaccard(a, b).tolist() == [similarity(*pair)]


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), min_size=1, max_size=8))
def test_jaccard_is_that_of_the_sets(pairs: list[tuple[str, str]]) -> None:
    texts = [[a.replace("\0", "") for a, _ in pairs], [b.replace("\0", "") for _, b in pairs]]
    columns = [pa.array(column, pa.large_string()) for column in texts]

    def sets(text: str) -> set[str]:
        return {text[i : i + SHINGLE] for i in range(max(1, len(text) - SHINGLE + 1))}

    for a, b, found in zip(*texts, jaccard(*columns), strict=True):
        assert found == len(sets(a) & sets(b)) / len(sets(a) | sets(b))


def test_texts_are_compared_without_case_and_spacing() -> None:
    data = of(["A  b\n c ", None, "Ä"])
    assert comparable_texts(data, ["text"]).to_pylist() == ["a b c", "", "ä"]


def test_signatures_agree_as_often_as_shingles_do() -> None:
    """The mean over many pairs is the similarity, and each lies within its deviation."""
    texts = mutated(2000, seed=1)
    found = sketch(of(texts), ["text"], threshold=0.5)
    assert len(found.texts) == len(set(texts))
    draw = random.Random(2)
    rows = [(draw.randrange(2000), draw.randrange(2000)) for _ in range(2000)]
    # Unrelated pairs alone would say little: neighbours in the order of the text are added.
    order = sorted(range(2000), key=texts.__getitem__)
    rows += [pair for pair in pairwise(order) if pair[0] != pair[1]]
    true = np.array([similarity(texts[a], texts[b]) for a, b in rows])
    minima = found.minima[found.codes]
    same = np.array([(minima[a] == minima[b]).mean() for a, b in rows])
    estimate = (same * 256 - 1) / 255  # a byte of two different minima agrees by chance
    assert true.max() > 0.9
    assert abs((estimate - true).mean()) < 0.003
    deviation = np.sqrt(np.maximum(true * (1 - true), 1 / MINIMA) / MINIMA)
    assert np.abs((estimate - true) / deviation).max() < 6
    assert 0.8 < ((estimate - true) / deviation)[true > 0.2].std() < 1.2


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.95, 1.0])
def test_groups_are_those_of_brute_force(threshold: float) -> None:
    texts = [*mutated(500, seed=3), *HOSTILE]
    near = [
        (a, b)
        for a in range(len(texts))
        for b in range(a)
        if similarity(texts[a], texts[b]) >= threshold
    ]
    groups = near_groups(of(texts), ["text"], threshold=threshold)
    # What is found is there: every group hangs together by pairs that are near.
    parent = list(range(len(texts)))

    def root(row: int) -> int:
        return row if parent[row] == row else root(parent[row])

    for a, b in near:
        x, y = sorted((root(a), root(b)))
        parent[y] = x
    assert all(root(row) == root(int(group)) for row, group in enumerate(groups))
    assert (groups[groups] == groups).all() and (groups <= np.arange(len(texts))).all()
    # And what is there is found, as often as the bands promise at the threshold itself.
    together = [groups[a] == groups[b] for a, b in near]
    assert len(near) > (20 if threshold < 0.9 else 0)
    assert np.mean(together) >= 0.99


@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_matches_are_those_of_brute_force(threshold: float) -> None:
    texts = [*mutated(800, seed=4), *HOSTILE]
    train, test = texts[::2], texts[1::2]
    found = near_matches(of(train), of(test), ["text"], threshold=threshold)
    expected = [any(similarity(a, b) >= threshold for a in train) for b in test]
    for row, match in enumerate(found):
        assert match < 0 or similarity(train[match], test[row]) >= threshold
    hits = (found >= 0)[np.array(expected)]
    assert hits.sum() > 20
    assert hits.mean() >= 0.99


@settings(max_examples=25)
@given(st.lists(st.sampled_from([*HOSTILE, "one two three", "One  two three", None]), max_size=9))
def test_equal_texts_are_always_together(texts: list[str | None]) -> None:
    keys = [" ".join((text or "").split()).lower() for text in texts]
    groups = near_groups(of(texts), ["text"], threshold=1.0).tolist()
    assert groups == [keys.index(key) for key in keys]


def test_rows_and_order_of_texts_decide_nothing_else() -> None:
    texts = mutated(300, seed=5)
    groups = near_groups(of(texts), ["text"])
    assert (near_groups(of(texts), ["text"]) == groups).all()
    backwards = near_groups(of(texts[::-1]), ["text"])[::-1]
    partition = {tuple(np.flatnonzero(groups == g)) for g in groups}
    assert partition == {tuple(np.flatnonzero(backwards == g)) for g in backwards}


def test_a_hundred_thousand_copies_are_one_text() -> None:
    data = of(["the same text over and over"] * 100_000 + ["another one"])
    assert len(sketch(data, ["text"], threshold=0.8).texts) == 2
    assert drop_duplicates(data, ["text"], near=0.8)[1] == 99_999


def test_texts_that_all_share_a_bucket_are_one_group() -> None:
    """Each is compared with its next 32 of a bucket only, and chains do the rest."""
    common = " ".join(f"word{n}" for n in range(150))
    assert drop_duplicates(of([f"{common} {n}" for n in range(1000)]), ["text"], near=0.8)[1] == 999


def test_long_texts_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    from headway.data.duplicates import minhash

    texts = [" ".join(mutated(60, seed=seed)) for seed in range(3)]
    whole = sketch(of(texts), ["text"], threshold=0.8)
    monkeypatch.setattr(minhash, "_PIECE", 100)
    monkeypatch.setattr(minhash, "_AT_ONCE", 1)
    assert (sketch(of(texts), ["text"], threshold=0.8).keys == whole.keys).all()


def test_bands_follow_the_s_curve() -> None:
    for threshold in np.linspace(0.1, 1, 91):
        bands, rows = bands_for(float(threshold))
        assert bands * rows <= MINIMA
        assert 1 - (1 - threshold**rows) ** bands >= 0.99


@pytest.mark.parametrize("threshold", [0.0, 0.05, 1.01, -1.0, float("nan")])
def test_thresholds_that_are_none(threshold: float) -> None:
    with pytest.raises(ConfigError, match=r"0\.1 to 1"):
        drop_duplicates(of(["a"]), ["text"], near=threshold)


def test_pairs_are_compared_together_and_lists_as_text() -> None:
    data = Dataset.from_columns(
        {"a": [["x", "y"], ["x", "y"]], "b": ["a long sentence", "another"]}
    )
    assert near_groups(data, ["a"]).tolist() == [0, 0]
    assert near_groups(data, ["a", "b"]).tolist() == [0, 1]


def test_no_rows_and_columns_that_are_not_there() -> None:
    empty, data = of([]), of(["a"])
    assert near_groups(empty, ["text"]).tolist() == []
    assert near_matches(empty, data, ["text"]).tolist() == [-1]
    assert near_matches(data, empty, ["text"]).tolist() == []
    with pytest.raises(DataError, match="no column 'body'"):
        near_groups(data, ["body"])
    with pytest.raises(DataError, match="no column 'body'"):
        drop_leaked(data, data, ["body"], near=0.8)


def test_near_leakage() -> None:
    train = of(["It was a very long winter in the north of the country.", "short"])
    test = of(["it was a very long winter in the north of the country", "Short", "else"])
    assert drop_leaked(train, test, ["text"])[1] == 0
    clean, dropped = drop_leaked(train, test, ["text"], near=0.8)
    assert (clean["text"], dropped) == (["else"], 2)


def test_real_near_duplicates(shared: Path) -> None:
    with gzip.open(shared / "multi30k" / "train.en.gz", "rt", encoding="utf-8") as file:
        data = of(file.readlines())
    groups = near_groups(data, ["text"])
    near = np.flatnonzero(groups != np.arange(len(data)))
    assert len(near) == drop_duplicates(data, ["text"], near=0.8)[1]
    assert len(near) > drop_duplicates(data, ["text"])[1]
    texts = data["text"]
    assert all(similarity(texts[row], texts[groups[row]]) > 0.5 for row in near)
