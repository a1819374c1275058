"""A tiny model and a few rows of every task, in every kind and design, lengths apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipelines.models import masker, writer
from torch import Tensor

from headway.checkpoints.generation import Generation
from headway.checkpoints.scope import Scope
from headway.data import Dataset
from headway.model import Model
from headway.tasks import Meaning, Task, task_named
from headway.windows import Windowed

from .choosing import choosing
from .questions import questions
from .tiny import WORDS, tiny_model


@dataclass(frozen=True)
class Case:
    """What a step of training needs."""

    task: Task
    model: Model
    texts: list[Windowed]
    targets: Any
    meaning: Meaning
    weights: Tensor | None = None


def _case(
    name: str,
    make: Callable[[], Model],
    data: list[dict[str, Any]],
    *,
    head: str = "linear",
    design: str | None = None,
    kind: str | None = None,
    scope: str | None = None,
    weighted: bool = False,
) -> Case:
    task = task_named(name, design, head)
    rows = Dataset.from_rows(data, name="rows")
    columns = task.columns(rows, text=None, pair=None, label=None)
    answers = columns.answers(rows)
    kind = kind or task.kind_of([] if columns.label is None else answers)
    known = [answer for answer in answers if scope is None or answer != scope]
    meaning = Meaning(kind, task.labels(known, kind), None if scope is None else Scope(scope))
    model = task.fitted(make())
    texts = list(task.encode(model, task.inputs(rows, columns), size=24, stride=None))
    if not task.keeps_head:
        plan = task.head(model, meaning, head=head, pooling=None)
        if plan is not None:
            model.put_head(plan)
    targets = task.targets(model, texts, answers, meaning)
    weights = task.weights(answers, meaning) if weighted else None
    return Case(task, model.eval(), texts, targets, meaning, weights)


def _writes(kind: str) -> Model:
    """Begins with [CLS] and ends with [SEP]."""
    model = tiny_model() if kind == "bert" else writer(kind)
    stored = {"decoder_start_token_id": 2, "eos_token_id": 3}
    model.checkpoint.generation = Generation(2, frozenset({3}), stored)
    model.checkpoint.values |= {"bos_token_id": 2, "eos_token_id": 3}
    return model


def _words(first: int, count: int) -> str:
    return " ".join(WORDS[(first + n) % len(WORDS)] for n in range(count))


LENGTHS = (2, 9, 4, 16, 1, 7)


def _texts() -> list[dict[str, Any]]:
    return [{"text": _words(n, length)} for n, length in enumerate(LENGTHS)]


def _labelled(labels: list[Any]) -> list[dict[str, Any]]:
    return [row | {"label": label} for row, label in zip(_texts(), labels, strict=True)]


def _tagged(*, spans: bool = False) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for n, length in enumerate(LENGTHS):
        words = _words(n, length).split()
        if spans:
            end = len(words[0])
            entities = [{"start": 0, "end": end, "label": "B"}]
            entities += [{"start": 0, "end": len(" ".join(words)), "label": "A"}]
            made.append({"text": " ".join(words), "entities": entities})
        else:
            tags = ["B-A" if place % 3 == n % 3 else "O" for place in range(length)]
            made.append({"tokens": words, "tags": tags})
    return made


def _pairs(scores: bool) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {"sentence1": _words(n, length), "sentence2": _words(n + 5, 3)}
        for n, length in enumerate(LENGTHS)
    ]
    return [row | {"score": n / 5} for n, row in enumerate(made)] if scores else made


def _written() -> list[dict[str, Any]]:
    return [
        {"source": _words(n, length), "target": _words(n + 7, 1 + length // 3)}
        for n, length in enumerate(LENGTHS)
    ]


def _talks(ranked: bool) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for n, length in enumerate((2, 5, 1, 4, 3)):
        said = {"persona": [_words(n, 1)], "history": [_words(n + 3, length)]}
        right = _words(n + 9, 1 + n % 3)
        row: dict[str, Any] = {**said, "reply": right}
        if ranked:
            row["candidates"] = [right, *(_words(n + k, k) for k in (1, 2)[: 1 + n % 2])]
        made.append(row)
    return made


LABELS = ["a", "b", "b", "c", "a", "b"]

EVERY_TASK: dict[str, Callable[[], Case]] = {
    "text-classification": partial(_case, "text-classification", tiny_model, _labelled(LABELS)),
    "text-classification, rare classes count more": partial(
        _case, "text-classification", tiny_model, _labelled(LABELS), weighted=True
    ),
    "text-classification, some out of scope": partial(
        _case,
        "text-classification",
        tiny_model,
        _labelled(["a", "oos", "b", "oos", "a", "b"]),
        scope="oos",
    ),
    "text-classification, several labels": partial(
        _case,
        "text-classification",
        tiny_model,
        _labelled([["a"], ["a", "b"], [], ["b"], ["c"], ["a", "c"]]),
    ),
    "text-classification, numbers": partial(
        _case, "text-classification", tiny_model, _labelled([0.5, 2.0, -1.0, 0.25, 3.0, 1.5])
    ),
    "token-classification": partial(_case, "token-classification", tiny_model, _tagged()),
    "token-classification, paths": partial(
        _case, "token-classification", tiny_model, _tagged(), head="crf"
    ),
    "token-classification, nested": partial(
        _case,
        "token-classification",
        tiny_model,
        _tagged(spans=True),
        head="biaffine",
        kind="nested-entities",
    ),
    "question-answering": partial(
        _case, "question-answering", tiny_model, list(questions(5, words=14, without=0.3))
    ),
    "multiple-choice": partial(_case, "multiple-choice", tiny_model, list(choosing(5))),
    "sentence-similarity": partial(_case, "sentence-similarity", tiny_model, _pairs(scores=True)),
    "sentence-similarity pairs": partial(
        _case, "sentence-similarity", tiny_model, _pairs(scores=False)
    ),
    "fill-mask": partial(_case, "fill-mask", masker, _texts()),
    "text-generation": partial(_case, "text-generation", partial(writer, "gpt2"), _texts()),
    "summarization, two stacks": partial(
        _case, "summarization", partial(_writes, "t5"), _written()
    ),
    "translation, one stack": partial(_case, "translation", partial(_writes, "gpt2"), _written()),
    "dialogue, one text": partial(_case, "dialogue", partial(_writes, "gpt2"), _talks(True)),
    "dialogue, two stacks, choice head": partial(
        _case, "dialogue", partial(_writes, "bert"), _talks(True), head="choice"
    ),
    "dialogue without candidates": partial(
        _case, "dialogue", partial(_writes, "gpt2"), _talks(False)
    ),
}
"""Name -> makes the case."""
