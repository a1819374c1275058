"""The Tokenizer: text to numbers and back, from a file of any usual kind."""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.errors import OutputError, TokenizerError
from headway.tokenizer.adding import with_added
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.byte_offsets import refuse_surrogates_in
from headway.tokenizer.checks import token_numbers
from headway.tokenizer.encoding import Encoding
from headway.tokenizer.engine import NativePipeline
from headway.tokenizer.formats import find
from headway.tokenizer.formats.files import CONFIG, written_json
from headway.tokenizer.handover import Contents, contents_of, steps_in
from headway.tokenizer.reference import Pipeline
from headway.tokenizer.roles import sane_length, special_roles
from headway.tokenizer.windows import window_spans

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["Tokenizer"]


class Tokenizer:
    """Cuts texts into the tokens of a vocabulary, and puts them together again.

    Nothing is ever cut off or filled up: a text gives all its tokens (see `windows` for texts
    that are longer than a model).

    >>> tok = Tokenizer.from_document({
    ...     "pre_tokenizer": {"type": "Whitespace"}, "model": {"type": "WordLevel",
    ...     "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "good": 1, "day": 2}},
    ... })
    >>> e = tok.encode("good day, all")
    >>> e.ids, e.offsets
    ([1, 2, 0, 0], [(0, 4), (5, 8), (8, 9), (10, 13)])
    >>> tok.decode(e.ids[:2])
    'good day'
    """

    def __init__(
        self,
        pipeline: NativePipeline,
        document: dict[str, Any],
        config: dict[str, Any],
        *,
        converted: bool = False,
    ) -> None:
        self._pipeline, self._document, self._config = pipeline, document, config
        # A class that other programs build from other files need not understand this document.
        self._converted = converted
        added = pipeline.added
        self.vocabulary: dict[str, int] = {**pipeline.model.vocabulary, **added.ids}
        self._tokens = {**pipeline.model_tokens, **{n: t.content for n, t in added.by_id.items()}}
        self.special: dict[str, str] = special_roles(config, document, self.vocabulary)
        self.special_ids = {role: self.vocabulary[token] for role, token in self.special.items()}
        marks = (number for number, token in added.by_id.items() if token.special)
        self.all_special_ids = frozenset((*self.special_ids.values(), *marks))
        self.max_length: int | None = sane_length(config)

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """Reads a tokenizer.

        Args:
            path: a tokenizer.json, BERT's vocab.txt, vocab.json with merges.txt beside it
                (GPT-2, RoBERTa, GPT), SentencePiece's .model, tiktoken's ranks (*.tiktoken, and
                Llama 3's tokenizer.model), a .gguf, llama2.c's tokenizer.bin (tok*.bin), or a
                folder with one of these; in a folder tokenizer_config.json and
                special_tokens_map.json are heeded.

        Raises:
            TokenizerError: there is none, it is damaged, or it has a part that is not known here.
        """
        found = find(Path(path))
        document, pipeline, said = found.read()
        config = {**(said or {}), **found.config}
        try:
            steps = pipeline or Pipeline.from_document(document)
            return cls(NativePipeline(document, steps), document, config, converted=found.converts)
        except TokenizerError as error:
            raise TokenizerError(f"{found.path}: {error}") from error

    @classmethod
    def from_document(
        cls, document: dict[str, Any], config: dict[str, Any] | None = None
    ) -> Tokenizer:
        """The tokenizer that the contents of a tokenizer.json and a tokenizer_config.json make."""
        steps = NativePipeline(document, Pipeline.from_document(document))
        return cls(steps, document, config or {})

    def with_max_length(self, length: int) -> Tokenizer:
        """The same tokenizer, saying that its model takes texts of `length` tokens."""
        config = {**self._config, "model_max_length": length}
        return Tokenizer(self._pipeline, self._document, config, converted=self._converted)

    def without_special(self) -> Tokenizer:
        """The same tokenizer, which puts nothing around texts."""
        return self._with({**self._document, "post_processor": None})

    def with_tokens(self, tokens: Sequence[str]) -> Tokenizer:
        """The same tokenizer with more special tokens, which are found in texts before all else."""
        return self._with(with_added(self._document, self._pipeline.reference, tokens))

    def with_words(self, words: Sequence[str]) -> Tokenizer:
        """The same tokenizer with words as tokens of their own, where they stand alone."""
        return self._with(with_added(self._document, self._pipeline.reference, words, words=True))

    def _with(self, document: dict[str, Any]) -> Tokenizer:
        steps = NativePipeline(document, Pipeline.from_document(document))
        return Tokenizer(steps, document, self._config, converted=self._converted)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __repr__(self) -> str:
        kind = type(self._pipeline.model).__name__
        return f"Tokenizer({kind}, {len(self)} tokens, max_length={self.max_length})"

    @cached_property
    def fingerprint(self) -> str:
        """`sha256:...` of everything in the files that it was read from that decides its tokens."""
        told = json.dumps([self._document, self._config], sort_keys=True)
        return f"sha256:{hashlib.sha256(told.encode()).hexdigest()}"

    def __reduce__(self) -> tuple[Any, ...]:
        steps = self._pipeline.reference
        return _made_of, (
            contents_of(self._document, steps, self._config, converted=self._converted),
        )

    def id(self, token: str) -> int | None:
        """The number of a token, or None where it is not in the vocabulary."""
        return self.vocabulary.get(token)

    def token(self, id: int) -> str | None:
        """The token of a number, or None where there is none."""
        return self._tokens.get(id)

    def encode(self, text: str, pair: str | None = None, special: bool = True) -> Encoding:
        """The tokens of a text, or of a pair of texts.

        Args:
            text: any text; an empty one gives special tokens only.
            pair: a second text, for models that take two.
            special: put the model's special tokens around.

        Raises:
            TokenizerError: a text has half of a surrogate pair, which is no character.
        """
        texts = [text] if pair is None else [text, pair]
        return self._pipeline.wrap(
            [self._encode_text(one, i) for i, one in enumerate(texts)], special
        )

    def encode_batch(
        self, texts: Iterable[str], pairs: Iterable[str] | None = None, special: bool = True
    ) -> list[Encoding]:
        """The tokens of many texts, or of many pairs of texts."""
        if pairs is None:
            return [self.encode(text, None, special) for text in texts]
        texts, pairs = list(texts), list(pairs)
        if len(texts) != len(pairs):
            raise TokenizerError(
                f"{len(texts)} texts and {len(pairs)} second texts do not make pairs",
                next_step="give as many of the one as of the other",
            )
        return [self.encode(a, b, special) for a, b in zip(texts, pairs, strict=True)]

    def encode_arrow(
        self,
        array: pa.Array | pa.ChunkedArray | np.ndarray | Sequence[str | None],
        special: bool = True,
        offsets: bool = False,
        threads: int = 2,
        words: bool = False,
    ) -> pa.RecordBatch:
        """The tokens of a column of texts, as columns.

        Args:
            array: strings, or bytes that are UTF-8; a numpy array or a list of strings does too.
                A null gives a null.
            special: put the model's special tokens around each text.
            offsets: also give where each token begins and ends, in characters of its text.
            threads: how many to use, for this call only; the result does not depend on it.
            words: also give the piece of the text that each token belongs to, counted from 0 in
                each text; -1 for a special token.

        Returns:
            A record batch with `ids`, with `starts` and `ends` and with `words` if asked: lists of
            int32. No Python object is made for a row.

        Raises:
            TokenizerError: the column is none of texts, or a row of bytes is not UTF-8.
        """
        from headway.tokenizer.arrow import encode_column

        return encode_column(
            self._pipeline, array, special=special, offsets=offsets, words=words, threads=threads
        )

    def decode(self, ids: Iterable[int], skip_special: bool = True) -> str:
        """The text of tokens.

        Numbers that are in no vocabulary give nothing, since models may have more outputs than
        there are tokens; a number below 0 is an error.
        """
        return self._pipeline.decode(token_numbers(ids), skip_special)

    def decode_stream(self, ids: Iterable[int], skip_special: bool = True) -> Iterator[str]:
        """The text of tokens that come one by one, such as those a model writes.

        A piece of text is given as soon as no later token can change it: never half of a
        character, and put together what `decode` gives. What is held back is a token or so, but
        for runs of byte tokens (<0xC3>), which are text or not as a whole, and for rare decoders
        that rewrite the whole text.

        Args:
            ids: numbers as for `decode`, read one at a time.
            skip_special: leave special tokens out.

        Returns:
            Pieces that are not empty.

        >>> from headway.tokenizer import Tokenizer
        >>> tok = Tokenizer.from_document({
        ...     "model": {"type": "BPE", "vocab": {"Ã": 0, "©": 1, "t": 2}, "merges": []},
        ...     "decoder": {"type": "ByteLevel"},
        ... })
        >>> list(tok.decode_stream(iter([0, 1, 2, 0, 1])))
        ['é', 't', 'é']
        """
        return self._pipeline.decode_stream(token_numbers(ids), skip_special)

    def normalize(self, text: str) -> AlignedText:
        """A text as the pre-tokenizer sees it, each character with the place it comes from.

        Added tokens are as they stand in the text, unless they are looked for in normalized text.

        >>> from headway.tokenizer import Tokenizer
        >>> tok = Tokenizer.from_document({
        ...     "normalizer": {"type": "NFKC"},
        ...     "model": {"type": "BPE", "vocab": {}, "merges": []},
        ... })
        >>> made = tok.normalize("½ m")
        >>> made.text, made.span(4, 5)
        ('1⁄2 m', (2, 3))
        """
        refuse_surrogates_in(text)
        steps = self._pipeline.reference
        cuts = steps.added.cut(AlignedText(text), steps.normalizer)
        spans = [cut.text.span(i, i + 1) for cut in cuts for i in range(len(cut.text.text))]
        return AlignedText(
            "".join(cut.text.text for cut in cuts),
            0,
            [start for start, _ in spans],
            [end for _, end in spans],
        )

    def count(self, text: str, pair: str | None = None, special: bool = True) -> int:
        """How many tokens `encode` gives."""
        return len(self.encode(text, pair, special))

    def side(self, text: str, number: int) -> Encoding:
        """The tokens of a text as one side of a pair, 0 or 1, for `windows` to put beside many."""
        return self._encode_text(text, number)

    def windows(
        self,
        text: str | Encoding,
        size: int,
        pair: str | Encoding | None = None,
        stride: int | None = None,
        special: bool = True,
        cut: int | None = None,
    ) -> list[Encoding]:
        """A long text as consecutive windows that overlap; each token is in one at least.

        The text is tokenized once, and cut between tokens. Of a pair one side is cut, and the
        other one is whole in every window.

        Args:
            text: the text, or its tokens as `side` gives them.
            size: the most tokens a window may have, special tokens included.
            pair: a second text, likewise.
            stride: how many tokens two neighbouring windows share; a quarter of the text's room
                in a window where it is not said. The last window may be shorter than the others.
            special: put special tokens around each window.
            cut: which side of a pair is cut, 0 or 1; None = the one with more tokens, the first
                where they are equal.

        Returns:
            Encodings with offsets into the whole text. What fits gives one, equal to `encode`'s.

        Raises:
            TokenizerError: no token of the side to be cut fits beside the rest, the stride leaves
                no progress, or there is no such side.
        """
        sides = [
            one if isinstance(one, Encoding) else self._encode_text(one, i)
            for i, one in enumerate([text] if pair is None else [text, pair])
        ]
        if cut is None:
            cut = 1 if len(sides) == 2 and len(sides[1]) > len(sides[0]) else 0
        if cut not in range(len(sides)):
            raise TokenizerError(f"cut is {cut}", allowed=", ".join(map(str, range(len(sides)))))
        around = len(self._pipeline.wrap([Encoding() for _ in sides], special))
        rest = around + sum(len(side) for side in sides) - len(sides[cut])
        windows = []
        for start, end in window_spans(len(sides[cut]), size, rest, stride):
            parts = [*sides]
            parts[cut] = sides[cut].slice(start, end)
            windows.append(self._pipeline.wrap(parts, special))
        return windows

    def save(self, folder: str | Path) -> None:
        """Writes tokenizer.json and tokenizer_config.json into a folder, which is made if need be.

        A tokenizer.json that was read is written as it was, other programs' fields included, but
        without truncation and padding; other formats are written as an equivalent one.
        """
        folder = Path(folder)
        generic = {"tokenizer_class": "PreTrainedTokenizerFast"}
        config = {**self._config, **generic} if self._converted else {**generic, **self._config}
        config.update({f"{role}_token": token for role, token in self.special.items()})
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "tokenizer.json").write_bytes(written_json(self._document))
            (folder / CONFIG).write_bytes(written_json(config))
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be written: {error.strerror or error}",
                next_step="choose another folder",
            ) from error

    def export(self, folder: str | Path, format: str) -> list[Path]:
        """Writes the files of another format than tokenizer.json, and a tokenizer_config.json.

        What is written gives the same ids for every text when it is read again, else nothing is
        written. Which characters a token covers is not in these files, and may then differ by the
        space before a word.

        Args:
            folder: where to; it is made if need be.
            format: wordpiece (BERT's vocab.txt), bpe (vocab.json and merges.txt), tiktoken (a
                file of ranks, named after its encoding), gguf (a vocabulary without a model) or
                sentencepiece (a .model, of what was read from one).

        Returns:
            The files that were written.

        Raises:
            TokenizerError: the format cannot say what this tokenizer does; the message names the
                part.
            OutputError: the folder cannot be written.
        """
        from headway.tokenizer.formats.export import export

        steps = self._pipeline.reference
        return export(self._document, steps, self._said(), Path(folder), format)

    def gguf_values(self, *, rows: int = 0) -> dict[str, Any]:
        """What a model's GGUF file says of its tokenizer; `rows` of the word table are filled up.

        Raises:
            TokenizerError: the format cannot say what this tokenizer does.
        """
        from headway.tokenizer.formats.gguf_vocabulary import gguf_values

        return gguf_values(self._document, self._pipeline.reference, self._said(), rows=rows)

    def _said(self) -> dict[str, Any]:
        """What a tokenizer_config.json says, with the roles of tokens."""
        return self._config | {f"{role}_token": token for role, token in self.special.items()}

    def _encode_text(self, text: str, sequence: int) -> Encoding:
        if not isinstance(text, str):
            raise TokenizerError(f"{text!r:.60} is a {type(text).__name__}", allowed="a string")
        refuse_surrogates_in(text)
        return self._pipeline.encode_text(text, sequence)


@functools.lru_cache(maxsize=4)
def _made_of(contents: Contents) -> Tokenizer:
    """The tokenizer that another process has handed over; many tasks of one are given the same."""
    atexit.register(_made_of.cache_clear)  # before C++ counts what was never freed
    document, steps = steps_in(contents)
    pipeline, config = NativePipeline(document, steps), json.loads(contents.config)
    return Tokenizer(pipeline, document, config, converted=contents.converted)
