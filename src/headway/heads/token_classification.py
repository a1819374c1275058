"""One row of logits a token, over classes."""

from __future__ import annotations

from torch import Tensor, nn

from headway.core.dropout import Dropout
from headway.core.layout import Layout

__all__ = ["TokenClassifier"]


class TokenClassifier(nn.Module):
    """Maps every token's hidden state to a number per class: entities, parts of speech.

    `Classifier` does so for a whole text.

    Args:
        output: hidden -> classes.
        transform: before it, or None.
        dropout: rate before `output`.

    >>> import torch
    >>> TokenClassifier(nn.Linear(8, 5))(torch.ones(6, 8), Layout((4, 2))).shape
    torch.Size([6, 5])

    Source: Devlin et al. 2018, arXiv 1810.04805, section 5.3.
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
        """[tokens, hidden] -> logits [tokens, classes]."""
        if self.transform is not None:
            hidden = self.transform(hidden)
        return self.output(self.dropout(hidden))
