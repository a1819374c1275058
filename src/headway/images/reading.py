"""Images from files, from memory, from folders; a file is trusted in nothing that it says."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from headway.errors import ConfigError, DataError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "ENDINGS",
    "MOST_PIXELS",
    "ImageLike",
    "each_image",
    "image_files",
    "is_image",
    "open_image",
]

ImageLike = Any
"""A path, an image of Pillow's, or an array uint8 [height, width] or [height, width, channels]."""

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Formats that are opened. Pillow knows others, some of which run other programs (EPS)."""

ENDINGS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""How the names of files in a folder of images end."""

MOST_PIXELS = 89_478_485
"""Of an image: a quarter of a gibibyte at three bytes a pixel, and where Pillow starts to warn."""

DEEP = ("I;16", "I;16L", "I;16B", "I;16N")
"""Pillow's names of grey with 16 bits a pixel."""


def open_image(image: ImageLike) -> Image:
    """An image, decoded and turned upright; of several in a file, the first.

    Grey of 16 bits a pixel is made 8; palettes, CMYK and transparency stay what they are.

    Args:
        image: as ImageLike says; a path leads to a BMP, GIF, JPEG, PNG, PPM, TIFF or WebP file.

    Raises:
        DataError: no such file, no image, a cut or broken one, more than MOST_PIXELS pixels, or
            pixels of a kind that has no colours; the message names the file.
        ConfigError: Pillow is not installed, or something that is no image.

    >>> open_image(np.zeros((2, 3), dtype=np.uint8)).size
    (3, 2)
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ConfigError(
            "images are read by Pillow, which is not installed",
            next_step="pip install headway[images]",
        ) from None
    if isinstance(image, np.ndarray):
        return _of_array(image)
    if not isinstance(image, (str, Path, Image.Image)):
        raise ConfigError(
            f"{image!r:.60} is a {type(image).__name__}",
            allowed="the path of an image, an image of Pillow's, or an array",
        )
    name = "the image" if isinstance(image, Image.Image) else str(image)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow warns of is refused here, or no matter
        try:
            opened = image if isinstance(image, Image.Image) else Image.open(image, formats=FORMATS)
        except FileNotFoundError:
            raise DataError(f"{name} does not exist", next_step="check the path") from None
        except Image.DecompressionBombError:
            raise _too_large(name, "too many") from None
        except Exception as error:  # of a broken header a decoder may raise anything
            raise _unreadable(name, error) from None
        try:
            if opened.width * opened.height > MOST_PIXELS:
                raise _too_large(name, f"{opened.width} x {opened.height}")
            opened.load()
            upright = ImageOps.exif_transpose(opened)
        except DataError:
            raise
        except Exception as error:
            raise _unreadable(name, error) from None
        finally:
            if opened is not image:
                opened.close()
    return _in_bytes(upright, name)


def is_image(thing: object) -> TypeGuard[ImageLike]:
    """Whether something is one image, or the path of one, rather than many.

    >>> is_image("cat.png"), is_image(np.zeros((2, 3, 3))), is_image(["cat.png"])
    (True, True, False)
    """
    if isinstance(thing, (str, Path)):
        return not Path(thing).is_dir()
    if isinstance(thing, np.ndarray):
        return thing.ndim <= 3
    return hasattr(thing, "getbands")  # Pillow's, without importing it


def each_image(images: ImageLike) -> Iterable[ImageLike]:
    """One image, those in a folder, or many, as many.

    Raises:
        ConfigError: something else.
        DataError: a folder without images.

    >>> list(each_image("cat.png"))
    ['cat.png']
    """
    if is_image(images):
        return [images]
    if isinstance(images, (str, Path)):
        return image_files(images)
    if not isinstance(images, Iterable):
        raise ConfigError(
            f"{images!r:.60} is a {type(images).__name__}",
            allowed="an image, its path, a folder of images, or many of them",
        )
    return images


def image_files(folder: str | Path) -> list[Path]:
    """The images in a folder and the folders in it, by their names' endings, in order.

    Raises:
        DataError: there is none.
    """
    found = sorted(
        path
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in ENDINGS and path.is_file()
    )
    if not found:
        raise DataError(f"{folder} has no images", allowed=", ".join(sorted(ENDINGS)))
    return found


def _of_array(pixels: np.ndarray) -> Image:
    from PIL import Image

    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if pixels.dtype != np.uint8 or not fits or not pixels.size:
        raise DataError(
            f"an array of {pixels.dtype} with shape {pixels.shape} is no image",
            allowed="uint8 [height, width], or [height, width, channels] with 1, 3 or 4 channels",
        )
    if pixels.shape[0] * pixels.shape[1] > MOST_PIXELS:
        raise _too_large("the array", f"{pixels.shape[1]} x {pixels.shape[0]}")
    return Image.fromarray(np.ascontiguousarray(pixels))


def _in_bytes(image: Image, name: str) -> Image:
    """With 8 bits a number, as all that follows wants it."""
    from PIL import Image

    if image.mode in DEEP:
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise DataError(
            f"{name} has pixels of 32 bits, and nothing says which is white",
            allowed="8 or 16 bits a number",
        )
    return image


def _too_large(name: str, size: str) -> DataError:
    return DataError(
        f"{name} has {size} pixels",
        allowed=f"at most {MOST_PIXELS:,}",
        next_step="make it smaller with the program that made it",
    )


def _unreadable(name: str, error: Exception) -> DataError:
    said = str(error).splitlines() or [type(error).__name__]
    reason = "" if "cannot identify" in said[0] else f": {said[0]:.100}"
    return DataError(
        f"{name} is no image, or a broken one{reason}",
        allowed=", ".join(FORMATS),
        next_step="copy or download it again",
    )
