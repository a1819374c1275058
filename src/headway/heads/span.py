"""Two numbers a token: whether an answer starts there, and whether it ends there."""

from __future__ import annotations

from torch import Tensor, nn

from headway.core.dropout import Dropout
from headway.core.layout import Layout

__all__ = ["SpanHead"]


class SpanHead(nn.Module):
    """Maps every hidden state to a start and an end, as answers in a text are found.

    Args:
        output: the last linear layer, hidden -> 2.
        transform: before it, or None.
        dropout: rate before `output`.

    >>> sum(p.numel() for p in SpanHead(nn.Linear(768, 2)).parameters())
    1538

    Source: Devlin et al. 2018, arXiv 1810.04805, section 4.2.
    """

    per_token = True

    def __init__(
        self, output: nn.Linear, *, transform: nn.Module | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.transform = transform
        self.dropout = Dropout(dropout)
        self.output = output

    def forward(self, hidden: Tensor, layout: Layout) -> Tensor:
        """[tokens, hidden] -> logits of start and end, [tokens, 2]."""
        if self.transform is not None:
            hidden = self.transform(hidden)
        return self.output(self.dropout(hidden))
