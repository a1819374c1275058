"""SentencePiece's own way through a .model file, piece for piece.

A tokenizer.json can say nearly the same, but not all of it: sentencepiece replaces the longest
match of its normalization rules, adds up scores in 32 bits, looks at a whole text at once, and
never takes `</s>` in a text for the end of the text. So a .model runs here, and only saving it
goes through an equivalent tokenizer.json.

Sources: Kudo and Richardson 2018 (https://arxiv.org/abs/1808.06226) and
https://github.com/google/sentencepiece (src/normalizer.cc, sentencepiece_processor.cc).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headway.tokenizer.added_tokens import AddedTokens
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.charsmap import Charsmap
from headway.tokenizer.formats.sentencepiece_model import (
    BYTE,
    CONTROL,
    USER_DEFINED,
    SpmModel,
)
from headway.tokenizer.postprocessors import PostProcessor
from headway.tokenizer.pretokenizers import PreTokenizer
from headway.tokenizer.reference import Pipeline
from headway.tokenizer.sentencepiece_models import SPACE, SPM_MODELS, Symbols, word_spans
from headway.tokenizer.streaming import whole

__all__ = ["SPACE", "sentencepiece_pipeline"]


def sentencepiece_pipeline(
    model: SpmModel, added: AddedTokens, postprocessor: PostProcessor | None, place: str
) -> Pipeline:
    """The pipeline of a .model."""
    return Pipeline(
        SPM_MODELS[model.algorithm](model),
        added=added,
        normalizer=_Normalizer(model, place),
        pretokenizer=_words(model) if model.algorithm == "word" else None,
        postprocessor=postprocessor,
        decoder=lambda tokens: ["".join(_decode(model, tokens))],
        stream=lambda parts: ((text, True) for text in _decode(model, whole(parts))),
    )


def _words(model: SpmModel) -> PreTokenizer:
    spans = word_spans(model)
    return lambda text: [text.slice(*span) for span in spans(text.text)]


class _Normalizer:
    """Applies the rules, tidies spaces, marks them, and puts one before the text."""

    def __init__(self, model: SpmModel, place: str) -> None:
        self.model = model
        self.rules = Charsmap(model.charsmap, place) if model.charsmap else None
        self.symbols = Symbols(model.of_kind(USER_DEFINED))
        self.space = SPACE if model.escape_spaces else " "

    def __call__(self, text: AlignedText) -> AlignedText:
        """The text as the model sees it."""
        model, space = self.model, self.space
        groups: list[tuple[str, int]] = []
        after_space = model.remove_spaces
        only_spaces = True
        for written, count in self._prefixes(text.text):
            only_spaces = only_spaces and written == " "
            kept = written.lstrip(" ") if after_space else written
            if kept:
                after_space = kept.endswith(" ") and model.remove_spaces
            groups.append((kept.replace(" ", space), count))
        if not text.text or (only_spaces and model.remove_spaces):
            return AlignedText("", text.origin)
        body = text.regroup(groups)
        if model.dummy_prefix and not model.space_as_suffix:
            body = self._with_mark(body, at_end=False)
        if model.remove_spaces:
            body = body.slice(0, len(_without_end(body.text, space)))
        if model.dummy_prefix and model.space_as_suffix:
            body = self._with_mark(body, at_end=True)
        return body

    def _prefixes(self, text: str) -> Iterator[tuple[str, int]]:
        """What the text becomes, as (replacement, how many characters it replaces)."""
        data = text.encode()
        place = i = 0
        while i < len(text):
            count = self.symbols.length_at(text, i)
            if count:
                written = text[i : i + count]
                size = len(written.encode())
            else:
                written, size = self.rules.longest(data, place) if self.rules else ("", 0)
                count = len(data[place : place + size].decode())
            if not size:
                written, count, size = text[i], 1, len(text[i].encode())
            yield written, count
            i, place = i + count, place + size

    def _with_mark(self, text: AlignedText, *, at_end: bool) -> AlignedText:
        if not text.text:
            return AlignedText(self.space, text.origin, [text.origin], [text.origin])
        if at_end:
            return text.substitute([(len(text.text), len(text.text))], self.space)
        return text.prepend(self.space)


def _without_end(text: str, end: str) -> str:
    while text.endswith(end):
        text = text[: -len(end)]
    return text


def _decode(model: SpmModel, tokens: Iterable[str]) -> Iterator[str]:
    """The text of pieces, bit by bit: marks become spaces, bytes become characters.

    A bit is given as soon as no later piece can change it: at most three bytes are held back.
    """
    controls, byte_pieces = model.of_kind(CONTROL), model.of_kind(BYTE)
    unknown = model.pieces[model.unknown_id].text
    held = bytearray()
    at_start, empty = True, True
    for token in tokens:
        if token in byte_pieces:
            held.append(int(token[3:5], 16))
            empty = False
            yield _take_characters(held, final=False)
            continue
        yield _take_characters(held, final=True)
        at_start = at_start and empty
        if token == unknown:
            token = model.unknown_surface
        elif token not in controls and at_start and (model.dummy_prefix or model.remove_spaces):
            stripped = token.removeprefix(SPACE)
            at_start = model.remove_spaces or stripped == token
            token = stripped
        empty = empty and not token
        yield token.replace(SPACE, " ")
    yield _take_characters(held, final=True)


def _take_characters(data: bytearray, *, final: bool) -> str:
    """Takes out UTF-8 where it is; each byte that is in no character becomes U+FFFD.

    Unless the data is all that comes, bytes stay that may begin a character.
    """
    out: list[str] = []
    place = 0
    while place < len(data):
        for size in (1, 2, 3, 4):
            try:
                out.append(data[place : place + size].decode())
            except UnicodeDecodeError:
                continue
            place += size
            break
        else:
            if len(data) - place < 4 and not final:
                break
            out.append("\ufffd")
            place += 1
    del data[:place]
    return "".join(out)
