from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.inspection.languages import UNKNOWN, guess_language, guess_languages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("It was the best of times, it was the worst of times.", "en"),
        ("Es war einmal ein König, der hatte eine Tochter.", "de"),
        ("En un lugar de la Mancha, de cuyo nombre no quiero acordarme", "es"),
        ("Longtemps, je me suis couché de bonne heure avec une bougie.", "fr"),
        ("Nel mezzo del cammin di nostra vita mi ritrovai per una selva oscura", "it"),
        ("Все счастливые семьи похожи друг на друга, и это не удивительно", "ru"),
        ("Я не знаю, що це таке, але це також є на столі", "uk"),
        ("吾輩は猫である。名前はまだ無い。", "ja"),
        ("道可道，非常道。名可名，非常名。", "zh"),
        ("나는 학교에 갔다", "ko"),
        ("בראשית ברא אלהים", "he"),
        ("ذهب الولد إلى المدرسة", "ar"),
        ("پدر به خانه آمد و گفت", "fa"),
        ("यह एक किताब है", "hi"),
        ("Αυτό είναι ένα βιβλίο", "el"),
        ("นี่คือแมว", "th"),
        ("", UNKNOWN),
        ("1234 !? 🙂", UNKNOWN),
        ("zebra", UNKNOWN),
        ("lorem ipsum dolor", UNKNOWN),
        ("the the the", UNKNOWN),
        ("w1 w2 z3 na4 w5", UNKNOWN),
        ("ab 漢字 где", UNKNOWN),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert guess_language(text) == language


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert guess_language(text)


def test_counts_are_the_most_frequent_first_and_the_unknown_last() -> None:
    found = guess_languages(["?", "!", "Das ist der Hund.", "This is the dog.", "It was the cat."])
    assert list(found.items()) == [("en", 2), ("de", 1), (UNKNOWN, 2)]


@pytest.mark.parametrize(("language", "known"), [("de", 0.9), ("en", 0.6), ("fr", 0.9)])
def test_captions_are_seldom_taken_for_another_language(
    shared: Path, language: str, known: float
) -> None:
    with gzip.open(shared / "multi30k" / f"train.{language}.gz", "rt", encoding="utf-8") as file:
        found = guess_languages(file.readlines()[:2000])
    assert found[language] > known * 2000
    assert 2000 - found[language] - found[UNKNOWN] < 0.02 * 2000


@pytest.mark.parametrize("language", ["de", "en", "es", "ro", "tr", "vi"])
def test_paragraphs_of_six_languages(shared: Path, language: str) -> None:
    document = json.loads((shared / "xquad" / f"xquad.{language}.json").read_text("utf-8"))
    texts = [part["context"] for article in document["data"] for part in article["paragraphs"]]
    found = guess_languages(texts)
    assert found[language] > 0.75 * len(texts)
    assert len(texts) - found[language] - found.get(UNKNOWN, 0) < 0.02 * len(texts)
