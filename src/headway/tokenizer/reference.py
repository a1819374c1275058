"""The pipeline from text to tokens, step by step: the readable engine.

    text -> added tokens are cut out -> normalizer -> pre-tokenizer -> model -> post-processor

Each step keeps track of where in the text it is (AlignedText), so every token has its place.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from headway.errors import TokenizerError
from headway.tokenizer.added_tokens import AddedTokens
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.decoders import Decoder, build_decoder
from headway.tokenizer.encoding import Encoding
from headway.tokenizer.models import build_model
from headway.tokenizer.normalizers import Normalizer, build_normalizer
from headway.tokenizer.pieces import Model
from headway.tokenizer.postprocessors import PostProcessor, build_postprocessor, plain
from headway.tokenizer.pretokenizers import PreTokenizer, build_pretokenizer
from headway.tokenizer.streaming import Stream, build_stream, joined_by_spaces, stream_of

__all__ = ["Pipeline"]


class Pipeline:
    """The steps of one tokenizer; each but the model may be None.

    >>> pipeline = Pipeline.from_document({
    ...     "added_tokens": [],
    ...     "normalizer": {"type": "Lowercase"},
    ...     "pre_tokenizer": {"type": "Whitespace"},
    ...     "model": {"type": "WordLevel", "vocab": {"<unk>": 0, "hello": 1}, "unk_token": "<unk>"},
    ... })
    >>> pipeline.encode_text("Hello you", 0).offsets
    [(0, 5), (6, 9)]
    """

    def __init__(
        self,
        model: Model,
        *,
        added: AddedTokens | None = None,
        normalizer: Normalizer | None = None,
        pretokenizer: PreTokenizer | None = None,
        postprocessor: PostProcessor | None = None,
        decoder: Decoder | None = None,
        stream: Stream | None = None,
    ) -> None:
        self.model = model
        self.added = added or AddedTokens([], model.vocabulary, normalizer)
        self.normalizer, self.pretokenizer = normalizer, pretokenizer
        self.postprocessor = postprocessor or plain()
        self.decoder, self.stream = decoder, stream or joined_by_spaces

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Pipeline:
        """The pipeline that the content of a tokenizer.json describes.

        Its settings for truncation and padding are left aside: nothing is cut off or filled up
        unless it is asked for.
        """
        try:
            return cls._build(document)
        except RecursionError as error:
            raise TokenizerError(
                "tokenizer.json has steps inside of steps without end",
                next_step="get the file again: no program writes such a thing",
            ) from error

    @classmethod
    def _build(cls, document: dict[str, Any]) -> Pipeline:
        def part(name: str, build: Any) -> Any:
            return build(document[name]) if document.get(name) is not None else None

        if document.get("model") is None:
            raise TokenizerError("tokenizer.json has no model", next_step="get the file again")
        model = build_model(document["model"])
        normalizer = part("normalizer", build_normalizer)
        return cls(
            model,
            added=AddedTokens(document.get("added_tokens") or [], model.vocabulary, normalizer),
            normalizer=normalizer,
            pretokenizer=part("pre_tokenizer", build_pretokenizer),
            postprocessor=part("post_processor", build_postprocessor),
            decoder=part("decoder", build_decoder),
            stream=part("decoder", build_stream),
        )

    def encode_text(self, text: str, sequence: int) -> Encoding:
        """The tokens of one text, without special tokens around it."""
        ids: list[int] = []
        tokens: list[str] = []
        offsets: list[tuple[int, int]] = []
        words: list[int | None] = []
        word = 0
        for cut in self.added.cut(AlignedText(text), self.normalizer):
            if cut.token is not None:
                ids.append(cut.token.id)
                tokens.append(cut.text.text)
                offsets.append(cut.text.span(0, len(cut.text.text)))
                words.append(word)
                word += 1
                continue
            for piece in self.pretokenizer(cut.text) if self.pretokenizer else [cut.text]:
                if not piece.text:
                    continue
                for number, token, start, end in self.model.tokenize(piece.text):
                    ids.append(number)
                    tokens.append(token)
                    offsets.append(piece.span(start, end))
                    words.append(word)
                word += 1
        count = len(ids)
        encoding = Encoding(
            ids, tokens, offsets, words, [sequence] * count, [0] * count, [sequence] * count
        )
        self.postprocessor.trim(encoding)
        return encoding

    def wrap(self, encodings: list[Encoding], special: bool) -> Encoding:
        """Puts special tokens around one encoded text or two, and joins them."""
        return Encoding.join(self.postprocessor.wrap(encodings, special))

    def decode(self, ids: Iterable[int], skip_special: bool) -> str:
        """The text of tokens; an id that is in no vocabulary gives nothing."""
        tokens = [*self.written(ids, skip_special)]
        if not tokens:
            return ""
        return "".join(self.decoder(tokens)) if self.decoder else " ".join(tokens)

    def decode_stream(self, ids: Iterable[int], skip_special: bool) -> Iterator[str]:
        """The text of tokens in pieces, read one by one."""
        return stream_of(self.written(ids, skip_special), self.stream)

    def written(self, ids: Iterable[int], skip_special: bool) -> Iterator[str]:
        """The tokens as decoding writes them; none for an id that is in no vocabulary."""
        for number in ids:
            added = self.added.by_id.get(number)
            if added is not None:
                if not (skip_special and added.special):
                    yield self.added.written[number]
            elif number in self.model_tokens:
                yield self.model_tokens[number]

    @functools.cached_property
    def model_tokens(self) -> dict[int, str]:
        """Id -> token, of the model's vocabulary."""
        return {number: token for token, number in self.model.vocabulary.items()}
