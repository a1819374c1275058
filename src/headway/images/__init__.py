"""Images: read from files that may be anything, and prepared as a checkpoint wants them."""

from headway.images.preprocessing import Preprocessing
from headway.images.reading import ENDINGS, ImageLike, each_image, image_files, is_image, open_image

__all__ = [
    "ENDINGS",
    "ImageLike",
    "Preprocessing",
    "each_image",
    "image_files",
    "is_image",
    "open_image",
]
