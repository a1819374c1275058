"""Added tokens: strings that become one token before anything else happens to the text.

They are found by the leftmost, then longest match, in one walk over the text however many there
are (a trie). Source of the format and of every behaviour:
https://github.com/huggingface/tokenizers (tokenizers/src/tokenizer/added_vocabulary.rs).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple

import regex

from headway.errors import TokenizerError
from headway.logs import log
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.checks import Fields
from headway.tokenizer.normalizers import Normalizer
from headway.tokenizer.patterns import NEWER_THAN_17, as_unassigned
from headway.tokenizer.vocabulary import refuse_surrogates

__all__ = ["AddedToken", "AddedTokens", "Cut"]

_WORD = regex.compile(r"\w")
_LEADING_SPACE = regex.compile(r"\s*")


class AddedToken(NamedTuple):
    """A string that is always one token.

    Attributes:
        id: its number in the vocabulary.
        content: the string.
        single_word: it must not touch letters or digits.
        lstrip, rstrip: it takes in the spaces before, after it.
        normalized: it is looked for in the normalized text, not in the text as given.
        special: decoding can leave it out.
    """

    id: int
    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False


class Cut(NamedTuple):
    """A part of a text: an added token, or text between added tokens (token is None)."""

    text: AlignedText
    token: AddedToken | None


class AddedTokens:
    """All added tokens of a tokenizer.

    Args:
        entries: the list `added_tokens` of a tokenizer.json.
        vocabulary: the model's; a token that is in it keeps that id.
        normalizer: the tokenizer's, or None.
        in_text: whether they are looked for in texts, or only known when decoding.

    >>> added = AddedTokens([{"id": 5, "content": "<s>", "special": True, "normalized": False}],
    ...                     {"a": 0}, None)
    >>> [(cut.text.text, cut.token is not None) for cut in added.cut(AlignedText("a<s>b"), None)]
    [('a', False), ('<s>', True), ('b', False)]
    """

    def __init__(
        self,
        entries: Any,
        vocabulary: dict[str, int],
        normalizer: Normalizer | None,
        *,
        in_text: bool = True,
    ) -> None:
        if not isinstance(entries, list):
            raise TokenizerError(f"added_tokens is {entries!r:.60}", allowed="a list")
        self.ids: dict[str, int] = {}
        self.by_id: dict[int, AddedToken] = {}
        self._highest = -1
        for i, entry in enumerate(entries):
            self._add(Fields(entry, f"added_tokens[{i}]"), vocabulary)
        refuse_surrogates(self.ids, "added_tokens")
        self.written: dict[int, str] = {}  # id -> how decoding writes it
        # form -> token, of those looked for in the text as given, and in the normalized text
        self.raw: dict[str, AddedToken] = {}
        self.normalized: dict[str, AddedToken] = {}
        for token in self.by_id.values():
            form = token.content
            if token.normalized and normalizer:
                form = normalizer(AlignedText(form)).text
            self.written[token.id] = form
            if form and in_text:
                (self.normalized if token.normalized else self.raw)[form] = token

    @functools.cached_property
    def _finders(self) -> tuple[_Finder, _Finder]:
        return _Finder(self.raw), _Finder(self.normalized)

    def _add(self, fields: Fields, vocabulary: dict[str, int]) -> None:
        content = fields.text("content")
        if not content:
            return
        number = self.ids.get(content, vocabulary.get(content))
        if number is None:
            number = self._next_id(len(vocabulary))
        said = fields.count("id")
        if said != number:
            log.warning(
                "%s: the token %r has the id %d in the file and gets %d, as in other programs",
                fields.place, content, said, number,
            )  # fmt: skip
        self._highest = max(self._highest, number)
        self.ids[content] = number
        self.by_id[number] = AddedToken(
            number,
            content,
            fields.flag("single_word", False),
            fields.flag("lstrip", False),
            fields.flag("rstrip", False),
            fields.flag("normalized", True),
            fields.flag("special", False),
        )

    def _next_id(self, model_size: int) -> int:
        return max(self._highest + 1, model_size)

    def cut(self, text: AlignedText, normalizer: Normalizer | None) -> list[Cut]:
        """Cuts at the tokens of the text as given, normalizes the rest, cuts at the others."""
        cuts: list[Cut] = []
        in_raw, in_normalized = self._finders
        for cut in in_raw.cut(text):
            if cut.token is not None:
                cuts.append(cut)
                continue
            rest = normalizer(cut.text) if normalizer else cut.text
            cuts += in_normalized.cut(rest)
        return cuts


_Trie = dict[str, Any]  # a character -> the next level; "" -> the token that ends here


class _Finder:
    """Finds the tokens of one table in a text."""

    def __init__(self, tokens: dict[str, AddedToken]) -> None:
        self._trie: _Trie = {}
        for form, token in tokens.items():
            level = self._trie
            for character in form:
                level = level.setdefault(character, {})
            level[""] = token
        firsts = "".join(map(regex.escape, self._trie))
        self._first = regex.compile(f"[{firsts}]", regex.VERSION0) if firsts else None

    def cut(self, text: AlignedText) -> list[Cut]:
        """The parts of a text that are not empty."""
        if self._first is None:
            return [Cut(text.slice(0, len(text.text)), None)] if text.text else []
        cuts: list[Cut] = []
        place = 0
        for start, end, token in self._matches(text.text):
            if token.lstrip:
                start = max(_without_space(text.text, place, start), place)
            if token.rstrip:
                end = _LEADING_SPACE.match(text.text, end).end()
            if place < start:
                cuts.append(Cut(text.slice(place, start), None))
            if start < end:  # else the token before it has taken it in
                cuts.append(Cut(text.slice(start, end), token))
            place = end
        if place < len(text.text):
            cuts.append(Cut(text.slice(place, len(text.text)), None))
        return cuts

    def _matches(self, text: str) -> Iterable[tuple[int, int, AddedToken]]:
        assert self._first is not None  # the only caller has looked
        place = 0
        while found := self._first.search(text, place):
            start = place = found.start()
            token, end = self._longest(text, start)
            if token is None:
                place += 1
                continue
            place = end
            if not token.single_word or _stands_alone(text, start, end):
                yield start, end, token

    def _longest(self, text: str, start: int) -> tuple[AddedToken | None, int]:
        level, token, end = self._trie, None, start
        for i in range(start, len(text)):
            level = level.get(text[i], {})
            if not level:
                break
            if "" in level:
                token, end = level[""], i + 1
        return token, end


def _stands_alone(text: str, start: int, end: int) -> bool:
    around = text[max(start - 1, 0) : start] + text[end : end + 1]
    return not _WORD.search(as_unassigned(around, NEWER_THAN_17))


def _without_space(text: str, start: int, end: int) -> int:
    """Where text[start:end] ends when the spaces at its end are left out."""
    while end > start and _LEADING_SPACE.fullmatch(text[end - 1]):
        end -= 1
    return end
