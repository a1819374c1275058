"""A step of decoding in few calls: one token a text, through bricks that are known to the letter.

A token's layer is so little work that torch's calls cost as much as the numbers. This path does
what `Decoder.forward` does with less than half of them: queries and keys are turned together, and
what is the same for all layers is made once. A decoder with any brick, attribute or hook that is
not known here takes the usual way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from headway.core.attention import SelfAttention
from headway.core.blocks import PreNormBlock
from headway.core.cache import Cache, Extension, LayerCache
from headway.core.feedforward import GatedFeedForward
from headway.core.layout import Layout
from headway.core.linear import FusedLinear
from headway.core.masks import causal
from headway.core.positions import Rotary
from headway.core.stacks import Decoder
from headway.core.taps import Tap

__all__ = ["Lean"]

KNOWN: dict[type, set[str]] = {
    Decoder: {
        *("embeddings", "layers", "norm", "bias", "rotary", "dropout", "out", "masks", "bridge"),
    },
    PreNormBlock: {
        *("attention_norm", "attention", "feedforward_norm", "feedforward"),
        *("dropout", "attention_dropout", "out"),
    },
    SelfAttention: {
        *("head_size", "scale", "dropout", "rotary", "qkv", "output", "map"),
        *("query_norm", "key_norm"),
    },
    Rotary: {"frequencies"},
    GatedFeedForward: {"gate_value", "activation", "dropout", "down"},
}
"""Brick -> all that it has; one with more computes more."""


Rows = Callable[[Tensor], Tensor]
"""[texts, hidden] -> [texts, hidden]."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """A block's bricks; a module's own attributes are slower to reach."""

    attention_norm: Rows
    qkv: FusedLinear
    output: nn.Linear
    feedforward_norm: Rows
    feedforward: Rows
    size: int
    heads: int
    kv_heads: int
    scale: float


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
        self.layers = [_layer(block) for block in decoder.layers]
        self.taps = [part for part in decoder.modules() if isinstance(part, Tap)]

    @classmethod
    def of(cls, decoder: Decoder) -> Lean | None:
        """The steps of a decoder; None where it has what is not known here, or is not on a CPU."""
        if next(decoder.parameters()).device.type != "cpu" or decoder.bias is not None:
            return None
        if decoder.bridge is not None or any(mask is not causal for mask in decoder.masks):
            return None
        if any(part._forward_hooks or part._forward_pre_hooks for part in decoder.modules()):
            return None
        blocks = list(decoder.layers)
        attentions = [getattr(block, "attention", None) for block in blocks]
        if not all(_is_known(brick) for brick in (decoder, *blocks, *attentions)):
            return None
        for attention in attentions:
            assert isinstance(attention, SelfAttention)
            normed = attention.query_norm is not None or attention.key_norm is not None
            plain = type(attention.qkv) is FusedLinear and not normed
            if not plain or not _turns(attention, decoder.rotary):
                return None
        return cls(decoder)

    @property
    def usable(self) -> bool:
        """Whether nobody watches a tap, which would have to be shown what is not made here, and
        torch casts no products, which it would not do here."""
        return not (torch.is_autocast_enabled("cpu") or any(tap.listeners for tap in self.taps))

    def __call__(
        self, tokens: Sequence[int], cache: Cache, segments: Tensor | None = None
    ) -> Tensor:
        """The next token of each text, and its segment -> hidden states [texts, hidden]; the cache
        learns them."""
        decoder = self.decoder
        extension = cache.advance(Layout((1,) * len(tokens), device=cache.layout.device))
        x: Tensor = decoder.embeddings(torch.tensor(tokens), extension.new, segments)
        step = self._step(extension, x.dtype)
        for layer, remembered in zip(self.layers, cache.self_attention, strict=True):
            x = x + _attend(layer, layer.attention_norm(x), step, remembered)
            x = x + layer.feedforward(layer.feedforward_norm(x))
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


def _layer(block: nn.Module) -> _Layer:
    assert isinstance(block, PreNormBlock), "`of` has looked"
    attention = block.attention
    width, kv_width, _ = attention.qkv.widths
    size = attention.head_size
    return _Layer(
        _norm(block.attention_norm),
        attention.qkv,
        attention.output,
        _norm(block.feedforward_norm),
        _feedforward(block.feedforward),
        size,
        width // size,
        kv_width // size,
        attention.scale,
    )


def _norm(norm: nn.Module) -> Rows:
    """A norm; torch's own root-mean-square norm takes ten calls where five do."""
    if type(norm) is not nn.RMSNorm or norm.weight is None or norm.eps is None:
        return norm
    weight, share = norm.weight, 1 / norm.weight.numel()
    inside = _attends_in(weight.dtype)
    epsilon = torch.tensor(norm.eps, dtype=inside)

    def rows(x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=inside)
        scale = torch.addcmul(epsilon, length, length, value=share).rsqrt_()
        return (x * scale * weight).to(x.dtype)

    return rows


def _feedforward(feedforward: nn.Module) -> Rows:
    if type(feedforward) is not GatedFeedForward or not _is_known(feedforward):
        return feedforward
    gate_value, down = feedforward.gate_value, feedforward.down
    bend, inner = feedforward.activation, feedforward.gate_value.widths[0]

    def rows(x: Tensor) -> Tensor:
        both = gate_value.forward(x)  # [texts, 2 inner]
        return down.forward(bend.forward(both[:, :inner]) * both[:, inner:])

    return rows


def _attends_in(dtype: torch.dtype) -> torch.dtype:
    """What attention is computed in: see `kernels` for one query in half precision."""
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype


def _attend(layer: _Layer, x: Tensor, step: _Step, cache: LayerCache) -> Tensor:
    """[texts, hidden] -> [texts, hidden]."""
    texts, size, heads, kv_heads = len(x), layer.size, layer.heads, layer.kv_heads
    both = layer.qkv.forward(x).view(texts, -1, size)  # [texts, heads + 2 kv heads, size]
    turned, values = both[:, : heads + kv_heads], both[:, heads + kv_heads :]
    if step.turn is not None:
        cos, sin = step.turn
        turned = torch.addcmul(turned * cos, turned.roll(size // 2, -1), sin)
    total, inside = step.extension.total, _attends_in(x.dtype)
    keys, values = cache.extend(turned[:, heads:], values, step.extension)
    mixed = scaled_dot_product_attention(
        turned[:, :heads, None].to(inside),
        total.pad(keys).transpose(1, 2).to(inside),
        total.pad(values).transpose(1, 2).to(inside),
        attn_mask=step.mask,
        scale=layer.scale,
        enable_gqa=heads != kv_heads,
    )  # [texts, heads, 1, size]
    return layer.output.forward(mixed.to(x.dtype).view(texts, heads * size))
