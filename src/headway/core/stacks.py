"""Stacks of blocks: an encoder, a decoder with a cache, and the two joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from headway.core.attention import SelfAttention
from headway.core.blocks import (
    Memory,
    PostNormBlock,
    PostNormCrossBlock,
    PreNormBlock,
    PreNormCrossBlock,
    Step,
)
from headway.core.cache import Cache
from headway.core.dropout import Dropout
from headway.core.embeddings import Embeddings
from headway.core.global_attention import GlobalTokens
from headway.core.layout import Layout
from headway.core.masks import Mask, Pattern, causal, everywhere
from headway.core.positions import RelativeBias, Rotary
from headway.core.taps import Tap, taps

__all__ = ["AttentionKind", "Body", "Decoder", "Encoder", "EncoderDecoder", "share_weights"]


@dataclass(frozen=True)
class AttentionKind:
    """How a block of an encoder attends, where blocks differ.

    Args:
        mask: who may attend to whom.
        rotary: positions that its attention turns by, or None.
    """

    mask: Mask = everywhere
    rotary: Rotary | None = None


class Encoder(nn.Module):
    """Embeddings, then blocks in which tokens see what is before them and behind.

    Args:
        embeddings: ids to hidden states.
        layers: the blocks.
        norm: behind the last block (pre-norm stacks), or None.
        bias: relative positions shared by all blocks, or None.
        kinds: how each block attends, one a block; () = every token sees its whole sequence.
        global_tokens: which tokens every block lets see and be seen by all of their text
            (Longformer), or None. A head may ask for others: it sets the attribute.
        dropout: rate behind the last norm (T5).
        shared: what `layers` hold in common, or None: the different blocks of a stack that applies
            them several times (ALBERT), vectors of distances (DeBERTa).
    """

    def __init__(
        self,
        embeddings: Embeddings,
        layers: Iterable[PostNormBlock | PreNormBlock],
        *,
        norm: nn.Module | None = None,
        bias: RelativeBias | None = None,
        kinds: Sequence[AttentionKind] = (),
        global_tokens: GlobalTokens | None = None,
        dropout: float = 0.0,
        shared: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.layers = nn.ModuleList(layers)
        self.shared = shared  # behind the layers, which have the first word on names of taps
        self.norm = norm
        self.bias = bias
        self.kinds = tuple(kinds) or (AttentionKind(),) * len(self.layers)
        self.usual_global_tokens = self.global_tokens = global_tokens
        self.dropout = Dropout(dropout)
        self.out = Tap()

    def forward(
        self,
        ids: Tensor,
        layout: Layout,
        segments: Tensor | None = None,
        *,
        firsts: bool = False,
    ) -> Tensor:
        """int64 [tokens] -> [tokens, hidden].

        Args:
            ids, layout, segments: the tokens.
            firsts: whether only the states of first tokens are asked for, [sequences, hidden].
        """
        seen = self.global_tokens(ids, layout) if self.global_tokens is not None else ()
        steps = {kind: self._step(kind, layout, seen) for kind in set(self.kinds)}
        each = [steps[kind] for kind in self.kinds]
        alone = firsts and self._can_read_alone()
        if alone:
            each[-1] = Step(Pattern(layout.ones, layout), rows=layout.firsts)
        x = self.embeddings(ids, layout, segments)
        for layer, step in zip(self.layers, each, strict=True):
            x = layer(x, step)
        if firsts and not alone:
            x = x[layout.firsts]
        if self.norm is not None:
            x = self.norm(x)
        return self.out(self.dropout(x))

    def _step(self, kind: AttentionKind, layout: Layout, seen: tuple[int, ...]) -> Step:
        """What the blocks of one kind share in one pass."""
        angles = kind.rotary.angles(layout.positions) if kind.rotary is not None else None
        return Step(Pattern(layout, layout, kind.mask, self.bias, seen), angles)

    def _can_read_alone(self) -> bool:
        """Whether the last block can compute some states without the others."""
        last, kind = self.layers[-1], self.kinds[-1]
        if any(tap.watched for tap in taps(last).values()):  # who looks shall see all
            return False
        plain = type(getattr(last, "attention", None)) is SelfAttention
        everything = kind.mask is everywhere and kind.rotary is None and self.bias is None
        return plain and everything and self.global_tokens is None


class Decoder(nn.Module):
    """Embeddings, then blocks in which a token sees itself and what came before.

    Args: as Encoder, but for `kinds`, and
        rotary: positions that the blocks' attention turns by, or None.
        masks: who may attend to whom in each block; () = `causal` in all.
        bridge: what an encoder's states pass before the blocks look at them, where these are of
            another size; or None.
    """

    def __init__(
        self,
        embeddings: Embeddings,
        layers: Iterable[PostNormBlock | PreNormBlock | PreNormCrossBlock | PostNormCrossBlock],
        *,
        norm: nn.Module | None = None,
        bias: RelativeBias | None = None,
        rotary: Rotary | None = None,
        masks: Sequence[Mask] = (),
        bridge: nn.Module | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.layers = nn.ModuleList(layers)
        self.norm = norm
        self.bias = bias
        self.rotary = rotary
        self.masks = tuple(masks) or (causal,) * len(self.layers)
        self.bridge = bridge
        self.dropout = Dropout(dropout)
        self.out = Tap()

    def forward(
        self,
        ids: Tensor,
        layout: Layout,
        segments: Tensor | None = None,
        *,
        cache: Cache | None = None,
        memory: tuple[Tensor, Layout] | None = None,
    ) -> Tensor:
        """int64 [tokens] -> [tokens, hidden].

        Args:
            ids: tokens of this call.
            layout: of these tokens.
            segments: of these tokens, where the family has them.
            cache: remembers the tokens of earlier calls, and learns these.
            memory: an encoder's output and its layout, where the blocks look at one.
        """
        extension = cache.advance(layout) if cache is not None else None
        if extension is not None:
            layout = extension.new
        total = extension.total if extension is not None else layout
        angles = self.rotary.angles(layout.positions) if self.rotary is not None else None
        steps = {
            mask: Step(Pattern(layout, total, mask, self.bias), angles, extension)
            for mask in set(self.masks)
        }
        seen = Pattern(layout, memory[1]) if memory is not None else None
        if memory is not None and self.bridge is not None:
            memory = self.bridge(memory[0]), memory[1]
        x = self.embeddings(ids, layout, segments)
        for number, layer in enumerate(self.layers):
            step = steps[self.masks[number]]
            remembered = cache.self_attention[number] if cache is not None else None
            if memory is None or seen is None:
                x = layer(x, step, remembered)
            else:
                states = cache.cross_attention[number] if cache is not None else None
                x = layer(x, step, remembered, memory=Memory(memory[0], seen, states))
        if self.norm is not None:
            x = self.norm(x)
        return self.out(self.dropout(x))


class EncoderDecoder(nn.Module):
    """A decoder that looks at an encoder's output.

    Args:
        encoder: the stack that reads; a Decoder in its place reads with its causal mask.
        decoder: the stack that writes; its blocks have cross-attention.
        shared: the word table, where both have the same and checkpoints name it apart; or None.
    """

    def __init__(
        self, encoder: Encoder | Decoder, decoder: Decoder, *, shared: nn.Embedding | None = None
    ) -> None:
        super().__init__()
        self.shared = shared
        self.encoder = encoder
        self.decoder = decoder

    def forward(
        self,
        ids: Tensor,
        layout: Layout,
        segments: Tensor | None = None,
        *,
        target: Tensor,
        target_layout: Layout,
    ) -> Tensor:
        """int64 [tokens], int64 [target tokens] -> [target tokens, hidden].

        Args:
            ids, layout, segments: what the encoder reads.
            target, target_layout: what the decoder is fed.
        """
        memory = self.encoder(ids, layout, segments), layout
        return self.decoder(target, target_layout, memory=memory)


Body = Encoder | Decoder | EncoderDecoder
"""What a family builds: everything but the head."""


def share_weights(owner: nn.Module, other: nn.Module) -> None:
    """Makes the parameters of `other` those of `owner`, where both have one of that name.

    >>> one, two = nn.Linear(2, 2), nn.Linear(2, 2)
    >>> share_weights(one, two)
    >>> two.weight is one.weight
    True
    """
    theirs = dict(owner.named_parameters(remove_duplicate=False))
    for name, _ in list(other.named_parameters(remove_duplicate=False)):
        if name in theirs:
            place, _, leaf = name.rpartition(".")
            setattr(other.get_submodule(place), leaf, theirs[name])
