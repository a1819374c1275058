"""Attention kernels: the only code that knows where one sequence ends and the next begins.

All three compute softmax(scale * q k' + added) v per sequence and head, and are proven equal:

eager    one sequence after the other, as the formula reads; the oracle, and the one that can
         show or edit the attention map
batched  padded inside, one call for the whole batch; the fast one on processors
varlen   the fused variable-length kernel of GPUs, nothing padded

Shapes: q [query tokens, heads, size]; k, v [key tokens, key heads, size], where heads is a multiple
of key heads (grouped-query attention); the result is [query tokens, heads, size].
Source: Vaswani et al. 2017, arXiv 1706.03762; grouped heads: Ainslie et al. 2023, arXiv 2305.13245.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from headway.core.dropout import dropout
from headway.core.masks import Pattern, everywhere
from headway.core.taps import Tap

__all__ = ["attend", "batched", "eager", "varlen"]


def attend(
    q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, *, scale: float, drop: float, map_tap: Tap
) -> Tensor:
    """Runs the fastest kernel that can do what is asked; see the module for shapes."""
    if map_tap.watched:
        return eager(q, k, v, pattern, scale=scale, drop=drop, map_tap=map_tap)
    if _varlen_can(q, pattern, drop):
        return varlen(q, k, v, pattern, scale=scale)
    return batched(q, k, v, pattern, scale=scale, drop=drop)


def eager(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    pattern: Pattern,
    *,
    scale: float,
    drop: float = 0.0,
    map_tap: Tap | None = None,
) -> Tensor:
    """The formula, sequence by sequence."""
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    maps = []
    for query, key, added in zip(
        pattern.queries.split(q), pattern.keys.split(k), pattern.per_sequence, strict=True
    ):
        scores = torch.einsum("qhd,khd->hqk", query, key) * scale + added.to(q.dtype)
        maps.append(scores.softmax(dim=-1))  # [heads, q, k]
    if map_tap is not None:
        maps = map_tap(maps)
    mixed = [
        torch.einsum("hqk,khd->qhd", dropout(weights, drop), value)
        for weights, value in zip(maps, pattern.keys.split(v), strict=True)
    ]
    return torch.cat(mixed)


def batched(
    q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, *, scale: float, drop: float = 0.0
) -> Tensor:
    """Pads q, k and v, and hands them to torch's fused attention or to matrix products."""
    queries = pattern.queries.pad(q).transpose(1, 2)  # [sequences, heads, longest, size]
    keys = pattern.keys.pad(k).transpose(1, 2)
    values = pattern.keys.pad(v).transpose(1, 2)
    grouped = q.shape[1] != k.shape[1]
    added = None if pattern.plainly_causal else pattern.padded
    if drop or (q.dtype != torch.float32 and queries.shape[2] <= 256 and not grouped):
        mixed = _by_products(queries, keys, values, pattern.padded, scale, drop, grouped)
    else:
        mixed = F.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=None if added is None else added.to(q.dtype),
            is_causal=pattern.plainly_causal,
            scale=scale,
            enable_gqa=grouped,
        )
    return pattern.queries.unpad(mixed.transpose(1, 2))


def _by_products(
    q: Tensor, k: Tensor, v: Tensor, added: Tensor | None, scale: float, drop: float, grouped: bool
) -> Tensor:
    """Two batched matrix products: torch's fused CPU kernel has no dropout, and is slow on short
    sequences in bf16."""
    if grouped:
        groups = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    scores = (q * scale) @ k.transpose(-1, -2)
    if added is not None:
        scores = scores + added.to(q.dtype)
    return dropout(scores.softmax(dim=-1), drop) @ v


def varlen(q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, *, scale: float) -> Tensor:
    """torch's fused variable-length attention (FlashAttention; GPU, half precision)."""
    from torch.nn.attention.varlen import varlen_attn

    mixed = varlen_attn(
        q,
        k,
        v,
        pattern.queries.boundaries.to(torch.int32),
        pattern.keys.boundaries.to(torch.int32),
        pattern.queries.longest,
        pattern.keys.longest,
        scale=scale,
        window_size=(-1, 0) if pattern.plainly_causal else (-1, -1),
        enable_gqa=q.shape[1] != k.shape[1],
    )
    assert isinstance(mixed, Tensor)  # a pair only where the normaliser is asked for
    return mixed


def _varlen_can(q: Tensor, pattern: Pattern, drop: float) -> bool:
    seen = pattern.plainly_causal or (pattern.mask is everywhere and pattern.bias is None)
    half = q.dtype in (torch.float16, torch.bfloat16)
    fits = q.shape[-1] % 8 == 0 and q.shape[-1] <= 256  # head sizes that FlashAttention has
    return q.is_cuda and half and fits and seen and not drop
