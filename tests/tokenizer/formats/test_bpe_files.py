"""CLIP's vocab.json and merges.txt give the reference's ids, as does its tokenizer.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from clip_files import write_vocabulary
from transformers import CLIPTokenizer

from headway.tokenizer import Tokenizer
from tokenizer.oracles import data

TEXTS = [
    "a photo of a cat.",
    "A Photo  of\ta\nDOG, isn't it? 2026!",
    "",
    "   ",
    "naïve café — Straße İstanbul e\u0301",
    "日本語 и русский 🏴 👩‍👩‍👧",
    "it's we've <|endoftext|> there <|startoftext|>",
    "<|STARTOFTEXT|> '' 's 'll .,.,.!!",
    "x" * 300,
]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A folder with CLIP's own merges, and the reference's tokenizer of it."""
    lines = data("tokenizer-assets", "clip_vocab.bpe").read_text("utf-8").split("\n")
    folder = tmp_path_factory.mktemp("clip")
    assert len(write_vocabulary(folder, [line for line in lines[1:] if line])) == 49408
    return folder, CLIPTokenizer.from_pretrained(folder)


def test_ids_and_texts_are_the_references(pair: tuple[Path, Any], tmp_path: Path) -> None:
    folder, theirs = pair
    theirs.save_pretrained(tmp_path / "json")
    assert not (tmp_path / "json" / "vocab.json").exists()
    forms = [Tokenizer.load(folder), Tokenizer.load(tmp_path / "json")]
    forms[0].save(tmp_path / "ours")
    forms.append(Tokenizer.load(tmp_path / "ours"))
    for text in TEXTS:
        wanted = theirs(text)["input_ids"]
        for form in forms:
            assert form.encode(text).ids == wanted, text
        assert forms[0].decode(wanted) == theirs.decode(wanted, skip_special_tokens=True).strip()
    both = theirs("a cat", "a dog")["input_ids"]
    assert forms[0].encode("a cat", "a dog").ids == both
