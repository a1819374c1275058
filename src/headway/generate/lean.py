"""A step of decoding in few calls: one token a text, through bricks that are known to the letter.

A token's layer is so little work that torch's calls cost as much as the numbers. This path does
what `Decoder.forward` does with less than half of them: queries and keys are turned together, and
what is the same for all layers is made once. A decoder with any brick, attribute or hook that is
not known here takes the usual way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from headway.core.attention import SelfAttention
from headway.core.blocks import PreNormBlock
from headway.core.cache import Cache, Extension, LayerCache
from headway.core.layout import Layout
from headway.core.linear import FusedLinear
from headway.core.positions import Rotary
from headway.core.stacks import Decoder
from headway.core.taps import Tap

__all__ = ["Lean"]

KNOWN: dict[type, set[str]] = {
    Decoder: {"embeddings", "layers", "norm", "bias", "rotary", "dropout", "out"},
    PreNormBlock: {
        *("attention_norm", "attention", "feedforward_norm", "feedforward", "dropout", "out"),
    },
    SelfAttention: {"head_size", "scale", "dropout", "rotary", "qkv", "output", "map"},
    Rotary: {"frequencies"},
}
"""Brick -> all that it has; one with more computes more."""


@dataclass(frozen=True)
class _Step:
    """What is the same for all layers of one step."""

    extension: Extension
    mask: Tensor | None
    turn: tuple[Tensor, Tensor] | None


class Lean:
    """Steps of a decoder of known bricks.

    Args:
        decoder: see `of`.
    """

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.taps = [part for part in decoder.modules() if isinstance(part, Tap)]

    @classmethod
    def of(cls, decoder: Decoder) -> Lean | None:
        """The steps of a decoder; None where it has what is not known here, or is not on a CPU."""
        if next(decoder.parameters()).device.type != "cpu" or decoder.bias is not None:
            return None
        if any(part._forward_hooks or part._forward_pre_hooks for part in decoder.modules()):
            return None
        blocks = list(decoder.layers)
        attentions = [getattr(block, "attention", None) for block in blocks]
        if not all(_is_known(brick) for brick in (decoder, *blocks, *attentions)):
            return None
        for attention in attentions:
            assert isinstance(attention, SelfAttention)
            if type(attention.qkv) is not FusedLinear or not _turns(attention, decoder.rotary):
                return None
        return cls(decoder)

    @property
    def usable(self) -> bool:
        """Whether nobody watches a tap, which would have to be shown what is not made here."""
        return not any(tap.listeners for tap in self.taps)

    def __call__(self, tokens: Sequence[int], cache: Cache) -> Tensor:
        """The next token of each text -> hidden states [texts, hidden]; the cache learns them."""
        decoder = self.decoder
        extension = cache.advance(Layout((1,) * len(tokens), device=cache.layout.device))
        x: Tensor = decoder.embeddings(torch.tensor(tokens), extension.new)
        step = self._step(extension, x.dtype)
        for block, remembered in zip(decoder.layers, cache.self_attention, strict=True):
            assert isinstance(block, PreNormBlock)
            normed = block.attention_norm.forward(x)
            x = x + _attend(block.attention, normed, step, remembered)
            x = x + block.feedforward.forward(block.feedforward_norm.forward(x))
        return decoder.norm(x) if decoder.norm is not None else x

    def _step(self, extension: Extension, dtype: torch.dtype) -> _Step:
        rotary, total = self.decoder.rotary, extension.total
        mask, turn = None, None
        if not total.uniform:
            places = torch.arange(total.longest)
            beyond = places >= total.counts[:, None]  # [texts, longest]
            mask = torch.zeros(beyond.shape, dtype=_attends_in(dtype))
            mask = mask.masked_fill_(beyond, -torch.inf)[:, None, None]
        if rotary is not None:
            cos, sin = (part.to(dtype) for part in rotary.angles(extension.new.positions))
            turn = torch.cat([cos, cos], -1), torch.cat([-sin, sin], -1)  # [texts, 1, size] each
        return _Step(extension, mask, turn)


def _is_known(brick: object) -> bool:
    """Whether a brick is of a known kind, with nothing that its kind did not have."""
    if type(brick) not in KNOWN or not isinstance(brick, nn.Module):
        return False
    own = {name for name in vars(brick) if not name.startswith("_") and name != "training"}
    return own | brick._modules.keys() | brick._parameters.keys() <= KNOWN[type(brick)]


def _turns(attention: SelfAttention, rotary: Rotary | None) -> bool:
    """Whether queries and keys are turned as the step does it: whole heads, or not at all."""
    if rotary is None:
        return attention.rotary is None
    known = _is_known(rotary) and _is_known(attention.rotary)
    return known and 2 * len(rotary.frequencies) == attention.head_size


def _attends_in(dtype: torch.dtype) -> torch.dtype:
    """What attention is computed in: see `kernels` for one query in half precision."""
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype


def _attend(attention: SelfAttention, x: Tensor, step: _Step, cache: LayerCache) -> Tensor:
    """[texts, hidden] -> [texts, hidden]."""
    size = attention.head_size
    width, kv_width, _ = attention.qkv.widths
    heads, kv_heads = width // size, kv_width // size
    both = attention.qkv.forward(x).view(len(x), -1, size)  # [texts, heads + 2 kv heads, size]
    turned, values = both.split((heads + kv_heads, kv_heads), 1)
    if step.turn is not None:
        cos, sin = step.turn
        turned = torch.addcmul(turned * cos, turned.roll(size // 2, -1), sin)
    queries, keys = turned.split((heads, kv_heads), 1)
    total = step.extension.total
    seen = (total.pad(rows) for rows in cache.extend(keys, values, step.extension))
    inside = _attends_in(x.dtype)
    queries, keys, values = (
        part.to(inside) for part in (queries[:, :, None], *(rows.transpose(1, 2) for rows in seen))
    )
    mixed = scaled_dot_product_attention(
        queries,
        keys,
        values,
        attn_mask=step.mask,
        scale=attention.scale,
        enable_gqa=heads != kv_heads,
    )  # [texts, heads, 1, size]
    return attention.output.forward(mixed.to(x.dtype).view(len(x), width))
