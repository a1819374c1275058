"""Multi-head attention: the projections around a kernel.

Source: Vaswani et al. 2017, arXiv 1706.03762; grouped heads: Ainslie et al. 2023, arXiv 2305.13245.
"""

from __future__ import annotations

from torch import Tensor, nn

from headway.core.cache import Extension, LayerCache
from headway.core.dropout import Dropout
from headway.core.kernels import attend
from headway.core.linear import FusedLinear
from headway.core.masks import Pattern
from headway.core.positions import Rotary
from headway.core.taps import Tap
from headway.errors import CheckpointError

__all__ = ["CrossAttention", "SelfAttention", "equal_parts"]


class SelfAttention(nn.Module):
    """Each token looks at tokens of its own sequence.

    Args:
        hidden: size of a hidden state.
        heads: query heads.
        kv_heads: key and value heads, a divisor of `heads`; None = as many.
        head_size: size of one head; None = hidden / heads.
        bias: whether the four projections have one.
        output_bias: whether the last one has, where it differs (Qwen2); None = as `bias`.
        query_norm, key_norm: over each head's query and key (Qwen3), or None.
        scale: what scores are multiplied by; None = 1 / sqrt(head_size).
        dropout: rate on the attention map.
        rotary: turns queries and keys by their positions; None leaves them.
    """

    def __init__(
        self,
        hidden: int,
        heads: int,
        *,
        kv_heads: int | None = None,
        head_size: int | None = None,
        bias: bool = True,
        output_bias: bool | None = None,
        query_norm: nn.Module | None = None,
        key_norm: nn.Module | None = None,
        scale: float | None = None,
        dropout: float = 0.0,
        rotary: Rotary | None = None,
    ) -> None:
        super().__init__()
        kv_heads = heads if kv_heads is None else kv_heads
        if heads % kv_heads:
            raise CheckpointError(
                f"{heads} attention heads cannot share {kv_heads} key heads evenly"
            )
        self.head_size = equal_parts(hidden, heads) if head_size is None else head_size
        self.scale = self.head_size**-0.5 if scale is None else scale
        self.dropout = Dropout(dropout)
        self.rotary = rotary
        width, kv_width = heads * self.head_size, kv_heads * self.head_size
        self.qkv = FusedLinear(hidden, (width, kv_width, kv_width), bias=bias)
        self.query_norm, self.key_norm = query_norm, key_norm
        self.output = nn.Linear(width, hidden, bias=bias if output_bias is None else output_bias)
        self.map = Tap()

    def forward(
        self,
        x: Tensor,
        pattern: Pattern,
        *,
        angles: tuple[Tensor, Tensor] | None = None,
        cache: LayerCache | None = None,
        extension: Extension | None = None,
        rows: Tensor | None = None,
    ) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden], or [rows, hidden].

        Args:
            x: hidden states of the tokens of this call.
            pattern: who may attend to whom.
            angles: of the rotary positions of this call's tokens.
            cache: keys and values of earlier calls, extended here.
            extension: where this call's tokens go in the cache.
            rows: the tokens that look, where not all do; these have no rotary positions.
        """
        # [tokens, heads * size], k and v [tokens, kv heads * size]
        parts = self.qkv.separate(x) if rows is None else self.qkv.separate_first(x[rows], x)
        q, k, v = (part.unflatten(-1, (-1, self.head_size)) for part in parts)
        if self.query_norm is not None and self.key_norm is not None:
            q, k = self.query_norm(q), self.key_norm(k)
        if self.rotary is not None and angles is not None:
            q, k = self.rotary(q, angles), self.rotary(k, angles)
        if cache is not None and extension is not None:
            k, v = cache.extend(k, v, extension)
        drop = self.dropout.now
        mixed = attend(q, k, v, pattern, scale=self.scale, drop=drop, map_tap=self.map)
        return self.output(mixed.flatten(1))


class CrossAttention(nn.Module):
    """Each token looks at tokens of another sequence: a decoder at its encoder's output.

    Args: as SelfAttention; `memory_hidden` is the size of the states looked at, None = `hidden`.
    """

    def __init__(
        self,
        hidden: int,
        heads: int,
        *,
        memory_hidden: int | None = None,
        head_size: int | None = None,
        bias: bool = True,
        scale: float | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.head_size = equal_parts(hidden, heads) if head_size is None else head_size
        self.scale = self.head_size**-0.5 if scale is None else scale
        self.dropout = Dropout(dropout)
        width = heads * self.head_size
        self.q = nn.Linear(hidden, width, bias=bias)
        self.kv = FusedLinear(memory_hidden or hidden, (width, width), bias=bias)
        self.output = nn.Linear(width, hidden, bias=bias)
        self.map = Tap()

    def forward(
        self, x: Tensor, memory: Tensor, pattern: Pattern, *, cache: LayerCache | None = None
    ) -> Tensor:
        """[tokens, hidden], [memory tokens, memory hidden] -> [tokens, hidden].

        Args:
            x: the tokens that look.
            memory: the states looked at.
            pattern: queries' layout beside the memory's.
            cache: keeps the memory's keys and values, which are the same at every call.
        """
        q = self.q(x).unflatten(-1, (-1, self.head_size))  # [tokens, heads, size]
        if cache is not None and cache.keys is not None and cache.values is not None:
            k, v = cache.keys, cache.values
        else:
            parts = self.kv.separate(memory)
            k, v = (part.unflatten(-1, (-1, self.head_size)) for part in parts)
        if cache is not None:
            cache.keys, cache.values = k, v
        drop = self.dropout.now
        mixed = attend(q, k, v, pattern, scale=self.scale, drop=drop, map_tap=self.map)
        return self.output(mixed.flatten(1))


def equal_parts(hidden: int, heads: int) -> int:
    """The size of one of `heads` equal parts of a hidden state.

    Raises:
        CheckpointError: there are no such parts.
    """
    if hidden % heads:
        raise CheckpointError(f"a hidden size of {hidden} cannot be split into {heads} equal heads")
    return hidden // heads
