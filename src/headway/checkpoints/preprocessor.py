"""The file that says how a checkpoint wants its images prepared.

Format: preprocessor_config.json, or the same under `image_processor` in processor_config.json.
"""

from __future__ import annotations

from pathlib import Path

from headway.checkpoints.documents import read_object, write_json
from headway.core.vision import Vision
from headway.errors import CheckpointError
from headway.images import Preprocessing

__all__ = ["FILES", "read_preprocessing", "usual_preprocessing", "write_preprocessing"]

FILES = ("preprocessor_config.json", "processor_config.json")


def read_preprocessing(folder: Path) -> Preprocessing | None:
    """What the folder's files say, or None where they say nothing.

    Raises:
        CheckpointError: a file cannot be read, or asks for what cannot be.
    """
    for name in FILES:
        path = folder / name
        values = read_object(path) if path.is_file() else None
        if values is not None and name == FILES[1]:
            values = values.get("image_processor")
            if values is not None and not isinstance(values, dict):
                raise CheckpointError(
                    f"{path}: image_processor = {values!r:.80}", allowed="an object"
                )
        if values is not None:
            return Preprocessing.from_hf(values, str(path))
    return None


def usual_preprocessing(vision: Vision) -> Preprocessing:
    """CLIP's, for images of the size that a tower reads."""
    _, height, width = vision.encoder.embeddings.shape
    return Preprocessing(resize=height, crop=(height, width))


def write_preprocessing(preprocessing: Preprocessing, folder: Path) -> None:
    """Writes preprocessor_config.json."""
    write_json(folder / FILES[0], preprocessing.to_hf())
