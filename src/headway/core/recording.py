"""What a body can be asked: which taps show a forward pass, what segments it knows."""

from __future__ import annotations

from collections.abc import Collection

from headway.core.embeddings import Embeddings
from headway.core.stacks import Body, EncoderDecoder
from headway.errors import ConfigError

__all__ = ["marks_of", "segments_of", "taps_of"]


def taps_of(body: Body, record: Collection[str]) -> dict[str, list[str]]:
    """Field of Output -> the taps it shows, from the first layer to the last.

    Args:
        body: of the model.
        record: any of "hidden" and "attention".

    Raises:
        ConfigError: anything else.
    """
    unknown = sorted(set(record) - {"hidden", "attention"})
    if unknown or isinstance(record, str):
        raise ConfigError(f"record = {record!r}", allowed='a list of "hidden" and "attention"')
    if not isinstance(body, EncoderDecoder):
        stacks = {"": ("", body)}
    else:
        stacks = {"encoder_": ("encoder.", body.encoder), "": ("decoder.", body.decoder)}
    found: dict[str, list[str]] = {}
    for field, (path, stack) in stacks.items():
        layers = [f"{path}layers.{number}" for number in range(len(stack.layers))]
        if "hidden" in record:
            between = [f"{layer}.out" for layer in layers[:-1]]
            states = [f"{path}embeddings.out", *between, f"{path}out"]
            found[f"{field}hidden"] = states[: len(layers) + 1]
        if "attention" in record:
            found[f"{field}attention"] = [f"{layer}.attention.map" for layer in layers]
        if "attention" in record and path == "decoder.":
            found["cross_attention"] = [f"{layer}.cross_attention.map" for layer in layers]
    return found


def segments_of(body: Body) -> int:
    """How many segments a body's texts can have; 1 where it has no table of them."""
    segments = _embeddings(body).segments
    return 1 if segments is None else segments.num_embeddings


def marks_of(body: Body) -> int:
    """How many numbers a token's segment can be: as `segments_of`, or all words where a word
    stands for a segment."""
    embeddings = _embeddings(body)
    return embeddings.words.num_embeddings if embeddings.word_segments else segments_of(body)


def _embeddings(body: Body) -> Embeddings:
    return (body.encoder if isinstance(body, EncoderDecoder) else body).embeddings
