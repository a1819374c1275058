"""A model as modules on padded batches, with the ecosystem's names, and the traced programs.

One stack is one part, `model`; an encoder-decoder is two, `encoder_model` and `decoder_model`, so
that a text is read once and answered token by token. Inputs are numbers, int64, in which a 1 of
`attention_mask` marks a token and a 0 padding; padding may stand anywhere.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from headway.checkpoints.embedding import Embedding
from headway.core.padded import PaddedLayout, aligned
from headway.core.pooling import POOLINGS
from headway.core.stacks import Decoder, Encoder, EncoderDecoder
from headway.errors import ConfigError
from headway.heads import BiaffineHead, CrfHead
from headway.model import Model

__all__ = ["SEGMENTS", "Part", "parts_of", "plain", "quietly", "traced"]

IDS, MASK, SEGMENTS = "input_ids", "attention_mask", "token_type_ids"
STATES, STATES_MASK = "encoder_hidden_states", "encoder_attention_mask"


@dataclass(frozen=True)
class Part:
    """One module of a model that is exported.

    Attributes:
        name: of its file.
        module: takes the inputs in order, and gives a tuple of the outputs.
        inputs: name -> an example.
        axes: name of an input -> names of its axes; an empty one has always the example's size.
        outputs: names, in order.
    """

    name: str
    module: nn.Module
    inputs: Mapping[str, Tensor]
    axes: Mapping[str, tuple[str, ...]]
    outputs: tuple[str, ...]


def plain(model: Model) -> Model:
    """The model in fp32 on the processor, ready to predict; itself if it is so."""
    first = next(model.parameters())
    if first.dtype == torch.float32 and first.device.type == "cpu" and not model.training:
        return model
    return copy.deepcopy(model).to("cpu", torch.float32).eval()


def parts_of(model: Model) -> list[Part]:
    """The parts of a model; their parameters are the model's own.

    Raises:
        ConfigError: what the model or its head does depends on lengths or ids in a way that a
            traced program has no place for.
    """
    body, head = model.body, model.head
    _refuse(model)
    batch = {name: torch.ones(2, 3, dtype=torch.int64) for name in (IDS, MASK, SEGMENTS)}
    axes = dict.fromkeys(batch, ("batch_size", "sequence_length"))
    if isinstance(body, EncoderDecoder):
        source = {IDS: batch[IDS], MASK: batch[MASK]}
        states = torch.zeros(2, 5, _width(body.encoder))
        answer = {IDS: batch[IDS], STATES_MASK: torch.ones(2, 5, dtype=torch.int64), STATES: states}
        longer = ("batch_size", "encoder_sequence_length")
        seen = {IDS: axes[IDS], STATES_MASK: longer, STATES: (*longer, "")}
        encoder, decoder = _Reader(body.encoder, None), _Writer(body.decoder, head)
        last = "last_hidden_state"
        return [
            Part("encoder_model", encoder.eval(), source, axes, (last,)),
            Part(
                "decoder_model", decoder.eval(), answer, seen, (last if head is None else "logits",)
            ),
        ]
    segments = body.embeddings.segments
    if segments is None or segments.num_embeddings < 2:
        del batch[SEGMENTS]
    embedding = model.checkpoint.embedding if head is None else None
    outputs = ("logits",) if head is not None else ("last_hidden_state", "sentence_embedding")
    return [Part("model", _Reader(body, head, embedding).eval(), batch, axes, outputs)]


def _refuse(model: Model) -> None:
    if model.vision is not None:
        raise ConfigError(
            "this model has a second tower, which reads images",
            next_step="export a model of texts alone",
        )
    if getattr(model.body, "global_tokens", None) is not None:
        raise ConfigError(
            "this model has tokens that see all of their text, which are told by each text's ids",
            next_step="export a model of another architecture",
        )
    head = model.head
    if isinstance(head, BiaffineHead | CrfHead) or getattr(head, "encoder", None) is not None:
        raise ConfigError(
            f"answers of the {model.checkpoint.plan} are not read off single logits, or its head "
            "reads states one after the other",
            allowed="heads of linear layers",
            next_step="adapt the model with --head linear, and export that",
        )


def traced(part: Part) -> ExportedProgram:
    """The part as a program of torch's operations, for batches of any shape.

    Raises:
        ConfigError: the model computes in a way that cannot be traced.
    """
    sizes = {name: Dim(name) for axes in part.axes.values() for name in axes if name}
    shapes = tuple(
        {number: sizes[axis] for number, axis in enumerate(part.axes[name]) if axis}
        for name in part.inputs
    )
    try:
        with torch.no_grad(), quietly():
            return torch.export.export(
                part.module, tuple(part.inputs.values()), dynamic_shapes=(shapes,), strict=False
            )
    except Exception as error:  # torch raises errors of many kinds here
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ConfigError(
            f"this model cannot be traced for batches of any shape: {reason[0]}",
            next_step="export a model of another architecture",
        ) from error


@contextmanager
def quietly() -> Iterator[None]:
    """Keeps from the user what torch's exporters say to those who develop them."""
    names = ("torch.onnx", "torch.__trace", "onnxscript", "onnx_ir")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


class _Reader(nn.Module):
    """A stack, and a head or the vector of a text, on a padded batch."""

    def __init__(
        self, body: Encoder | Decoder, head: nn.Module | None, embedding: Embedding | None = None
    ) -> None:
        super().__init__()
        self.body, self.head, self.embedding = body, head, embedding

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Ids, mask and segments, int64 [batch, length] -> the outputs."""
        ids, mask, *segments = inputs
        places = aligned(mask != 0)
        layout = PaddedLayout(_moved(mask, places) != 0)
        marks = _moved(segments[0], places).flatten() if segments else None
        rows = self.body(_moved(ids, places).flatten(), layout, marks)
        if self.head is None:
            vectors = [] if self.embedding is None else [_vectors(rows, layout, self.embedding)]
            return (_back(rows, places), *vectors)
        logits = self.head(rows, layout)
        return (_back(logits, places) if self.head.per_token else logits,)


class _Writer(nn.Module):
    """A decoder that looks at an encoder's states, and its head, on padded batches.

    The decoder's own tokens have no mask: what stands behind a token is never seen by it.
    """

    def __init__(self, body: Decoder, head: nn.Module | None) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, *inputs: Tensor) -> tuple[Tensor]:
        """int64 [batch, length] and [batch, source], states [batch, source, hidden] -> outputs."""
        ids, seen, states = inputs
        places = aligned(seen != 0)
        source = PaddedLayout(_moved(seen, places) != 0)
        order = _moved(torch.arange(seen.shape[1]).expand_as(seen), places)
        layout = PaddedLayout(torch.ones_like(ids) != 0)
        memory = _back(states.flatten(0, 1), order).flatten(0, 1), source
        rows = self.body(ids.flatten(), layout, memory=memory)
        if self.head is not None:
            rows = self.head(rows, layout)
        return (layout.pad(rows),)


def _moved(values: Tensor, places: Tensor) -> Tensor:
    """Numbers [batch, length], each at the place where it goes."""
    return torch.zeros_like(values).scatter(1, places, values)


def _back(rows: Tensor, places: Tensor) -> Tensor:
    """Rows [batch * length, size], each taken from its place: [batch, length, size]."""
    starts = torch.arange(places.shape[0])[:, None] * places.shape[1]
    return rows.index_select(0, (starts + places).flatten()).unflatten(0, places.shape)


def _vectors(rows: Tensor, layout: PaddedLayout, how: Embedding) -> Tensor:
    """What `Model.embed` gives of texts that fit: [batch, hidden]."""
    vectors = POOLINGS[how.pooling](rows, layout)
    return nn.functional.normalize(vectors, dim=-1) if how.normalise else vectors


def _width(encoder: Encoder | Decoder) -> int:
    """The size of the encoder's hidden states."""
    return encoder.embeddings.words.embedding_dim
