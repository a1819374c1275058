"""Text as it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from headway.errors import ConfigError
from headway.generate.ends import before_stop
from headway.generate.text import Text
from headway.generate.writing import Writing

__all__ = ["stream", "until_stop"]


def stream(writing: Writing, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, str]]:
    """Pieces of text as they come, with their prompt's number.

    The pieces of a prompt together are the text that `Written` holds. All prompts are written in
    one batch; between pieces the model is as it was, so that the caller may do with it what it
    likes.

    Raises:
        ConfigError: beams, whose texts are known at the end only, or several texts of a prompt; no
            tokenizer; as `Writing.texts`.
    """
    decoding, tokenizer = writing.decoding, writing.parts.tokenizer
    if decoding.rows > 1:
        raise ConfigError(
            f"a stream of {decoding.rows} texts at once",
            allowed="one text of each prompt, without beams",
            next_step="generate them whole",
        )
    if tokenizer is None:
        raise ConfigError(f"{writing.parts.name} has no tokenizer")
    return _pieces(writing, prompts, writing.texts(prompts))


def _pieces(
    writing: Writing, prompts: Sequence[Sequence[int]], texts: list[list[Text]]
) -> Iterator[tuple[int, str]]:
    tokenizer, stop = writing.parts.tokenizer, writing.decoding.stop
    assert tokenizer is not None
    steps = writing.steps(prompts, texts)

    def ids_of(text: Text) -> Iterator[int]:
        """Its tokens; whoever wants one that is not there makes all texts go a step."""
        given = 0
        while True:
            while given < len(text.ids):
                given += 1
                yield text.ids[given - 1]
            if text.stopped_by is not None:
                return
            with writing.quiet(texts):
                next(steps)

    open_ = {
        number: until_stop(tokenizer.decode_stream(ids_of(text)), stop)
        for number, (text,) in enumerate(texts)
    }
    while open_:
        for number, pieces in list(open_.items()):
            piece = next(pieces, None)
            if piece is None:
                del open_[number]
            else:
                yield number, piece


def until_stop(pieces: Iterable[str], stop: Sequence[str]) -> Iterator[str]:
    """Pieces of a text up to the first of some texts; what may begin one is held back.

    >>> list(until_stop(["one", " E", "N", "D and more"], ["END"]))
    ['one', ' ']
    """
    held = ""
    for piece in pieces:
        held += piece
        if any(each in held for each in stop):
            held = before_stop(held, stop)
            break
        keep = max((_begun(held, each) for each in stop), default=0)
        if len(held) > keep:
            yield held[: len(held) - keep]
            held = held[len(held) - keep :]
    if held:
        yield held


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of a text begin a stop text."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
