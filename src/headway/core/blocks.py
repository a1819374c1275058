"""Transformer blocks: where the norms stand around attention and feed-forward.

post-norm   x = norm(x + f(x))     (BERT; Vaswani et al. 2017)
pre-norm    x = x + f(norm(x))     (GPT-2, T5, Llama; Xiong et al. 2020, arXiv 2002.04745)

A cross block looks at another stack's output between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from headway.core.attention import CrossAttention, SelfAttention
from headway.core.cache import Extension, LayerCache
from headway.core.dropout import Dropout
from headway.core.masks import Pattern
from headway.core.taps import Tap

__all__ = [
    "Memory",
    "PostNormBlock",
    "PostNormCrossBlock",
    "PreNormBlock",
    "PreNormCrossBlock",
    "Step",
]


@dataclass(frozen=True)
class Memory:
    """What a decoder looks at: an encoder's output and who may see what of it.

    Args:
        states: [memory tokens, hidden]
        pattern: from the decoder's tokens to the memory's.
        cache: keys and values of the states, made at the first call.
    """

    states: Tensor
    pattern: Pattern
    cache: LayerCache | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What a block's cross-attention is called with, beside its tokens."""
        return {"memory": self.states, "pattern": self.pattern, "cache": self.cache}


@dataclass(frozen=True)
class Step:
    """What is the same for the blocks of one forward pass, but for each block's own cache.

    Args:
        pattern: who may attend to whom.
        angles: of rotary positions, or None.
        extension: where this call's tokens go in the cache, or None.
        rows: the tokens whose states are asked for, int64, in the order of the pattern's queries;
            None = all.
    """

    pattern: Pattern
    angles: tuple[Tensor, Tensor] | None = None
    extension: Extension | None = None
    rows: Tensor | None = None

    def asked(self, x: Tensor) -> Tensor:
        """The states [tokens, hidden] of the tokens that are asked for."""
        return x if self.rows is None else x[self.rows]

    def given(self, cache: LayerCache | None) -> dict[str, Any]:
        """What a block's attention is called with, beside its tokens."""
        given = {
            "pattern": self.pattern,
            "angles": self.angles,
            "cache": cache,
            "extension": self.extension,
        }
        return given if self.rows is None else {**given, "rows": self.rows}


class PostNormBlock(nn.Module):
    """Attention, then feed-forward, each added to its input and normalised after.

    Args:
        attention, feedforward: the two halves; attention is called as SelfAttention is.
        attention_norm, feedforward_norm: behind each.
        dropout: rate on what each half adds.
        attention_dropout: rate on what attention adds, where it differs (DistilBERT, ModernBERT).
    """

    def __init__(
        self,
        attention: nn.Module,
        attention_norm: nn.Module,
        feedforward: nn.Module,
        feedforward_norm: nn.Module,
        *,
        dropout: float = 0.0,
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.attention = attention
        self.attention_norm = attention_norm
        self.feedforward = feedforward
        self.feedforward_norm = feedforward_norm
        self.dropout = Dropout(dropout)
        self.attention_dropout = (
            self.dropout if attention_dropout is None else Dropout(attention_dropout)
        )
        self.out = Tap()

    def forward(self, x: Tensor, step: Step, cache: LayerCache | None = None) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden], or of the tokens asked for."""
        added = self.attention(x, **step.given(cache))
        x = self.attention_norm(step.asked(x) + self.attention_dropout(added))
        x = self.feedforward_norm(x + self.dropout(self.feedforward(x)))
        return self.out(x)


class PreNormBlock(nn.Module):
    """Attention, then feed-forward, each fed normalised and added to what came in.

    Args: as PostNormBlock; the norms stand before.
    """

    def __init__(
        self,
        attention: SelfAttention,
        attention_norm: nn.Module,
        feedforward: nn.Module,
        feedforward_norm: nn.Module,
        *,
        dropout: float = 0.0,
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.attention_norm = attention_norm
        self.attention = attention
        self.feedforward_norm = feedforward_norm
        self.feedforward = feedforward
        self.dropout = Dropout(dropout)
        self.attention_dropout = (
            self.dropout if attention_dropout is None else Dropout(attention_dropout)
        )
        self.out = Tap()

    def forward(self, x: Tensor, step: Step, cache: LayerCache | None = None) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden], or of the tokens asked for."""
        added = self.attention(self.attention_norm(x), **step.given(cache))
        x = step.asked(x) + self.attention_dropout(added)
        x = x + self.dropout(self.feedforward(self.feedforward_norm(x)))
        return self.out(x)


class PostNormCrossBlock(nn.Module):
    """PostNormBlock with a look at the encoder between attention and feed-forward (BART's decoder).

    Args: as PostNormBlock, and `cross_attention` with its norm.
    """

    def __init__(
        self,
        attention: SelfAttention,
        attention_norm: nn.Module,
        cross_attention: CrossAttention,
        cross_attention_norm: nn.Module,
        feedforward: nn.Module,
        feedforward_norm: nn.Module,
        *,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention = attention
        self.attention_norm = attention_norm
        self.cross_attention = cross_attention
        self.cross_attention_norm = cross_attention_norm
        self.feedforward = feedforward
        self.feedforward_norm = feedforward_norm
        self.dropout = Dropout(dropout)
        self.out = Tap()

    def forward(
        self, x: Tensor, step: Step, cache: LayerCache | None = None, *, memory: Memory
    ) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden]."""
        x = self.attention_norm(x + self.dropout(self.attention(x, **step.given(cache))))
        seen = self.cross_attention(x, **memory.given)
        x = self.cross_attention_norm(x + self.dropout(seen))
        x = self.feedforward_norm(x + self.dropout(self.feedforward(x)))
        return self.out(x)


class PreNormCrossBlock(nn.Module):
    """PreNormBlock with a look at the encoder between attention and feed-forward (T5's decoder).

    Args: as PreNormBlock, and `cross_attention` with its norm.
    """

    def __init__(
        self,
        attention: SelfAttention,
        attention_norm: nn.Module,
        cross_attention: CrossAttention,
        cross_attention_norm: nn.Module,
        feedforward: nn.Module,
        feedforward_norm: nn.Module,
        *,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention_norm = attention_norm
        self.attention = attention
        self.cross_attention_norm = cross_attention_norm
        self.cross_attention = cross_attention
        self.feedforward_norm = feedforward_norm
        self.feedforward = feedforward
        self.dropout = Dropout(dropout)
        self.out = Tap()

    def forward(
        self, x: Tensor, step: Step, cache: LayerCache | None = None, *, memory: Memory
    ) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden]."""
        x = x + self.dropout(self.attention(self.attention_norm(x), **step.given(cache)))
        seen = self.cross_attention(self.cross_attention_norm(x), **memory.given)
        x = x + self.dropout(seen)
        x = x + self.dropout(self.feedforward(self.feedforward_norm(x)))
        return self.out(x)
