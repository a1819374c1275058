"""Text classification: a label, several labels or a number for a text or a pair of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headway.checkpoints import HeadPlan, new_head
from headway.core.ragged import window_means
from headway.core.stacks import Decoder
from headway.data import Columns, Dataset, guess_columns
from headway.errors import ConfigError
from headway.heads import Classifier
from headway.metrics import tfidf_baseline
from headway.model import Model
from headway.reading import HeadLogits
from headway.tasks.inputs import shown_text, texts_of
from headway.tasks.labels.columns import flat_names, kind_of, label_names, wrong_label
from headway.tasks.labels.contrast import contrast_body
from headway.tasks.labels.kinds import KINDS, Floats, Kind
from headway.tasks.labels.out_of_scope import by_class, kind_with, measured_apart
from headway.tasks.labels.probe import probe_head
from headway.tasks.labels.units import training_units
from headway.tasks.measured import Measured
from headway.tasks.stacks import need_one_stack
from headway.tasks.task import Compared, Course, Meaning, Start
from headway.training.collate import Batch, Ready, text_logits
from headway.windows import TextOrPair, Windowed, window_texts

__all__ = ["TextClassification"]

FEW = 64
"""Rows a class up to which labels count as few."""

KNOWN = 0.85
"""Share of rows that a probe gets right, cross-validated, from which the body knows the classes."""

MANY = Course(epochs=3, rate=1e-4)
"""Many labels."""
FIRM = Course(epochs=16, rate=1e-4)
"""Few labels of classes that the body does not tell apart yet."""
GENTLE = Course(epochs=4, rate=2e-5)
"""Few labels of classes that the body knows: more would only spoil it. Chosen on draws of the
demo's news other than the demo's own; FIRM on TREC's and SST-2's training rows, 8 to 16 a class."""
SETTLED = Course(epochs=1, rate=1e-6)
"""Labels that the body has just learned by contrast, and a head fitted to what it says now. On rows
of TREC's training file that were not given, 8 a class, four seeds: 81.9% right, with GENTLE 81.0;
of SST-2's about the same."""

EXPECTED = {
    "single-label": "a text or a number in every row",
    "multi-label": "a list of labels in every row, as JSON lines and Parquet have them",
    "regression": "a finite number in every row",
}

NOT_BASELINE = ("confusion", "calibration", "per_label", "points")
"""Measures that are not shown of a baseline."""


def is_few(rows: int, meaning: Meaning) -> bool:
    """Whether there are few rows of each class."""
    return rows <= FEW * len(meaning.labels)


def has_plain_head(model: Model) -> bool:
    """Whether the head is one linear layer on pooled states."""
    return isinstance(model.head, Classifier) and model.head.is_linear


def kind_named(meaning: Meaning) -> Kind:
    """The kind of answers, with the rule for texts of no label where there is one."""
    return KINDS[meaning.kind] if meaning.scope is None else kind_with(meaning.scope)


class TextClassification:
    """The task; see `Task` for what its parts are."""

    about = "a label, several labels or a number for a text or a pair"
    kinds = tuple(KINDS)
    keeps_head = False
    start = Start(has_plain_head, is_few, probe_head, contrast_body, KNOWN, SETTLED)
    units = staticmethod(training_units)

    def columns(
        self,
        data: Dataset | Mapping[str, Dataset],
        *,
        text: str | None,
        pair: str | None,
        label: str | None,
        labelled: bool = True,
    ) -> Columns:
        return guess_columns(data, text=text, pair=pair, label=label, labelled=labelled)

    def inputs(self, data: Dataset, columns: Columns, *, before: int = 0) -> list[TextOrPair]:
        return texts_of(data, columns, before=before)

    def shown(self, given: TextOrPair) -> str:
        return shown_text(given)

    def kind_of(self, answers: Sequence[Any]) -> str:
        return kind_of(answers)

    def wrong(self, answer: Any, kind: str) -> str:
        return wrong_label(answer, kind)

    def expected(self, kind: str) -> str:
        return EXPECTED[kind]

    def labels(self, answers: Sequence[Any], kind: str) -> tuple[str, ...]:
        return label_names(answers, kind)

    def label_counts(self, answers: Sequence[Any], meaning: Meaning) -> dict[str, int]:
        if meaning.kind == "regression":
            return {}
        counts = Counter(flat_names(answers, meaning.kind))
        return {name: counts[name] for name in meaning.labels}

    def check(self, model: Model) -> None:
        need_one_stack(model, "which has no one vector a text")

    def fitted(self, model: Model) -> Model:
        return model

    def head(self, model: Model, meaning: Meaning, *, head: str, pooling: str | None) -> HeadPlan:
        embedding = model.checkpoint.embedding
        usual = "last" if isinstance(model.body, Decoder) else "mean"
        return new_head(
            model.checkpoint.family,
            "text-classification",
            labels=meaning.labels,
            kind=meaning.kind,
            head=head,
            pooling=pooling or (embedding.pooling if embedding.declared else usual),
        )

    def encode(
        self,
        model: Model,
        inputs: Sequence[TextOrPair],
        *,
        size: int | None,
        stride: int | None,
        first: int = 0,
    ) -> list[Windowed]:
        return window_texts(model.need_tokenizer(), inputs, size=size, stride=stride, first=first)

    def targets(
        self, model: Model, texts: Sequence[Windowed], answers: Sequence[Any], meaning: Meaning
    ) -> Tensor:
        return kind_named(meaning).targets(answers, meaning.labels)

    def course(self, rows: int, meaning: Meaning, right: float | None = None) -> Course:
        if right is not None and right >= KNOWN:
            return GENTLE
        return FIRM if is_few(rows, meaning) else MANY

    def weights(self, answers: Sequence[Any], meaning: Meaning) -> Tensor:
        """Inverse frequency, mean 1 over the rows; for label sets, negatives over positives."""
        if meaning.kind == "regression":
            raise ConfigError("class_weights with numbers to predict", allowed="rows with labels")
        found = self.label_counts(answers, meaning).values()
        counts = torch.tensor([max(1, count) for count in found], dtype=torch.float32)
        if meaning.kind == "multi-label":
            return (len(answers) - counts).clamp(min=1) / counts
        return len(answers) / (len(counts) * counts)

    def collate(
        self,
        model: Model,
        batch: Batch,
        targets: Tensor,
        meaning: Meaning,
        *,
        weights: Tensor | None = None,
        chance: torch.Generator | None = None,
    ) -> Ready:
        wanted = targets[batch.rows]
        return Ready(batch, (wanted, weights), kind_named(meaning).counts(wanted, weights))

    def loss(self, model: Model, ready: Ready, meaning: Meaning) -> tuple[Tensor, ...]:
        logits = text_logits(model, ready.batch)
        wanted, weights = ready.wanted
        weights = None if weights is None else weights.to(logits.device)
        return kind_named(meaning).loss(logits, wanted.to(logits.device), weights)

    def read(
        self,
        model: Model,
        texts: Sequence[Windowed],
        meaning: Meaning,
        *,
        batch_tokens: int,
        what: str,
    ) -> list[Floats]:
        """Probabilities or numbers of each text, float64 [classes]."""
        logits = HeadLogits(model)
        found = model.read_each(texts, logits, batch_tokens=batch_tokens, what=what)
        return list(kind_named(meaning).predict(window_means(found))) if found else []

    def tell(self, found: Floats, text: Windowed, meaning: Meaning) -> dict[str, Any]:
        return kind_named(meaning).answer(found, meaning.labels)

    def score(
        self,
        found: Sequence[Floats],
        texts: Sequence[Windowed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Any]:
        return kind_named(meaning).score(np.asarray(found), answers, meaning.labels)

    def metrics(
        self,
        found: Sequence[Floats],
        texts: Sequence[Windowed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Measured]:
        names, table = meaning.labels, np.asarray(found)
        if meaning.kind == "single-label":
            said = [kind_named(meaning).answer(row, names)["label"] for row in found]
            there, each = flat_names(answers, meaning.kind), {"labels": meaning.answers}
            return {
                "accuracy": Measured("accuracy", said, there),
                "macro_f1": Measured("macro_f1", said, there, options=each),
                **({} if meaning.scope is None else measured_apart(said, there, meaning.scope)),
            }
        truth = KINDS[meaning.kind].targets(answers, names).numpy()
        if meaning.kind == "regression":
            measures = ("pearson", "spearman", "mae", "mse", "r2")
            return {name: Measured(name, table[:, 0], truth) for name in measures}
        chosen, right = table >= 0.5, truth.astype(bool)
        return {
            "accuracy": Measured("exact_match", chosen, right),
            "micro_f1": Measured("micro_f1", chosen, right),
            "macro_f1": Measured("macro_f1", chosen, right, options={"labels": names}),
        }

    def main(self, kind: str) -> str:
        return KINDS[kind].main

    def compare(
        self,
        found: Sequence[Floats],
        texts: Sequence[Windowed],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> list[Compared]:
        kind = kind_named(meaning)
        if meaning.kind == "regression":
            pairs = zip(answers, [float(row[0]) for row in found], strict=True)
            return [Compared(true, one, abs(one - true)) for true, one in pairs]
        compared = []
        for row, answer in zip(found, answers, strict=True):
            told = kind.answer(row, meaning.labels)
            prediction = told["label"]
            truth: Any = flat_names([answer], meaning.kind)
            if meaning.kind == "multi-label":
                truth = sorted(set(truth))
                # As sure as of its least sure label, there or not.
                wrong, sure = sorted(prediction) != truth, 0.5 + np.abs(row - 0.5).min()
            else:
                (truth,) = truth
                wrong, sure = prediction != truth, told["score"]
            compared.append(Compared(truth, prediction, float(wrong), float(sure)))
        return compared

    def baseline(
        self,
        train: tuple[Sequence[TextOrPair], Sequence[Any]],
        test: tuple[Sequence[TextOrPair], Sequence[Any]],
        meaning: Meaning,
        *,
        seed: int,
    ) -> dict[str, Any]:
        """What TF-IDF and a linear model reach."""
        answers = list(train[1])
        if meaning.kind == "multi-label":
            answers = [set(flat_names([row], meaning.kind)) for row in answers]
        elif meaning.kind == "single-label":
            answers = flat_names(answers, meaning.kind)
        found = tfidf_baseline(train[0], answers, test[0], kind=meaning.kind, seed=seed)
        if found.probabilities is None:
            table = np.asarray(found.predictions, dtype=np.float64).reshape(-1, 1)
        else:
            order = {str(label): place for place, label in enumerate(found.labels)}
            absent = np.zeros(len(found.probabilities))
            table = np.stack(
                [
                    found.probabilities[:, order[name]] if name in order else absent
                    for name in meaning.labels
                ],
                axis=1,
            )
            if meaning.scope is not None:
                table = by_class(table, meaning.scope, found.probabilities, order)
        scores = self.score(list(table), (), test[1], meaning)
        kept = {name: value for name, value in scores.items() if name not in NOT_BASELINE}
        return {"name": found.name, **kept}
