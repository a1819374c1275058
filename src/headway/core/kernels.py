"""Attention kernels: the only code that knows where one sequence ends and the next begins.

All five compute softmax(scale * q k' + added) v per sequence and head, and are proven equal:

eager    one sequence after the other, as the formula reads; the oracle, and the one that can
         show or edit the attention map
batched  padded inside, one call for the whole batch; the fast one on processors
apart    one call a text, nothing padded: for prompts of different lengths
banded   cut into blocks, each beside the keys that a window reaches: linear in a text's length
varlen   the fused variable-length kernel of GPUs, nothing padded

Another, in `padded.py`, is for programs that are traced to run elsewhere.

Shapes: q [query tokens, heads, size]; k, v [key tokens, key heads, size], where heads is a multiple
of key heads (grouped-query attention); the result is [query tokens, heads, size].
Source: Vaswani et al. 2017, arXiv 1706.03762; grouped heads: Ainslie et al. 2023, arXiv 2305.13245.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from headway.core.attention_dropout import attention_with_dropout
from headway.core.band import Band
from headway.core.dropout import dropout, dropped_of
from headway.core.layout import Layout
from headway.core.masks import Local, Pattern, SlidingCausal, causal, everywhere
from headway.core.padded import PaddedLayout, padded
from headway.core.taps import Tap

__all__ = [
    "apart",
    "attend",
    "attention_maps",
    "banded",
    "batched",
    "eager",
    "mixed_by_maps",
    "varlen",
]

SHORT = 512
"""Longest sequences, in tokens, on which products beat torch's fused half-precision kernel."""

VECTOR = 64
"""Bytes that a processor works on at once; what of a row is left over goes number by number."""

MAP_ELEMENTS = 2**22
"""Numbers of attention maps made at once: 8 MB in half precision."""

ONE_CALL = 2**12
"""Numbers of attention maps that take as long as one more call, as measured."""


def attend(
    q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, *, scale: float, drop: float, map_tap: Tap
) -> Tensor:
    """Runs the fastest kernel that can do what is asked; see the module for shapes."""
    if isinstance(pattern.queries, PaddedLayout):
        return padded(q, k, v, pattern, scale=scale)
    if map_tap.watched:
        return eager(q, k, v, pattern, scale=scale, drop=drop, map_tap=map_tap)
    if _varlen_can(q, pattern, drop):
        return varlen(q, k, v, pattern, scale=scale)
    if not drop and _worth_setting_apart(q, pattern):
        return apart(q, k, v, pattern, scale=scale)
    kernel = batched if pattern.band is None else banded
    return kernel(q, k, v, pattern, scale=scale, drop=drop)


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
    maps = attention_maps(q, k, pattern, scale=scale)
    if map_tap is not None:
        maps = map_tap(maps)
    return torch.cat(mixed_by_maps(maps, v, pattern.keys, drop=drop))


def attention_maps(q: Tensor, k: Tensor, pattern: Pattern, *, scale: float) -> list[Tensor]:
    """Whom each query attends to and how much, [heads, q, k] a sequence; rows add up to 1."""
    k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
    maps = []
    for query, key, added in zip(
        pattern.queries.split(q), pattern.keys.split(k), pattern.per_sequence, strict=True
    ):
        scores = torch.einsum("qhd,khd->hqk", query, key) * scale + added.to(q.dtype)
        maps.append(scores.softmax(dim=-1))  # [heads, q, k]
    return maps


def mixed_by_maps(
    maps: list[Tensor], v: Tensor, keys: Layout, *, drop: float = 0.0
) -> list[Tensor]:
    """Values weighted by maps [heads, q, k]: [q, heads, size] a sequence."""
    mixed = []
    for weights, value in zip(maps, keys.split(v), strict=True):
        value = value.repeat_interleave(weights.shape[0] // value.shape[1], dim=1)
        mixed.append(torch.einsum("hqk,khd->qhd", dropout(weights, drop), value))
    return mixed


def batched(
    q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, *, scale: float, drop: float = 0.0
) -> Tensor:
    """Pads q, k and v, and hands them to torch's fused attention or to matrix products."""
    queries = pattern.queries.pad(q).transpose(1, 2)  # [sequences, heads, longest, size]
    width = _in_whole_vectors(q, pattern)
    keys = pattern.keys.pad_to(width, k).transpose(1, 2)  # [sequences, key heads, width, size]
    values = pattern.keys.pad_to(width, v).transpose(1, 2)
    if not drop and _one_query_in_half(q, pattern):
        queries, keys, values = queries.float(), keys.float(), values.float()
    if drop or _products_win(queries, keys):
        added = _unseen_behind(pattern.padded, keys, pattern)
        mixed = _by_products(queries, keys, values, added, scale, drop).to(q.dtype)
    else:
        added = _unseen_behind(None if pattern.plainly_causal else pattern.padded, keys, pattern)
        mixed = F.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=None if added is None else added.to(queries.dtype),
            is_causal=pattern.plainly_causal,
            scale=scale,
            enable_gqa=q.shape[1] != k.shape[1],
        ).to(q.dtype)
    return pattern.queries.unpad(mixed.transpose(1, 2))


def apart(q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, *, scale: float) -> Tensor:
    """torch's fused attention text by text, for patterns that are plainly causal.

    Half precision is computed in single: kernels for it are made anew for each length.
    """
    half = q.dtype in (torch.bfloat16, torch.float16)
    queries, keys, values = (
        [
            text.transpose(0, 1)[None]
            for text in pattern.queries.split(part.float() if half else part)
        ]
        for part in (q, k, v)
    )  # [1, heads, length, size] a text
    grouped = q.shape[1] != k.shape[1]
    mixed = [
        F.scaled_dot_product_attention(
            query, key, value, is_causal=True, scale=scale, enable_gqa=grouped
        )
        for query, key, value in zip(queries, keys, values, strict=True)
    ]
    return torch.cat([text[0].transpose(0, 1) for text in mixed]).to(q.dtype)


def banded(
    q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, *, scale: float, drop: float = 0.0
) -> Tensor:
    """As `batched`, on the blocks of `pattern.band`: what no window reaches is never multiplied."""
    band, added = pattern.band, pattern.banded
    assert band is not None  # the caller asks where the pattern has one
    assert added is not None
    queries = band.cut(q).transpose(1, 2)  # [blocks, heads, block, size]
    keys = _in_reach(k, pattern, band).transpose(1, 2)  # [blocks, heads, width + global, size]
    values = _in_reach(v, pattern, band).transpose(1, 2)
    if drop or _products_win(queries, keys):
        mixed = _by_products(queries, keys, values, added, scale, drop)
    else:
        mixed = F.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=added.to(q.dtype),
            scale=scale,
            enable_gqa=q.shape[1] != k.shape[1],
        )
    return band.join(mixed.transpose(1, 2))


def _in_reach(rows: Tensor, pattern: Pattern, band: Band) -> Tensor:
    """Rows of keys [tokens, ...] as those each block may see: its window, then the global keys of
    its text, [blocks, width + most global keys, ...]."""
    windows = band.windows(rows)
    if not any(pattern.global_keys):
        return windows
    pairs = zip(pattern.keys.split(rows), pattern.global_keys, strict=True)
    firsts = torch.cat([text[:count] for text, count in pairs])
    padded = Layout(pattern.global_keys, device=rows.device).pad(firsts)
    return torch.cat([windows, padded.index_select(0, band.blocks.sequence)], dim=1)


def _worth_setting_apart(q: Tensor, pattern: Pattern) -> bool:
    """Whether whole causal texts are read, on a processor and without gradients, of which padding
    would be a large part."""
    if q.is_cuda or torch.is_grad_enabled() or not pattern.plainly_causal:
        return False
    lengths = pattern.queries.lengths
    padding = len(lengths) * pattern.queries.longest**2 - sum(length**2 for length in lengths)
    return all(lengths) and q.shape[1] * padding > ONE_CALL * len(lengths)


def _one_query_in_half(q: Tensor, pattern: Pattern) -> bool:
    """Whether it is a step of decoding in half precision on a processor: one query a sequence is
    four times as fast in single, since half-precision kernels are made anew for each length."""
    half = q.dtype in (torch.bfloat16, torch.float16)
    return half and not q.is_cuda and pattern.queries.longest == 1 and not torch.is_grad_enabled()


def _in_whole_vectors(q: Tensor, pattern: Pattern) -> int:
    """How many keys the rows of a map have: more than there are where over half a vector would be
    left over, for as measured a softmax takes as long over such a rest as over three whole vectors.
    In single precision only rows of less than one vector gain; causal ones are left as they are."""
    longest, lanes = pattern.keys.longest, VECTOR // q.element_size()
    rest = longest % lanes
    gains = q.element_size() < 4 or longest < lanes
    cached = any(pattern.queries.past)  # a copy of all that came before costs more
    if q.is_cuda or cached or pattern.queries.longest == 1 or pattern.plainly_causal:
        return longest
    return longest + lanes - rest if gains and rest > lanes // 2 else longest


def _unseen_behind(added: Tensor | None, keys: Tensor, pattern: Pattern) -> Tensor | None:
    """What is added to the scores, for as many keys as there are now: nobody sees the new ones."""
    more = keys.shape[2] - pattern.keys.longest
    if not more:
        return added
    if added is None:
        added = keys.new_zeros(1, 1, 1, pattern.keys.longest)
    return F.pad(added, (0, more), value=-torch.inf)


def _products_win(q: Tensor, k: Tensor) -> bool:
    """Whether plain matrix products are faster than torch's fused kernel, as measured: in half
    precision on a processor that kernel is slow on short sequences, most of all backwards."""
    return not q.is_cuda and q.dtype != torch.float32 and k.shape[2] <= SHORT


def _by_products(
    q: Tensor, k: Tensor, v: Tensor, added: Tensor | None, scale: float, drop: float
) -> Tensor:
    """Matrix products, some sequences at a time so that maps stay in the processor's cache; where
    that takes several times, maps are made again for the backward pass rather than kept. With
    dropout on a processor both passes are `attention_with_dropout`'s."""
    if q.shape[1] != k.shape[1]:
        groups = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    if added is not None:
        added = added.to(q.dtype)
    dropped = dropped_of(drop)
    if not q.is_cuda and dropped in range(1, 256):
        return attention_with_dropout(q, k, v, added, scale=scale, dropped=dropped)
    at_once = max(1, MAP_ELEMENTS // (q.shape[1] * q.shape[2] * k.shape[2]))
    if at_once >= len(q):
        return _products(q, k, v, added, scale, drop)
    mixed = []
    for first in range(0, len(q), at_once):
        part = slice(first, first + at_once)
        bias = added if added is None or len(added) == 1 else added[part]
        inputs = q[part], k[part], v[part], bias, scale, drop
        mixed.append(checkpoint(_products, *inputs, use_reentrant=False))
    return torch.cat(mixed)


def _products(
    q: Tensor, k: Tensor, v: Tensor, added: Tensor | None, scale: float, drop: float
) -> Tensor:
    """The formula on padded sequences: [sequences, heads, q or k, size]."""
    scores = (q * scale) @ k.transpose(-1, -2)  # [sequences, heads, q, k]
    if added is not None:
        scores = scores + added
    return dropout(scores.softmax(dim=-1), drop) @ v


def varlen(q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, *, scale: float) -> Tensor:
    """torch's fused variable-length attention (FlashAttention; GPU, half precision)."""
    from torch.nn.attention.varlen import varlen_attn

    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    window = _fused_window(pattern)
    assert window is not None  # `attend` asks first
    mixed = varlen_attn(
        q,
        k,
        v,
        pattern.queries.boundaries.to(torch.int32),
        pattern.keys.boundaries.to(torch.int32),
        pattern.queries.longest,
        pattern.keys.longest,
        scale=scale,
        window_size=window,
    )
    assert isinstance(mixed, Tensor)  # a pair only where the normaliser is asked for
    return mixed


def _varlen_can(q: Tensor, pattern: Pattern, drop: float) -> bool:
    half = q.dtype in (torch.float16, torch.bfloat16)
    fits = q.shape[-1] % 8 == 0 and q.shape[-1] <= 256  # head sizes that FlashAttention has
    return q.is_cuda and half and fits and not drop and _fused_window(pattern) is not None


def _fused_window(pattern: Pattern) -> tuple[int, int] | None:
    """The pattern as FlashAttention says it: how many places a query sees before its own and
    behind it, -1 = all; None = it cannot be said so."""
    if not pattern.plain:
        return None
    if pattern.mask is everywhere:
        return -1, -1
    if not pattern.whole:
        return None
    if pattern.mask is causal:
        return -1, 0
    return pattern.mask.reach if isinstance(pattern.mask, Local | SlidingCausal) else None
