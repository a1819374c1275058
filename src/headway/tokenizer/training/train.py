"""Training a tokenizer: texts are counted, a vocabulary is learnt, a whole tokenizer is made."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headway.errors import ConfigError, nearest
from headway.logs import log
from headway.tokenizer import _native
from headway.tokenizer.engine import MODELS, NativePipeline
from headway.tokenizer.formats.documents import Document, added_token, document
from headway.tokenizer.reference import Pipeline
from headway.tokenizer.tokenizer import Tokenizer
from headway.tokenizer.training.bar import Bar
from headway.tokenizer.training.counting import Counted, Texts, count_words, size_of
from headway.tokenizer.training.kinds import KINDS, Kind
from headway.tokenizer.training.learners import Options
from headway.tokenizer.training.splits import SPLITS

__all__ = ["Training", "train", "train_tokenizer"]

COVERAGE = 0.9995
MIN_FREQUENCY = 2


@dataclass(frozen=True)
class Training:
    """A tokenizer that was trained, and what there is to say of it.

    Attributes:
        tokenizer: the tokenizer.
        kind: of it.
        summary: `texts`, `bytes`, `words` and `distinct` words that were counted; the distinct
            words that were `left_out` for want of memory: all that come less than
            `least_count` times, and some that come so often; the words that were `cut` because
            they are very long; the times that counts were written to a file (`runs`); and the
            `seconds` it took.
        notes: what the user should know, a sentence each.
    """

    tokenizer: Tokenizer
    kind: str
    summary: dict[str, float]
    notes: list[str]
    _model: _native.Model
    _words: _native.WordList

    def tokens_per_word(self, threads: int = 2) -> float:
        """The mean over the words of the training text, as the pre-tokenizer cuts them."""
        tokens, words = _native.count_tokens(
            self._model, self._words, is_bytes=self.kind == "byte-bpe", threads=threads
        )
        return float(tokens / words)


def train_tokenizer(texts: Texts, *, kind: str = "byte-bpe", **options: Any) -> Tokenizer:
    """A tokenizer with a vocabulary learnt from texts.

    Counts are exact, and the result does not depend on the number of threads. Byte-level BPE, BPE
    and WordPiece get the vocabulary that the `tokenizers` package learns from the same words.
    Ctrl-C ends it at any time.

    Args:
        texts: a file or a list of files, whose lines are texts; an Arrow column or a numpy array
            of strings, as `Dataset.column` gives; or an iterator of strings.
        kind: bpe, byte-bpe, char, unigram, word or wordpiece; see `KINDS`.
        **options: see `train`.

    Raises:
        DataError: a file cannot be read or is not UTF-8, or there is no word in the texts.
        ConfigError: an option is out of its range, or the size too small for what has to be there.

    >>> tok = train_tokenizer(iter(["low lower lowest", "new newer newest"] * 3), size=270)
    >>> tok.encode("lower").tokens
    ['lo', 'wer']
    """
    training = train(texts, kind=kind, **options)
    for note in training.notes:
        log.info("%s", note)
    return training.tokenizer


def train(
    texts: Texts,
    *,
    kind: str = "byte-bpe",
    size: int = 30_000,
    threads: int = 2,
    lowercase: bool = False,
    min_frequency: int | None = None,
    special: Sequence[str] = (),
    split: str | None = None,
    coverage: float | None = None,
    byte_fallback: bool = False,
    memory: int = 512,
) -> Training:
    """Trains a tokenizer and says what was counted; see `train_tokenizer`.

    Args:
        texts: what to learn from.
        kind: of tokenizer.
        size: tokens of the vocabulary, special ones included; there are fewer where the texts
            give no more.
        threads: how many to use, for this call only.
        lowercase: whether all text is lowercased, in training and ever after.
        min_frequency: how often a pair that is merged, a word or a character comes at least; 2 if
            it is not said.
        special: special tokens beside those that the kind has.
        split: the pattern that cuts texts for byte-bpe: gpt-2 (if it is not said), gpt-4, gpt-4o
            or qwen-2.
        coverage: the share of the characters of the texts that become tokens (bpe, unigram,
            wordpiece); 0.9995 if it is not said. Rarer ones are unknown.
        byte_fallback: whether unknown characters become tokens of their bytes (bpe, char,
            unigram).
        memory: megabytes for counts. Where they do not do, counts go through a temporary file,
            and the rarest words may be left out, which `summary` and a note say.

    Raises:
        DataError: a file cannot be read or is not UTF-8, or there is no word in the texts.
        ConfigError: an option is out of its range, or the size too small for what has to be there.
    """
    start = time.monotonic()
    made = _kind(kind)
    _check(kind, size=size, threads=threads, memory=memory, min_frequency=min_frequency)
    _check_taken(kind, made, split=split, coverage=coverage, min_frequency=min_frequency,
                 byte_fallback=byte_fallback or None)  # fmt: skip
    options = Options(
        size=size,
        min_frequency=MIN_FREQUENCY if min_frequency is None else min_frequency,
        coverage=COVERAGE if coverage is None else _share(coverage),
        special=_special([*made.special, *special]),
        unknown=made.unknown,
        byte_fallback=byte_fallback,
        threads=threads,
    )
    pattern = _split("gpt-2" if split is None else split)
    with Bar(size_of(texts)) as bar:
        cutter = made.cutter(lowercase, pattern)
        counted = count_words(texts, cutter, threads=threads, memory=memory * 10**6, progress=bar)
        model = made.learn(counted.words, options, bar)
    whole = _document(made, model, options.special, made.steps(lowercase, pattern))
    steps = Pipeline.from_document(whole)
    tokenizer = Tokenizer(NativePipeline(whole, steps), whole, {})
    summary = {**counted.summary, "seconds": time.monotonic() - start}
    native = MODELS[type(steps.model)](steps.model)
    notes = _notes(counted, len(tokenizer), size)
    return Training(tokenizer, kind, summary, notes, native, counted.words)


def _document(kind: Kind, model: Document, special: list[str], steps: Document) -> Document:
    vocabulary = model["vocab"]
    if isinstance(vocabulary, list):
        vocabulary = {piece: number for number, (piece, _) in enumerate(vocabulary)}
    ids = {token: vocabulary[token] for token in special}
    added = [added_token(number, token) for token, number in ids.items()]
    return document(model, added_tokens=added, post_processor=kind.around(ids), **steps)


def _notes(counted: Counted, size: int, wanted: int) -> list[str]:
    summary, notes = counted.summary, []
    if size < wanted:
        notes.append(f"the texts give {size:,} tokens, fewer than the {wanted:,} asked for")
    if summary["left_out"]:
        notes.append(
            f"{summary['left_out']:,} of {summary['distinct']:,} distinct words, the rarest, were "
            "left out for want of memory"
        )
    if summary["cut"]:
        notes.append(f"{summary['cut']:,} words longer than 4,096 bytes were cut there")
    return notes


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise ConfigError(
            f"no kind of tokenizer {name!r}",
            allowed=", ".join(KINDS),
            next_step=nearest(name, KINDS),
        )
    return KINDS[name]


def _split(name: str) -> str:
    if name not in SPLITS:
        raise ConfigError(
            f"no split pattern {name!r}", allowed=", ".join(SPLITS), next_step=nearest(name, SPLITS)
        )
    return name


def _check(kind: str, **numbers: int | None) -> None:
    for name, value in numbers.items():
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**31:
            raise ConfigError(f"{name} is {value!r}", allowed="a whole number, 1 or more")


def _check_taken(kind: str, made: Kind, **given: object) -> None:
    for name, value in given.items():
        if value is not None and name not in made.takes:
            kinds = ", ".join(other for other in KINDS if name in KINDS[other].takes)
            raise ConfigError(
                f"{name} means nothing to a tokenizer of kind {kind}",
                allowed=f"with the kinds {kinds}",
                next_step="leave it out",
            )


def _share(coverage: float) -> float:
    if not 0 < coverage <= 1:
        raise ConfigError(f"coverage is {coverage!r}", allowed="a share above 0, up to 1")
    return coverage


def _special(tokens: list[str]) -> list[str]:
    for token in tokens:
        if not isinstance(token, str) or not token:
            raise ConfigError(
                f"{token!r} is no special token", allowed="strings that are not empty"
            )
    return list(dict.fromkeys(tokens))
