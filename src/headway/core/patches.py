"""From an image to the first hidden states: square patches as tokens, behind a class token.

Source: Dosovitskiy et al. 2020, arXiv 2010.11929.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headway.core.layout import Layout
from headway.core.positions import LearnedPositions
from headway.core.taps import Tap
from headway.errors import CheckpointError, ConfigError

__all__ = ["PatchEmbeddings"]


class PatchEmbeddings(nn.Module):
    """A learned class token, then each patch of the image, row by row, and a position for each.

    What is left at the right and below, where patches do not fill the image, is not seen.

    Args:
        size: height and width of an image, in pixels.
        patch: height and width of a patch.
        channels: numbers a pixel.
        hidden: size of a hidden state.
        norm: behind the sum, or None.

    Raises:
        CheckpointError: an image has no room for one patch.

    >>> embeddings = PatchEmbeddings(5, 2, 3, hidden=4)
    >>> rows, layout = embeddings(torch.zeros(6, 3, 5, 5))
    >>> rows.shape, layout.lengths
    (torch.Size([30, 4]), (5, 5, 5, 5, 5, 5))
    """

    def __init__(
        self, size: int, patch: int, channels: int, hidden: int, *, norm: nn.Module | None = None
    ) -> None:
        super().__init__()
        if size < patch:
            raise CheckpointError(
                f"patches of {patch} pixels in images of {size}", allowed=f"at most {size}"
            )
        self.shape = (channels, size, size)
        self.class_token = nn.Parameter(torch.empty(hidden))
        self.patches = nn.Conv2d(channels, hidden, patch, stride=patch, bias=False)
        self.positions = LearnedPositions((size // patch) ** 2 + 1, hidden)
        self.norm = norm
        self.out = Tap()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """A class token as long as a random direction has it."""
        nn.init.normal_(self.class_token, std=len(self.class_token) ** -0.5)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Layout]:
        """[images, channels, size, size] -> [images * tokens, hidden], and where each image lies.

        Raises:
            ConfigError: images of another shape.
        """
        if pixels.dim() != 4 or tuple(pixels.shape[1:]) != self.shape:
            raise ConfigError(
                f"images of shape {tuple(pixels.shape[1:])}",
                allowed=f"{self.shape}: channels, height, width",
                next_step="preprocessor_config.json must ask for the size that the model reads",
            )
        x = self.patches(pixels.to(self.class_token.dtype))  # [images, hidden, down, across]
        x = x.flatten(2).transpose(1, 2)  # [images, patches, hidden]
        x = torch.cat([self.class_token.expand(len(x), 1, -1), x], dim=1)
        layout = Layout((x.shape[1],) * len(x), device=x.device)
        x = x.flatten(0, 1) + self.positions(layout.positions)  # [images * tokens, hidden]
        return self.out(x if self.norm is None else self.norm(x)), layout
