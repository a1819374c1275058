"""Extractive question answering: the stretch of a context that answers a question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from headway.checkpoints import HeadPlan, new_head
from headway.data import Columns, Dataset
from headway.errors import ConfigError, DataError
from headway.heads import losses
from headway.logs import log
from headway.model import Model
from headway.reading import HeadLogits
from headway.tasks.answers.columns import question_columns
from headway.tasks.answers.passages import Passage, read_passage
from headway.tasks.answers.scores import (
    ALWAYS,
    SOMETIMES,
    answer_metrics,
    answer_scores,
    nearest_sentences,
    row_f1,
)
from headway.tasks.answers.spans import Found, spans_in, without_answer
from headway.tasks.answers.truth import answer_texts, given_answers, located, wrong_answers
from headway.tasks.inputs import shown_text, texts_of
from headway.tasks.measured import Measured
from headway.tasks.stacks import need_one_stack
from headway.tasks.task import Compared, Course, Meaning
from headway.training.collate import Batch, Ready, window_logits
from headway.windows import is_pair

__all__ = ["QuestionAnswering", "answers_of"]

ASKED = "a question and its context: two texts"

NO_ANSWER = "(no answer)"
"""How people are shown that there is none."""

MANY_ROWS = 5000
"""From so many training rows on, fewer epochs do."""

MANY, FEW = Course(epochs=3, rate=1e-4), Course(epochs=6, rate=3e-4)
"""Where to look is learned late: on few rows a third of this rate finds next to nothing."""


def answers_of(
    text: Passage, found: Found, kind: str, *, threshold: float = 0.0, **options: int
) -> list[dict[str, Any]]:
    """The best answers, best first, as users get them: answer, score, start and end.

    Args:
        text: what was read.
        found: what the model says of it.
        kind: ALWAYS or SOMETIMES.
        threshold: by how much the log-probability that there is none has to be larger than the best
            stretch's.
        options: of `spans_in`.

    Returns:
        `start` and `end` are characters of the context, and None where there is no answer: "". At
        least one.
    """
    nothing = math.exp(without_answer(found))
    none: dict[str, Any] = {"answer": "", "score": nothing, "start": None, "end": None}
    spans = spans_in(text, found, **options)
    told: list[dict[str, Any]] = [
        {
            "answer": text.context[span.start : span.end],
            "score": math.exp(span.score),
            "start": span.start,
            "end": span.end,
        }
        for span in spans
    ]
    if not spans:
        return [none]
    if kind == SOMETIMES:
        if without_answer(found) - spans[0].score > threshold:
            told = [none, *told]
        else:
            others = sorted([*told[1:], none], key=lambda one: -one["score"])
            told = [told[0], *others]
    return told[: options.get("top", 1)]


class QuestionAnswering:
    """The task; see `Task` for what its parts are."""

    about = "the stretch of a context that answers a question"
    kinds: tuple[str, ...] = (ALWAYS, SOMETIMES)
    keeps_head = False
    start = None

    def units(self, model: Model, targets: Any, kind: str) -> AbstractContextManager[Any]:
        return nullcontext(targets)

    def columns(
        self,
        data: Dataset | Mapping[str, Dataset],
        *,
        text: str | None,
        pair: str | None,
        label: str | None,
        labelled: bool = True,
    ) -> Columns:
        return question_columns(data, text=text, pair=pair, label=label, labelled=labelled)

    def inputs(self, data: Dataset, columns: Columns, *, before: int = 0) -> list[Any]:
        return list(texts_of(data, columns, before=before))

    def shown(self, given: tuple[str, str]) -> str:
        return shown_text(given)

    def kind_of(self, answers: Sequence[Any]) -> str:
        fine = [value for value in answers if not wrong_answers(value)]
        return ALWAYS if all(map(answer_texts, fine)) else SOMETIMES

    def wrong(self, answer: Any, kind: str) -> str:
        why = wrong_answers(answer)
        if not why and kind == ALWAYS and not answer_texts(answer):
            return "there is no answer"
        return why

    def expected(self, kind: str) -> str:
        form = '{"text": [...], "answer_start": [...]}, or a text that the context has once'
        return form if kind == ALWAYS else f"{form}, or empty lists where there is no answer"

    def labels(self, answers: Sequence[Any], kind: str) -> tuple[str, ...]:
        return ()

    def label_counts(self, answers: Sequence[Any], meaning: Meaning) -> dict[str, int]:
        return {}

    def check(self, model: Model) -> None:
        need_one_stack(model, "which writes answers and does not point at them")

    def fitted(self, model: Model) -> Model:
        return model

    def head(self, model: Model, meaning: Meaning, *, head: str, pooling: str | None) -> HeadPlan:
        return new_head(
            model.checkpoint.family,
            "question-answering",
            labels=(),
            kind=meaning.kind,
            head=head,
            pooling=pooling,
            of="span",
        )

    def encode(
        self,
        model: Model,
        inputs: Sequence[tuple[str, str]],
        *,
        size: int | None,
        stride: int | None,
        first: int = 0,
    ) -> list[Passage]:
        tokenizer = model.need_tokenizer()
        read = []
        for number, pair in enumerate(inputs, first):
            if not is_pair(pair):
                raise ConfigError(f"row {number} is {pair!r:.60}", allowed=ASKED)
            read.append(read_passage(tokenizer, pair, size=size, stride=stride, number=number))
        return read

    def targets(
        self, model: Model, texts: Sequence[Any], answers: Sequence[Any], meaning: Meaning
    ) -> list[Tensor]:
        """For each row int64 [windows, 4]: the context's first token and the one behind its last,
        and the right start and end; 0 and 0 where the window does not hold the answer."""
        moved, lost, wrong, rows = 0, 0, [], []
        for number, (text, value) in enumerate(zip(texts, answers, strict=True)):
            spans: list[list[tuple[int, int] | None]] = []
            for said, start in given_answers(value):
                place = located(text.context, said, start)
                if place is None:
                    wrong.append((number, said, start))
                    continue
                moved += start is not None and place != start
                spans.append(text.span(place, place + len(said)))
            rows.append(_window_targets(text, spans))
            text.holding[:] = rows[-1][:, 3].nonzero().flatten().tolist()
            lost += bool(spans) and not text.holding
        if wrong:
            raise _not_there(texts, wrong)
        if moved:
            log.info("%d answers were taken from the one place where the context has them", moved)
        if lost:
            log.info("%d answers are whole in no window: these rows count as without one", lost)
        return rows

    def course(self, rows: int, meaning: Meaning, right: float | None = None) -> Course:
        return MANY if rows >= MANY_ROWS else FEW

    def weights(self, answers: Sequence[Any], meaning: Meaning) -> Tensor:
        raise ConfigError("class_weights with answers to find", allowed="rows with labels")

    def collate(
        self,
        model: Model,
        batch: Batch,
        targets: list[Tensor],
        meaning: Meaning,
        *,
        weights: Tensor | None = None,
        chance: torch.Generator | None = None,
    ) -> Ready:
        pairs = zip(batch.rows, batch.numbers, strict=True)
        known = torch.cat([targets[row][numbers] for row, numbers in pairs])
        return Ready(batch, known, (float(len(known)),))

    def loss(self, model: Model, ready: Ready, meaning: Meaning) -> tuple[Tensor, ...]:
        logits, layout = window_logits(model, ready.batch)
        known = ready.wanted.to(logits.device)
        first, behind = known[layout.sequence, :2].unbind(1)  # [tokens]
        place = layout.within
        possible = (place == 0) | ((place >= first) & (place < behind))
        return (losses.answer_spans(logits, possible, layout, known[:, 2:]).sum(),)

    def read(
        self,
        model: Model,
        texts: Sequence[Any],
        meaning: Meaning,
        *,
        batch_tokens: int,
        what: str,
    ) -> list[Found]:
        logits = HeadLogits(model)
        found = model.read_each(texts, logits, batch_tokens=batch_tokens, what=what)
        return [
            [
                torch.cat([window[:1], window[first : first + len(places)]])
                .double()
                .log_softmax(dim=0)
                .numpy()
                for window, first, places in zip(windows, text.firsts, text.offsets, strict=True)
            ]
            for text, windows in zip(texts, found, strict=True)
        ]

    def tell(self, found: Found, text: Any, meaning: Meaning) -> dict[str, Any]:
        return answers_of(text, found, meaning.kind)[0]

    def score(
        self,
        found: Sequence[Found],
        texts: Sequence[Any],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Any]:
        pairs = zip(found, texts, strict=True)
        said = [self.tell(one, text, meaning)["answer"] for one, text in pairs]
        return answer_scores(said, answers, meaning.kind)

    def metrics(
        self,
        found: Sequence[Found],
        texts: Sequence[Any],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> dict[str, Measured]:
        said = [
            self.tell(one, text, meaning)["answer"] for one, text in zip(found, texts, strict=True)
        ]
        return answer_metrics(said, answers, meaning.kind)

    def main(self, kind: str) -> str:
        return "f1"

    def compare(
        self,
        found: Sequence[Found],
        texts: Sequence[Any],
        answers: Sequence[Any],
        meaning: Meaning,
    ) -> list[Compared]:
        told = [self.tell(one, text, meaning) for one, text in zip(found, texts, strict=True)]
        right = row_f1([one["answer"] for one in told], answers)
        return [
            Compared(
                " / ".join(dict.fromkeys(answer_texts(value))) or NO_ANSWER,
                one["answer"] or NO_ANSWER,
                1 - f1,
                one["score"],
            )
            for one, value, f1 in zip(told, answers, right, strict=True)
        ]

    def baseline(
        self,
        train: tuple[Sequence[Any], Sequence[Any]],
        test: tuple[Sequence[Any], Sequence[Any]],
        meaning: Meaning,
        *,
        seed: int,
    ) -> dict[str, Any]:
        """The sentence that shares most with the question."""
        said = nearest_sentences(test[0], train[0])
        found = answer_scores(said, test[1], meaning.kind)
        return {"name": "the sentence most like the question (TF-IDF)", **found}


def _window_targets(text: Passage, spans: Sequence[Sequence[tuple[int, int] | None]]) -> Tensor:
    """The rows of `targets` for one text: the first answer that a window holds whole is its own."""
    return torch.tensor(
        [
            [first, first + len(places), *next((span for span in held if span), (0, 0))]
            for first, places, held in zip(
                text.firsts,
                text.offsets,
                zip(*spans, strict=True) if spans else [()] * len(text.firsts),
                strict=True,
            )
        ]
    )


def _not_there(texts: Sequence[Passage], wrong: Sequence[tuple[int, str, int | None]]) -> DataError:
    number, said, start = wrong[0]
    context = texts[number].context
    times, place = context.count(said), "" if start is None else f" at character {start}, but"
    more = f" (and {len(wrong) - 1} more such answers)" if len(wrong) > 1 else ""
    return DataError(
        f"row {number + 1}, {texts[number].question!r:.60}: the answer {said!r:.60} does not stand "
        f"in the context{place} {times} times{more}",
        allowed="an answer where answer_start says, or once in the context",
        next_step="correct these rows or take them out",
    )
