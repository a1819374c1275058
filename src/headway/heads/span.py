"""Where a span starts and where it ends: two logits a token."""

from __future__ import annotations

from torch import Tensor, nn

from headway.core.dropout import Dropout
from headway.core.layout import Layout

__all__ = ["SpanHead"]


class SpanHead(nn.Module):
    """Maps every token's hidden state to two numbers: that the answer starts here, and ends here.

    The token that ends an answer is its last one, not the one behind it. A softmax over the tokens
    of a text makes either column a distribution.

    Args:
        output: hidden -> 2.
        transform: between the two, or None (ModernBERT).
        dropout: rate before `output` (DistilBERT).

    >>> import torch
    >>> SpanHead(nn.Linear(8, 2))(torch.ones(6, 8), Layout((4, 2))).shape
    torch.Size([6, 2])

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
        """[tokens, hidden] -> logits [tokens, 2]: start, end."""
        if self.transform is not None:
            hidden = self.transform(hidden)
        return self.output(self.dropout(hidden))
