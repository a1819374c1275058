"""The content of a SentencePiece .model file, as a plain object.

Source: https://github.com/google/sentencepiece (src/sentencepiece_model.proto). Defaults are the
ones stated there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from headway.errors import TokenizerError
from headway.tokenizer.formats.protobuf import Value, read_fields, write_field
from headway.tokenizer.vocabulary import checked_vocabulary

__all__ = [
    "BYTE",
    "CONTROL",
    "NORMAL",
    "UNKNOWN",
    "UNUSED",
    "USER_DEFINED",
    "Sentencepiece",
    "SpmModel",
]

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
_LONGEST = 8000
_GREATEST = 1e30
_ALGORITHMS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_NUMBER_OF = {name: number for number, name in _ALGORITHMS.items()}
_NAMES = (45, 46, 47, 48)


@dataclass(frozen=True, slots=True)
class Sentencepiece:
    """One entry of the vocabulary: how it is written, its log-probability (or rank) and kind."""

    text: str
    score: float
    kind: int

    @property
    def is_sane(self) -> bool:
        """Whether a model can have it: it has text, a score that 32 bits hold, a known kind."""
        fits = 0 < len(self.text) <= _LONGEST and "\0" not in self.text
        return fits and abs(self.score) < _GREATEST and NORMAL <= self.kind <= BYTE


@dataclass(slots=True)
class SpmModel:
    """What a .model file says.

    Attributes:
        pieces: the vocabulary in the order of the ids.
        algorithm: unigram, bpe, word or char.
        byte_fallback: unknown characters are written as their bytes.
        space_as_suffix: the mark of a space ends a word instead of beginning it.
        unknown_surface: what decoding writes for the unknown token.
        charsmap: precompiled normalization rules, may be empty.
        dummy_prefix: a space is put before the text.
        remove_spaces: spaces at the ends, and all but one of several, are removed.
        escape_spaces: spaces are written as U+2581.
        names: field number of the trainer's options -> how the unknown piece, and those that
            begin, end and fill up a text are written, where that is said.
    """

    pieces: list[Sentencepiece] = field(default_factory=list)
    algorithm: str = "unigram"
    byte_fallback: bool = False
    space_as_suffix: bool = False
    unknown_surface: str = " \u2047 "
    charsmap: bytes = b""
    dummy_prefix: bool = True
    remove_spaces: bool = True
    escape_spaces: bool = True
    names: dict[int, str] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, data: bytes, place: str) -> SpmModel:
        """Reads and checks the content of a file."""
        model = cls()
        for number, value in read_fields(data):
            if number == 1:
                model.pieces.append(_piece(_message(value, place), f"{place}, piece"))
            elif number == 2:
                model._read_trainer(_message(value, place))
            elif number == 3:
                model._read_normalizer(_message(value, place))
        model.check(place)
        return model

    def to_bytes(self) -> bytes:
        """The content of a file that says the same."""
        trainer: list[tuple[int, Value]] = [
            (3, _NUMBER_OF[self.algorithm]),
            (24, int(self.space_as_suffix)),
            (35, int(self.byte_fallback)),
            (44, self.unknown_surface.encode()),
            *((number, name.encode()) for number, name in self.names.items()),
        ]
        normalizer: list[tuple[int, Value]] = [
            (2, self.charsmap),
            (3, int(self.dummy_prefix)),
            (4, int(self.remove_spaces)),
            (5, int(self.escape_spaces)),
        ]
        parts: list[tuple[int, list[tuple[int, Value]]]] = [
            (1, [(1, piece.text.encode()), (2, piece.score), (3, piece.kind)])
            for piece in self.pieces
        ]
        parts += [(2, trainer), (3, normalizer)]
        return b"".join(
            write_field(number, b"".join(write_field(*entry) for entry in part))
            for number, part in parts
        )

    @property
    def vocabulary(self) -> dict[str, int]:
        """Piece -> id."""
        return {piece.text: number for number, piece in enumerate(self.pieces)}

    @property
    def unknown_id(self) -> int:
        """The id of the unknown piece."""
        return next(i for i, piece in enumerate(self.pieces) if piece.kind == UNKNOWN)

    def of_kind(self, *kinds: int) -> dict[str, int]:
        """Piece -> id, for the pieces of some kinds."""
        return {p.text: i for i, p in enumerate(self.pieces) if p.kind in kinds}

    def _read_trainer(self, data: bytes) -> None:
        for number, value in read_fields(data):
            if number == 3:
                self.algorithm = _ALGORITHMS.get(int(_number(value)), str(value))
            elif number == 24:
                self.space_as_suffix = bool(value)
            elif number == 35:
                self.byte_fallback = bool(value)
            elif number in _NAMES:
                self.names[number] = _text(value, "trainer_spec")
            elif number == 44:
                self.unknown_surface = _text(value, "trainer_spec.unk_surface")

    def _read_normalizer(self, data: bytes) -> None:
        for number, value in read_fields(data):
            if number == 2:
                self.charsmap = _message(value, "normalizer_spec.precompiled_charsmap")
            elif number == 3:
                self.dummy_prefix = bool(value)
            elif number == 4:
                self.remove_spaces = bool(value)
            elif number == 5:
                self.escape_spaces = bool(value)

    def check(self, place: str) -> None:
        """Refuses what no SentencePiece model is."""
        if self.algorithm not in _ALGORITHMS.values():
            raise TokenizerError(
                f"{place} is a SentencePiece model of the kind {self.algorithm!r}",
                allowed=", ".join(_ALGORITHMS.values()),
            )
        if self.algorithm == "word" and self.byte_fallback:
            raise TokenizerError(
                f"{place} is a word model that falls back to bytes",
                allowed="byte_fallback for unigram, bpe and char",
            )
        for piece in self.pieces:
            if not piece.is_sane:
                raise TokenizerError(
                    f"{place}, piece {piece.text!r:.60} has the score {piece.score} and the kind "
                    f"{piece.kind}",
                    allowed=f"1 to {_LONGEST} characters, a finite score and a kind from 1 to 6",
                )
        entries = ((piece.text, number) for number, piece in enumerate(self.pieces))
        checked_vocabulary(entries, place)
        unknown = len(self.of_kind(UNKNOWN))
        if unknown != 1:
            raise TokenizerError(
                f"{place} has {unknown} unknown pieces among its {len(self.pieces)}",
                allowed="exactly one",
                next_step="get the file again: it is damaged, or no SentencePiece model",
            )
        wanted = {f"<0x{byte:02X}>" for byte in range(256)} if self.byte_fallback else set()
        if self.of_kind(BYTE).keys() != wanted:
            raise TokenizerError(
                f"{place} has {len(self.of_kind(BYTE))} pieces for bytes",
                allowed="<0x00> to <0xFF> where it falls back to bytes, else none",
            )


def _piece(data: bytes, place: str) -> Sentencepiece:
    text, score, kind = "", 0.0, NORMAL
    for number, value in read_fields(data):
        if number == 1:
            text = _text(value, place)
        elif number == 2:
            score = float(_number(value))
        elif number == 3:
            kind = int(_number(value))
    return Sentencepiece(text, score, kind)


def _message(value: Value, place: str) -> bytes:
    if not isinstance(value, bytes):
        raise TokenizerError(f"{place} has the number {value} where a message belongs")
    return value


def _number(value: Value) -> int | float:
    if isinstance(value, bytes):
        raise TokenizerError(f"{value!r:.60} stands where a number belongs")
    return value


def _text(value: Value, place: str) -> str:
    try:
        return _message(value, place).decode()
    except UnicodeDecodeError as error:
        raise TokenizerError(f"{place} is not UTF-8: {value!r:.60}") from error
