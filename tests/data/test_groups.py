"""Groups are those of a dict of lists."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import Dataset
from headway.data.groups import AGGREGATES
from headway.errors import ConfigError, DataError

# What each aggregate says of the values of a group, as Python.
EXPECTED: dict[str, Any] = {
    "rows": len,
    "count": lambda v: len(_there(v)),
    "distinct": lambda v: len(set(_there(v))),
    "sum": lambda v: sum(_there(v)) if _there(v) else None,
    "mean": lambda v: statistics.fmean(_there(v)) if _there(v) else None,
    "min": lambda v: min(_there(v), default=None),
    "max": lambda v: max(_there(v), default=None),
    "variance": lambda v: statistics.pvariance(_there(v)) if _there(v) else None,
    "deviation": lambda v: statistics.pstdev(_there(v)) if _there(v) else None,
    "list": list,
    "first": lambda v: next(iter(_there(v)), None),
    "last": lambda v: next(iter(_there(v)[::-1]), None),
}


def _there(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def test_every_aggregate_is_tried() -> None:
    assert set(EXPECTED) | {"any", "all"} == set(AGGREGATES)
    data = Dataset.from_columns({"k": [1, 1, 2], "b": [True, False, None]})
    found = data.group_by("k", some=("b", "any"), every=("b", "all"))
    assert found["some"] == [True, None]
    assert found["every"] == [False, None]


@pytest.mark.parametrize("kind", EXPECTED)
@settings(deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "k": st.sampled_from(["a", "b", None]),
                "l": st.booleans(),
                "n": st.none() | st.integers(-9, 9),
            }
        ),
        min_size=1,
        max_size=20,
    ),
    turned=st.booleans(),
)
def test_groups_are_those_of_a_dict(kind: str, rows: list[dict[str, Any]], turned: bool) -> None:
    data = Dataset.from_rows(rows).cast({"n": "int64", "k": "string"})
    if turned:
        data, rows = data[::-1], rows[::-1]
    groups: dict[Any, list[Any]] = {}
    for row in rows:
        groups.setdefault((row["k"], row["l"]), []).append(row["n"])
    found = data.group_by("k", "l", value=("n", kind), again=("n", kind))
    assert found.column_names == ["k", "l", "value", "again"]
    assert list(zip(found["k"], found["l"], strict=True)) == list(groups)
    expected = [EXPECTED[kind](values) for values in groups.values()]
    for got, wanted in zip(found["value"], expected, strict=True):
        assert got == (pytest.approx(wanted) if isinstance(wanted, float) else wanted)
    assert found["value"] == found["again"]


def test_what_cannot_be_grouped() -> None:
    data = Dataset.from_columns({"k": ["a"], "n": [1]})
    with pytest.raises(ConfigError, match=r"'maxx'.*did you mean 'max'"):
        data.group_by("k", m=("n", "maxx"))
    with pytest.raises(ConfigError, match="column 'k' twice"):
        data.group_by("k", k=("n", "max"))
    with pytest.raises(ConfigError, match="of no columns"):
        data.group_by(m=("n", "max"))
    with pytest.raises(DataError, match="no column 'm'"):
        data.group_by("k", x=("m", "max"))
    with pytest.raises(DataError, match="aggregates that the types"):
        data.group_by("k", x=("k", "mean"))
