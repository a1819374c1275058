"""Denoising: a text is made worse, and an encoder-decoder writes what it was.

`spans` writes what was left out alone, which is short and quick; `infilling` writes the whole text,
as summaries and translations do later.

Sources: Raffel et al. 2019, arXiv 1910.10683 (T5); Lewis et al. 2019, arXiv 1910.13461 (BART).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from headway.core.stacks import EncoderDecoder
from headway.errors import ConfigError
from headway.model import Model
from headway.tokenizer import Tokenizer
from headway.tokenizer.around import special_around
from headway.training.collate import Batch, Ready
from headway.training.noise import Marks, Noise, infilling, spans
from headway.training.targets import written_loss
from headway.training.word_starts import written

__all__ = ["SENTINELS", "Denoise"]

SENTINELS = tuple(f"<extra_id_{number}>" for number in range(100))
"""As T5's vocabularies name what stands in for a span."""

SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", "।", "…")


@dataclass(frozen=True)
class Denoise:
    """See `Objective`.

    Args:
        noise: what is done to a text, of NOISES.
    """

    noise: Noise = spans
    about: str = field(default="what was taken out of a text is written", repr=False)
    head: str = field(default="text2text-generation", repr=False)
    terms: tuple[str, ...] = field(default=("loss",), repr=False)
    rate: float = field(default=1e-3, repr=False)
    joins: bool = field(default=True, repr=False)

    def check(self, model: Model) -> None:
        if not isinstance(model.body, EncoderDecoder):
            raise ConfigError(
                f"{model.source or 'this model'} has one stack",
                allowed="an encoder-decoder (T5, BART and the like)",
                next_step="--objective masked for encoders, causal for decoders",
            )
        marks = marks_of(model.need_tokenizer())
        if self.noise is spans and not marks.sentinels:
            raise ConfigError(
                f"the tokenizer of {model.source or 'this model'} has no {SENTINELS[0]}",
                next_step="--noise infilling, or a tokenizer with such tokens",
            )
        if self.noise is infilling and marks.mask is None:
            raise ConfigError(
                f"the tokenizer of {model.source or 'this model'} has no mask token",
                next_step="--noise spans, or set mask_token in tokenizer_config.json",
            )

    def collate(self, model: Model, batch: Batch, chance: torch.Generator | None) -> Ready:
        """The noisy texts take the place of what was given; special tokens stay around both."""
        tokenizer = model.need_tokenizer()
        marks, (before, behind) = marks_of(tokenizer), _around(tokenizer)
        first = model.checkpoint.generation.start
        windows, wanted = [], []
        for window in batch.windows:
            begin, end = before, len(window) - behind
            read, written = self.noise(window[begin:end], marks, chance)
            opened = [] if window[:begin] == [first] else window[:begin]
            windows.append([*window[:begin], *read, *window[end:]])
            wanted.append([*opened, *written, *window[end:]])
        segments = [[0] * len(window) for window in windows]
        noisy = Batch(batch.rows, windows, segments, batch.numbers)
        return Ready(noisy, wanted, (float(sum(map(len, wanted))),))

    def loss(self, model: Model, ready: Ready) -> tuple[Tensor, ...]:
        """-log p of each token to be written, the end token among them, in nats."""
        return (written_loss(model, ready.batch, ready.wanted),)


def _around(tokenizer: Tokenizer) -> tuple[int, int]:
    """How many special tokens stand before and behind a text; an end token, if there is one, in any
    case. What stands inside, such as the end of a text to which another is joined, is text."""
    before, behind = special_around(tokenizer)
    return len(before), len(behind) or int("eos" in tokenizer.special_ids)


def marks_of(tokenizer: Tokenizer) -> Marks:
    """What a tokenizer has to stand in for what is gone, and where sentences end."""
    if (known := _MARKS.get(tokenizer)) is not None:
        return known
    sentinels = tuple(number for token in SENTINELS if (number := tokenizer.id(token)) is not None)
    ends = frozenset(
        number for number, text in written(tokenizer).items() if text.endswith(SENTENCE_ENDS)
    )
    found = Marks(tokenizer.special_ids.get("mask"), sentinels, ends)
    return _MARKS.setdefault(tokenizer, found)


_MARKS: WeakKeyDictionary[Tokenizer, Marks] = WeakKeyDictionary()
