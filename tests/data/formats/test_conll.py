from __future__ import annotations

from pathlib import Path

import pytest

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
        (UNIVERSAL.replace("4\t.\t", "four\t.\t").encode(), "line 8: 'four' is not a word number"),
        (UNIVERSAL.replace("\t0\tpunct", "\tx\tpunct").encode(), "line 8: the head 'x'"),
        (UNIVERSAL.replace("\tVBP", "").encode(), "line 5: 9 columns, expected 10"),
    ],
)
def test_broken_files(content: bytes, says: str) -> None:
    assert says in refusal(content, "a.conll")


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
