"""Static word vectors: one vector a token, whatever stands around it.

A text's vector is the mean of its tokens'. Source: Pennington et al. 2014 (GloVe); Mikolov et al.
2013, arXiv 1301.3781 (word2vec). Files are those of model2vec, which sentence-transformers opens
as StaticEmbedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from headway.core.embeddings import Embeddings
from headway.core.fields import NotNegative, Rows, Size, read_fields, write_fields
from headway.core.names import Row
from headway.core.stacks import Encoder
from headway.heads import HeadSpec


@dataclass(frozen=True)
class Config:
    """The architecture."""

    vocabulary: Rows = 30000
    """Rows of the word table."""
    hidden: Size = 256
    """Size of a vector."""
    normalise: bool = False
    """Whether a text's vector has length 1."""
    initial_std: NotNegative = 0.02
    """Standard deviation of fresh weights."""


FIELDS = (
    ("vocabulary", "vocab_size"),
    ("hidden", "hidden_dim"),
    ("normalise", "normalize"),
    ("initial_std", "initializer_range"),
)

FIXED = {"pooling": ("mean", None), "vocabulary_quantization": (None,)}

IGNORED_KEYS = frozenset(
    {
        "apply_pca",
        "apply_zipf",
        "base_model_name",
        "embedding_dtype",
        "hidden_size",
        "language",
        "seq_length",
        "sif_coefficient",
        "tokenizer_name",
    }
)
"""How the vectors were made, and where another program cuts texts off."""

CLASSES = {"model2vec": "Static"}


def from_hf(values: Mapping[str, Any]) -> Config:
    """The config from what config.json holds."""
    return read_fields(Config, FIELDS, values, fixed=FIXED, ignored=IGNORED_KEYS)


def to_hf(config: Config) -> dict[str, Any]:
    """What config.json holds."""
    return {"model_type": "model2vec", **write_fields(config, FIELDS)}


def longest(config: Config) -> None:
    """Texts have any length."""


def build(config: Config) -> Encoder:
    """The table, and no block behind it."""
    return Encoder(Embeddings(nn.Embedding(config.vocabulary, config.hidden)), [])


PREFIX = ""

NAMES: tuple[Row, ...] = (("embeddings.words.weight", "embeddings"),)

OTHER_HEADS: tuple[str, ...] = ()

IGNORED: tuple[str, ...] = ()

SPARES = ()

HEADS: dict[str, HeadSpec] = {}
