"""Where a model is read from: a folder of the ecosystem's files, or one file of another format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from headway.checkpoints.documents import read_object
from headway.checkpoints.embedding import MODULES, read_embedding
from headway.checkpoints.generation import read_generation
from headway.checkpoints.gguf.read import read_gguf_model
from headway.checkpoints.llama2c import read_llama2c_model
from headway.checkpoints.preprocessor import read_preprocessing
from headway.checkpoints.source import Source
from headway.checkpoints.static import MODEL_TYPE, read_table, static_folder
from headway.checkpoints.tensors import bundle_index, read_tensors, said_of_weights
from headway.checkpoints.weights.original_bert import CONFIGS as ORIGINAL_CONFIGS
from headway.checkpoints.weights.original_bert import original_config
from headway.checkpoints.word_vectors import has_counts, read_binary_vectors, read_text_vectors
from headway.errors import CheckpointError
from headway.tokenizer import Tokenizer
from headway.tokenizer.formats.folder import FILES as TOKENIZER_FILES

__all__ = ["CONFIG", "FILES", "source_of"]

CONFIG = "config.json"


def _read_bin(path: Path) -> Source:
    """word2vec's, which begins with two numbers in a line, or llama2.c's."""
    return read_binary_vectors(path) if has_counts(path) else read_llama2c_model(path)


FILES: dict[str, Callable[[Path], Source]] = {
    ".bin": _read_bin,
    ".bin.gz": read_binary_vectors,
    ".gguf": read_gguf_model,
    ".safetensors": read_table,
    ".txt": read_text_vectors,
    ".txt.gz": read_text_vectors,
    ".vec": read_text_vectors,
    ".vec.gz": read_text_vectors,
}
"""Ending of a file with a whole model -> its reader."""


def source_of(place: Path) -> Source:
    """The parts of the model in a folder or a file.

    Raises:
        CheckpointError: they cannot be read.
    """
    if place.is_dir():
        return _folder(place)
    for ending, read in FILES.items():
        if place.name.endswith(ending):
            return read(place)
    raise CheckpointError(
        f"{place} is no model by its name", allowed=f"a folder, or a file: {', '.join(FILES)}"
    )


def _folder(folder: Path) -> Source:
    alone = (folder / MODULES).is_file() and not (folder / CONFIG).is_file()
    values = {} if alone else _read_config(folder)
    if alone or values.get("model_type") == MODEL_TYPE:
        return static_folder(folder, values)
    return Source(
        place=str(folder),
        values=values,
        tensors=partial(read_tensors, folder),
        tokenizer=partial(_tokenizer, folder),
        embedding=read_embedding(folder),
        generation=read_generation(folder, values),
        images=partial(read_preprocessing, folder),
        notes=said_of_weights(folder),
    )


def _read_config(folder: Path) -> dict[str, Any]:
    """What config.json holds, or would hold of a first release of BERT or ALBERT."""
    first = [path for name in ORIGINAL_CONFIGS if (path := folder / name).is_file()]
    if first and not (folder / CONFIG).is_file():
        return original_config(first[0], bundle_index(folder))
    return read_object(folder / CONFIG)


def _tokenizer(folder: Path) -> Tokenizer | None:
    return Tokenizer.load(folder) if _any_file(folder, TOKENIZER_FILES) else None


def _any_file(folder: Path, patterns: Iterable[str]) -> bool:
    return any(path.is_file() for pattern in patterns for path in folder.glob(pattern))
