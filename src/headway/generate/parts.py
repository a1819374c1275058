"""What writing text needs of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from headway.core.layout import Layout
from headway.core.stacks import Decoder, Encoder, EncoderDecoder
from headway.errors import ConfigError
from headway.generate.decoding import Decoding
from headway.generate.prompt import segments_of, windows_of
from headway.generate.reader import Reader
from headway.generate.stored import stored_decoding
from headway.heads import LanguageModelHead
from headway.tokenizer import Tokenizer

__all__ = ["Parts", "Stored"]


class Stored(Protocol):
    """What a checkpoint's files say of writing text."""

    @property
    def stop(self) -> frozenset[int]:
        """Tokens that end a text."""

    @property
    def said(self) -> Mapping[str, Any]:
        """Their keys and values, as they stand there."""

    @property
    def chat(self) -> str | None:
        """The template of conversations."""

    def first(self, rows: int) -> int:
        """The token that a decoder behind an encoder is fed first, of so many."""


@dataclass(frozen=True)
class Parts:
    """A model, as writing text sees it.

    Attributes:
        body, head: hidden states, and logits over the vocabulary.
        tokenizer: or None, where ids are all that is written.
        longest: most tokens a text can have; None = no limit.
        generation: what the checkpoint's files say of it.
        ragged: checks prompts and lays them end to end.
        predicting: dropout off and no gradients, as long as the context is open.
        task: what the head is for.
        name: for messages.
    """

    body: Encoder | Decoder | EncoderDecoder
    head: nn.Module | None
    tokenizer: Tokenizer | None
    longest: int | None
    generation: Stored
    ragged: Callable[[Sequence[Sequence[int]]], tuple[Tensor, Layout]]
    predicting: Callable[[], AbstractContextManager[None]]
    task: str | None = None
    name: str = "this model"

    @property
    def decoding(self) -> Decoding:
        """How the checkpoint asks text to be written."""
        return stored_decoding(self.generation.said)

    @property
    def ends(self) -> frozenset[int]:
        """Tokens that end a text: the checkpoint's, or the tokenizer's own."""
        roles = self.tokenizer.special_ids if self.tokenizer is not None else {}
        return self.generation.stop or frozenset(id for role, id in roles.items() if role == "eos")

    @property
    def output(self) -> LanguageModelHead:
        """The head.

        Raises:
            ConfigError: the model writes no text.
        """
        if not isinstance(self.head, LanguageModelHead) or isinstance(self.body, Encoder):
            task = self.task or "nothing, it has none"
            raise ConfigError(
                f"{self.name} writes no text; its head is for {task}",
                allowed="a model for text-generation or text2text-generation",
            )
        return self.head

    @property
    def rows(self) -> int:
        """How many tokens have logits."""
        return self.output.output.out_features

    @property
    def decoder(self) -> Decoder:
        """The stack that writes."""
        assert not isinstance(self.body, Encoder), "`output` refuses those"
        return self.body.decoder if isinstance(self.body, EncoderDecoder) else self.body

    def check(self, prompts: Sequence[Sequence[int]]) -> None:
        """Refuses prompts that the model cannot read.

        Raises:
            ConfigError: no token, one that is not known, too many, or segments that it has not.
        """
        self.ragged([window for prompt in prompts for window in windows_of(prompt)])
        if (marks := segments_of(prompts)) is not None:
            one = not isinstance(self.body, EncoderDecoder)
            if not (one and self.decoder.embeddings.word_segments):
                raise ConfigError(
                    f"{self.name} has no segments that are words", allowed="a GPT or GPT-2"
                )
            self.ragged(marks)

    def fed(self, prompt: Sequence[int]) -> Sequence[int]:
        """What the decoder is fed first: the prompt, or the token behind which it answers."""
        if not isinstance(self.body, EncoderDecoder):
            return prompt
        return [self.generation.first(self.decoder.embeddings.words.num_embeddings)]

    def reader(self, prompts: Sequence[Sequence[int]]) -> Reader:
        """A reader with a place for each prompt; an encoder has read them."""
        if not isinstance(self.body, EncoderDecoder):
            marks = segments_of(prompts) if self.body.embeddings.word_segments else None
            return Reader(self.decoder, self.output, len(prompts), segments=marks)
        flat, layout = self.ragged([window for prompt in prompts for window in windows_of(prompt)])
        seen = Layout(tuple(map(len, prompts)), device=layout.device)
        memory = self.body.encoder(flat, layout), seen
        return Reader(self.decoder, self.output, len(prompts), memory=memory)
