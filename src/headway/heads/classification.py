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
        pooling: name in POOLINGS, or a module with parameters of its own that does the same.
        output: the last linear layer, hidden -> classes.
        encoder: reads the states of whole texts before they are pooled, or None.
        transform: between pooling and `output`, or None.
        dropout: rate before `output`.
        transform_dropout: rate before `transform`.

    >>> sum(p.numel() for p in Classifier("first", nn.Linear(768, 2)).parameters())
    1538
    """

    per_token = False

    def __init__(
        self,
        pooling: str | nn.Module,
        output: nn.Linear,
        *,
        encoder: nn.Module | None = None,
        transform: nn.Module | None = None,
        dropout: float = 0.0,
        transform_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
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
        if self.encoder is not None:
            hidden = self.encoder(hidden, layout)
        pool = POOLINGS[self.pooling] if isinstance(self.pooling, str) else self.pooling
        return pool(hidden, layout)

    @property
    def reads_firsts(self) -> bool:
        """Whether first tokens' states are all it reads."""
        return self.encoder is None and self.pooling == "first"

    @property
    def is_linear(self) -> bool:
        """Whether `output` is all there is to learn."""
        return self.encoder is None and self.transform is None and isinstance(self.pooling, str)
