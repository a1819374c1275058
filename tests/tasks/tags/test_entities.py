from __future__ import annotations

import json
import random
from typing import Any

import pytest

from headway.errors import DataError
from headway.metrics import entity_f1, per_entity
from headway.tasks.tags.entities import (
    Span,
    overlapping,
    read_spans,
    span_labels,
    spans_of_tags,
    tag_scheme,
    wrong_spans,
)
from headway.tasks.tags.scores import score_spans

TEXT = "John Smith lives in Zürich."
PLACES = [{"start": 0, "end": 10, "label": "PER"}, {"start": 20, "end": 26, "label": "LOC"}]


@pytest.mark.parametrize(
    "written",
    [
        PLACES,
        PLACES[::-1],
        json.dumps(PLACES),
        [[0, 10, "PER"], (20, 26, "LOC")],
        [{"start": one["start"], "end": one["end"], "type": one["label"]} for one in PLACES],
        [{**one, "label": None, "entity": one["label"], "text": "x"} for one in PLACES],
    ],
)
def test_ways_to_write_spans(written: Any) -> None:
    assert wrong_spans(written) == ""
    assert read_spans(written, TEXT, 0) == [Span(0, 10, "PER"), Span(20, 26, "LOC")]
    assert sorted(span_labels(written)) == ["LOC", "PER"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (3, "no list of spans"),
        ("not json", "no list of spans"),
        ([{"start": 0, "end": 3}], "has no label"),
        ([{"label": "PER"}], "has no start and no end"),
        ([[0, 3]], "is no span"),
        ([{"start": "0", "end": 3, "label": "PER"}], "not whole numbers"),
        ([{"start": 0.5, "end": 3, "label": "PER"}], "not whole numbers"),
        ([{"start": True, "end": 3, "label": "PER"}], "not whole numbers"),
    ],
)
def test_what_is_no_span(written: Any, said: str) -> None:
    assert said in wrong_spans(written)


@pytest.mark.parametrize(
    ("text", "span", "said"),
    [
        (TEXT, (0, 99, "PER"), "row 8.*Allowed: places in the text, from 0 to 27"),
        (TEXT, (-3, 2, "PER"), "from -3 to 2"),
        (TEXT, (4, 4, "PER"), "from 4 to 4"),
        (TEXT, (4, 5, "PER"), "white space only"),
        ("Zu\u0308rich", (0, 2, "LOC"), "cuts the character"),
        ("Zu\u0308rich", (2, 7, "LOC"), "cuts the character"),
        ("\U0001f469\u200d\U0001f52c here", (0, 1, "X"), "cuts the character"),
    ],
)
def test_places_that_cannot_be(text: str, span: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_spans([span], text, 7)


def test_entities_that_overlap_are_both_named() -> None:
    with pytest.raises(DataError, match=r"row 1: the entities 'John Smith' \(PER.*'Smith' \(FAM"):
        read_spans([(0, 10, "PER"), (5, 10, "FAM")], TEXT, 0)
    touching = [(0, 4, "A"), (4, 10, "B")]
    assert len(read_spans(touching, TEXT, 0)) == 2


def test_white_space_at_the_ends_is_no_part_of_an_entity() -> None:
    assert read_spans([(10, 17, "X")], TEXT, 0) == [Span(11, 16, "X")]


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BILOU", "IOBES", "IOE2", "BMES"])
def test_schemes_are_told_apart_and_say_the_same(scheme: str) -> None:
    rows = {
        "IOB1": ["I-A", "I-A", "B-A", "O", "I-B"],
        "IOB2": ["B-A", "I-A", "B-A", "O", "B-B"],
        "BILOU": ["B-A", "L-A", "U-A", "O", "U-B"],
        "IOBES": ["B-A", "E-A", "S-A", "O", "S-B"],
        "IOE2": ["I-A", "E-A", "E-A", "O", "E-B"],
        "BMES": ["B-A", "E-A", "S-A", "O", "S-B"],
    }
    tags = [*rows[scheme], *(["B-A", "M-A", "E-A"] if scheme == "BMES" else [])]
    assert tag_scheme([tags]) == scheme
    words = [(2 * n, 2 * n + 1) for n in range(len(tags))]
    found = spans_of_tags(tags, words, scheme)[:3]
    assert found == [Span(0, 3, "A"), Span(4, 5, "A"), Span(8, 9, "B")]


def test_entities_are_right_only_when_all_of_them_is() -> None:
    """Beside the metric of tags, for spans that tags can say."""
    draw = random.Random(0)
    for _ in range(40):
        one, other = (
            [
                Span(start, start + draw.randint(1, 3), draw.choice("AB"))
                for start in range(0, 20, 4)
                if draw.random() < 0.6
            ]
            for _ in range(2)
        )
        tags = [_tags(spans) for spans in (one, other)]
        scores = score_spans([one], [other])
        assert scores["f1"] == pytest.approx(entity_f1(tags[:1], tags[1:]))
        assert scores["per_label"] == per_entity(tags[:1], tags[1:])


def _tags(spans: list[Span]) -> list[str]:
    tags = ["O"] * 24
    for span in spans:
        tags[span.start : span.end] = [f"B-{span.label}", *[f"I-{span.label}"] * 9][
            : span.end - span.start
        ]
    return tags


def test_entities_in_each_other_are_allowed_where_asked() -> None:
    inner = [(0, 10, "PER"), (5, 10, "FAM")]
    assert overlapping(inner) and not overlapping([(0, 4, "A"), (4, 10, "B")])
    assert not overlapping(["B-A"]) and not overlapping(None) and not overlapping("x")
    assert [span.label for span in read_spans(inner, TEXT, 0, nested=True)] == ["PER", "FAM"]
