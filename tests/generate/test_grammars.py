"""Texts match their expression and their schema; what cannot be held to is refused."""

from __future__ import annotations

import json
import random
import sys
from typing import Any
from unittest import mock

import jsonschema
import pytest
import regex
from pipelines.models import writer

from headway.errors import ConfigError
from headway.generate import OneOf, Regex, Schema
from headway.generate.grammars import grammar_guides
from headway.generate.spelling import spelling_of

from .letters import END, letters_model, letters_tokenizer
from .test_spelling import metaspace_tokenizer


def random_schema(draw: random.Random, depth: int = 2) -> dict[str, Any]:
    """A schema whose texts are short."""
    kinds = ["enum", "const", "integer", "number", "boolean", "null", "string", "pattern"]
    kind = draw.choice([*kinds, *(["object", "array", "anyOf", "$ref"] * 2 if depth else [])])
    if kind == "enum":
        return {"enum": draw.sample(["a", "bé", 'say "x"', 1, -2.5, True, None, [1], {"k": 0}], 3)}
    if kind == "const":
        return {"const": draw.choice(["ab\n", 7, None])}
    if kind == "integer":
        low = draw.randint(-50, 50)
        return {"type": "integer", "minimum": low, "maximum": low + draw.randint(0, 99)}
    if kind == "number":
        return {"type": "number", "minimum": 0, "maximum": 1}
    if kind == "string":
        return {"type": "string", "minLength": draw.randint(0, 2), "maxLength": draw.randint(2, 5)}
    if kind == "pattern":
        return {"type": "string", "pattern": "^[a-c]{1,3}x?$"}
    if kind == "object":
        names = draw.sample(["a", "name", "é", "a b"], draw.randint(1, 3))
        return {
            "type": "object",
            "properties": {name: random_schema(draw, depth - 1) for name in names},
            "required": draw.sample(names, draw.randint(0, len(names))),
            "additionalProperties": False,
        }
    if kind == "array":
        items = random_schema(draw, depth - 1)
        return {"type": "array", "items": items, "minItems": 1, "maxItems": 3}
    if kind == "anyOf":
        return {"anyOf": [random_schema(draw, depth - 1) for _ in range(2)]}
    if kind == "$ref":
        return {"$ref": "#/$defs/x"}
    return {"type": kind}


@pytest.mark.parametrize("seed", range(5))
def test_json_is_what_its_schema_says_in_a_batch_of_others(seed: int) -> None:
    draw = random.Random(seed)
    schemas = [{**random_schema(draw), "$defs": {"x": random_schema(draw, 0)}} for _ in range(8)]
    constraints = [*map(Schema, schemas), Regex("[ab]{3}"), OneOf(["yes", "no"]), None]
    model = letters_model("llama" if seed % 2 else "gpt2", seed=seed)
    found = model.generate_details(
        [f"a{n}" for n in range(len(constraints))],
        250,
        constraint=constraints,
        temperature=1.0,
        seed=seed,
    )
    whole = 0
    for schema, written in zip(schemas, found, strict=False):
        assert written.stopped_by in ("constraint", "end", "max_new_tokens")
        if written.stopped_by != "max_new_tokens":
            jsonschema.validate(json.loads(written.text), schema)
            whole += 1
    assert whole >= 5
    assert regex.fullmatch("[ab]{3}", found[8].text) and found[8].stopped_by == "constraint"
    assert found[9].text in ("yes", "no")
    alone = model.generate(["a9"], 250, constraint=constraints[9], temperature=1.0, seed=seed)
    assert alone == [found[9].text]


@pytest.mark.parametrize(
    "pattern",
    ["[a-c]+x", "(ab|ba){1,3}", "é{2}|🙂", r"\d{3}-\d{2}", "(?i)yes|no", r"a.b", r"\p{Greek}+!"],
)
@pytest.mark.parametrize("options", [{}, {"temperature": 1.5}, {"beams": 3}])
def test_expressions_are_matched(pattern: str, options: dict[str, Any]) -> None:
    model = letters_model(seed=3)
    (found,) = model.generate_details(["b"], 60, constraint=Regex(pattern), **options)
    if found.stopped_by != "max_new_tokens":
        assert regex.fullmatch(pattern, found.text), found.text
    elif "+" not in pattern:
        pytest.fail(f"no end in {found.text}")


def test_a_text_that_is_cut_says_so() -> None:
    model = letters_model()
    schema = {"type": "array", "items": {"const": "abab"}, "minItems": 9, "maxItems": 9}
    (found,) = model.generate_details(["a"], 10, constraint=Schema(schema))
    assert (found.stopped_by, len(found.ids)) == ("max_new_tokens", 10)
    with pytest.raises(ValueError):
        json.loads(found.text)


def test_any_json() -> None:
    (found,) = letters_model(seed=1).generate_details(["a"], 30, constraint=Schema())
    assert found.stopped_by in ("constraint", "end", "max_new_tokens")
    assert Schema().schema == {}


def test_a_text_may_end_where_it_is_whole() -> None:
    model = letters_model()
    ends = {
        written.stopped_by
        for seed in range(12)
        for written in model.generate_details(
            ["a"], 5, constraint=Regex("[ab]*"), temperature=1.0, stop_tokens=(END,), seed=seed
        )
    }
    assert "end" in ends
    # Without an end token a text ends as soon as it is whole.
    (found,) = model.generate_details(["a"], 5, constraint=Regex("[ab]+"), stop_tokens=())
    assert found.stopped_by == "constraint" and found.text in ("a", "b", "ab", "ba", "aa")


REFUSED = [
    (Regex("("), r"regex '\(' cannot be followed: error: unclosed group"),
    (Regex("(?=a)b"), "look-around, including look-ahead"),
    (Regex("[^\\s\\S]"), "allows no text"),
    (Regex(3), r"regex 3. Allowed: a regular expression"),  # type: ignore[arg-type]
    (Schema({"type": "foo"}), "Invalid type: foo"),
    (Schema({"not": {}}), r'Unimplemented keys: \["not"\]'),
    (Schema({"type": "integer", "minimum": 3, "maximum": 2}), "Unsatisfiable schema"),
    (Schema({"enum": []}), "Unsatisfiable schema"),
    (Schema(False), "Unsatisfiable schema"),
    (Schema({"$ref": "#/$defs/none"}), "does not exist"),
    (Schema({"$ref": "http://example.org/schema"}), "cannot be followed"),
    (Schema("{"), "the schema is not JSON"),
    (Schema({"enum": {1}}), "the schema is not JSON"),
    (Schema("3"), "the schema is not JSON|cannot be followed"),
]


@pytest.mark.parametrize(("constraint", "says"), REFUSED, ids=str)
def test_what_cannot_be_held_to_is_refused(constraint: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        letters_model().generate(["a"], constraint=constraint)


def test_without_the_package_its_extra_is_named() -> None:
    with (
        mock.patch.dict(sys.modules, {"llguidance": None}),
        pytest.raises(ConfigError, match=r"pip install headway\[constrained\]"),
    ):
        letters_model().generate(["a"], constraint=Regex("a"))


def test_a_space_that_is_not_shown_at_the_start_is_not_counted() -> None:
    tokenizer = metaspace_tokenizer()
    spelling = spelling_of(tokenizer)
    guide = grammar_guides(Regex("yes( no)?"), tokenizer, spelling, 300)()
    marked, plain = tokenizer.vocabulary["▁yes"], tokenizer.vocabulary["yes"]
    allowed = guide.allowed()
    assert allowed[marked] and allowed[plain]
    guide.take(marked)
    assert guide.whole and not guide.done
    assert not guide.allowed()[plain]
    guide.take(tokenizer.vocabulary["▁no"])
    assert guide.done and guide.whole


def test_tokens_that_cannot_write_it() -> None:
    with pytest.raises(ConfigError, match=r"no token can begin|allows no text"):
        writer().generate(["w1"], constraint=Schema({"type": "object"}))
    (found,) = writer().generate_details(["w1"], constraint=Regex("(w1|w2) zebra"))
    assert (found.stopped_by, found.text) in [("nothing_left", "w1"), ("nothing_left", "w2")]


def test_constraints_go_with_their_prompts() -> None:
    with pytest.raises(ConfigError, match="1 constraints for 2 prompts"):
        letters_model().generate(["a", "b"], constraint=[Regex("a")])
    model = letters_model()
    model.checkpoint.tokenizer = None
    with pytest.raises(ConfigError, match="a constraint, and letters-llama has no tokenizer"):
        model.generate_ids([[1]], constraint=Regex("a"))
    assert letters_tokenizer().vocabulary["</s>"] == END
