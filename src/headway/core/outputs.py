"""What a forward pass gives back: one tensor a text, never padded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from torch import Tensor

from headway.core.stacks import Body, EncoderDecoder
from headway.errors import ConfigError

__all__ = ["Output", "taps_of"]


@dataclass(frozen=True)
class Output:
    """Results of one forward pass over n texts; what was not asked for is None.

    Attributes:
        logits: per text [length, vocabulary] or [classes]; None without a head.
        last: per text, the last hidden states [length, hidden].
        hidden: per layer, per text [length, hidden]; layer 0 is the embeddings' output. Of the
            decoder, where there are two stacks.
        attention: per layer, per text [heads, length, length].
        encoder_hidden, encoder_attention: the same of the encoder, where there are two stacks.
        cross_attention: per layer, per text [heads, target length, length].
    """

    logits: list[Tensor] | None
    last: list[Tensor]
    hidden: list[list[Tensor]] | None = None
    attention: list[list[Tensor]] | None = None
    encoder_hidden: list[list[Tensor]] | None = None
    encoder_attention: list[list[Tensor]] | None = None
    cross_attention: list[list[Tensor]] | None = None


def taps_of(body: Body, record: Collection[str]) -> dict[str, list[str]]:
    """Field of Output -> the taps it shows, from the first layer to the last.

    Raises:
        ConfigError: something else than "hidden" and "attention" is asked for.
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
            found[f"{field}hidden"] = [f"{path}embeddings.out", *between, f"{path}out"]
        if "attention" in record:
            found[f"{field}attention"] = [f"{layer}.attention.map" for layer in layers]
        if "attention" in record and path == "decoder.":
            found["cross_attention"] = [f"{layer}.cross_attention.map" for layer in layers]
    return found
