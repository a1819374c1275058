"""Word vectors as other programs save them with their tokenizer.

model2vec's folders have config.json; those of sentence-transformers' StaticEmbedding have
modules.json alone, and the table in a folder beside it. WordLlama has weights/NAME_SIZE.safetensors
and tokenizers/NAME_tokenizer_config.json, which is a tokenizer.json. All three leave special tokens
out of the mean. Sources: https://github.com/MinishLab/model2vec,
https://github.com/huggingface/sentence-transformers, https://github.com/dleemiller/WordLlama.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headway.checkpoints.embedding import Embedding, read_embedding, static_place
from headway.checkpoints.source import Source
from headway.checkpoints.tensors import read_safetensors, read_tensors
from headway.errors import CheckpointError
from headway.tokenizer import Tokenizer

__all__ = ["MODEL_TYPE", "read_table", "static_folder"]

MODEL_TYPE = "model2vec"
TOKENIZER = "tokenizer.json"


def static_folder(folder: Path, values: Mapping[str, Any]) -> Source:
    """The parts of the word vectors in a folder.

    Args:
        folder: has modules.json or config.json, and the table where these say.
        values: what config.json holds; nothing where there is none.

    Raises:
        CheckpointError: no table, or a module that is not known.
    """
    place = static_place(folder)
    tensors = _folded(read_tensors(place), str(place))
    said = read_embedding(folder)
    normalise = said.normalise if said.declared else bool(values.get("normalize", False))
    embedding = Embedding(normalise=normalise, prompt=said.prompt, declared=True, static=True)
    return _source(str(folder), tensors, values, embedding, _tokenizer_at(place / TOKENIZER))


def read_table(path: Path) -> Source:
    """The parts of the word vectors in a .safetensors file that holds one table.

    Raises:
        CheckpointError: it holds something else.
    """
    tensors = _folded(read_safetensors(path), str(path))
    name = path.stem.rpartition("_")[0]
    apart = path.parent.parent / "tokenizers" / f"{name}_tokenizer_config.json"
    beside = path.with_name(TOKENIZER)
    read = _tokenizer_at(beside if beside.is_file() else apart)
    return _source(str(path), tensors, {}, Embedding(declared=True, static=True), read)


def _source(
    place: str,
    tensors: Mapping[str, Tensor],
    values: Mapping[str, Any],
    embedding: Embedding,
    tokenizer: Callable[[], Tokenizer | None],
) -> Source:
    rows, hidden = tensors["embeddings"].shape
    said = {"vocab_size": rows, "hidden_dim": hidden, "normalize": embedding.normalise}
    return Source(
        place=place,
        values={"model_type": MODEL_TYPE, **said, **values},
        tensors=lambda: tensors,
        tokenizer=tokenizer,
        embedding=embedding,
    )


def _tokenizer_at(path: Path) -> Callable[[], Tokenizer | None]:
    return partial(_bare, path) if path.is_file() else lambda: None


def _bare(path: Path) -> Tokenizer:
    return Tokenizer.load(path).without_special()


def _folded(tensors: Mapping[str, Tensor], place: str) -> dict[str, Tensor]:
    """The table as one row a token, under its name; other tensors as they are.

    model2vec may keep one row for several tokens (`mapping`), and a weight a token (`weights`).
    """
    found = dict(tensors)
    name = "embedding.weight" if "embedding.weight" in found else "embeddings"
    table = found.pop(name, None)
    if table is None or table.dim() != 2 or not table.is_floating_point():
        raise CheckpointError(
            f"{place} holds no table of word vectors: {', '.join(sorted(tensors)) or 'nothing'}",
            allowed="embeddings or embedding.weight, a matrix with a row a token",
            next_step="name the folder of the model, which has a config.json",
        )
    mapping, weights = found.pop("mapping", None), found.pop("weights", None)
    if mapping is not None:
        rows = mapping.long()
        if rows.dim() != 1 or not len(rows) or rows.min() < 0 or rows.max() >= len(table):
            raise CheckpointError(f"{place}: mapping leads beyond the {len(table)} rows")
        table = table[rows]
    if weights is not None:
        if weights.shape != table.shape[:1]:
            raise CheckpointError(f"{place}: {list(weights.shape)} weights for {len(table)} tokens")
        table = (table.to(torch.float32) * weights[:, None]).to(torch.float32)
    return {**found, "embeddings": table}
