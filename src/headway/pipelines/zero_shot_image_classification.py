"""Which of some names fits an image best: no training, only the names in a sentence.

Source: Radford et al. 2021, arXiv 2103.00020, section 3.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch

from headway.checkpoints.vision import batches, need_vision
from headway.errors import ConfigError, DataError
from headway.images import ImageLike, each_image, image_files, is_image
from headway.logs import progress
from headway.model import Model
from headway.pipelines.reader import precise

__all__ = ["ZeroShotImageClassification"]

Answer = list[dict[str, Any]]

TEMPLATE = "a photo of a {}."
"""The sentence that a name is put into, where nothing else is said."""


class ZeroShotImageClassification:
    """Classifies images by names that are given with them.

    The vectors of the last names are kept, so that asking again with the same costs an image each.

    Args:
        model: with an image tower and a tokenizer.
        batch_images: how many images are read at once.
        precision: fp32, which is exact; bf16; or auto, which is the faster one on this machine.

    Raises:
        ConfigError: the model reads no images or has no tokenizer; an option that cannot be.
    """

    READS = ()
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, *, batch_images: int = 32, precision: str = "fp32") -> None:
        if batch_images < 1:
            raise ConfigError(f"batch_images = {batch_images}", allowed="1 or more")
        self.vision, _ = need_vision(model.checkpoint)
        model.need_tokenizer()
        self.model = model
        self.batch_images = batch_images
        self.precise = precise(precision, model)
        self._known: tuple[tuple[str, ...], np.ndarray] = ((), np.empty((0, 0), np.float32))

    @overload
    def __call__(
        self, images: Iterator[ImageLike], labels: Sequence[str], *, template: str = TEMPLATE
    ) -> Iterator[Answer]: ...
    @overload
    def __call__(
        self, images: ImageLike, labels: Sequence[str], *, template: str = TEMPLATE
    ) -> Any: ...
    def __call__(self, images: Any, labels: Sequence[str], *, template: str = TEMPLATE) -> Any:
        """Answers one image or many.

        Args:
            images: a path, an image of Pillow's or an array; a list of them; a folder, whose images
                are answered in the order of their paths (`headway.images.image_files`); or an
                iterator, which is answered lazily, a batch at a time.
            labels: the names, each once.
            template: a sentence with one {} for a name.

        Returns:
            For each image a `label` and a `score` for every name, likeliest first; the scores are
            a softmax over the names, and sum to 1. One image gives one such list.

        Raises:
            ConfigError: no names, one twice, a template without {}, something that is no image.
            DataError: an image that cannot be read; the message names its file.

        Example:
            classify = headway.pipeline("zero-shot-image-classification", "clip-vit-base-patch32")
            classify("pet.jpg", ["cat", "dog"])
            # [{'label': 'cat', 'score': 0.98}, {'label': 'dog', 'score': 0.02}]
        """
        names = _names(labels)
        known = self._vectors(names, template)
        if is_image(images):
            return next(self._answers(iter([images]), names, known))
        if isinstance(images, Iterator):
            return self._answers(images, names, known)
        found = list(each_image(images))
        answers = self._answers(iter(found), names, known)
        return list(progress(answers, "Reading images", len(found)))

    def accuracy(
        self, folder: str | Path, labels: Sequence[str] = (), *, template: str = TEMPLATE
    ) -> float:
        """The part of a folder's images whose likeliest name is that of the folder they lie in.

        Args:
            folder: has a folder of images for each class.
            labels: the names, in the order of the folders' names; () = the folders' names, with
                spaces for underscores.
            template: as in a call.

        Raises:
            DataError: an image lies in no folder of a class, or there is none; as in a call.
            ConfigError: as many names as folders are needed; as in a call.
        """
        files = image_files(folder)
        inside = [path.relative_to(folder).parts for path in files]
        if loose := next((p for p, parts in zip(files, inside, strict=True) if len(parts) < 2), ""):
            raise DataError(f"{loose} lies in no folder of a class", next_step="put it into one")
        classes = sorted({parts[0] for parts in inside})
        names = list(labels) or [name.replace("_", " ") for name in classes]
        if len(names) != len(classes):
            raise ConfigError(f"{len(names)} names", allowed=f"{len(classes)}: {classes}"[:300])
        right = [names[classes.index(parts[0])] for parts in inside]
        best = [answer[0]["label"] for answer in self(files, names, template=template)]
        return float(np.mean([one == other for one, other in zip(best, right, strict=True)]))

    def _vectors(self, names: tuple[str, ...], template: str) -> np.ndarray:
        """float32 [names, size]."""
        if template.count("{}") != 1:
            raise ConfigError(f"template = {template!r}", allowed="a text with one {} for the name")
        texts = tuple(template.replace("{}", name) for name in names)
        if self._known[0] != texts:
            with self.precise():
                self._known = texts, self.model.embed(texts)
        return self._known[1]

    def _answers(
        self, images: Iterator[ImageLike], names: tuple[str, ...], known: np.ndarray
    ) -> Iterator[Answer]:
        scale = self.vision.logit_scale.detach().float().exp().cpu()
        for batch in batches(images, self.batch_images):
            with self.precise():
                read = self.model.embed_images(batch, batch_images=self.batch_images)
            logits = torch.from_numpy(read) @ torch.from_numpy(known).t() * scale  # [images, names]
            for row in logits.softmax(-1).tolist():
                best = sorted(zip(row, names, strict=True), key=lambda pair: -pair[0])
                yield [{"label": name, "score": score} for score, name in best]


def _names(labels: Any) -> tuple[str, ...]:
    """The names, checked."""
    many = isinstance(labels, Iterable) and not isinstance(labels, str)
    names = tuple(labels) if many else ()
    if not names or not all(isinstance(n, str) for n in names) or len(set(names)) < len(names):
        shown = names or labels
        raise ConfigError(f"labels = {shown!r:.80}", allowed="names, one or more, each once")
    return names
