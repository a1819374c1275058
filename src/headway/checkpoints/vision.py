"""Vectors of texts and images: how a checkpoint makes them, with one tower or with two."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import length_hint
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from headway.checkpoints.checkpoint import Checkpoint
from headway.core.layout import Layout
from headway.core.pooling import POOLINGS, last
from headway.core.vision import Vision
from headway.errors import ConfigError
from headway.families.encoder_decoder import Joined
from headway.images import ImageLike, Preprocessing, each_image, open_image
from headway.logs import progress
from headway.windows import Windowed

if TYPE_CHECKING:
    import numpy as np

__all__ = ["batches", "embed_images", "need_vision", "pooled", "vector_size"]

T = TypeVar("T")


def vector_size(checkpoint: Checkpoint) -> int:
    """Numbers of a text's vector."""
    vision = checkpoint.vision
    return checkpoint.config.hidden if vision is None else vision.size


def pooled(
    checkpoint: Checkpoint, texts: Sequence[Windowed]
) -> tuple[Sequence[Windowed], Callable[[Tensor, Layout], Tensor]]:
    """Texts as they are read, and what makes a vector a window of their hidden states.

    With an image tower it is the state of the end-of-text token. What stands behind it in a causal
    stack has no say in it, so a text ends there.
    """
    vision, family = checkpoint.vision, checkpoint.family
    if vision is None or isinstance(family, Joined):
        return texts, POOLINGS[checkpoint.embedding.pooling]

    def cut(text: Windowed) -> Windowed:
        ids = [list(family.ended(checkpoint.config, window)) for window in text.ids]
        marks = [row[: len(kept)] for row, kept in zip(text.segments, ids, strict=True)]
        return dataclasses.replace(text, ids=ids, segments=marks)

    return [cut(text) for text in texts], lambda x, layout: vision.text_vectors(last(x, layout))


def embed_images(checkpoint: Checkpoint, images: ImageLike, batch_images: int) -> np.ndarray:
    """One vector an image, of length 1, comparable with those of texts.

    Args:
        checkpoint: with an image tower, which does not train meanwhile.
        images: one, a folder of them, or any number: see `headway.images.open_image`.
        batch_images: how many are read at once.

    Returns:
        float32 [images, size].

    Raises:
        ConfigError: the model has no image tower, `batch_images` below 1, something that is no
            image.
        DataError: an image that cannot be read; the message names its file.
    """
    vision, preprocessing = need_vision(checkpoint)
    if batch_images < 1:
        raise ConfigError(f"batch_images = {batch_images}", allowed="1 or more")
    images = each_image(images)
    total = -(-length_hint(images) // batch_images)
    place = vision.logit_scale.device
    found = [torch.empty(0, vision.size)]
    for batch in progress(batches(images, batch_images), "Reading images", total):
        pixels = torch.stack([_pixels(image, preprocessing) for image in batch])
        found.append(vision.image_vectors(pixels.to(place)).float().cpu())
    return torch.cat(found).numpy()


def need_vision(checkpoint: Checkpoint) -> tuple[Vision, Preprocessing]:
    """The image tower, and how images are prepared for it.

    Raises:
        ConfigError: the model has none.
    """
    if checkpoint.vision is None or checkpoint.preprocessing is None:
        raise ConfigError("this model reads no images", next_step="load a CLIP model")
    return checkpoint.vision, checkpoint.preprocessing


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Some at a time, in order.

    >>> list(batches("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _pixels(image: ImageLike, preprocessing: Preprocessing) -> Tensor:
    """[channels, height, width]."""
    name = str(image) if isinstance(image, (str, Path)) else "the image"
    return torch.from_numpy(preprocessing(open_image(image), name))
