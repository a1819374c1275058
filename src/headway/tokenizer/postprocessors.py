"""Post-processors: put special tokens around the texts, and trim spaces off the offsets.

Each builder here reads the fields of one kind and returns a PostProcessor; POSTPROCESSORS holds
them all. A post-processor has two steps, so that a long text is tokenized and trimmed once, then
cut into windows, and each window wrapped.

Source of the format and of every behaviour: https://github.com/huggingface/tokenizers
(tokenizers/src/processors).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from headway.errors import TokenizerError, nearest
from headway.tokenizer.byte_alphabet import BYTE_CHARACTERS
from headway.tokenizer.checks import Fields, whole_number
from headway.tokenizer.encoding import Encoding
from headway.tokenizer.known_fields import refuse_unknown_fields
from headway.tokenizer.unicode_tables import WHITESPACE, character_set

__all__ = ["POSTPROCESSORS", "PostProcessor", "build_postprocessor", "plain"]

Trim = Callable[[Encoding], None]
Wrap = Callable[[list[Encoding], bool], list[Encoding]]


class PostProcessor(NamedTuple):
    """Two steps.

    Attributes:
        trim: corrects the offsets of one whole text, in place.
        wrap: puts special tokens (if asked) and segment numbers around one text or two.
    """

    trim: Trim
    wrap: Wrap


def _keep(encoding: Encoding) -> None:
    """Trims nothing."""


def _join(encodings: list[Encoding], special: bool) -> list[Encoding]:
    """Adds nothing: the second text is segment 1."""
    return [encoding.with_type(i) for i, encoding in enumerate(encodings)]


def plain() -> PostProcessor:
    """What a tokenizer without post-processor does: nothing."""
    return PostProcessor(_keep, _join)


_SPACES = character_set(WHITESPACE) | {BYTE_CHARACTERS[0x20]}


def _trim_spaces(encoding: Encoding, prefix_space: bool) -> None:
    """Takes the spaces that byte-level tokens begin and end with out of their offsets."""
    for i, token in enumerate(encoding.tokens):
        if not token or not (token[0] in _SPACES or token[-1] in _SPACES):
            continue
        leading = next((k for k, c in enumerate(token) if c not in _SPACES), len(token))
        trailing = next((k for k, c in enumerate(reversed(token)) if c not in _SPACES), len(token))
        start, end = encoding.offsets[i]
        if leading == 1 and prefix_space and (i == 0 or start == 0):
            leading = 0  # this space was added, it is not in the text
        start = min(start + leading, end)
        if end >= trailing:
            end = max(end - trailing, start)
        encoding.offsets[i] = start, end


def _trimmer(fields: Fields) -> Trim:
    if not fields.flag("trim_offsets", True):
        return _keep
    prefix_space = fields.flag("add_prefix_space", True)
    return lambda encoding: _trim_spaces(encoding, prefix_space)


def _build_byte_level(fields: Fields) -> PostProcessor:
    return PostProcessor(_trimmer(fields), lambda encodings, special: encodings)


def _special(fields: Fields, name: str) -> tuple[str, int]:
    value = fields.items(name)
    if len(value) != 2 or not isinstance(value[0], str) or not whole_number(value[1]):
        raise TokenizerError(f"{fields.place}.{name} is {value!r:.60}", allowed="[token, id]")
    return value[0], value[1]


def _build_bert(fields: Fields) -> PostProcessor:
    """[CLS] A [SEP] B [SEP], with A and its neighbours in segment 0 and the rest in segment 1."""
    cls, cls_id = _special(fields, "cls")
    sep, sep_id = _special(fields, "sep")

    def wrap(encodings: list[Encoding], special: bool) -> list[Encoding]:
        if not special:
            return encodings
        parts = [Encoding.added([cls_id], [cls], 0)]
        for i, encoding in enumerate(encodings):
            parts += [encoding, Encoding.added([sep_id], [sep], i)]
        return parts

    return PostProcessor(_keep, wrap)


def _build_roberta(fields: Fields) -> PostProcessor:
    """<s> A </s></s> B </s>, all in segment 0."""
    cls, cls_id = _special(fields, "cls")
    sep, sep_id = _special(fields, "sep")

    def wrap(encodings: list[Encoding], special: bool) -> list[Encoding]:
        parts: list[Encoding] = []
        for i, encoding in enumerate(encodings):
            before = (cls_id, cls) if i == 0 else (sep_id, sep)
            around = [Encoding.added([n], [t], 0) for n, t in (before, (sep_id, sep))]
            text = encoding.with_type(0)
            parts += [around[0], text, around[1]] if special else [text]
        return parts

    return PostProcessor(_trimmer(fields), wrap)


class _Slot(NamedTuple):
    """One place of a template: a text (0 or 1), or special tokens."""

    text: int | None
    ids: list[int]
    tokens: list[str]
    type_id: int


def _build_template(fields: Fields) -> PostProcessor:
    """Special tokens and texts in the order of a template, one for a text and one for a pair."""
    known = fields.mapping("special_tokens")
    single = [
        _slot(s, known, f"{fields.place}.single[{i}]") for i, s in enumerate(fields.items("single"))
    ]
    pair = [
        _slot(s, known, f"{fields.place}.pair[{i}]") for i, s in enumerate(fields.items("pair"))
    ]
    if any(slot.text == 1 for slot in single):
        raise TokenizerError(f"{fields.place}.single uses the second text, which is not there")

    def wrap(encodings: list[Encoding], special: bool) -> list[Encoding]:
        if len(encodings) > 2:
            raise TokenizerError(
                f"{fields.place} comes after another one that adds special tokens",
                next_step="keep one of the two in the file",
            )
        parts: list[Encoding] = []
        for slot in pair if len(encodings) == 2 else single:
            if slot.text is not None:
                parts.append(encodings[slot.text].with_type(slot.type_id))
            elif special:
                parts.append(Encoding.added(slot.ids, slot.tokens, slot.type_id))
        return parts

    return PostProcessor(_keep, wrap)


def _slot(values: object, known: dict[str, Any], place: str) -> _Slot:
    outer = Fields(values, place)
    kind = next(iter(outer.values), "")
    fields = Fields(outer.values.get(kind), f"{place}.{kind}")
    name, type_id = fields.text("id"), fields.count("type_id")
    if kind == "Sequence":
        return _Slot(("A", "B").index(fields.choice("id", ("A", "B"))), [], [], type_id)
    if kind != "SpecialToken" or name not in known:
        raise TokenizerError(
            f"{place} is {values!r:.80}",
            allowed="Sequence A or B, or SpecialToken with an id of special_tokens",
        )
    special = Fields(known[name], f"{place}.{name}")
    ids, tokens = special.items("ids"), special.items("tokens")
    if (
        len(ids) != len(tokens)
        or not all(whole_number(number) for number in ids)
        or not all(isinstance(token, str) for token in tokens)
    ):
        raise TokenizerError(f"{special.place} has ids {ids!r:.40} and tokens {tokens!r:.40}")
    return _Slot(None, ids, tokens, type_id)


def _build_sequence(fields: Fields) -> PostProcessor:
    steps = [
        build_postprocessor(step, f"{fields.place}.processors[{i}]")
        for i, step in enumerate(fields.items("processors"))
    ]

    def trim(encoding: Encoding) -> None:
        for step in steps:
            step.trim(encoding)

    def wrap(encodings: list[Encoding], special: bool) -> list[Encoding]:
        for step in steps:
            encodings = step.wrap(encodings, special)
        return encodings

    return PostProcessor(trim, wrap)


POSTPROCESSORS: dict[str, Callable[[Fields], PostProcessor]] = {
    "BertProcessing": _build_bert,
    "ByteLevel": _build_byte_level,
    "RobertaProcessing": _build_roberta,
    "Sequence": _build_sequence,
    "TemplateProcessing": _build_template,
}


def build_postprocessor(values: Any, place: str = "post_processor") -> PostProcessor:
    """The post-processor that a JSON object describes.

    >>> bert = build_postprocessor({"type": "BertProcessing", "cls": ["[CLS]", 1],
    ...                             "sep": ["[SEP]", 2]})
    >>> Encoding.join(bert.wrap([Encoding()], True)).ids
    [1, 2]
    """
    fields = Fields(values, place)
    kind = fields.text("type")
    if kind not in POSTPROCESSORS:
        raise TokenizerError(
            f"{place} is of the unknown kind {kind!r} {nearest(kind, POSTPROCESSORS)}".rstrip(),
            allowed=", ".join(POSTPROCESSORS),
        )
    refuse_unknown_fields(fields, "post_processor")
    return POSTPROCESSORS[kind](fields)
