"""Replaced tokens: a small generator fills masks, and every token is asked: is it the text's own?

The generator learns masked words; what it draws stands in the text in their place. The model, the
discriminator, says of every token whether it was replaced, so that it learns from all of them. Both
have one word table, and one of positions. Only the discriminator is kept.

Siblings: `masked` learns from one token in seven.

Source: Clark et al. 2020, arXiv 2003.10555: a generator of a quarter of the width, and the
discriminator's loss at 50 times.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headway.checkpoints import Checkpoint, HeadPlan
from headway.core.initial import initialise
from headway.core.layout import Layout
from headway.core.stacks import Encoder
from headway.errors import ConfigError
from headway.heads import LanguageModelHead
from headway.model import Model
from headway.training.collate import Batch, Ready
from headway.training.masking import Choose, hidden_states, hide, mask_token, tokens

__all__ = ["Replaced"]

WIDTH = 4
"""The discriminator is so many times as wide as the generator."""
HEAD_SIZE = 64
"""Dimensions of an attention head of the generator, at most."""
WEIGHT = 50.0
"""Of the discriminator's loss; of two classes, it is far smaller than one over a vocabulary."""


@dataclass
class Replaced:
    """See `Objective`.

    Args:
        choose: what the generator is asked for together, of MASKINGS.

    Attributes:
        generator: made by `begun`.
    """

    choose: Choose = tokens
    generator: Model | None = field(default=None, repr=False)
    about: str = field(default="every token is asked: is it the text's own?", repr=False)
    head: str = field(default="replaced-token", repr=False)
    terms: tuple[str, ...] = field(default=("replaced", "generated"), repr=False)
    rate: float = field(default=5e-4, repr=False)
    joins: bool = field(default=True, repr=False)

    def check(self, model: Model) -> None:
        if self.head not in model.checkpoint.family.HEADS:
            raise ConfigError(
                f"{model.source or 'this model'} does not say of tokens whether they are replaced",
                allowed="a model of the ELECTRA family",
                next_step="--objective masked for other encoders",
            )
        mask_token(model)

    def begun(self, model: Model) -> nn.Module:
        """The generator: as deep, a quarter as wide, with the discriminator's tables."""
        checkpoint = model.checkpoint
        config = checkpoint.config
        hidden = max(1, config.hidden // WIDTH)
        heads = max(1, hidden // HEAD_SIZE)
        small = dataclasses.replace(
            config, hidden=hidden - hidden % heads, heads=heads,
            inner=max(1, config.inner // WIDTH), tied=True,
        )  # fmt: skip
        body = checkpoint.family.build(small)
        initialise(body, config.initial_std)
        body = body.to(next(model.body.parameters()))
        assert isinstance(model.body, Encoder) and isinstance(body, Encoder)
        own = model.body.embeddings
        body.embeddings.words, body.embeddings.positions = own.words, own.positions
        body.embeddings.segments = own.segments
        made = Checkpoint(checkpoint.family, small, body, tokenizer=checkpoint.tokenizer)
        self.generator = Model(made, source="the generator")
        task = "fill-mask"
        made.put_head(HeadPlan(task, checkpoint.family.HEADS[task]))
        self.generator.head = made.head
        return self.generator

    def collate(self, model: Model, batch: Batch, chance: torch.Generator | None) -> Ready:
        """Tokens are hidden; the discriminator is asked about all."""
        hidden = hide(model, batch.windows, [chance] * len(batch.windows), self.choose)
        return Ready(batch, hidden, (float(batch.tokens), float(sum(hidden.counts))))

    def loss(self, model: Model, ready: Ready) -> tuple[Tensor, ...]:
        """Both losses, in nats; what the generator draws carries no gradient."""
        assert self.generator is not None and model.head is not None
        assert isinstance(self.generator.head, LanguageModelHead)
        hidden = ready.wanted
        states, right = hidden_states(self.generator, hidden)
        drawn = torch.empty_like(right)

        def draw(rows: slice, logits: Tensor) -> None:
            """One token of each distribution."""
            noise = torch.empty_like(logits).exponential_().log_()
            drawn[rows] = (logits - noise).argmax(dim=-1)

        generated = self.generator.head.loss(states, right, draw)
        read = torch.tensor([token for window in ready.batch.windows for token in window])
        chosen = hidden.chosen.to(model.device)
        read = read.to(model.device)
        read[chosen] = drawn
        replaced = torch.zeros_like(read, dtype=torch.float32)
        replaced[chosen] = (drawn != right).float()
        layout = Layout(hidden.windows, device=model.device)
        said = model.head(model.body(read, layout), layout).float().squeeze(-1)
        found = F.binary_cross_entropy_with_logits(said, replaced, reduction="sum")
        return WEIGHT * found, generated
