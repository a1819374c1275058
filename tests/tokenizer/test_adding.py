"""More special tokens: the same ids as the tokenizers package gives after adding them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from headway import train_tokenizer
from headway.errors import TokenizerError
from headway.tokenizer import Tokenizer

MARKS = ["<persona>", "<speaker1>", "low"]
TEXTS = [
    "",
    "<persona>low lower<speaker1> lowest",
    " <speaker1><speaker1> ",
    "<speaker1><persona",
    "slow <speaker2> é<persona>ü 雪<speaker1>🙂",
]


@pytest.mark.parametrize("kind", ["byte-bpe", "unigram", "wordpiece", "word"])
def test_ids_are_those_of_the_tokenizers_package(kind: str, tmp_path: Path) -> None:
    said = ["low lower lowest slow é ü", "new newer newest"] * 9
    plain = train_tokenizer(iter(said), kind=kind, size=300, special=["<end>"])
    plain.save(tmp_path)
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    theirs.add_special_tokens(MARKS)
    ours = plain.with_tokens(MARKS)
    for text in TEXTS:
        wanted = theirs.encode(text)
        assert ours.encode(text).ids == wanted.ids, text
        assert ours.decode(wanted.ids) == theirs.decode(wanted.ids)
    ours.save(tmp_path / "more")
    again = Tokenizer.load(tmp_path / "more")
    assert again.vocabulary == ours.vocabulary
    assert again.special == ours.special == plain.special
    known = json.loads((tmp_path / "tokenizer.json").read_text())
    assert plain.with_tokens([]).vocabulary == plain.vocabulary
    assert len(ours.with_tokens(MARKS)) == len(ours)
    assert known == json.loads((tmp_path / "tokenizer.json").read_text())


def gapped() -> dict[str, Any]:
    return {"model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0, "b": 7}}}


def test_a_vocabulary_with_gaps_has_no_place_for_them() -> None:
    with pytest.raises(TokenizerError, match="below that of 'b'"):
        Tokenizer.from_document(gapped()).with_tokens(["<c>"])
