"""Whether an exported program gives what the model gives, on texts that were not there before."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from headway.compress.graphs import SEGMENTS, parts_of
from headway.core.layout import Layout
from headway.core.pooling import POOLINGS
from headway.core.stacks import EncoderDecoder
from headway.errors import ConfigError
from headway.model import Model

__all__ = ["Run", "check_same"]

Array = npt.NDArray[Any]
Ids = Sequence[Sequence[int]]

Run = Callable[[str, Mapping[str, Array]], list[Array]]
"""Name of a part and its inputs -> its outputs, wherever it was exported to."""

TOLERANCE = 1e-4
"""Largest difference, beside numbers of about 1."""

SHAPES = ((1,), (5, 1, 9), (2, 7), (16, 3, 16, 11))
"""Lengths of the texts in each batch that is tried."""


def check_same(model: Model, run: Run) -> float:
    """Runs random texts through both, padded behind and before; returns the largest difference.

    Args:
        model: on the processor, ready to predict.
        run: what was exported.

    Raises:
        ConfigError: the two differ.
    """
    draw, worst = random.Random(0), 0.0
    longest = model.longest or max(SHAPES[-1])
    for number, lengths in enumerate(SHAPES):
        texts = [_numbers(model, min(length, longest), draw) for length in lengths]
        for ours, theirs in _pairs(model, run, texts, draw, before=bool(number % 2)):
            scale = max(1.0, float(np.abs(ours).max(initial=0.0)))
            difference = float(np.abs(ours - theirs).max(initial=0.0)) / scale
            worst = max(worst, difference if np.isfinite(difference) else np.inf)
    if worst > TOLERANCE:
        raise ConfigError(
            f"what was exported differs from the model by {worst:.1e}, so it is not kept",
            allowed=f"{TOLERANCE:.0e}",
            next_step="export a model of another architecture",
        )
    return worst


def _pairs(
    model: Model, run: Run, texts: Ids, draw: random.Random, *, before: bool
) -> Iterator[tuple[Array, Array]]:
    """What the model gives and what was exported gives, for each text."""
    ids, mask = _rectangle(texts, draw, before=before), _rectangle(texts, None, before=before)
    inputs = {"input_ids": ids, "attention_mask": mask}
    segments = target = None
    if isinstance(model.body, EncoderDecoder):
        target = [_numbers(model, draw.randint(1, 8), draw) for _ in texts]
        (states,) = run("encoder_model", inputs)
        places = _rectangle(target, None, before=False)
        fed = _rectangle(target, draw, before=False)
        named = {"encoder_attention_mask": mask, "encoder_hidden_states": states}
        outputs = run("decoder_model", {"input_ids": fed, **named})
    else:
        places = mask
        if SEGMENTS in parts_of(model)[0].inputs:
            segments = [[draw.randrange(2) for _ in text] for text in texts]
            inputs[SEGMENTS] = np.zeros_like(ids)
            inputs[SEGMENTS][mask == 1] = [mark for row in segments for mark in row]
        outputs = run("model", inputs)
    with torch.no_grad():
        out = model.forward(texts, segments=segments, target=target)
    rows = out.last if out.logits is None else out.logits
    for number, (ours, theirs) in enumerate(zip(rows, outputs[0], strict=True)):
        yield ours.numpy(), theirs[places[number] == 1] if ours.dim() == 2 else theirs
    if len(outputs) > 1:
        how, layout = model.checkpoint.embedding, Layout.of(texts)
        vectors = POOLINGS[how.pooling](torch.cat(out.last), layout)
        yield (F.normalize(vectors, dim=-1) if how.normalise else vectors).numpy(), outputs[1]


def _numbers(model: Model, length: int, draw: random.Random) -> list[int]:
    """Random token ids."""
    return [draw.randrange(model.checkpoint.config.vocabulary) for _ in range(length)]


def _rectangle(texts: Ids, draw: random.Random | None, *, before: bool) -> Array:
    """Texts side by side, with random ids as padding; without `draw`, the mask of them."""
    longest = max(map(len, texts))
    junk = 0 if draw is None else draw.choice(texts[0])  # padding may be any id
    made = np.full((len(texts), longest), junk, np.int64)
    for row, text in zip(made, texts, strict=True):
        part = slice(longest - len(text), None) if before else slice(len(text))
        row[part] = 1 if draw is None else text
    return made
