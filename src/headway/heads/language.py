"""One row of logits a token, over the vocabulary."""

from __future__ import annotations

from torch import Tensor, nn

from headway.core.layout import Layout
from headway.heads.classification import Classifier
from headway.heads.words import See, summed_word_loss, word_losses

__all__ = ["LanguageModelHead"]


class LanguageModelHead(nn.Module):
    """Maps every hidden state to a number per word of the vocabulary.

    Args:
        output: hidden -> vocabulary; its weight may be the body's embedding table itself (tied).
        transform: before it, or None.
        scale: what hidden states are multiplied by first (T5's tied head).
        choice: gives a whole text one score, for a choice among several; `forward` does not ask it.

    Source of tying: Press & Wolf 2016, arXiv 1608.05859.
    """

    per_token = True

    def __init__(
        self,
        output: nn.Linear,
        *,
        transform: nn.Module | None = None,
        scale: float = 1.0,
        choice: Classifier | None = None,
    ) -> None:
        super().__init__()
        self.transform = transform
        self.output = output
        self.scale = scale
        self.choice = choice

    def forward(self, hidden: Tensor, layout: Layout) -> Tensor:
        """[tokens, hidden] -> logits [tokens, vocabulary]."""
        logits: Tensor = self.output(self._before(hidden))
        return logits

    def loss(self, hidden: Tensor, words: Tensor, see: See | None = None) -> Tensor:
        """The sum of -log p of each word, float32; of logits only a piece is there at a time.

        Args:
            hidden: where the words are told, [tokens, hidden].
            words: int64 [tokens].
            see: is shown each piece's logits, or None.
        """
        return summed_word_loss(self.output, self._before(hidden), words, see)

    def losses(self, hidden: Tensor, words: Tensor) -> Tensor:
        """-log p of each word, float32 [tokens], without gradients; likewise."""
        return word_losses(self.output, self._before(hidden), words)

    def _before(self, hidden: Tensor) -> Tensor:
        """What the vocabulary is multiplied with, [tokens, hidden]."""
        if self.transform is not None:
            hidden = self.transform(hidden)
        return hidden * self.scale if self.scale != 1.0 else hidden
