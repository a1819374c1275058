"""Labelled spans: equal to entities of tags where tags can say them, and beyond."""

import numpy as np
import pytest

from headway.errors import ConfigError
from headway.metrics import (
    confidence_interval,
    entities,
    entity_f1,
    entity_precision,
    entity_recall,
    per_entity,
    per_span,
    span_f1,
    span_precision,
    span_recall,
)

from .contracts import span_column, tag_columns


def spans(rows):
    return [[(start, end, label) for label, start, end in entities(row)] for row in rows]


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
@pytest.mark.parametrize("seed", range(4))
def test_equal_to_entities_of_tags(seed, average):
    columns = tag_columns(seed, 40)
    found = [spans(column) for column in columns]
    for ours, theirs in (
        (span_f1, entity_f1),
        (span_precision, entity_precision),
        (span_recall, entity_recall),
    ):
        assert ours(*found, average=average) == theirs(*columns, average=average)
    assert per_span(*found) == per_entity(*columns)
    draws = {"resamples": 50, "average": average}
    assert confidence_interval("span_f1", *found, **draws) == confidence_interval(
        "entity_f1", *columns, **draws
    )


def test_spans_inside_others_count_for_themselves():
    there = [[(0, 20, "ORG"), (8, 14, "LOC")]]
    assert span_recall([[(0, 20, "ORG")]], there) == 0.5
    assert span_f1([[(8, 14, "LOC"), (0, 20, "ORG")]], there) == 1.0
    assert span_precision([[(0, 20, "LOC"), (8, 14, "LOC")]], there) == 0.5


def test_brute_force():
    said, there = span_column(3, 50), span_column(4, 50)
    hits = sum(len(set(a) & set(b)) for a, b in zip(said, there, strict=True))
    total = sum(len(set(row)) for column in (said, there) for row in column)
    assert span_f1(said, there) == pytest.approx(2 * hits / total)


def test_numbers_of_numpy_and_a_span_said_twice():
    one = [[(np.int64(0), np.int64(4), "A"), [0, 4, "A"]]]
    assert span_precision(one, [{(0, 4, "A")}]) == 1.0


@pytest.mark.parametrize(
    "row", ["text", None, 3, [(0, 4)], [(0.0, 4.0, "A")], [(0, 4, 1)], ["abc"], [("a", "b", "c")]]
)
def test_what_is_no_span_is_refused_with_its_row(row):
    with pytest.raises(ConfigError, match="row 1 of the references"):
        span_f1([[], []], [[], row])
