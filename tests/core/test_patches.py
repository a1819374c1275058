"""Patches of an image, in order, behind a class token."""

from __future__ import annotations

import pytest
import torch
from contracts import close

from headway.core.initial import initialise
from headway.core.patches import PatchEmbeddings
from headway.errors import CheckpointError, ConfigError


@pytest.mark.parametrize(("size", "patch"), [(6, 2), (7, 3), (5, 5), (4, 1)])
def test_tokens_are_patches_row_by_row(size: int, patch: int) -> None:
    torch.manual_seed(0)
    embeddings = PatchEmbeddings(size, patch, 2, hidden=4)
    pixels, across = torch.randn(3, 2, size, size), size // patch
    rows, layout = embeddings(pixels)
    assert layout.lengths == (across**2 + 1,) * 3
    weights, positions = embeddings.patches.weight.flatten(1), embeddings.positions.weight
    for image, states in zip(pixels, layout.split(rows), strict=True):
        close(states[0], embeddings.class_token + positions[0])
        for number, state in enumerate(states[1:]):
            top, left = (patch * n for n in divmod(number, across))
            seen = image[:, top : top + patch, left : left + patch].flatten()
            close(state, weights @ seen + positions[number + 1])


def test_the_norm_stands_behind_the_sum() -> None:
    norm = torch.nn.LayerNorm(4)
    plain, normed = PatchEmbeddings(4, 2, 1, hidden=4), PatchEmbeddings(4, 2, 1, 4, norm=norm)
    normed.load_state_dict(
        {**plain.state_dict(), **{f"norm.{k}": v for k, v in norm.named_parameters()}}
    )
    pixels = torch.randn(2, 1, 4, 4)
    close(normed(pixels)[0], norm(plain(pixels)[0]))


def test_fresh_weights() -> None:
    torch.manual_seed(0)
    embeddings = PatchEmbeddings(8, 4, 3, hidden=400)
    initialise(embeddings, 0.02)
    assert embeddings.class_token.norm().item() == pytest.approx(1.0, abs=0.2)
    assert embeddings.positions.weight.std().item() == pytest.approx(0.02, abs=0.005)


def test_images_of_another_shape_are_refused() -> None:
    embeddings = PatchEmbeddings(4, 2, 3, hidden=4)
    for shape in ((1, 3, 4, 5), (1, 1, 4, 4), (3, 4, 4)):
        with pytest.raises(ConfigError, match=r"Allowed: \(3, 4, 4\): channels, height, width"):
            embeddings(torch.zeros(shape))
    with pytest.raises(CheckpointError, match="patches of 5 pixels in images of 4"):
        PatchEmbeddings(4, 5, 3, hidden=4)
