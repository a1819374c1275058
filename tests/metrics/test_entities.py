"""Entities and their F1: read back what was written, and equal to seqeval."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
from seqeval import scheme as peer_schemes
from seqeval.metrics import sequence_labeling as peer

from headway.data import read
from headway.errors import ConfigError
from headway.metrics import (
    ENTITY_SCHEMES,
    entities,
    entity_f1,
    entity_precision,
    entity_recall,
    per_entity,
)

from .contracts import tag_columns

STRICT = [name for name in ENTITY_SCHEMES if name != "conlleval"]
OF_PEER = [name for name in STRICT if name != "BMES"]
WHOLE = {"IOBES": "BIES", "BILOU": "BILU", "BMES": "BMES"}  # begin, inside, end, single


def random_entities(random: np.random.Generator, n: int) -> list[tuple[str, int, int]]:
    found, at = [], 0
    while at < n:
        if random.random() < 0.3:
            at += 1
            continue
        end = min(n, at + int(random.integers(1, 4)))
        found.append((str(random.choice(["X", "Y-Z"])), at, end))
        at = end
    return found


def written(found: list[tuple[str, int, int]], n: int, scheme: str) -> list[str]:
    """The tags of entities, straight from each scheme's definition."""
    tags = ["O"] * n
    for number, (label, start, end) in enumerate(found):
        touching_before = number > 0 and found[number - 1][::2] == (label, start)
        touching_behind = number + 1 < len(found) and found[number + 1][:2] == (label, end)
        letters = ["I"] * (end - start)
        if scheme == "IOB2" or (scheme == "IOB1" and touching_before):
            letters[0] = "B"
        if scheme == "IOE2" or (scheme == "IOE1" and touching_behind):
            letters[-1] = "E"
        if scheme in WHOLE:
            begin, inside, last, single = WHOLE[scheme]
            letters = [inside] * (end - start)
            letters[0], letters[-1] = begin, last
            if end - start == 1:
                letters = [single]
        tags[start:end] = [f"{letter}-{label}" for letter in letters]
    return tags


@pytest.mark.parametrize("scheme", STRICT)
def test_entities_are_read_back_as_they_were_written(scheme):
    random = np.random.default_rng(0)
    for _ in range(300):
        n = int(random.integers(0, 12))
        found = random_entities(random, n)
        assert entities(written(found, n, scheme), scheme=scheme) == found


def tags_of(scheme: str) -> list[str]:
    letters = [letter for letter in ENTITY_SCHEMES[scheme].letters if letter != "O"]
    return ["O", "O", *(f"{letter}-{label}" for letter in letters for label in "XYZ")]


@pytest.mark.parametrize("scheme", OF_PEER)
def test_any_tags_are_read_as_seqeval_reads_them(scheme):
    random = np.random.default_rng(1)
    compared = 0
    for _ in range(1500):
        tags = random.choice(tags_of(scheme), int(random.integers(1, 9))).tolist()
        if scheme == "IOE1" and lost_by_the_peer(tags):
            continue
        theirs = peer_schemes.Tokens(tags, getattr(peer_schemes, scheme)).entities
        expected = [(entity.tag, entity.start, entity.end) for entity in theirs]
        assert entities(tags, scheme=scheme) == expected, tags
        compared += 1
    assert compared > 300


def lost_by_the_peer(tags: list[str]) -> bool:
    """An E that begins an entity: seqeval 1.2.2 knows that only behind an E of its label."""
    return any(b[0] == "E" and (a[0] == "O" or a[1:] != b[1:]) for a, b in pairwise(["O", *tags]))


def test_an_entity_of_one_token_before_another_is_kept_where_seqeval_loses_it():
    tags = ["E-X", "I-X"]
    assert entities(tags, scheme="IOE1") == [("X", 0, 1), ("X", 1, 2)]
    theirs = peer_schemes.Tokens(tags, peer_schemes.IOE1).entities
    assert [(entity.tag, entity.start, entity.end) for entity in theirs] == [("X", 1, 2)]


def test_broken_tags_are_read_as_the_conll_script_reads_them():
    random = np.random.default_rng(2)
    for _ in range(1500):
        tags = random.choice(tags_of("IOBES"), int(random.integers(1, 9))).tolist()
        expected = [(label, a, b + 1) for label, a, b in peer.get_entities(tags)]
        assert entities(tags, scheme="conlleval") == expected, tags


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES", "IOE2", "conlleval"])
@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_scores_equal_seqeval(scheme, average):
    for seed in range(10):
        p, r = tag_columns(seed, 60, tags_of("IOB2" if scheme == "conlleval" else scheme))
        r[0] = r[0] + ["O"]  # seqeval wants a token
        p[0] = p[0] + ["O"]
        options = {"average": average, "zero_division": 0}
        if scheme != "conlleval":
            options |= {"mode": "strict", "scheme": getattr(peer_schemes, scheme)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = [
                function(r, p, **options)
                for function in (peer.f1_score, peer.precision_score, peer.recall_score)
            ]
        found = [
            function(p, r, scheme=scheme, average=average)
            for function in (entity_f1, entity_precision, entity_recall)
        ]
        assert found == pytest.approx(expected, abs=1e-9)


def test_the_table_by_label_equals_seqevals_report():
    p, r = tag_columns(3, 60)
    report = peer.classification_report(
        r, p, output_dict=True, mode="strict", scheme=peer_schemes.IOB2, zero_division=0
    )
    found = per_entity(p, r)
    assert list(found) == ["A", "B"]
    for label, scores in found.items():
        theirs = report[label]
        assert scores["f1"] == pytest.approx(theirs["f1-score"], abs=1e-9)
        assert scores["precision"] == pytest.approx(theirs["precision"], abs=1e-9)
        assert scores["recall"] == pytest.approx(theirs["recall"], abs=1e-9)
        assert scores["support"] == theirs["support"]


def test_equal_on_entities_of_web_text(shared):
    references = read(shared / "wnut17" / "emerging.dev.conll").column("tags").to_pylist()
    random = np.random.default_rng(0)
    every = sorted({tag for row in references for tag in row})
    predictions = [
        [tag if random.random() < 0.8 else str(random.choice(every)) for tag in row]
        for row in references
    ]
    expected = peer.f1_score(references, predictions, mode="strict", scheme=peer_schemes.IOB2)
    assert 0.1 < expected < 0.9
    assert entity_f1(predictions, references) == pytest.approx(expected, abs=1e-9)


def test_no_rows_no_tokens_and_no_entities_score_zero():
    for p, r in (([], []), ([[]], [[]]), ([["O"]], [["O"]]), ([["I-A"]], [["I-A"]])):
        assert entity_f1(p, r) == entity_precision(p, r) == entity_recall(p, r) == 0.0
        assert per_entity(p, r) == {}


def test_tags_without_a_label_and_arrays_of_tags():
    assert entities(["B", "I", "B-", "O"]) == [("_", 0, 2), ("_", 2, 3)]
    row = np.array(["B-A", "I-A"])
    assert entity_f1([row], [row]) == 1.0


@pytest.mark.parametrize(
    ("predictions", "references", "options", "said"),
    [
        ([["O"]], [["O", "O"]], {}, "row 0 has 1 predicted tags for 2 tokens"),
        ([["O"]], [], {}, "1 predictions for 0 references"),
        ([["E-A"]], [["O"]], {}, "schemes with E: IOE1, IOE2, IOBES, BMES, conlleval"),
        ([["PER"]], [["O"]], {}, "tag 'PER' is none of this scheme"),
        ([["O-A"]], [["O"]], {}, "tag 'O-A' is none"),
        ([["O"]], [["O-"]], {}, "tag 'O-' is none"),
        ([["O"]], ["O"], {}, "row 0 of the tags is 'O'"),
        ([[""]], [["O"]], {}, "tag '' is none"),
        ([[None]], [["O"]], {}, "a tag is None"),
        (["O"], ["O"], {}, "row 0 of the tags is 'O'"),
        ([["O"], None], [["O"], ["O"]], {}, "row 1 of the tags is None"),
        ([[["O"]]], [["O"]], {}, "row 0 of the tags holds no tags"),
        ([["O"]], [["O"]], {"scheme": "BILUO"}, "unknown scheme 'BILUO'.*did you mean 'BILOU'"),
        ([["O"]], [["O"]], {"average": "mean"}, "unknown average 'mean'"),
    ],
)
def test_what_cannot_be_read_is_refused(predictions, references, options, said):
    with pytest.raises(ConfigError, match=said):
        entity_f1(predictions, references, **options)
