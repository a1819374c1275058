"""A tokenizer that went to another process gives the same tokens there."""

from __future__ import annotations

import copy
import pickle
import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from headway.tokenizer import Tokenizer

from .oracles import data, hostile

ASSETS = [
    "bert_base_uncased_vocab.txt",
    "test_model.model",
    "t5_tokenizer_base.model",
    "spm_example.model",
]


def learnt() -> Tokenizer:
    document = {
        "added_tokens": [
            {"id": 3, "content": "[X]", "special": True, "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False}
        ],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {
            "type": "WordLevel",
            "unk_token": "[UNK]",
            "vocab": {"[UNK]": 0, "good": 1, "day": 2},
        },
    }  # fmt: skip
    return Tokenizer.from_document(document, {"unk_token": "[UNK]", "model_max_length": 7})


def assert_same(tok: Tokenizer, again: Tokenizer, texts: list[str]) -> None:
    assert again.fingerprint == tok.fingerprint
    assert (again.vocabulary, again.special, again.max_length) == (
        tok.vocabulary,
        tok.special,
        tok.max_length,
    )
    for text in texts:
        ours, theirs = tok.encode(text), again.encode(text)
        assert (theirs.ids, theirs.offsets) == (ours.ids, ours.offsets), text
        assert again.decode(theirs.ids) == tok.decode(ours.ids)


@pytest.mark.parametrize("name", ASSETS)
def test_files_of_all_kinds_are_handed_over(name: str) -> None:
    tok = Tokenizer.load(data("tokenizer-assets", name))
    rng = random.Random(1)
    assert_same(tok, pickle.loads(pickle.dumps(tok)), [hostile(rng) for _ in range(200)])


def test_a_document_is_handed_over_and_copied() -> None:
    tok = learnt()
    texts = ["good day", "[X] good, all", ""]
    assert_same(tok, pickle.loads(pickle.dumps(tok)), texts)
    assert_same(tok, copy.deepcopy(tok), texts)


def test_many_tasks_of_one_process_are_given_one() -> None:
    packed = pickle.dumps(learnt())
    assert pickle.loads(packed) is pickle.loads(packed)


def test_what_was_exported_still_is_of_its_kind() -> None:
    """Whether a tokenizer was converted decides which class its folder names."""
    tok = Tokenizer.load(data("tokenizer-assets", "bert_base_uncased_vocab.txt"))
    assert pickle.loads(pickle.dumps(tok))._converted is tok._converted is True
    assert pickle.loads(pickle.dumps(learnt()))._converted is False


def test_a_process_that_shares_nothing_makes_the_same_ids() -> None:
    tok = learnt()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(tok.encode, "good day").result(60).ids == tok.encode("good day").ids
