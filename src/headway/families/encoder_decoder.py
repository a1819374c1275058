"""Two stacks of other families joined: one reads, the other looks at it and writes.

The second is what its family says of itself as a decoder: `build_decoder` wires it, `CROSS_NAMES`
names what cross-attention adds, `WRITES` says whose head it writes with. A first stack that is a
decoder by trade (GPT-2) keeps its causal mask.

Source: Rothe et al. 2019, arXiv 1907.12461. Format: transformers' EncoderDecoderModel, whose
config.json holds the two stacks' own under `encoder` and `decoder`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from torch import nn

from headway.core.fields import read_fields
from headway.core.names import Row, prefixed
from headway.core.stacks import Decoder, Encoder, EncoderDecoder, share_weights
from headway.errors import CheckpointError
from headway.heads import HeadSpec

MODEL_TYPE = "encoder-decoder"
TASK = "text2text-generation"


@dataclass(frozen=True)
class Config:
    """The architecture: that of each stack, as its family says it."""

    encoder: Any
    """Of the stack that reads."""
    decoder: Any
    """Of the stack that writes."""
    shared: bool = False
    """Whether the decoder's weights are the encoder's, all but its cross-attention's."""

    @property
    def vocabulary(self) -> int:
        """Rows of the encoder's word table."""
        return int(self.encoder.vocabulary)

    @property
    def decoder_vocabulary(self) -> int:
        """Rows of the decoder's word table."""
        return int(self.decoder.vocabulary)

    @property
    def hidden(self) -> int:
        """Size of a hidden state."""
        return int(self.decoder.hidden)

    @property
    def layers(self) -> int:
        """Blocks of the encoder."""
        return int(self.encoder.layers)

    @property
    def decoder_layers(self) -> int:
        """Blocks of the decoder."""
        return int(self.decoder.layers)

    @property
    def heads(self) -> int:
        """Attention heads a block of the encoder."""
        return int(self.encoder.heads)

    @property
    def initial_std(self) -> float:
        """Standard deviation of fresh weights."""
        return float(self.decoder.initial_std)


@dataclass(frozen=True)
class _Beside:
    """What config.json says beside the two configs."""

    shared: bool | None = False


FIELDS = (("shared", "tie_encoder_decoder"),)

FIXED = {"tie_encoder_decoder": (True, False, None)}

IGNORED_KEYS = frozenset({"tie_word_embeddings", "vocab_size"})
"""What the two configs say for themselves."""

AS_DECODER = {"is_decoder": True, "add_cross_attention": True}
"""What the second config says beside its family's keys."""


@dataclass(frozen=True)
class Joined:
    """The family of one pair: has for it what a family's file has.

    Attributes:
        encoder, decoder: the two families.
        PREFIX to CLASSES: see `headway.families`.
    """

    encoder: ModuleType
    decoder: ModuleType
    PREFIX: str
    NAMES: tuple[Row, ...]
    OTHER_HEADS: tuple[str, ...]
    IGNORED: tuple[str, ...]
    SPARES: tuple[tuple[Any, ...], ...]
    HEADS: Mapping[str, HeadSpec]
    CLASSES: Mapping[str, str]

    def from_hf(self, values: Mapping[str, Any]) -> Config:
        """The config from what config.json holds."""
        beside = {key: values[key] for key in values.keys() - {"encoder", "decoder"}}
        said = read_fields(_Beside, FIELDS, beside, fixed=FIXED, ignored=IGNORED_KEYS)
        inner = dict(values["decoder"])
        for key, wanted in AS_DECODER.items():
            if (found := inner.pop(key, None)) is not wanted:
                raise CheckpointError(f"config.json: decoder.{key} = {found!r}", allowed="true")
        return Config(
            _inner_config(self.encoder, "encoder", values["encoder"]),
            _inner_config(self.decoder, "decoder", inner),
            bool(said.shared),
        )

    def to_hf(self, config: Config) -> dict[str, Any]:
        """What config.json holds."""
        return {
            "model_type": MODEL_TYPE,
            "is_encoder_decoder": True,
            "encoder": self.encoder.to_hf(config.encoder),
            "decoder": {**self.decoder.to_hf(config.decoder), **AS_DECODER},
            "tie_encoder_decoder": config.shared,
        }

    def longest(self, config: Config) -> int | None:
        """How many tokens a text or a target may have: as many as both stacks can read."""
        limits = (self.encoder.longest(config.encoder), self.decoder.longest(config.decoder))
        return min((limit for limit in limits if limit is not None), default=None)

    def build(self, config: Config) -> EncoderDecoder:
        """Both stacks, with fresh weights."""
        encoder = self.encoder.build(config.encoder)
        if not isinstance(encoder, Encoder | Decoder):
            raise CheckpointError(
                f"{type(encoder).__name__} as an encoder", allowed="a model of one stack of blocks"
            )
        decoder: Decoder = self.decoder.build_decoder(config.decoder)
        if config.encoder.hidden != config.decoder.hidden:
            decoder.bridge = nn.Linear(config.encoder.hidden, config.decoder.hidden)
        if config.shared:
            if self.encoder is not self.decoder or config.encoder != config.decoder:
                raise CheckpointError(
                    "config.json: tie_encoder_decoder = True",
                    allowed="false, where encoder and decoder differ",
                )
            share_weights(encoder, decoder)
        return EncoderDecoder(encoder, decoder)


def join(encoder: ModuleType, decoder: ModuleType) -> Joined:
    """The family of encoder-decoders of two families.

    Args:
        encoder: builds a single stack.
        decoder: has `build_decoder`, `CROSS_NAMES` and `WRITES`.
    """
    head = decoder.HEADS[decoder.WRITES]

    def build_head(config: Config, body: EncoderDecoder, labels: int) -> nn.Module:
        return head.build(config.decoder, body.decoder, labels)

    def both(encoder_names: tuple[str, ...], decoder_names: tuple[str, ...]) -> tuple[str, ...]:
        return (*(f"encoder.{n}" for n in encoder_names), *(f"decoder.{n}" for n in decoder_names))

    return Joined(
        encoder=encoder,
        decoder=decoder,
        PREFIX="",
        NAMES=(
            *prefixed(encoder.NAMES, "encoder.", "encoder."),
            ("decoder.bridge.*", "enc_to_dec_proj.*"),
            *prefixed(
                (*decoder.NAMES, *decoder.CROSS_NAMES), "decoder.", f"decoder.{decoder.PREFIX}"
            ),
        ),
        OTHER_HEADS=both(encoder.OTHER_HEADS, decoder.OTHER_HEADS),
        IGNORED=both(encoder.IGNORED, decoder.IGNORED),
        SPARES=tuple(both((), names) for names in decoder.SPARES),
        HEADS={TASK: HeadSpec("Model", build_head, tuple(prefixed(head.names, "", "decoder.")))},
        CLASSES={MODEL_TYPE: "EncoderDecoder"},
    )


def _inner_config(family: ModuleType, side: str, values: Mapping[str, Any]) -> Any:
    try:
        return family.from_hf(values)
    except CheckpointError as error:
        raise CheckpointError(
            f"{side} of {error.problem}", allowed=error.allowed, next_step=error.next_step
        ) from None
