from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headway.data import BadRows

from ..helpers import one, read_bytes, refusal

UNIVERSAL = """\
# sent_id = s1
# text = I don't.
1\tI\tI\tPRON\tPRP\tCase=Nom\t4\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tdo\tdo\tAUX\tVBP\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_
3.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t0:root\t_
4\t.\t.\tPUNCT\t.\t_\t0\tpunct\t_\t_

# text = #
1\t#\t#\tSYM\tNN\t_\t_\troot\t_\t_
"""


def test_conllu_words_are_the_syntactic_ones() -> None:
    data = read_bytes(UNIVERSAL.encode(), "a.conllu")
    assert data.column_names[:3] == ["tokens", "tags", "lemmas"]
    first, second = data
    assert first["tokens"] == ["I", "do", "n't", "."]
    assert first["tags"] == ["PRON", "AUX", "PART", "PUNCT"]
    assert first["lemmas"] == ["I", "do", "not", "."]
    assert first["heads"] == [4, 4, 4, 0]
    assert (first["sent_id"], first["text"]) == ("s1", "I don't.")
    assert (second["tokens"], second["heads"], second["text"]) == (["#"], [None], "#")


def test_what_is_no_word_is_kept_beside_the_words() -> None:
    first, second = read_bytes(b"# newdoc\n#global = 1\n" + UNIVERSAL.encode(), "a.conllu")
    (token,) = first["multiword"]
    assert token == {"start": 1, "end": 3, "form": "don't", "feats": "_", "misc": "SpaceAfter=No"}
    assert first["tokens"][token["start"] : token["end"]] == ["do", "n't"]
    assert first["empty_nodes"] == [
        {
            "after": 3,
            "form": "go",
            "lemma": "go",
            "upos": "VERB",
            "xpos": "VB",
            "feats": "_",
            "deps": "0:root",
            "misc": "_",
        }
    ]
    assert first["comments"] == ["newdoc", "global = 1"]
    assert (second["multiword"], second["empty_nodes"], second["comments"]) == ([], [], [])


def as_conllu(row: dict[str, Any], order: list[str]) -> str:
    """A sentence written again, its comments in the order of the file."""
    made = [f"sent_id = {row['sent_id']}", f"text = {row['text']}", *row["comments"]]
    lines = [f"# {comment}" for comment in sorted(made, key=order.index)]
    names = ("tokens", "lemmas", "tags", "xpos", "feats", "heads", "deprels", "deps", "misc")
    words = list(zip(*(row[name] for name in names), strict=True))
    for i in range(len(words) + 1):
        for n, node in enumerate([e for e in row["empty_nodes"] if e["after"] == i], 1):
            cells = [node[name] for name in ("form", "lemma", "upos", "xpos", "feats")]
            lines.append("\t".join([f"{i}.{n}", *cells, "_", "_", node["deps"], node["misc"]]))
        for token in [t for t in row["multiword"] if t["start"] == i]:
            cells = [token["form"], *"___", token["feats"], *"___", token["misc"]]
            lines.append("\t".join([f"{i + 1}-{token['end']}", *cells]))
        if i < len(words):
            cells = ["_" if cell is None else str(cell) for cell in words[i]]
            lines.append("\t".join([str(i + 1), *cells]))
    return "\n".join(lines) + "\n\n"


def test_a_real_treebank_can_be_written_again(shared: Path) -> None:
    path = shared / "ud-english-ewt" / "en_ewt-ud-test.conllu"
    content = path.read_text(encoding="utf-8")
    blocks = [block + "\n\n" for block in content.split("\n\n") if block.strip()]
    data = one(path)
    assert sum(map(len, data["multiword"])) > 100
    for block, row in zip(blocks, data, strict=True):
        order = [line.removeprefix("# ") for line in block.split("\n") if line.startswith("#")]
        assert as_conllu(row, order) == block


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", ["\t", " ", "  "])
def test_plain_columns(separator: str, end: str) -> None:
    rows = ["-DOCSTART- -X- O O", "", "EU NNP B-NP B-ORG", "rejects VBZ B-VP O", "", "", "# NN O O"]
    content = end.join(rows).replace(" ", separator) + end
    assert list(read_bytes(content.encode(), "a.conll")) == [
        {
            "tokens": ["EU", "rejects"],
            "tags": ["B-ORG", "O"],
            "column_2": ["NNP", "VBZ"],
            "column_3": ["B-NP", "B-VP"],
        },
        {"tokens": ["#"], "tags": ["O"], "column_2": ["NN"], "column_3": ["O"]},
    ]


def test_comments_in_plain_files_are_lines_of_another_width() -> None:
    content = b"# id = 1 of 3\na\tO\n#tag\tB-X\n\t\nb\tO"
    assert read_bytes(content, "a.conll")["tokens"] == [["a", "#tag"], ["b"]]


def test_tokens_may_hold_odd_spaces() -> None:
    content = "a\u00a0b\tO\nc\u2028d\tO\n".encode()
    assert read_bytes(content, "a.conll")["tokens"] == [["a\u00a0b", "c\u2028d"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a\tO\nb\n", "line 2: 1 columns, expected 2"),
        (b"a O\n\nb O x\n", "line 3: 3 columns, expected 2"),
        (b"word\nword\n", "one column"),
        (b"\n\n", "no tokens"),
        (b"-DOCSTART- O\n", "no tokens"),
        (
            UNIVERSAL.replace("4\t.\t", "four\t.\t").encode(),
            "line 8, column 'id': 'four' is not a word number",
        ),
        (
            UNIVERSAL.replace("\t0\tpunct", "\tx\tpunct").encode(),
            "line 8, column 'heads': the head 'x'",
        ),
        (
            UNIVERSAL.replace("\t4\taux", "\t5\taux").encode(),
            "line 5, column 'heads': the head '5'",
        ),
        (UNIVERSAL.replace("\n3\tn't", "\n4\tn't").encode(), "line 6, column 'id': word number 4"),
        (
            UNIVERSAL.replace("2-3\t", "3-4\t").encode(),
            "line 4, column 'id': the multiword token 3-4",
        ),
        (
            UNIVERSAL.replace("2-3\t", "2-9\t").encode(),
            "a token of words up to 9 in a sentence of 4",
        ),
        (UNIVERSAL.replace("don't\t_", "don't\tx").encode(), "line 4, column 'column 3': 'x'"),
        (UNIVERSAL.replace("3.1\t", "3.2\t").encode(), "line 7, column 'id': empty node 3.2"),
        (UNIVERSAL.replace("3.1\t", "2.1\t").encode(), "line 7, column 'id': empty node 2.1"),
        (UNIVERSAL.replace("\tVBP", "").encode(), "line 5: 9 columns, expected 10"),
    ],
)
def test_broken_files(content: bytes, says: str) -> None:
    assert says in refusal(content, "a.conll")


def test_sentences_with_a_bad_line_can_be_left_out() -> None:
    bad = BadRows()
    content = b"a\tO\nb\nc\n\nd\tO\n\n# x\ne\tO\tO\n"
    assert read_bytes(content, "a.conll", bad_rows=bad)["tokens"] == [["d"]]
    assert [(row.line, row.value) for row in bad.first] == [(2, "'b'"), (8, "'e\\tO\\tO'")]
    universal = UNIVERSAL.replace("3.1\t", "2.1\t").encode()
    assert read_bytes(universal, "a.conll", bad_rows=bad)["tokens"] == [["#"]]
    assert bad.count == 3
    assert "not one row" in refusal(b"a O\nb\n", "a.conll", bad_rows=bad)


def test_wnut17(shared: Path) -> None:
    train = one(shared / "wnut17" / "wnut17train.conll")
    test = one(shared / "wnut17" / "emerging.test.annotated", format="conll")
    assert (len(train), len(test)) == (3394, 1287)
    assert all(len(row["tokens"]) == len(row["tags"]) > 0 for row in train)
    assert {tag.split("-")[0] for row in test for tag in row["tags"]} == {"B", "I", "O"}


def test_universal_dependencies(shared: Path) -> None:
    data = one(shared / "ud-english-ewt" / "en_ewt-ud-test.conllu")
    assert len(data) == 2077
    assert sum(len(tags) for tags in data["tags"]) == 25_094
    assert len({tag for tags in data["tags"] for tag in tags}) == 17
