"""From an image of any size to the numbers that a model reads.

Format: preprocessor_config.json as CLIP's checkpoints have it. Every step is Pillow's or numpy's,
on 8 bits a number until it is scaled, so that the numbers are the reference's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.errors import CheckpointError, DataError
from headway.images.reading import MOST_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Preprocessing"]

KINDS = ("CLIPFeatureExtractor", "CLIPImageProcessor")
"""What `image_processor_type` may be, with or without an ending that says what it computes with."""

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Of the images CLIP was trained on, red, green and blue."""

MOST = 2**14
"""Pixels of a side that a checkpoint may ask for."""

FILTERS = 5
"""The last number of Pillow's ways to resize."""


@dataclass(frozen=True)
class Preprocessing:
    """What is done with an image, in this order; a step that is None is left out.

    Attributes:
        rgb: whether it is made red, green and blue first, what is transparent over white.
        resize: the length of its shorter side, or (height, width).
        resample: number of Pillow's filter: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic.
        crop: (height, width) cut from its middle, or black around it.
        scale: what its numbers, 0 to 255, are multiplied by.
        mean, std: subtracted from each channel, then divided by; both or neither.
    """

    rgb: bool = True
    resize: int | tuple[int, int] | None = 224
    resample: int = 3
    crop: tuple[int, int] | None = (224, 224)
    scale: float | None = 1 / 255
    mean: tuple[float, ...] | None = MEAN
    std: tuple[float, ...] | None = STD

    def __call__(self, image: Image, name: str = "the image") -> np.ndarray:
        """The image as float32 [channels, height, width].

        Args:
            image: as `open_image` gives it.
            name: what messages call it.

        Raises:
            DataError: it is so narrow that it would not fit into memory, or has another number of
                channels than the mean.
        """
        if self.rgb:
            image = _in_colour(image)
        if self.resize is not None:
            image = image.resize(self._resized(*image.size, name), self.resample)
        pixels = np.asarray(image)
        pixels = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
        if self.crop is not None:
            pixels = _cropped(pixels, *self.crop)
        made = pixels.astype(np.float64)  # [channels, height, width]
        if self.scale is not None:
            made = made * self.scale
        made = made.astype(np.float32)
        if self.mean is not None and self.std is not None:
            if len(self.mean) not in (1, len(made)):
                raise DataError(
                    f"{name} has {len(made)} channels", allowed=f"{len(self.mean)} channels"
                )
            mean, std = (np.array(row, np.float32)[:, None, None] for row in (self.mean, self.std))
            made = (made - mean) / std
        return np.ascontiguousarray(made)

    def _resized(self, width: int, height: int, name: str) -> tuple[int, int]:
        """Width and height after resizing."""
        if isinstance(self.resize, tuple):
            return self.resize[1], self.resize[0]
        assert self.resize is not None
        shorter = min(width, height)
        wide, high = (int(self.resize * side / shorter) for side in (width, height))
        if wide * high > MOST_PIXELS:
            raise DataError(
                f"{name} has {width} x {height} pixels, and would get {wide} x {high}",
                allowed=f"at most {MOST_PIXELS:,} pixels",
                next_step="cut it",
            )
        return wide, high

    @classmethod
    def from_hf(cls, values: Mapping[str, Any], place: str) -> Preprocessing:
        """What preprocessor_config.json says; what it leaves out is as CLIP has it.

        Args:
            values: the file's content.
            place: the file, for messages.

        Raises:
            CheckpointError: a value that cannot be, or that asks for a step that is not here.

        >>> Preprocessing.from_hf({"size": 32, "do_center_crop": False}, "a file").resize
        32
        """
        read = _Reader(values, place)
        read.check_kind()
        scale = read.number("rescale_factor", 1 / 255)
        normalise = read.flag("do_normalize")
        mean, std = read.row("image_mean", MEAN), read.row("image_std", STD)
        if len(mean) != len(std) or 0 in std:
            raise read.error("image_std", "as many numbers as image_mean, none of them 0")
        return cls(
            rgb=read.flag("do_convert_rgb"),
            resize=read.size("size") if read.flag("do_resize") else None,
            resample=read.filter(),
            crop=read.sides("crop_size") if read.flag("do_center_crop") else None,
            scale=scale if read.flag("do_rescale") else None,
            mean=mean if normalise else None,
            std=std if normalise else None,
        )

    def to_hf(self) -> dict[str, Any]:
        """What preprocessor_config.json holds."""
        values: dict[str, Any] = {
            "image_processor_type": "CLIPImageProcessor",
            "do_convert_rgb": self.rgb,
            "do_resize": self.resize is not None,
            "do_center_crop": self.crop is not None,
            "do_rescale": self.scale is not None,
            "do_normalize": self.mean is not None,
            "resample": self.resample,
        }
        if isinstance(self.resize, tuple):
            values["size"] = dict(zip(("height", "width"), self.resize, strict=True))
        elif self.resize is not None:
            values["size"] = {"shortest_edge": self.resize}
        if self.crop is not None:
            values["crop_size"] = dict(zip(("height", "width"), self.crop, strict=True))
        if self.scale is not None:
            values["rescale_factor"] = self.scale
        if self.mean is not None and self.std is not None:
            values |= {"image_mean": list(self.mean), "image_std": list(self.std)}
        return values


class _Reader:
    """Values of a file, each checked when it is asked for."""

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self.values, self.place = values, place

    def error(self, key: str, allowed: str) -> CheckpointError:
        said = f"{self.place}: {key} = {self.values.get(key)!r:.80}"
        return CheckpointError(said, allowed=allowed)

    def check_kind(self) -> None:
        for key in ("image_processor_type", "feature_extractor_type"):
            kind = self.values.get(key)
            if kind is not None and str(kind).removesuffix("Fast").removesuffix("Pil") not in KINDS:
                raise self.error(key, ", ".join(KINDS))
        if self.values.get("do_pad"):
            raise self.error("do_pad", "false")

    def flag(self, key: str) -> bool:
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.error(key, "true or false")
        return True if value is None else value

    def number(self, key: str, usual: float) -> float:
        value = self.values.get(key)
        if value is None:
            return usual
        if not _is_number(value) or value <= 0:
            raise self.error(key, "a number above 0")
        return float(value)

    def filter(self) -> int:
        value = self.values.get("resample")
        if value is not None and not (type(value) is int and 0 <= value <= FILTERS):
            raise self.error("resample", f"a number from 0 to {FILTERS}")
        return 3 if value is None else int(value)

    def row(self, key: str, usual: tuple[float, ...]) -> tuple[float, ...]:
        value = self.values.get(key)
        if value is None:
            return usual
        row = value if isinstance(value, list) else [value]
        if not row or not all(map(_is_number, row)):
            raise self.error(key, "numbers, one a channel")
        return tuple(float(one) for one in row)

    def size(self, key: str) -> int | tuple[int, int]:
        """The shorter side, or height and width."""
        value = self.values.get(key)
        value = value.get("shortest_edge", value) if isinstance(value, Mapping) else value
        return self.side(key, value) if not isinstance(value, Mapping) else self.sides(key)

    def sides(self, key: str) -> tuple[int, int]:
        """Height and width."""
        value = self.values.get(key)
        if not isinstance(value, Mapping):
            value = {"height": value, "width": value}
        return self.side(key, value.get("height")), self.side(key, value.get("width"))

    def side(self, key: str, value: Any) -> int:
        if key not in self.values:
            return 224
        if type(value) is not int or not 1 <= value <= MOST:
            said = (
                'a whole number, {"shortest_edge": number} or {"height": number, "width": number}'
            )
            raise self.error(key, f"{said}, at most {MOST}")
        return value


def _is_number(value: object) -> bool:
    """Whether a value is a number that JSON can hold and that is one: no NaN, no infinity."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e30


def _in_colour(image: Image) -> Image:
    """Red, green and blue; what is transparent stands over white."""
    from PIL import Image

    if "A" in image.getbands() or image.info.get("transparency") is not None:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _cropped(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle of [channels, any, any] as [channels, height, width], with black where it ends."""
    down, across = pixels.shape[1:]
    top, left = (down - height) // 2, (across - width) // 2  # negative where it is too small
    above, before = max(0, -top), max(0, -left)
    if above or before:
        around = np.zeros((len(pixels), max(height, down), max(width, across)), pixels.dtype)
        around[:, above : above + down, before : before + across] = pixels
        pixels, top, left = around, top + above, left + before
    return pixels[:, top : top + height, left : left + width]
