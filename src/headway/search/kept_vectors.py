"""Vectors of passages on disk: made once for a model and its texts, mapped from then on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from headway.data import Dataset
from headway.data.cache import Store
from headway.model import Model
from headway.search.passages import cut_texts
from headway.tasks.pairs.vectors import unit

__all__ = ["KeptVectors", "kept_vectors", "model_fingerprint"]

VECTORS, PLACES = "vectors.f32", "places.npy"
FORMAT = "1"
"""Of the two files."""


@dataclass(frozen=True)
class KeptVectors:
    """The passages of some texts.

    Attributes:
        vectors: float32 [passages, hidden], of length 1, or zeros for a text without tokens;
            mapped.
        places: int64 [passages, 4]: row, start and end in characters, tokens. Row after row, each
            with one passage or more.
    """

    vectors: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64]

    @property
    def firsts(self) -> npt.NDArray[np.int64]:
        """The first passage of each row, int64 [rows]."""
        rows = self.places[:, 0]
        return np.flatnonzero(np.diff(rows, prepend=-1))


def kept_vectors(
    model: Model,
    data: Dataset,
    *,
    window: int | None = None,
    stride: int | None = None,
    batch_tokens: int | None = None,
    store: Store | None = None,
) -> KeptVectors:
    """The vectors of all passages, from the cache where the same were asked for before.

    Args:
        model: that embeds.
        data: as `source_of` gives it.
        window, stride: as in `cut_texts`.
        batch_tokens: most tokens in one forward pass; None = as suits the device.
        store: where they are kept; the folder `steps` of the cache if it is not said.

    Raises:
        OutputError: the cache cannot be written.
        TokenizerError: a text that cannot be encoded.
    """
    hidden = model.checkpoint.config.hidden

    def make(folder: Path) -> int:
        places = []
        with (folder / VECTORS).open("wb") as file:
            for passages in cut_texts(model, data, window=window, stride=stride):
                # A text without tokens is near to nothing.
                vectors = np.zeros((len(passages), hidden), dtype=np.float32)
                read = [number for number, passage in enumerate(passages) if passage.tokens]
                texts = [passages[number].text for number in read]
                vectors[read] = unit(model.embed(texts, batch_tokens=batch_tokens))
                file.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
                places += [(one.row, one.start, one.end, one.tokens) for one in passages]
        np.save(folder / PLACES, np.array(places, dtype=np.int64).reshape(-1, 4))
        return len(places)

    parts = {
        "step": "embed",
        "data": data.fingerprint,
        "model": model_fingerprint(model),
        "window": str(window),
        "stride": str(stride),
        "format": FORMAT,
    }
    folder = (store or Store()).result(parts, make)
    places = np.load(folder / PLACES)
    vectors = np.memmap(folder / VECTORS, "<f4", mode="r", shape=(len(places), hidden))
    return KeptVectors(vectors, places)


def model_fingerprint(model: Model) -> str:
    """`sha256:...` of all that decides a model's vectors, from its tokenizer to its pooling."""
    checkpoint = model.checkpoint
    digest = hashlib.sha256()
    for part in (checkpoint.values.get("model_type"), checkpoint.config, checkpoint.embedding):
        digest.update(f"{part!r}\n".encode())
    digest.update(model.need_tokenizer().fingerprint.encode())
    for name, tensor in sorted(model.body.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(memoryview(flat.numpy()))
    return f"sha256:{digest.hexdigest()}"
