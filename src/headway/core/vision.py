"""A tower that reads images, and the space where its vectors meet those of texts.

Source: Radford et al. 2021, arXiv 2103.00020.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headway.core.blocks import PreNormBlock, Step
from headway.core.masks import Pattern
from headway.core.patches import PatchEmbeddings
from headway.core.taps import Tap

__all__ = ["ImageEncoder", "Vision"]


class ImageEncoder(nn.Module):
    """Patches, then blocks in which each sees its whole image; what the class token gathered.

    Args:
        embeddings: images to hidden states.
        layers: the blocks.
        norm: behind the last block, for the class token.
    """

    def __init__(
        self, embeddings: PatchEmbeddings, layers: Iterable[PreNormBlock], *, norm: nn.Module
    ) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.layers = nn.ModuleList(layers)
        self.norm = norm
        self.out = Tap()

    def forward(self, pixels: Tensor) -> Tensor:
        """[images, channels, size, size] -> [images, hidden]."""
        x, layout = self.embeddings(pixels)
        step = Step(Pattern(layout, layout))
        for layer in self.layers:
            x = layer(x, step)
        return self.out(self.norm(x[layout.firsts]))


class Vision(nn.Module):
    """What a model of texts has beside its body so that images and texts can be compared.

    Args:
        encoder: images to one state each.
        image_projection: from that to the common space.
        text_projection: from a text's state to the common space.
        logit_scale: logarithm of what cosines are multiplied by, at the start.
    """

    def __init__(
        self,
        encoder: ImageEncoder,
        image_projection: nn.Linear,
        text_projection: nn.Linear,
        *,
        logit_scale: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.image_projection = image_projection
        self.text_projection = text_projection
        self.start = logit_scale
        self.logit_scale = nn.Parameter(torch.tensor(logit_scale))

    def reset_parameters(self) -> None:
        """Puts the scale back to its start."""
        nn.init.constant_(self.logit_scale, self.start)

    @property
    def size(self) -> int:
        """Numbers of a vector in the common space."""
        return self.image_projection.out_features

    def image_vectors(self, pixels: Tensor) -> Tensor:
        """[images, channels, size, size] -> [images, size], each of length 1."""
        return F.normalize(self.image_projection(self.encoder(pixels)), dim=-1)

    def text_vectors(self, states: Tensor) -> Tensor:
        """Texts' pooled states [texts, hidden] -> [texts, size], each of length 1."""
        return F.normalize(self.text_projection(states), dim=-1)

    def logits(self, images: Tensor, texts: Tensor) -> Tensor:
        """Vectors of both -> [images, texts]: a softmax over texts says which fits an image."""
        return images @ texts.t() * self.logit_scale.exp()
