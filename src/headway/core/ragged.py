"""Rows of any lengths: numbers from outside checked and laid end to end, windows averaged."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.core.pooling import mean
from headway.errors import ConfigError

__all__ = ["check_range", "laid_out", "usual_tokens", "window_means"]

USUAL_TOKENS = {"cpu": 2048}
USUAL_TOKENS_ELSEWHERE = 16384


def laid_out(
    rows: Sequence[Sequence[int]], what: str, device: torch.device
) -> tuple[Tensor, Layout]:
    """Rows of numbers laid end to end, int64 [numbers], and where each row lies.

    >>> laid_out([[5, 6], [7]], "text", torch.device("cpu"))[0]
    tensor([5, 6, 7])

    Raises:
        ConfigError: no row or an empty one, or what is no whole number.
    """
    try:
        layout = Layout.of(rows, device)
        flat = torch.tensor([number for row in rows for number in row], device=device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"a {what} is not a list of numbers: {error}", allowed="lists of whole numbers"
        ) from None
    if not layout.lengths or not all(layout.lengths):
        number = layout.lengths.index(0) if layout.lengths else 0
        raise ConfigError(
            f"{what} {number} has no tokens", allowed=f"one {what} or more, of one token or more"
        )
    if flat.dtype != torch.int64 or flat.dim() != 1:
        raise ConfigError(f"a {what} of {flat.dtype} numbers", allowed="lists of whole numbers")
    return flat, layout


def check_range(flat: Tensor, rows: int, what: str) -> None:
    """Refuses numbers that a table of so many rows does not have.

    Raises:
        ConfigError: there is one.
    """
    low, high = (int(end) for end in flat.aminmax())
    if low < 0 or high >= rows:
        raise ConfigError(
            f"{what} {high if high >= rows else low} is not in the model's table",
            allowed=f"0 to {rows - 1}",
        )


def window_means(rows: Sequence[Sequence[Tensor]]) -> Tensor:
    """The mean over each text's windows: what `read_each` gives -> [texts, ...]."""
    counts = Layout(tuple(map(len, rows)))
    return mean(torch.stack([row for text in rows for row in text]), counts)


def usual_tokens(device: torch.device) -> int:
    """Most tokens in one forward pass without gradients, where nothing else is said: on a processor
    as many as its caches hold.

    >>> usual_tokens(torch.device("cpu"))
    2048
    """
    return USUAL_TOKENS.get(device.type, USUAL_TOKENS_ELSEWHERE)
