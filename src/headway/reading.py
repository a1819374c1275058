"""Texts of any length through a model, and their windows combined."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.core.ragged import window_means
from headway.core.stacks import Encoder
from headway.heads import Classifier
from headway.model import Model
from headway.windows import Windowed

__all__ = ["HeadLogits", "read_windows"]


def read_windows(
    model: Model,
    texts: Sequence[Windowed],
    read: Callable[[Tensor, Layout], Tensor],
    *,
    batch_tokens: int | None = None,
    what: str = "Reading",
) -> Tensor:
    """Runs texts of any length through the body, and combines each text's windows.

    Args:
        model: an encoder or a decoder.
        texts: as `window_texts` makes them.
        read: hidden states [tokens, hidden] and their layout -> one row a window; the head, or
            a pooling.
        batch_tokens, what: as in `Model.read_each`.

    Returns:
        [texts, ...]: the mean over a text's windows, float32, in the order of `texts`. Errors
        are those of `Model.read_each`.
    """
    found = model.read_each(
        texts,
        lambda hidden, layout: read(hidden, layout).float().cpu(),
        batch_tokens=batch_tokens,
        what=what,
    )
    return window_means(found) if found else torch.empty(0, 0)


class HeadLogits:
    """What a model's head says of each window, for `Model.read_each`.

    Args:
        model: an encoder or a decoder with a head.

    Attributes:
        firsts: whether it reads first tokens' states alone.
    """

    def __init__(self, model: Model) -> None:
        head = model.head
        assert head is not None
        self.head = head
        self.firsts = (
            isinstance(model.body, Encoder) and isinstance(head, Classifier) and head.reads_firsts
        )

    def __call__(self, hidden: Tensor, layout: Layout) -> Sequence[Tensor]:
        """Float32 logits on the CPU, of each window [tokens, labels] from a head for tokens, else
        [labels]."""
        made = self.head(hidden, layout).float().cpu()
        return layout.split(made) if self.head.per_token else list(made)
