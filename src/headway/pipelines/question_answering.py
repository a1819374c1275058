"""The answer to a question, as it stands in a context of any length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headway.errors import ConfigError
from headway.model import Model
from headway.pipelines.inputs import Chunk, is_pair, opened
from headway.pipelines.reader import Reader, need_head
from headway.tasks import known_meaning, task_named
from headway.tasks.answers.columns import question_columns
from headway.tasks.answers.passages import Passage
from headway.tasks.answers.scores import ALWAYS, SOMETIMES
from headway.tasks.answers.spans import MOST_TOKENS, Found
from headway.tasks.inputs import each_text
from headway.tasks.question_answering import answers_of

__all__ = ["QuestionAnswering"]

WANTED = 'a question and its context: a tuple, or {"question": ..., "context": ...}'


class QuestionAnswering:
    """Answers questions with a model that has a head for starts and ends.

    Args:
        model: with such a head, and a tokenizer.
        max_answer_tokens: of the longest answer.
        unanswerable: whether a question may be left without an answer; None = where the model was
            adapted to rows of which some had none.
        threshold: by how much the log-probability that there is none has to be larger than that of
            the best answer, for it to win. More answers with a larger one.
        window: most tokens read at once; None = as many as the model takes.
        stride: tokens of the context that neighbouring windows share; None = a quarter of the room
            that the question leaves.
        batch_tokens: most tokens in one forward pass; None = as suits the device.
        precision: fp32, which is exact; bf16; or auto, which is the faster one on this machine.

    Raises:
        ConfigError: the model has no head for answers or no tokenizer; an option that cannot be.
    """

    READS = ("window", "stride")
    """Settings of a saved run that hold here too."""

    def __init__(
        self,
        model: Model,
        *,
        max_answer_tokens: int = MOST_TOKENS,
        unanswerable: bool | None = None,
        threshold: float = 0.0,
        **options: Any,
    ) -> None:
        plan = need_head(model, "question-answering", "answers in a context")
        if max_answer_tokens < 1:
            raise ConfigError(f"max_answer_tokens = {max_answer_tokens}", allowed="1 or more")
        task = task_named(plan.task)
        self.reader = Reader(task, model, known_meaning(model, task), **options)
        known = self.reader.meaning.kind
        self.kind = known if unanswerable is None else (ALWAYS, SOMETIMES)[unanswerable]
        self.most_tokens, self.threshold = max_answer_tokens, threshold

    def __call__(
        self,
        questions: Any = None,
        *,
        question: str | Sequence[str] | None = None,
        context: str | Sequence[str] | None = None,
        top: int | None = None,
    ) -> Any:
        """Answers one question or many; long contexts are read in overlapping windows.

        Args:
            questions: a question with its context, as a tuple or as {"question": ..., "context":
                ...}, or a list of them; an iterator, which is answered lazily, a few thousand
                questions at a time; a data set or the Path of a file of rows, whose columns are
                guessed as everywhere.
            question, context: the same by name: two texts, or lists of them; one context does for
                several questions.
            top: tell the so many best answers, none of which touches another.

        Returns:
            For each question `answer`, `score` (the probability of its start times that of its
            end, in the window that is surest), `start` and `end` in characters of the context, so
            that context[start:end] == answer, and `tokens` (used, total, windows). No answer is
            "", with `start` and `end` None. Where `top` is given, the first four are lists, best
            first.

        Raises:
            ConfigError: no questions with contexts, or a `top` that cannot be.
            TokenizerError: a question that fills a window, or a text with half of a surrogate pair.
        """
        if top is not None and top < 1:
            raise ConfigError(f"top = {top}", allowed="1 or more")
        if question is not None or context is not None:
            if questions is not None or question is None or context is None:
                raise ConfigError("a question or a context alone", allowed=WANTED)
            questions = _by_name(question, context)
        given = opened(
            _as_pairs(questions),
            one=is_pair,
            rows=lambda data: each_text(data, question_columns(data, labelled=False)),
            wanted=WANTED,
        )
        if given.lazy:
            return given.lazily(self, top=top)
        answers: list[dict[str, Any]] = []
        reader = self.reader
        for read, ask in reader.asked(given, "Answering"):
            with reader.precise():
                found = ask()
            answers += [self._told(*pair, top) for pair in zip(read, found, strict=True)]
        return given.shaped(answers)

    def _told(self, text: Any, found: Found, top: int | None) -> dict[str, Any]:
        assert isinstance(text, Passage)
        best = answers_of(
            text,
            found,
            self.kind,
            threshold=self.threshold,
            top=top or 1,
            most_tokens=self.most_tokens,
        )
        told = best[0] if top is None else {key: [one[key] for one in best] for key in best[0]}
        return {**told, "tokens": text.report()}


def _as_pairs(questions: Any) -> Any:
    """Dicts as tuples, wherever they are."""
    if isinstance(questions, Iterator):
        return map(_as_pair, questions)
    if isinstance(questions, list) and not isinstance(questions, Chunk):
        return [_as_pair(one) for one in questions]
    return _as_pair(questions)


def _as_pair(one: Any) -> Any:
    if isinstance(one, Mapping) and {"question", "context"} <= one.keys():
        return one["question"], one["context"]
    return one


def _by_name(question: str | Sequence[str], context: str | Sequence[str]) -> Any:
    if isinstance(question, str) and isinstance(context, str):
        return question, context
    asked = [question] if isinstance(question, str) else list(question)
    contexts = [context] * len(asked) if isinstance(context, str) else list(context)
    if len(asked) != len(contexts):
        raise ConfigError(
            f"{len(asked)} questions and {len(contexts)} contexts",
            allowed="one context, or one for each question",
        )
    return list(zip(asked, contexts, strict=True))
