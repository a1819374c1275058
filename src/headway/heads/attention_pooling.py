"""One vector a sequence: a mean whose weights are learned."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headway.core.layout import Layout
from headway.core.pooling import maximum
from headway.core.taps import Tap

__all__ = ["AttentionPooling"]


class AttentionPooling(nn.Module):
    """A learned query scores each token; the states' mean is weighted by the softmax of the scores.

    The score of a state h is query · tanh(key h), and a softmax goes over one sequence's tokens.
    What each token weighs passes the tap `weights`, float32 [tokens], and can be read or edited.

    Args:
        hidden: size of a hidden state.
        size: of the keys and the query.

    >>> import torch
    >>> pooling = AttentionPooling(4, 2)
    >>> pooling(torch.ones(5, 4), Layout((3, 2))).shape
    torch.Size([2, 4])

    Sources: Yang et al. 2016, "Hierarchical attention networks for document classification";
    Lin et al. 2017, arXiv 1703.03130, with one row of attention.
    """

    def __init__(self, hidden: int, size: int = 128) -> None:
        super().__init__()
        self.key = nn.Linear(hidden, size)
        self.query = nn.Linear(size, 1, bias=False)
        self.weights = Tap()

    def forward(self, hidden: Tensor, layout: Layout) -> Tensor:
        """[tokens, hidden] -> [sequences, hidden]."""
        scores = self.query(self.key(hidden).tanh()).squeeze(-1)  # [tokens]
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        weighted = self.weights(_softmax(scores, layout))[:, None] * hidden
        return layout.sums(weighted).to(hidden.dtype)


def _softmax(scores: Tensor, layout: Layout) -> Tensor:
    """Softmax of each sequence's own scores, [tokens] -> [tokens]."""
    # Shifting by the largest changes no result, so no gradient goes through it.
    largest = maximum(scores.detach()[:, None], layout).squeeze(-1)  # [sequences]
    powers = (scores - largest[layout.sequence]).exp()
    return powers / layout.sums(powers)[layout.sequence]
