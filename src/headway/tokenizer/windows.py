"""Where to cut a long row of tokens into windows."""

from __future__ import annotations

from headway.errors import TokenizerError

__all__ = ["window_spans"]


def window_spans(count: int, size: int, rest: int, stride: int | None) -> list[tuple[int, int]]:
    """Spans of tokens that cover 0..count, each as long as fits, neighbours sharing `stride`.

    Args:
        count: how many tokens there are.
        size: how many tokens a whole window may have.
        rest: how many of them are taken by what every window holds besides.
        stride: how many tokens neighbours share; None for a quarter of the room.

    >>> window_spans(10, size=6, rest=2, stride=1)
    [(0, 4), (3, 7), (6, 10)]
    >>> window_spans(3, size=6, rest=2, stride=1)
    [(0, 3)]
    """
    room = size - rest
    if stride is None:
        stride = max(room // 4, 0)
    if stride < 0:
        raise TokenizerError(f"stride is {stride}", allowed="0 or more shared tokens")
    if count <= room:
        return [(0, count)]
    if room < 1:
        raise TokenizerError(
            f"a window of {size} tokens has no room for text: special tokens and the other text "
            f"take {rest}",
            next_step=f"make the window at least {rest + 1} tokens, or shorten the other text",
        )
    if stride >= room:
        raise TokenizerError(
            f"windows that share {stride} tokens do not advance: {room} tokens of text fit in each",
            allowed=f"a stride from 0 to {room - 1}",
        )
    spans = [(0, room)]
    while spans[-1][1] < count:
        start = spans[-1][1] - stride
        spans.append((start, min(start + room, count)))
    return spans
