"""The words that a text hides behind its mask tokens, the likeliest first; texts of any length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.core.stacks import Encoder
from headway.data import Dataset, guess_columns
from headway.errors import ConfigError
from headway.heads import LanguageModelHead
from headway.model import Model
from headway.pipelines.inputs import is_text, opened
from headway.pipelines.reader import Reader
from headway.tasks import Meaning, task_named
from headway.tasks.inputs import each_text
from headway.training.masking import mask_token
from headway.windows import Windowed, window_texts

__all__ = ["FillMask"]


class FillMask:
    """Tells masked words with an encoder that has its language-model head.

    Args:
        model: with such a head, and a tokenizer with a mask token.
        options: window, stride, batch_tokens and precision, as `Reader` takes them.

    Raises:
        ConfigError: the model has no such head or no mask token; an option that cannot be.
    """

    READS = ("window", "stride")
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model, **options: Any) -> None:
        if not isinstance(model.body, Encoder) or not isinstance(model.head, LanguageModelHead):
            raise ConfigError(
                f"{model.source or 'this model'} has no head that tells masked words",
                allowed="an encoder with its own, such as BERT's",
                next_step="headway adapt --task fill-mask makes one",
            )
        self.mask = mask_token(model)
        self.reader = Reader(task_named("fill-mask"), model, Meaning("masked-words"), **options)

    def __call__(
        self, texts: str | list[str] | Dataset | Path | Iterator[str], *, top: int = 5
    ) -> Any:
        """Fills the masks of one text or many.

        Args:
            texts: with one mask token or more each; a text, a list, a data set or the Path of a
                file of rows, or an iterator, which is answered lazily.
            top: how many words are told for each mask.

        Returns:
            For each text `masks`, a list with `start`, `end` (in characters), `words` and `scores`
            of each, and `tokens` (used, total, windows). A mask in several windows is told from the
            one that shows most around it.

        Raises:
            ConfigError: a text without a mask, or a `top` that cannot be.
        """
        if top < 1:
            raise ConfigError(f"top = {top}", allowed="1 or more")
        given = opened(
            texts,
            one=is_text,
            rows=lambda data: each_text(data, guess_columns(data, labelled=False)),
            wanted="a text",
        )
        if given.lazy:
            return given.lazily(self, top=top)
        reader, answers = self.reader, []
        model = reader.model
        head = model.head
        assert head is not None
        for chunk in given.chunks:
            read = window_texts(
                model.need_tokenizer(),
                chunk,
                size=reader.window,
                stride=reader.stride,
                first=chunk.first,
                places=True,
            )
            with reader.precise():
                found = model.read_each(
                    read,
                    lambda hidden, layout: layout.split(hidden),
                    batch_tokens=reader.batch_tokens,
                    what="Predicting",
                )
            for number, (text, states) in enumerate(zip(read, found, strict=True), chunk.first):
                masks = self._masks(text, number)
                rows = torch.stack([states[window][place] for window, place in masks.values()])
                with torch.inference_mode():
                    logits = head(rows, Layout((1,) * len(rows), device=rows.device)).float().cpu()
                answers.append(
                    {"masks": self._told(list(masks), logits, top), "tokens": text.report()}
                )
        return given.shaped(answers)

    def _masks(self, text: Windowed, number: int) -> dict[tuple[int, int], tuple[int, int]]:
        """Place in the text of each mask -> the window and the token that it is told from."""
        best: dict[tuple[int, int], tuple[int, int]] = {}
        around: dict[tuple[int, int], int] = {}
        for window, encoding in enumerate(text.places):
            for token, id_ in enumerate(encoding.ids):
                if id_ != self.mask:
                    continue
                place, seen = encoding.offsets[token], min(token, len(encoding) - 1 - token)
                if seen > around.get(place, -1):
                    best[place], around[place] = (window, token), seen
        if not best:
            vocabulary = self.reader.model.need_tokenizer().special["mask"]
            raise ConfigError(
                f"text {number} has no mask token",
                next_step=f"write {vocabulary} for a hidden word",
            )
        return dict(sorted(best.items()))

    def _told(
        self, places: Sequence[tuple[int, int]], logits: Tensor, top: int
    ) -> list[dict[str, Any]]:
        tokenizer = self.reader.model.need_tokenizer()
        scores, ids = logits.softmax(dim=-1).topk(min(top, logits.shape[-1]), dim=-1)
        return [
            {
                "start": start,
                "end": end,
                "words": [tokenizer.decode([token]).strip() for token in row],
                "scores": told,
            }
            for (start, end), row, told in zip(places, ids.tolist(), scores.tolist(), strict=True)
        ]
