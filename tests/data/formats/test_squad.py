from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ..helpers import one, read_bytes, refusal

DOCUMENT: dict[str, Any] = {
    "version": "1.1",
    "data": [
        {
            "title": "Rivers",
            "paragraphs": [
                {
                    "context": "The Elbe is long.",
                    "qas": [
                        {
                            "id": "q1",
                            "question": "What is long?",
                            "answers": [{"text": "The Elbe", "answer_start": 0}],
                        },
                        {"id": "q2", "question": "Why?", "is_impossible": True, "answers": []},
                    ],
                }
            ],
        }
    ],
}


@pytest.mark.parametrize("options", [{}, {"format": "squad"}])
def test_a_row_for_every_question(options: dict[str, str]) -> None:
    data = read_bytes(json.dumps(DOCUMENT).encode(), "a.json", **options)
    assert list(data) == [
        {
            "id": "q1",
            "title": "Rivers",
            "context": "The Elbe is long.",
            "question": "What is long?",
            "answers": {"text": ["The Elbe"], "answer_start": [0]},
        },
        {
            "id": "q2",
            "title": "Rivers",
            "context": "The Elbe is long.",
            "question": "Why?",
            "answers": {"text": [], "answer_start": []},
        },
    ]


def test_a_part_that_is_not_there_is_named() -> None:
    document = copy.deepcopy(DOCUMENT)
    del document["data"][0]["paragraphs"][0]["qas"][1]["question"]
    said = refusal(json.dumps(document).encode(), "a.json")
    assert "data[0].paragraphs[0].qas[1] has no 'question'" in said


def test_an_answer_without_its_place_is_named() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] = "0"
    assert "qas[0] has no 'answer_start'" in refusal(json.dumps(document).encode(), "a.json")


def test_another_document_is_not_taken() -> None:
    assert "not a SQuAD document" in refusal(b'[{"a": 1}]', "a.json", format="squad")


def test_xquad_answers_stand_where_they_say(shared: Path) -> None:
    data = one(shared / "xquad" / "xquad.de.json")
    assert len(data) == 1190
    for row in data:
        text, start = row["answers"]["text"][0], row["answers"]["answer_start"][0]
        assert row["context"][start : start + len(text)] == text
