"""The native engine of a tokenizer: the steps of its pipeline, handed to C++.

reference.py says what the steps do; the engine does the same, and is tested to. Where a pipeline is
of a usual kind (BERT's, byte-level BPE, SentencePiece's marks), a shortcut takes the steps at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from headway.errors import TokenizerError
from headway.tokenizer import _native
from headway.tokenizer.added_tokens import AddedToken
from headway.tokenizer.bpe import Bpe
from headway.tokenizer.checks import Fields
from headway.tokenizer.encoding import Encoding
from headway.tokenizer.formats.sentencepiece_model import CONTROL, NORMAL, UNUSED, Sentencepiece
from headway.tokenizer.native_steps import (
    native_normalizer,
    native_pretokenizer,
    spm_normalizer,
    spm_pretokenizer,
)
from headway.tokenizer.reference import Pipeline
from headway.tokenizer.sentencepiece_models import (
    SpmBpe,
    SpmChar,
    SpmModels,
    SpmUnigram,
    SpmWord,
)
from headway.tokenizer.shortcuts import shortcut, spm_shortcut
from headway.tokenizer.unigram import Unigram
from headway.tokenizer.wordpiece import WordLevel, WordPiece

__all__ = ["NativePipeline"]


def _native_bpe(model: Bpe) -> _native.Model:
    ranked = sorted((rank, *pair, merged) for pair, (rank, merged) in model.merges.items())
    return _native.Bpe(
        model.vocabulary,
        [(left, right, merged) for _, left, right, merged in ranked],
        unknown=model.unknown,
        fuse_unknown=model.fuse_unknown,
        byte_fallback=model.byte_fallback,
        ignore_merges=model.ignore_merges,
        prefix=model.prefix,
        suffix=model.suffix,
    )


def _native_wordpiece(model: WordPiece) -> _native.Model:
    return _native.WordPiece(model.vocabulary, model.unknown, model.prefix, model.longest_word)


def _native_wordlevel(model: WordLevel) -> _native.Model:
    return _native.WordLevel(model.vocabulary, model.unknown)


def _native_unigram(model: Unigram) -> _native.Model:
    return _native.Unigram(model.scores, model.unknown, byte_fallback=model.byte_fallback)


def _native_spm_char(model: SpmChar) -> _native.Model:
    """The byte-pair model, with no pair that makes a piece: control pieces are never made."""
    pieces = [
        (piece.text, 0.0, piece.kind if _is_single(piece) else CONTROL)
        for piece in model.model.pieces
    ]
    return _native.SpmBpe(pieces, model.model.byte_fallback)


def _is_single(piece: Sentencepiece) -> bool:
    return len(piece.text) == 1 or piece.kind not in (NORMAL, UNUSED)


def _native_spm_word(model: SpmWord) -> _native.Model:
    unknown = model.model.pieces[model.model.unknown_id].text
    return _native.WordLevel({**model.words, unknown: model.model.unknown_id}, unknown)


def _native_spm(model: SpmUnigram | SpmBpe) -> _native.Model:
    pieces = [(piece.text, piece.score, piece.kind) for piece in model.model.pieces]
    build = _native.SpmUnigram if isinstance(model, SpmUnigram) else _native.SpmBpe
    return build(pieces, model.model.byte_fallback)


MODELS: dict[type, Callable[[Any], _native.Model]] = {
    Bpe: _native_bpe,
    SpmBpe: _native_spm,
    SpmChar: _native_spm_char,
    SpmUnigram: _native_spm,
    SpmWord: _native_spm_word,
    Unigram: _native_unigram,
    WordLevel: _native_wordlevel,
    WordPiece: _native_wordpiece,
}


class NativePipeline:
    """A pipeline whose encoding is done in C++; all else is that of the readable one.

    Args:
        document: the content of a tokenizer.json, which has been checked.
        reference: the steps that it describes.
    """

    def __init__(self, document: dict[str, Any], reference: Pipeline) -> None:
        self.reference = reference
        self.model, self.added, self.decoder = reference.model, reference.added, reference.decoder
        self.model_tokens = reference.model_tokens
        self.wrap, self.decode = reference.wrap, reference.decode
        self.decode_stream = reference.decode_stream
        self._document = document
        self._tokens = {**reference.model_tokens, **_contents(reference)}
        # Tokens that may be shown as they stand in the text rather than in the vocabulary.
        self._shown = {*reference.added.by_id, *_unknown(reference.model)}

    @functools.cached_property
    def engine(self) -> _native.Engine:
        """The C++ engine, built when it is first needed."""
        return _build_engine(self._document, self.reference)

    @functools.cached_property
    def around(self) -> tuple[list[int], list[int]] | None:
        """The ids of the special tokens before and behind a text, or None where that is not all."""
        mark = Encoding([_TEXT], [""], [(0, 0)], [None], [0], [0], [0])
        ids = self.wrap([mark], True).ids
        if ids.count(_TEXT) != 1:
            return None
        place = ids.index(_TEXT)
        return ids[:place], ids[place + 1 :]

    def encode_text(self, text: str, sequence: int) -> Encoding:
        """The tokens of one text, without special tokens around it."""
        found = _checked(self.engine.encode_text(text))
        ids, starts, ends, words, _ = found
        tokens = [self._tokens[number] for number in ids]
        if not self._shown.isdisjoint(ids):
            if isinstance(self.model, SpmWord):  # C++ says of a word only that it is unknown
                return self.reference.encode_text(text, sequence)
            again: Any = self.engine.encode_text(text, step_by_step=True, surfaces=True)
            *_, shown = again
            for place, token in shown:
                tokens[place] = token
        count = len(ids)
        offsets = list(zip(starts, ends, strict=True))
        return Encoding(
            ids, tokens, offsets, words, [sequence] * count, [0] * count, [sequence] * count
        )

    def encode_chunks(
        self, chunks: list[Any], *, special: bool, offsets: bool, words: bool, threads: int
    ) -> _native.Columns:
        """The tokens of columns of texts, as columns.

        Args:
            chunks: Arrow arrays of strings or of bytes.
            special: put `around` around each text, which must not be None.
            offsets: also give `starts` and `ends`, in characters.
            words: also give `words`, the pieces that tokens belong to; -1 for special tokens.
            threads: how many to use.
        """
        before, behind = (self.around or ([], [])) if special else ([], [])
        return _checked(
            self.engine.encode_chunks(
                [chunk.__arrow_c_array__() for chunk in chunks],
                before=before,
                behind=behind,
                offsets=offsets,
                words=words,
                threads=threads,
            )
        )


_TEXT = -1  # no token's id: it marks where the text goes


def _contents(reference: Pipeline) -> dict[int, str]:
    return {number: token.content for number, token in reference.added.by_id.items()}


def _unknown(model: Any) -> set[int]:
    """The unknown token of models that show it as the text it stands for."""
    if isinstance(model, SpmModels):
        return {model.model.unknown_id}
    return {model.unknown} if isinstance(model, Unigram) and model.unknown is not None else set()


def _checked(found: Any) -> Any:
    """What the engine gives, or an error where it gives the reason why it cannot."""
    if not (isinstance(found, tuple) and isinstance(found[0], str)):
        return found
    kind, place, part, row = found
    where = f"row {row}" if row > 0 else "the text"
    if kind == "not UTF-8":
        raise TokenizerError(
            f"{where} is not UTF-8 from its byte {place} on",
            next_step="decode it with the encoding that it is in",
        )
    if kind == "too long":
        raise TokenizerError(
            f"{place:,} is too much at once", allowed="texts below 4 GB and 2 billion tokens a call"
        )
    raise TokenizerError(
        f"{part.decode()!r:.60} is not in the vocabulary, which has no token to stand in for it",
        next_step="add an unknown token to the vocabulary",
    )


def _build_engine(document: dict[str, Any], pipeline: Pipeline) -> _native.Engine:
    """The engine that does what a pipeline does."""
    model = MODELS[type(pipeline.model)](pipeline.model)
    if isinstance(pipeline.model, SpmModels):
        spm = pipeline.model.model
        normalizer, pretokenizer = spm_normalizer(spm), spm_pretokenizer(spm)
        fast = spm_shortcut(pipeline.model.model, model)
    else:
        normalizer = _step(document, "normalizer", native_normalizer)
        pretokenizer = _step(document, "pre_tokenizer", native_pretokenizer)
        fast = shortcut(document, model, normalizer, pretokenizer)
    vocabulary = {**pipeline.model.vocabulary, **pipeline.added.ids}
    return _native.Engine(
        raw=_native_tokens(pipeline.added.raw),
        normalized=_native_tokens(pipeline.added.normalized),
        normalizer=normalizer,
        pretokenizer=pretokenizer,
        model=model,
        fast=fast,
        trims=[
            _native.TrimSpaces(vocabulary, prefix_space)
            for prefix_space in _trims(document.get("post_processor"))
        ],
    )


def _step(document: dict[str, Any], name: str, build: Callable[[Any, str], Any]) -> Any:
    return None if document.get(name) is None else build(document[name], name)


def _native_tokens(tokens: dict[str, AddedToken]) -> list[_native.AddedToken]:
    return [
        _native.AddedToken(token.id, form, token.single_word, token.lstrip, token.rstrip)
        for form, token in tokens.items()
    ]


def _trims(processor: Any) -> list[bool]:
    """For each post-processor that trims offsets, whether a space was put before the text."""
    if processor is None:
        return []
    fields = Fields(processor, "post_processor")
    kind = fields.text("type")
    if kind == "Sequence":
        return [trim for part in fields.items("processors") for trim in _trims(part)]
    if kind in ("ByteLevel", "RobertaProcessing") and fields.flag("trim_offsets", True):
        return [fields.flag("add_prefix_space", True)]
    return []
