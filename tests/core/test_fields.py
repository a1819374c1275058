"""Reading config.json: every wrong value is an error that names key, value and what is allowed."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.core.fields import (
    Choice,
    Depth,
    Rate,
    Rows,
    Size,
    check_value,
    read_fields,
    write_fields,
)
from headway.errors import CheckpointError
from headway.families import FAMILIES


@dataclass(frozen=True)
class Config:
    hidden: Size = 8
    layers: Depth = 2
    dropout: Rate = 0.1
    other_dropout: Rate | None = None
    tied: bool = True
    kind: Annotated[str, Choice(("a", "b"))] = "a"
    sizes: tuple[Rate, ...] | Size | None = None


FIELDS = (
    ("hidden", "hidden_size"),
    ("layers", "n_layer"),
    ("dropout", "p"),
    ("other_dropout", "q"),
    ("tied", "tie"),
    ("kind", "kind"),
    ("sizes", "sizes"),
)


def read(**values: Any) -> Config:
    return read_fields(
        Config, FIELDS, values, fixed={"rotate": (False, None)}, ignored=frozenset({"old"})
    )


def test_absent_keys_take_defaults_and_null_is_a_value_where_it_may_be() -> None:
    assert read() == Config()
    assert read(q=None) == Config()
    assert read(q=0.5, hidden_size=4) == Config(hidden=4, other_dropout=0.5)


def test_whole_numbers_are_numbers() -> None:
    config = read(p=0)
    assert config.dropout == 0.0
    assert isinstance(config.dropout, float)


def test_a_list_becomes_a_tuple() -> None:
    assert read(sizes=[0, 1.0]).sizes == (0.0, 1.0)
    assert read(sizes=[]).sizes == ()
    assert read(sizes=3).sizes == 3


def test_keys_that_say_nothing_are_passed_over() -> None:
    assert read(old=3, architectures=["X"], torch_dtype="float16", _private=1) == Config()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden_size": "8"}, r"hidden_size = '8'\. Allowed: a whole number from 1 to"),
        ({"hidden_size": 8.0}, r"hidden_size = 8\.0\. Allowed: a whole number"),
        ({"hidden_size": True}, r"hidden_size = True"),
        ({"hidden_size": None}, r"hidden_size = None"),
        ({"hidden_size": 0}, r"hidden_size = 0\."),
        ({"hidden_size": -3}, r"hidden_size = -3\."),
        ({"hidden_size": 2**40}, rf"hidden_size = {2**40}"),
        ({"n_layer": 10**9}, r"n_layer = 1000000000\. Allowed: a whole number from 1 to 1000"),
        ({"p": 1.5}, r"p = 1\.5\. Allowed: a number from 0 to 1"),
        ({"p": float("nan")}, r"p = nan"),
        ({"p": float("inf")}, r"p = inf"),
        ({"p": [0.1]}, r"p = \[0\.1\]"),
        ({"q": "x"}, r"q = 'x'\. Allowed: a number from 0 to 1 or null"),
        ({"tie": 1}, r"tie = 1\. Allowed: true or false"),
        ({"kind": "c"}, r"kind = 'c'\. Allowed: a, b"),
        ({"kind": {}}, r"kind = \{\}"),
        (
            {"sizes": [0.5, 2]},
            r"sizes = \[0.5, 2\]. Allowed: a list, each of it a number from 0 to 1",
        ),
        ({"sizes": [[0.5]]}, r"sizes = \[\[0.5\]\].* or a whole number from 1 to \S+ or null"),
        ({"sizes": 0.5}, r"sizes = 0\.5"),
        ({"rotate": True}, r"rotate = True is not supported\. Allowed: False, None"),
        ({"hiden_size": 8}, r"key 'hiden_size' is not known.*did you mean 'hidden_size'"),
        ({"pruned_heads": {"0": [1]}}, r"pruned_heads = \{'0': \[1\]\} is not supported"),
    ],
)
def test_wrong_values_name_key_value_and_what_is_allowed(values: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        read(**values)


def test_writing_is_the_inverse() -> None:
    config = Config(hidden=3, kind="b", other_dropout=0.25, sizes=(0.5, 1.0))
    assert write_fields(config, FIELDS) == {
        "hidden_size": 3,
        "n_layer": 2,
        "p": 0.1,
        "q": 0.25,
        "tie": True,
        "kind": "b",
        "sizes": [0.5, 1.0],
    }
    assert read(**write_fields(config, FIELDS)) == config


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@pytest.mark.parametrize("model_type", FAMILIES)
@given(data=st.data())
def test_no_value_of_any_key_escapes_as_another_error(model_type: str, data: st.DataObject) -> None:
    family = FAMILIES[model_type]
    keys = [theirs for _, theirs in family.FIELDS if theirs != "model_type"]
    extra = ["rope_scaling", "rope_parameters", "rope_theta", "tie_word_embeddings", "pad_token_id"]
    key, value = data.draw(st.sampled_from(keys + extra)), data.draw(HOSTILE)
    try:
        config = family.from_hf({"model_type": model_type, key: value})
    except CheckpointError as error:
        assert "config.json" in str(error)
    else:
        assert family.from_hf(family.to_hf(config)) == config


@pytest.mark.parametrize("model_type", FAMILIES)
def test_every_field_of_every_family_has_a_range_and_a_sentence(model_type: str) -> None:
    """A number without limits would let a hostile config through."""
    family = FAMILIES[model_type]
    kinds = typing.get_type_hints(family.Config, include_extras=True)
    for name, kind in kinds.items():
        options = typing.get_args(kind) if typing.get_origin(kind) is not Annotated else (kind,)
        for option in options or (kind,):
            assert option not in (int, float, str), name
    assert {ours for ours, _ in family.FIELDS} | {"rope"} >= set(kinds)


def test_none_where_it_may_not_be() -> None:
    with pytest.raises(CheckpointError, match="rows = None"):
        check_value("rows", None, Rows)
