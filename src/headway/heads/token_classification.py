"""One row of logits a token."""

from __future__ import annotations

from torch import Tensor, nn

from headway.core.dropout import Dropout
from headway.core.layout import Layout

__all__ = ["TokenClassifier"]


class TokenClassifier(nn.Module):
    """Maps every hidden state to a number per label: parts of speech, entities' tags.

    Args:
        output: the last linear layer, hidden -> labels.
        encoder: reads the states of whole sequences first, or None.
        transform: before `output`, or None.
        dropout: rate before `output`.

    >>> sum(p.numel() for p in TokenClassifier(nn.Linear(768, 9)).parameters())
    6921
    """

    per_token = True

    def __init__(
        self,
        output: nn.Linear,
        *,
        encoder: nn.Module | None = None,
        transform: nn.Module | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.transform = transform
        self.dropout = Dropout(dropout)
        self.output = output

    def forward(self, hidden: Tensor, layout: Layout) -> Tensor:
        """[tokens, hidden] -> logits [tokens, labels]."""
        if self.encoder is not None:
            hidden = self.encoder(hidden, layout)
        if self.transform is not None:
            hidden = self.transform(hidden)
        return self.output(self.dropout(hidden))
