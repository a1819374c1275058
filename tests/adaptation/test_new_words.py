from __future__ import annotations

import pytest
from training.tiny import words_tokenizer

from headway import train_tokenizer
from headway.adaptation.new_words import counted, worth_adding
from headway.errors import ConfigError
from headway.tokenizer import Tokenizer

TEXTS = ["the heart beats"] * 30 + ["the myocarditis of the heart"] * 25 + ["myocarditis"] * 5
TEXTS += ["a pericarditis"] * 3 + ["x" * 9] * 2


def pieces_tokenizer(kind: str = "wordpiece") -> Tokenizer:
    """Knows short words, and no long ones."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    texts = ["the heart beats a of in on to", letters, letters[::-1]] * 50
    return train_tokenizer(iter(texts), kind=kind, size=140 if kind == "wordpiece" else 300)


def test_words_that_shorten_texts_come_first_and_rare_ones_not_at_all() -> None:
    found = worth_adding(pieces_tokenizer(), TEXTS, most=5)
    assert found[0].text == "myocarditis" and len(found[0].pieces) > 1
    assert found[0].saved == found[0].count * (len(found[0].pieces) - 1) > 0
    assert "pericarditis" not in [word.text for word in found]
    assert [word.saved for word in found] == sorted((w.saved for w in found), reverse=True)
    few = worth_adding(pieces_tokenizer(), TEXTS, most=9, least=3)
    assert "pericarditis" in [word.text for word in few]
    assert len(worth_adding(pieces_tokenizer(), TEXTS, most=1)) == 1


@pytest.mark.parametrize("kind", ["byte-bpe", "unigram", "wordpiece"])
def test_what_is_saved_is_what_texts_have_less(kind: str) -> None:
    """Also where vocabularies mark spaces, and cut a word otherwise behind one."""
    tokenizer = pieces_tokenizer(kind)
    texts = ["the heart of myocarditis and pericarditis beats"] * 25
    found = worth_adding(tokenizer, texts, most=3, least=5)
    assert "heart" not in [word.text for word in found]
    more = tokenizer.with_words([word.text for word in found])
    before, behind = (sum(map(one.count, texts)) for one in (tokenizer, more))
    assert before - behind == sum(word.saved for word in found) > 0


def test_given_words_are_counted_in_their_order() -> None:
    found = counted(pieces_tokenizer(), ["pericarditis", "heart", "unheard"], TEXTS)
    assert [(word.text, word.count) for word in found] == [
        ("pericarditis", 3), ("heart", 55), ("unheard", 0),
    ]  # fmt: skip
    assert [word.rare for word in found] == [True, False, True]


def test_case_counts_where_the_tokenizer_sees_it() -> None:
    texts = ["Myocarditis myocarditis"] * 30
    cased = worth_adding(pieces_tokenizer("byte-bpe"), texts, most=5)
    assert {word.text: word.count for word in cased} == {"Myocarditis": 30, "myocarditis": 30}
    document = words_tokenizer()._document | {"normalizer": {"type": "Lowercase"}}
    lower = worth_adding(Tokenizer.from_document(document), texts, most=5)
    assert {word.text: word.count for word in lower} == {"myocarditis": 60}


@pytest.mark.parametrize("wrong", [{"most": 0}, {"most": 3, "least": 0}])
def test_numbers_below_one_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="Allowed: 1 or more"):
        worth_adding(words_tokenizer(), ["a"], **wrong)


def test_words_that_are_not_known_at_all_are_worth_it() -> None:
    (word,) = worth_adding(words_tokenizer(), ["w1 strange"] * 25, most=3)
    assert (word.text, word.pieces, word.unknown, word.saved) == ("strange", ("[UNK]",), True, 25)
