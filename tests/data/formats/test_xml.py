from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data import BadRows, read
from headway.errors import ConfigError

from ..helpers import one, read_bytes, refusal

TALK = b"""<?xml version="1.0"?>
<!-- talks -->
<talks>
<talk id="t1" topic="rain"><turn who="A">Is it <b>wet</b>?</turn><turn who="B"> Yes. </turn></talk>
<talk id="t2"><note>short</note><turn>&#x1F600; &lt;</turn></talk>
</talks>
"""


def recipe(row: str = "doc", **columns: str) -> dict[str, Any]:
    return {"format": "xml", "row": row, "columns": columns}


def test_lists_attributes_and_what_is_missing() -> None:
    columns = {"id": "@id", "who": "turn[]/@who", "turns": "turn[]", "topic": "@topic", "n": "note"}
    assert list(read_bytes(TALK, "a.xml", recipe=recipe("talk", **columns))) == [
        {
            "id": "t1",
            "who": ["A", "B"],
            "turns": ["Is it wet?", "Yes."],
            "topic": "rain",
            "n": None,
        },
        {"id": "t2", "who": [None], "turns": ["\N{GRINNING FACE} <"], "topic": None, "n": "short"},
    ]


def test_a_turn_is_a_row_and_knows_its_talk() -> None:
    data = read_bytes(TALK, "a.xml", recipe=recipe("turn", talk="../@id", text=".", bold="b"))
    assert data["talk"] == ["t1", "t1", "t2"]
    assert data["text"][1] == "Yes."
    assert data["bold"] == ["wet", None, None]


def test_many_roots_prefixes_and_nested_rows() -> None:
    content = b"<t:doc x:id='1'><t:b>one<doc>in</doc></t:b></t:doc>\n\n<doc id='2'><b/></doc>"
    data = read_bytes(content, "a.xml", recipe=recipe(id="@id", text="b", inner="b/doc"))
    assert list(data) == [
        {"id": "1", "text": "onein", "inner": "in"},
        {"id": "2", "text": "", "inner": None},
    ]


trees = st.recursive(
    st.builds(lambda t: ("x", t, []), st.text(st.sampled_from("ab <&>é\n"), max_size=5)),
    lambda inner: st.tuples(
        st.sampled_from(["a", "b", "x"]),
        st.text(st.sampled_from("ab <&"), max_size=3),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


def element(tree: Any) -> ElementTree.Element:
    name, text, inner = tree
    made = ElementTree.Element(name, {"k": text})
    made.text = text
    made.extend(element(one_inner) for one_inner in inner)
    return made


@given(rows=st.lists(trees, min_size=1, max_size=3))
def test_the_same_as_element_tree(rows: list[Any]) -> None:
    root = ElementTree.Element("all")
    for tree in rows:
        made = element(tree)
        made.tag = "row"
        root.append(made)
    content = ElementTree.tostring(root, encoding="utf-8")
    columns = {"k": "@k", "a": "a[]", "ab": "a/b[]", "ak": "a[]/@k", "all": "."}
    data = read_bytes(content, "a.xml", recipe=recipe("row", **columns))
    assert list(data) == [
        {
            "k": row.get("k"),
            "a": ["".join(one.itertext()).strip() for one in row.findall("a")],
            "ab": ["".join(one.itertext()).strip() for one in row.findall("a/b")],
            "ak": [one.get("k") for one in row.findall("a")],
            "all": "".join(row.itertext()).strip(),
        }
        for row in ElementTree.fromstring(content)
    ]


BOMB = b"""<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><d><doc>&b;</doc></d>"""
OUTSIDE = b"""<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><d><doc>&f;</doc></d>"""
REMOTE = (
    b"""<?xml version='1.0'?><!DOCTYPE d SYSTEM "http://x.invalid/d.dtd"><d><doc>&e;</doc></d>"""
)
PARAMETER = b"""<!DOCTYPE d [<!ENTITY % p SYSTEM "http://x.invalid/p"> %p;]><d><doc>x</doc></d>"""


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (BOMB, "line 1: the entity 'a' is declared"),
        (OUTSIDE, "line 1: the entity 'f' is declared"),
        (PARAMETER, "line 1: the entity 'p' is declared"),
        (REMOTE, "line 1: the entity &e; is declared elsewhere"),
        (b"<doc>a&nbsp;b</doc>", "column 7: not XML: undefined entity"),
        (b"<doc>\n<b>x</doc>", "line 2, column 7: not XML: mismatched tag"),
        (b"<?xml version='1.0'?>\n<doc>\n<b>x</b>", "not XML"),
        (b"<doc/></_><_>", "not XML"),
        (b"just text", "has no element 'doc'"),
        (b"<page/><paper/>", "Allowed: page, paper"),
        (b"<x>" * 1000 + b"</x>" * 1000, "nested more than 200"),
        (b"<doc><t>1</t><t>2</t></doc>", "line 1, column 't': a second value '2'"),
        (b"<doc k='1' k='2'/>", "duplicate attribute"),
        (b"<doc>\x01</doc>", "not XML"),
    ],
)
def test_what_is_refused(content: bytes, says: str) -> None:
    assert says in refusal(content, "a.xml", recipe=recipe(t="t"))


def test_a_document_type_is_not_looked_up() -> None:
    content = b"""<!-- x --> <!DOCTYPE d SYSTEM "http://x.invalid/d.dtd"><d><doc>yes</doc></d>"""
    assert read_bytes(content, "a.xml", recipe=recipe(t="."))["t"] == ["yes"]


def test_rows_with_two_values_can_be_left_out() -> None:
    content = b"<doc><t>1</t><t>2</t></doc>\n<doc><t>3</t></doc>"
    bad = BadRows()
    assert read_bytes(content, "a.xml", recipe=recipe(t="t"), bad_rows=bad)["t"] == ["3"]
    assert (bad.count, bad.first[0].column, bad.first[0].value) == (1, "t", "'2'")


@pytest.mark.parametrize("place", ["//x", "x/", "a/..", "../x", "x[1]", "@", "a b", "..", "@a/b"])
def test_places_that_are_none(place: str) -> None:
    with pytest.raises(ConfigError, match="column 't' of the recipe"):
        read_bytes(b"<doc/>", "a.xml", recipe=recipe(t=place))


def test_a_recipe_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(TALK)
    with pytest.raises(ConfigError, match="which elements of the XML are rows"):
        read(tmp_path / "a.xml")
    (tmp_path / "a.txt").write_bytes(b"a line\n")
    assert one(tmp_path)["text"] == ["a line"]


def test_other_encodings() -> None:
    content = "<?xml version='1.0' encoding='latin-1'?><doc>é</doc>".encode("latin-1")
    assert read_bytes(content, "a.xml", recipe=recipe(t="."), encoding="latin-1")["t"] == ["é"]


def test_cranfield(shared: Path) -> None:
    columns = {"id": "docno", "title": "title", "text": "text"}
    documents = one(shared / "cranfield" / "cran.all.1400.xml", recipe=recipe("doc", **columns))
    content = (shared / "cranfield" / "cran.all.1400.xml").read_text(encoding="utf-8")
    root = ElementTree.fromstring(f"<all>{content}</all>")
    expected = [
        {name: (doc.findtext(place) or "").strip() for name, place in columns.items()}
        for doc in root.iter("doc")
    ]
    assert list(documents) == expected
    assert len(expected) == 1400
    queries = one(shared / "cranfield" / "cran.qry.xml", recipe=recipe("top", text="title"))
    assert len(queries) == 225
