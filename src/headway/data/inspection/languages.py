"""Which language a text seems to be in: its script, then its most frequent little words.

A guess, and shy of saying more than it knows: a text of few words, a mixture, and a language that
`stop_words.toml` does not list are `unknown`. What scripts say is from the Unicode standard,
https://www.unicode.org/Public/UCD/latest/ucd/Scripts.txt.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

__all__ = ["UNKNOWN", "guess_language", "guess_languages"]

UNKNOWN = "unknown"
# Ranges of letters. Latin and Cyrillic serve many languages, others are taken for their largest.
_SCRIPTS = {
    "Latin": "a-zA-Z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff",
    "Cyrillic": "\u0400-\u052f",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "he": "\u0590-\u05ff",
    "ar": "\u0600-\u06ff\u0750-\u077f",
    "hi": "\u0900-\u097f",
    "bn": "\u0980-\u09ff",
    "ta": "\u0b80-\u0bff",
    "th": "\u0e00-\u0e7f",
    "ka": "\u10a0-\u10ff",
    "hy": "\u0530-\u058f",
    "ko": "\uac00-\ud7af\u1100-\u11ff",
    "kana": "\u3040-\u30ff",
    "zh": "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ebef",
}
_SHARED = ("Latin", "Cyrillic")
_PERSIAN = re.compile("[\u067e\u0686\u0698\u06af]")  # letters that Arabic lacks and Persian has
_URDU = re.compile("[\u0679\u0688\u0691\u06d2]")
_WORD = re.compile(r"(?<!\w)[^\W\d_]+(?!\w)")  # of letters only: the w of w12 is no word
_SURE = 0.6  # share of letters in one script
_LETTERS = 2  # at least, of a script that stands for one language
_HITS = 2  # at least, of different little words
_AHEAD = 1.3  # times the second language
_COVERED = 0.12  # of the words are little ones
_LOOKED_AT = 2000  # characters


def guess_language(text: str) -> str:
    """An ISO 639-1 code, or `unknown`.

    >>> guess_language("The cat is on the table."), guess_language("Die Katze ist auf dem Tisch.")
    ('en', 'de')
    >>> guess_language("ok 123"), guess_language("これは猫です")
    ('unknown', 'ja')
    """
    text = text[:_LOOKED_AT]
    counts = {script: len(found.findall(text)) for script, found in _letters().items()}
    letters = sum(counts.values())
    if counts["kana"] and counts["kana"] + counts["zh"] >= _SURE * letters:
        return "ja" if counts["kana"] >= 0.1 * letters else UNKNOWN
    script, number = max(counts.items(), key=lambda item: item[1])
    if number < max(_LETTERS, _SURE * letters):
        return UNKNOWN
    if script in _SHARED:
        return _by_words(_WORD.findall(text.casefold()))
    if script == "ar":
        return "ur" if _URDU.search(text) else "fa" if _PERSIAN.search(text) else "ar"
    return script


def guess_languages(texts: Iterable[str]) -> dict[str, int]:
    """How many of the texts seem to be in each language, the most frequent first.

    >>> guess_languages(["This is what they said.", "42", "And that was it."])
    {'en': 2, 'unknown': 1}
    """
    found = Counter(map(guess_language, texts))
    return dict(sorted(found.items(), key=lambda item: (item[0] == UNKNOWN, -item[1], item[0])))


def _by_words(words: list[str]) -> str:
    """The language with the most little words; one that several have counts as their share."""
    hits: Counter[str] = Counter()
    different: Counter[str] = Counter()
    scores: dict[str, float] = {}
    for word, times in Counter(words).items():
        known = _little_words().get(word, ())
        for language in known:
            hits[language] += times
            different[language] += 1
            scores[language] = scores.get(language, 0.0) + times / len(known)
    ranked = sorted(scores, key=lambda language: (-scores[language], language))
    if not ranked:
        return UNKNOWN
    best, *others = ranked
    ahead = not others or scores[best] >= _AHEAD * scores[others[0]]
    enough = different[best] >= _HITS and hits[best] >= _COVERED * len(words)
    return best if ahead and enough else UNKNOWN


@cache
def _letters() -> dict[str, re.Pattern[str]]:
    return {script: re.compile(f"[{ranges}]") for script, ranges in _SCRIPTS.items()}


@cache
def _little_words() -> dict[str, tuple[str, ...]]:
    """The languages in which a word is a little one."""
    text = files("headway.data").joinpath("stop_words.toml").read_text("utf-8")
    found: dict[str, tuple[str, ...]] = {}
    for language, words in tomllib.loads(text).items():
        for word in words.split():
            found[word] = (*found.get(word, ()), language)
    return found
