"""One row of logits a text."""

from __future__ import annotations

from torch import Tensor, nn

from headway.core.dropout import Dropout
from headway.core.layout import Layout
from headway.core.pooling import POOLINGS

__all__ = ["Classifier"]


class Classifier(nn.Module):
    """Pools a text's hidden states into one vector, and maps it to a number per class.

    Args:
        pooling: name in POOLINGS.
        output: the last linear layer, hidden -> classes.
        transform: between the two, or None.
        dropout: rate before `output`.
        transform_dropout: rate before `transform`.

    >>> sum(p.numel() for p in Classifier("first", nn.Linear(768, 2)).parameters())
    1538
    """

    per_token = False

    def __init__(
        self,
        pooling: str,
        output: nn.Linear,
        *,
        transform: nn.Module | None = None,
        dropout: float = 0.0,
        transform_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.transform_dropout = Dropout(transform_dropout)
        self.transform = transform
        self.dropout = Dropout(dropout)
        self.output = output

    def forward(self, hidden: Tensor, layout: Layout) -> Tensor:
        """[tokens, hidden] -> logits [sequences, classes]."""
        pooled = self.pooled(hidden, layout)
        if self.transform is not None:
            pooled = self.transform(self.transform_dropout(pooled))
        return self.output(self.dropout(pooled))

    def pooled(self, hidden: Tensor, layout: Layout) -> Tensor:
        """[tokens, hidden] -> one vector a sequence, [sequences, hidden]."""
        return POOLINGS[self.pooling](hidden, layout)
