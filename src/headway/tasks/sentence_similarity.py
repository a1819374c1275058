"""Sentence similarity: vectors of texts that are as near to each other as people say.

There is no head: what is trained is how the body embeds, and the saved model is one that embeds.

Sources: siamese encoders and cosine regression, Reimers & Gurevych 2019 (arXiv 1908.10084); pairs
among others of their batch, Henderson et al. 2017 (arXiv 1705.00652).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headway.core.pooling import POOLINGS
from headway.core.stacks import Decoder
from headway.data import Columns, Dataset, guess_columns
from headway.data.named_column import one_of_splits
from headway.errors import ConfigError, DataError
from headway.heads.losses import cosine_regression, in_batch_negatives
from headway.metrics import tfidf_vectors
from headway.metrics.correlation import ranks
from headway.model import Model
from headway.tasks.inputs import shown_text, texts_of
from headway.tasks.labels.columns import wrong_label
from headway.tasks.measured import Measured
from headway.tasks.pairs.scores import (
    Scores,
    measured_retrieval,
    measured_similarity,
    nearest_seconds,
    score_retrieval,
    score_similarity,
)
from headway.tasks.pairs.vectors import Pair, batch_vectors, read_pairs, vectors_of
from headway.tasks.stacks import need_one_stack
from headway.tasks.task import Compared, Course, Meaning
from headway.training.collate import Batch, Ready

__all__ = ["SentenceSimilarity"]

TextPair = tuple[str, str]
Floats = npt.NDArray[np.float64]

EXPECTED = {
    "similarity": "a finite number in every row, the larger the more alike",
    "pairs": "no label: the two texts of every row belong together",
}
MANY = 1000
"""Rows from which fewer epochs do."""


@dataclass(frozen=True)
class Wanted:
    """What is to be learned.

    Attributes:
        firsts: of each pair, how many of its windows are the first text's.
        values: of similarities, float64 [pairs]; of pairs, the numbers of both texts among the
            different ones, int64 [pairs, 2].
    """

    firsts: list[int]
    values: Tensor


class SentenceSimilarity:
    """The task; see `Task` for what its parts are."""

    about = "how alike two texts are, by vectors that serve search and clusters too"
    kinds: tuple[str, ...] = ("similarity", "pairs")
    keeps_head = False
    start = None

    @contextmanager
    def units(self, model: Model, targets: Wanted, kind: str) -> Iterator[Wanted]:
        """Similarities from 0 to 1, as cosines of texts are."""
        if kind != "similarity":
            yield targets
            return
        low, high = targets.values.min(), targets.values.max()
        yield Wanted(targets.firsts, (targets.values - low) / (high - low).clamp(min=1e-12))

    def columns(
        self,
        data: Dataset | Mapping[str, Dataset],
        *,
        text: str | None,
        pair: str | None,
        label: str | None,
        labelled: bool = True,
    ) -> Columns:
        found = guess_columns(data, text=text, pair=pair, label=label, labelled=False)
        if found.pair is None:
            raise DataError(
                "there is no column of second texts",
                allowed="rows of two texts, with or without a number that says how alike they are",
                next_step="name it with --pair",
            )
        if label is None and found.label is not None:
            values = one_of_splits(data).column(found.label)
            if not _is_number(values.type):
                said = f"text column {found.text!r}, pair column {found.pair!r}"
                return Columns(found.text, found.pair, None, said)
        return found

    def inputs(self, data: Dataset, columns: Columns, *, before: int = 0) -> list[TextPair]:
        return [one for one in texts_of(data, columns, before=before) if isinstance(one, tuple)]

    def shown(self, given: TextPair) -> str:
        return shown_text(given)

    def kind_of(self, answers: Sequence[Any]) -> str:
        return "pairs" if all(answer is None for answer in answers) else "similarity"

    def wrong(self, answer: Any, kind: str) -> str:
        if kind == "similarity":
            return wrong_label(answer, "regression")
        return "" if answer is None else f"there is a label, {answer!r:.40}"

    def expected(self, kind: str) -> str:
        return EXPECTED[kind]

    def labels(self, answers: Sequence[Any], kind: str) -> tuple[str, ...]:
        return ()

    def label_counts(self, answers: Sequence[Any], meaning: Meaning) -> dict[str, int]:
        return {}

    def check(self, model: Model) -> None:
        need_one_stack(model, "which has no one vector a text")

    def fitted(self, model: Model) -> Model:
        return model

    def head(self, model: Model, meaning: Meaning, *, head: str, pooling: str | None) -> None:
        """None: the checkpoint declares from now on how it embeds."""
        if head != "linear":
            raise ConfigError(
                f"head = {head!r} with sentence-similarity", allowed="no head: vectors are compared"
            )
        how = model.checkpoint.embedding
        usual = "last" if isinstance(model.body, Decoder) else "mean"
        pooling = pooling or (how.pooling if how.declared else usual)
        if pooling not in POOLINGS:
            raise ConfigError(f"pooling = {pooling!r}", allowed=", ".join(POOLINGS))
        model.checkpoint.embedding = dataclasses.replace(how, pooling=pooling, declared=True)

    def encode(
        self,
        model: Model,
        inputs: Sequence[TextPair],
        *,
        size: int | None,
        stride: int | None,
        first: int = 0,
    ) -> list[Pair]:
        return read_pairs(model, inputs, size=size, stride=stride, first=first)

    def targets(
        self, model: Model, texts: Sequence[Pair], answers: Sequence[Any], meaning: Meaning
    ) -> Wanted:
        firsts = [text.first for text in texts]
        if meaning.kind == "similarity":
            return Wanted(
                firsts, torch.tensor([float(one) for one in answers], dtype=torch.float64)
            )
        numbers: dict[str, int] = {}
        codes = [[numbers.setdefault(one, len(numbers)) for one in text.texts] for text in texts]
        return Wanted(firsts, torch.tensor(codes, dtype=torch.int64).reshape(-1, 2))

    def course(self, rows: int, meaning: Meaning, right: float | None = None) -> Course:
        return Course(epochs=4 if rows > MANY else 8, rate=5e-5)

    def weights(self, answers: Sequence[Any], meaning: Meaning) -> Tensor:
        raise ConfigError("class_weights with pairs of texts", allowed="rows with labels")

    def collate(
        self,
        model: Model,
        batch: Batch,
        targets: Wanted,
        meaning: Meaning,
        *,
        weights: Tensor | None = None,
        chance: torch.Generator | None = None,
    ) -> Ready:
        wanted = Wanted([targets.firsts[row] for row in batch.rows], targets.values[batch.rows])
        return Ready(batch, wanted, (float(len(batch.rows)),))

    def loss(self, model: Model, ready: Ready, meaning: Meaning) -> tuple[Tensor, ...]:
        first, second = self.vectors(model, ready)
        return self.compare_vectors(first, second, ready.wanted.values, meaning)

    def vectors(self, model: Model, ready: Ready) -> tuple[Tensor, Tensor]:
        """Of the first and the second texts, each float32 [pairs, hidden]."""
        return batch_vectors(model, ready.batch, ready.wanted.firsts)

    def compare_vectors(
        self, first: Tensor, second: Tensor, values: Tensor, meaning: Meaning
    ) -> tuple[Tensor, ...]:
        """The sum of the loss over pairs; each is compared with all others, or with its number."""
        values = values.to(first.device)
        if meaning.kind == "similarity":
            return (cosine_regression(first, second, values).sum(),)
        return (in_batch_negatives(first, second, alike=_right_ones(values)).sum(),)

    def read(
        self,
        model: Model,
        texts: Sequence[Pair],
        meaning: Meaning,
        *,
        batch_tokens: int,
        what: str,
    ) -> list[npt.NDArray[np.float32]]:
        """The vectors of each pair, float32 [2, hidden], of length 1."""
        return list(vectors_of(model, texts, batch_tokens=batch_tokens, what=what))

    def tell(self, found: npt.NDArray[np.float32], text: Pair, meaning: Meaning) -> dict[str, Any]:
        return {"score": float(_cosines([found])[0])}

    def score(
        self,
        found: Sequence[npt.NDArray[np.float32]],
        texts: Sequence[Pair],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Any]:
        if meaning.kind == "similarity":
            return score_similarity(_cosines(found), np.asarray(answers, dtype=np.float64))
        return score_retrieval([text.texts for text in texts], _nearness(found))

    def metrics(
        self,
        found: Sequence[npt.NDArray[np.float32]],
        texts: Sequence[Pair],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Measured]:
        if meaning.kind == "similarity":
            return measured_similarity(_cosines(found), np.asarray(answers, dtype=np.float64))
        return measured_retrieval([text.texts for text in texts], _nearness(found))

    def main(self, kind: str) -> str:
        return "spearman" if kind == "similarity" else "accuracy"

    def compare(
        self,
        found: Sequence[npt.NDArray[np.float32]],
        texts: Sequence[Pair],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> list[Compared]:
        """Wrong by the share of rows that stand between its rank and the true one; or found."""
        if meaning.kind == "similarity":
            cosines = _cosines(found)
            truth = np.asarray(answers, dtype=np.float64)
            errors = np.abs(ranks(cosines) - ranks(truth)) / max(1, len(truth))
            rows = zip(answers, cosines.tolist(), errors.tolist(), strict=True)
            return [Compared(true, round(told, 4), error) for true, told, error in rows]
        nearest = nearest_seconds([text.texts for text in texts], _nearness(found))
        return [
            Compared(text.texts[1], told, float(not right), min(1.0, max(0.0, cosine)))
            for text, (told, cosine, right) in zip(texts, nearest, strict=True)
        ]

    def baseline(
        self,
        train: tuple[Sequence[TextPair], Sequence[Any]],
        test: tuple[Sequence[TextPair], Sequence[Any]],
        meaning: Meaning,
        *,
        seed: int,
    ) -> dict[str, Any]:
        """What the cosine of TF-IDF vectors reaches."""
        known = [text for pair in train[0] for text in pair]
        first, second = tfidf_vectors([[pair[side] for pair in test[0]] for side in (0, 1)], known)
        if meaning.kind == "similarity":
            cosines = np.asarray(first.multiply(second).sum(axis=1), dtype=np.float64).reshape(-1)
            scores = score_similarity(cosines, np.asarray(test[1], dtype=np.float64))
        else:
            scores = score_retrieval(
                test[0], lambda some, others: (first[some] @ second[others].T).toarray()
            )
        scores.pop("points", None)
        return {"name": "cosine of TF-IDF vectors", **scores}


def _cosines(found: Sequence[npt.NDArray[np.float32]]) -> Floats:
    """Of the two vectors of each pair, [pairs]."""
    if not found:
        return np.empty(0)
    table = np.stack(found).astype(np.float64)  # [pairs, 2, hidden]
    cosines: Floats = np.einsum("ph,ph->p", table[:, 0], table[:, 1])
    return cosines


def _nearness(found: Sequence[npt.NDArray[np.float32]]) -> Scores:
    """Of first texts to second ones, by the vectors of each pair."""
    table = np.stack(found)  # [pairs, 2, hidden]
    return lambda some, others: table[some, 0] @ table[others, 1].T


def _right_ones(codes: Tensor) -> Tensor:
    """Which second texts of a batch belong to which first ones, or are the same: bool [n, n].

    Args:
        codes: numbers of both texts of each pair, int64 [n, 2].
    """
    first, second = codes[:, :1], codes[:, 1:]  # [n, 1]
    same_first, same_second = (each == each.T for each in (first, second))
    in_some_row = (same_first.float() @ same_second.float()) > 0
    return in_some_row | (first == second.T)


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
