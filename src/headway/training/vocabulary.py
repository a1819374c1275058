"""Training only the rows of the word table that the texts use.

A row that no text uses gets no gradient, so Adam would leave it where it is; but a large table of
them costs a pass over values, gradients and both moments at every step. With a few thousand texts,
nine rows in ten are unused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from headway.core.embeddings import Embeddings

__all__ = ["used_rows_only"]


class _UsedRows(nn.Module):
    """A word table of some rows, looked up by the ids of the whole one."""

    places: Tensor

    def __init__(self, whole: nn.Embedding, used: Tensor) -> None:
        super().__init__()
        places = torch.full((whole.num_embeddings,), -1, device=used.device)
        places[used] = torch.arange(len(used), device=used.device)
        self.register_buffer("places", places, persistent=False)
        self.weight = nn.Parameter(
            whole.weight.detach()[used], requires_grad=whole.weight.requires_grad
        )

    def forward(self, ids: Tensor) -> Tensor:
        """int64 [tokens] -> [tokens, hidden]."""
        return nn.functional.embedding(self.places[ids], self.weight)


@contextmanager
def used_rows_only(embeddings: Embeddings, ids: Iterable[Iterable[int]]) -> Iterator[None]:
    """While open, the word table holds the used rows only; when it closes they are back in it.

    Args:
        embeddings: whose `words` are meant.
        ids: every id that will be looked up meanwhile.
    """
    whole = embeddings.words
    used = sorted({token for text in ids for token in text})
    rows = torch.tensor(used, dtype=torch.int64, device=whole.weight.device)
    part = _UsedRows(whole, rows)
    setattr(embeddings, "words", part)  # noqa: B010  # another module type stands in for a while
    try:
        yield
    finally:
        with torch.no_grad():
            whole.weight[rows] = part.weight
        embeddings.words = whole
