"""A prompt that an encoder reads in windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["WindowedPrompt", "windows_of"]


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


def windows_of(prompt: Sequence[int]) -> Sequence[Sequence[int]]:
    """The windows of a prompt; itself where it is in one piece."""
    return prompt.windows if isinstance(prompt, WindowedPrompt) else [prompt]
