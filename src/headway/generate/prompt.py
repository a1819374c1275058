"""Prompts that say more than their tokens: windows, or segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from headway.errors import ConfigError

__all__ = ["MarkedPrompt", "WindowedPrompt", "segments_of", "windows_of"]


class WindowedPrompt(list[int]):
    """All tokens of a prompt, and the windows that they are read in.

    The encoder reads each window by itself; the decoder looks at all of them at once (fusion in
    the decoder, Izacard & Grave 2020, arXiv 2007.01282).

    >>> WindowedPrompt([[1, 5, 2], [1, 6, 2]]).windows
    [[1, 5, 2], [1, 6, 2]]
    """

    def __init__(self, windows: Iterable[Sequence[int]]) -> None:
        self.windows = [list(window) for window in windows]
        super().__init__(token for window in self.windows for token in window)


class MarkedPrompt(list[int]):
    """A decoder's prompt whose tokens have segments that are words (GPT and GPT-2).

    What is written behind it has the segment of its last token: it is the same who speaks.

    Args:
        ids: tokens of the prompt.
        segments: the id of a word for each.

    Raises:
        ConfigError: there are not as many.

    >>> MarkedPrompt([7, 5, 9], [7, 7, 9]).segments
    [7, 7, 9]
    """

    def __init__(self, ids: Sequence[int], segments: Sequence[int]) -> None:
        super().__init__(ids)
        self.segments = list(segments)
        if len(self.segments) != len(self):
            raise ConfigError(f"{len(self.segments)} segments for a prompt of {len(self)} tokens")


def windows_of(prompt: Sequence[int]) -> Sequence[Sequence[int]]:
    """The windows of a prompt; itself where it is in one piece."""
    return prompt.windows if isinstance(prompt, WindowedPrompt) else [prompt]


def segments_of(prompts: Sequence[Sequence[int]]) -> list[list[int]] | None:
    """The segments of prompts; None where they have none.

    Raises:
        ConfigError: some have and others have not.
    """
    marked = [prompt.segments for prompt in prompts if isinstance(prompt, MarkedPrompt)]
    if marked and len(marked) < len(prompts):
        raise ConfigError(
            f"segments of {len(marked)} of {len(prompts)} prompts", allowed="of all, or of none"
        )
    return marked or None
