"""What a model's own methods call: prompts and options in, texts out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from headway.errors import ConfigError
from headway.generate.chat import render
from headway.generate.decoding import Decoding, changed
from headway.generate.draft import Draft
from headway.generate.parts import Parts
from headway.generate.streaming import stream
from headway.generate.text import Written
from headway.generate.writing import Writing
from headway.tokenizer import Tokenizer
from headway.windows import window_texts

__all__ = ["Writes", "chat", "decoding_of", "stream_texts", "write_ids", "write_texts"]


class Writes(Protocol):
    """A model that writes."""

    @property
    def parts(self) -> Parts:
        """As writing text sees it."""


def write_texts(
    parts: Parts,
    prompts: Sequence[str],
    max_new_tokens: int | None,
    draft: Writes | None,
    options: Mapping[str, Any],
    *,
    record: bool,
) -> list[Written]:
    """What is written for each prompt, `sequences` for each, in their order.

    Args:
        parts: of the model.
        prompts: texts.
        max_new_tokens: of each; None = as the options or the checkpoint say.
        draft: a small model that drafts, or None.
        options: fields of Decoding; `decoding` for all of them; `draft_tokens`.
        record: whether log-probabilities are wanted.

    Raises:
        ConfigError: no head that writes, no tokenizer, an option that cannot be.
    """
    ids = _ids(parts, prompts)
    writing = _writing(parts, max_new_tokens, draft, options, record=record)
    return [writing.written(text, ids[text.number]) for text in writing.write(ids)]


def write_ids(
    parts: Parts,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int | None,
    draft: Writes | None,
    options: Mapping[str, Any],
) -> list[list[int]]:
    """The same on ids: the new ids of each text."""
    writing = _writing(parts, max_new_tokens, draft, options)
    return [text.ids for text in writing.write(prompts)]


def stream_texts(
    parts: Parts,
    prompts: str | Sequence[str],
    max_new_tokens: int | None,
    draft: Writes | None,
    options: Mapping[str, Any],
) -> Iterator[Any]:
    """Pieces of text of one prompt; of several, (number of the prompt, piece)."""
    one = isinstance(prompts, str)
    ids = _ids(parts, [prompts] if isinstance(prompts, str) else prompts)
    pieces = stream(_writing(parts, max_new_tokens, draft, options), ids)
    return (piece for _, piece in pieces) if one else pieces


def chat(
    parts: Parts,
    messages: Sequence[Mapping[str, Any]],
    max_new_tokens: int | None,
    draft: Writes | None,
    options: Mapping[str, Any],
) -> str:
    """What is answered in a conversation.

    Raises:
        ConfigError: no template, or as `render` and `write_texts`.
    """
    tokenizer, template = _tokenizer(parts), parts.generation.chat
    if template is None:
        raise ConfigError(
            f"{parts.name} has no chat template", next_step="write the prompt and use generate"
        )
    special = {f"{role}_token": token for role, token in tokenizer.special.items()}
    text = render(template, messages, **special)
    ids = [tokenizer.encode(text, special=False).ids]
    writing = _writing(parts, max_new_tokens, draft, options)
    return writing.written(writing.write(ids)[0], ids[0]).text


def decoding_of(
    parts: Parts, max_new_tokens: int | None, options: Mapping[str, Any]
) -> tuple[Decoding, bool]:
    """The settings, and whether `max_new_tokens` is the user's own word.

    A `decoding` is taken as it is; without one, options change what the checkpoint says.
    """
    rest = {key: value for key, value in options.items() if key != "decoding"}
    if max_new_tokens is not None:
        rest["max_new_tokens"] = max_new_tokens
    base = options.get("decoding")
    if base is not None and not isinstance(base, Decoding):
        raise ConfigError(
            f"decoding is a {type(base).__name__}", allowed="a headway.generate.Decoding"
        )
    decoding = changed(parts.decoding if base is None else base, rest)
    given = max_new_tokens is not None or (base is not None and base.max_new_tokens is not None)
    return decoding, given


def _writing(
    parts: Parts,
    max_new_tokens: int | None,
    draft: Writes | None,
    options: Mapping[str, Any],
    *,
    record: bool = False,
) -> Writing:
    rest = {key: value for key, value in options.items() if key != "draft_tokens"}
    if draft is None and len(rest) < len(options):
        raise ConfigError("draft_tokens, and no model that drafts", next_step="give a draft model")
    drafting = Draft(draft.parts, options.get("draft_tokens", 4)) if draft is not None else None
    decoding, given = decoding_of(parts, max_new_tokens, rest)
    return Writing(parts, decoding, given=given, record=record, draft=drafting)


def _ids(parts: Parts, prompts: Sequence[str]) -> list[list[int]]:
    return [text.ids[0] for text in window_texts(_tokenizer(parts), prompts, size=None)]


def _tokenizer(parts: Parts) -> Tokenizer:
    if parts.tokenizer is None:
        raise ConfigError(
            f"{parts.name} has no tokenizer",
            next_step="put its tokenizer.json in the model's folder",
        )
    return parts.tokenizer
