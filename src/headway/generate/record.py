"""What is told of each token beside the token itself."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from headway.generate.text import Text

__all__ = ["Record"]


class Record:
    """Keeps the model's log-probabilities of what is written.

    Args:
        alternatives: how many of the likeliest tokens are kept at each place.
    """

    def __init__(self, alternatives: int = 0) -> None:
        self.alternatives = alternatives

    def __call__(self, logits: Tensor, texts: Sequence[Text], tokens: Sequence[int]) -> None:
        """Notes the next token of each text; for logits [texts, vocabulary] as the model made them.

        To be called before the token is added: what ends a text without being part of it is noted
        too, and left out by whoever reads `ids` beside it.
        """
        logs = logits.log_softmax(-1)
        taken = logs.gather(1, logits.new_tensor(tokens).long()[:, None])[:, 0].tolist()
        for text, log in zip(texts, taken, strict=True):
            text.log_probabilities.append(log)
        if self.alternatives:
            best = logs.topk(min(self.alternatives, logs.shape[1]))
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            for text, (ids, values) in zip(texts, pairs, strict=True):
                text.alternatives.append(dict(zip(ids, values, strict=True)))
