"""Dialogue: a reply to what was said, by somebody of whom a few things are known.

In two designs. One text: a decoder reads persona and history, marked by who speaks, and goes on
with the reply. Two stacks: an encoder reads them, in windows if need be, and a decoder writes the
reply; both halves start from one checkpoint. Both learn to write the right reply and to prefer it
to those of other dialogues.

Sources: Wolf et al. 2019, arXiv 1901.08149 (TransferTransfo); Golovanov et al. 2019, "Large-Scale
Transfer Learning for Natural Language Generation".
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from headway.checkpoints import (
    HeadPlan,
    can_carry,
    encoder_decoder_of,
    with_choice,
    with_tokens,
)
from headway.core.stacks import Decoder, EncoderDecoder
from headway.data import Columns, Dataset
from headway.errors import ConfigError, DataError
from headway.generate.prompt import MarkedPrompt, WindowedPrompt
from headway.generate.writing import Writing
from headway.heads import LanguageModelHead
from headway.metrics import confidence_interval, metric, tfidf_nearest
from headway.model import Model
from headway.tasks.measured import Measured
from headway.tasks.talks.columns import MARKS, Answer, Said, dialogue_columns, said_of
from headway.tasks.talks.reading import Talk, read_as_one, read_in_windows, weighed
from headway.tasks.task import Compared, Course, Meaning
from headway.training.collate import Batch, Ready
from headway.training.replies import counts_of_two, double_head_loss
from headway.windows import Windowed

__all__ = ["CHOICE", "DESIGNS", "Dialogue", "Reply"]

DESIGNS = ("one-text", "two-stacks")

CHOICE = "choice"
"""The head that can be asked for."""

RANKED, WRITTEN = "ranked-replies", "replies"

DISTRACTORS = 2
"""Wrong replies beside the right one in a step, drawn anew each time."""

LONGEST = 40
"""Most tokens written where the checkpoint does not say how many."""


@dataclass(frozen=True)
class Reply:
    """What the model says to a row.

    Attributes:
        text: that it writes.
        nats: summed -log p of the right reply's tokens, the end token among them; None where it is
            not known.
        tokens: how many these are.
        scores: of the candidates: the choice head's, or their mean log-likelihoods a token.
    """

    text: str
    nats: float | None = None
    tokens: int = 0
    scores: tuple[float, ...] = ()

    @property
    def best(self) -> int:
        """The number of the candidate that fits best."""
        return max(range(len(self.scores)), key=self.scores.__getitem__)


@dataclass(frozen=True)
class Dialogue:
    """The task; see `Task` for what its parts are.

    Args:
        design: one of DESIGNS; None = one text for decoders, else two stacks.
        choice: whether a fresh head that scores candidates is put beside the one that writes, where
            there is none; without such a head their likelihood is their score.
    """

    design: str | None = None
    choice: bool = False
    about: str = "a reply to what was said, by somebody of whom a few things are known"
    kinds: tuple[str, ...] = (RANKED, WRITTEN)
    keeps_head: bool = True
    start: None = None

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
        return dialogue_columns(data, text=text, pair=pair, label=label, labelled=labelled)

    def inputs(self, data: Dataset, columns: Columns, *, before: int = 0) -> list[Said]:
        return said_of(data, columns, before=before)

    def shown(self, given: Said) -> str:
        known = [f"({' '.join(given.persona)})"] if given.persona else []
        return " ⏐ ".join([*known, *given.history])

    def kind_of(self, answers: Sequence[Answer]) -> str:
        return RANKED if answers and all(one.candidates for one in answers) else WRITTEN

    def wrong(self, answer: Answer, kind: str) -> str:
        if not isinstance(answer.text, str):
            return f"{answer.text!r:.60} is no text"
        if not answer.text.strip():
            return "there is no reply to learn"
        if kind == RANKED and answer.text not in answer.candidates:
            return "the reply is none of the row's candidates"
        return ""

    def expected(self, kind: str) -> str:
        return "a text" + (" that is one of the candidates" if kind == RANKED else "")

    def labels(self, answers: Sequence[Any], kind: str) -> tuple[str, ...]:
        return ()

    def label_counts(self, answers: Sequence[Any], meaning: Meaning) -> dict[str, int]:
        return {}

    def check(self, model: Model) -> None:
        two, one = isinstance(model.body, EncoderDecoder), isinstance(model.body, Decoder)
        name = model.source or "this model"
        if self.design == "one-text" and not one:
            raise ConfigError(
                f"design = 'one-text' with {name}, which is no decoder",
                allowed="a decoder (GPT-2, Llama and the like)",
                next_step="--design two-stacks",
            )
        if two and not isinstance(model.head, LanguageModelHead):
            raise ConfigError(
                f"{name} has no head that writes", allowed="a model for text2text-generation"
            )

    def fitted(self, model: Model) -> Model:
        """With the marks among its tokens, which these carry as segments where the stack has such,
        and with a head that writes, or in two stacks; with a choice head, if it is asked for."""
        checkpoint = with_tokens(model.checkpoint, MARKS)
        one = isinstance(model.body, Decoder) and self.design != "two-stacks"
        if one and not isinstance(checkpoint.head, LanguageModelHead):
            name = "text-generation"
            checkpoint.put_head(HeadPlan(name, checkpoint.family.HEADS[name]))
        if not one and not isinstance(checkpoint.body, EncoderDecoder):
            checkpoint = encoder_decoder_of(checkpoint)
        if self.choice:
            checkpoint = with_choice(checkpoint)
        checkpoint.speakers = can_carry(checkpoint.body)
        return Model(checkpoint, source=model.source).train(model.training)

    def head(
        self, model: Model, meaning: Meaning, *, head: str, pooling: str | None
    ) -> HeadPlan | None:
        return model.checkpoint.plan

    def encode(
        self,
        model: Model,
        inputs: Sequence[Said],
        *,
        size: int | None,
        stride: int | None,
        first: int = 0,
    ) -> list[Talk]:
        missing = [mark for mark in MARKS if mark not in model.need_tokenizer().vocabulary]
        if missing:
            raise ConfigError(
                f"{model.source or 'this model'} has no token {', '.join(missing)}",
                next_step="headway adapt --task dialogue adds them",
            )
        if isinstance(model.body, EncoderDecoder):
            return read_in_windows(model, inputs, size=size, stride=stride, first=first)
        return read_as_one(model, inputs, size=size, first=first)

    def targets(
        self, model: Model, texts: Sequence[Talk], answers: Sequence[Answer], meaning: Meaning
    ) -> list[tuple[list[int], list[list[int]]]]:
        """Of each row the right reply's tokens, and those of all others."""
        if self.choice and meaning.kind != RANKED:
            raise ConfigError(
                f"head = {CHOICE!r} with rows that have no candidates",
                allowed="rows that all have some",
            )
        found = []
        for number, (talk, answer) in enumerate(zip(texts, answers, strict=True)):
            assert talk.reply is not None
            prompt = 1 if isinstance(model.body, EncoderDecoder) else talk.length
            most = prompt + max(map(len, (talk.reply, *talk.candidates)))
            if model.longest is not None and most > model.longest:
                raise DataError(
                    f"row {number + 1}: with its longest reply it has {most} tokens",
                    allowed=f"{model.longest} tokens",
                    next_step="shorten the row, or take a model that reads longer texts",
                )
            pairs = zip(answer.candidates, talk.candidates, strict=True)
            found.append((talk.reply, [ids for text, ids in pairs if text != answer.text]))
        return found

    def beside(self, targets: Sequence[tuple[list[int], list[list[int]]]]) -> list[int]:
        """The right reply is read too, and as many wrong ones as a step draws, of mean length."""
        return [
            len(right) + round(min(DISTRACTORS, len(others)) * sum(map(len, others)) / len(others))
            if others
            else len(right)
            for right, others in targets
        ]

    def course(self, rows: int, meaning: Meaning, right: float | None = None) -> Course:
        return Course(epochs=3 if rows >= 1000 else 5, rate=1e-4)

    def weights(self, answers: Sequence[Any], meaning: Meaning) -> Tensor:
        raise ConfigError("class_weights with texts to write", allowed="text classification")

    def collate(
        self,
        model: Model,
        batch: Batch,
        targets: Sequence[tuple[list[int], list[list[int]]]],
        meaning: Meaning,
        *,
        weights: Tensor | None = None,
        chance: torch.Generator | None = None,
    ) -> Ready:
        replies = []
        for row in batch.rows:
            right, others = targets[row]
            drawn = torch.randperm(len(others), generator=chance)[:DISTRACTORS].tolist()
            replies.append([right, *(others[number] for number in drawn)])
        return Ready(batch, replies, counts_of_two(replies))

    def loss(self, model: Model, ready: Ready, meaning: Meaning) -> tuple[Tensor, ...]:
        return double_head_loss(model, ready.batch, ready.wanted)

    def written(self, model: Model, texts: Sequence[Windowed], **decoding: Any) -> list[str]:
        """What the model writes; the likeliest token each time unless it is told otherwise."""
        prompts: list[list[int]] = [WindowedPrompt(text.ids) for text in texts]
        if model.checkpoint.speakers:
            prompts = [MarkedPrompt(text.ids[0], text.segments[0]) for text in texts]
        tokenizer = model.need_tokenizer()
        if decoding:
            return [tokenizer.decode(ids) for ids in model.generate_ids(prompts, **decoding)]
        usual = model.decoding
        if usual.max_new_tokens is None and usual.max_length is None:
            usual = dataclasses.replace(usual, max_new_tokens=LONGEST)
        found = Writing(model.parts, usual, given=False).write(prompts)
        return [tokenizer.decode(text.ids) for text in found]

    def read(
        self,
        model: Model,
        texts: Sequence[Talk],
        meaning: Meaning,
        *,
        batch_tokens: int,
        what: str,
    ) -> list[Reply]:
        written = self.written(model, texts)
        told = weighed(model, texts, batch_tokens=batch_tokens, what=what)
        return [
            Reply(text.strip(), nats, len(talk.reply or ()), scores)
            for talk, text, (nats, scores) in zip(texts, written, told, strict=True)
        ]

    def tell(self, found: Reply, text: Talk, meaning: Meaning) -> dict[str, Any]:
        if not found.scores:
            return {"text": found.text}
        scores = list(found.scores)
        return {"text": found.text, "choice": text.choices[found.best], "scores": scores}

    def score(
        self,
        found: Sequence[Reply],
        texts: Sequence[Talk],
        answers: Sequence[Answer],
        meaning: Meaning,
    ) -> dict[str, Any]:
        nats = [one.nats or 0.0 for one in found]
        counts = [one.tokens for one in found]
        sizes = [len(str(one.text).encode("utf-8", "surrogatepass")) for one in answers]
        chosen = [one.best if one.scores else None for one in found]
        return {
            **_scores(chosen, [one.text for one in found], answers, meaning.kind),
            "tokens": sum(counts),
            "perplexity": metric("token_perplexity", nats, counts)["token_perplexity"],
            "bits_per_byte": metric("bits_per_byte", nats, sizes)["bits_per_byte"],
        }

    def metrics(
        self,
        found: Sequence[Reply],
        texts: Sequence[Talk],
        answers: Sequence[Answer],
        meaning: Meaning,
    ) -> dict[str, Measured]:
        nats, truth = [one.nats or 0.0 for one in found], [one.text for one in answers]
        sizes = [len(text.encode("utf-8", "surrogatepass")) for text in truth]
        made = {
            "f1": Measured("squad_f1", [one.text for one in found], truth, 100),
            "perplexity": Measured("token_perplexity", nats, [one.tokens for one in found]),
            "bits_per_byte": Measured("bits_per_byte", nats, sizes),
        }
        if meaning.kind == RANKED:
            pairs = zip(found, answers, strict=True)
            right = [int(row.candidates[one.best] == row.text) for one, row in pairs]
            made["hits_at_1"] = Measured("accuracy", right, [1] * len(right))
        return made

    def main(self, kind: str) -> str:
        return "hits_at_1" if kind == RANKED else "f1"

    def compare(
        self,
        found: Sequence[Reply],
        texts: Sequence[Talk],
        answers: Sequence[Answer],
        meaning: Meaning,
    ) -> list[Compared]:
        compared = []
        for one, answer in zip(found, answers, strict=True):
            if meaning.kind == RANKED:
                text = answer.candidates[one.best]
                sure = 1 / sum(math.exp(score - one.scores[one.best]) for score in one.scores)
                compared.append(Compared(answer.text, text, float(text != answer.text), sure))
            else:
                shared = metric("squad_f1", [one.text], [answer.text])["squad_f1"] / 100
                compared.append(Compared(answer.text, one.text, 1 - shared))
        return compared

    def baseline(
        self,
        train: tuple[Sequence[Said], Sequence[Answer]],
        test: tuple[Sequence[Said], Sequence[Answer]],
        meaning: Meaning,
        *,
        seed: int,
    ) -> dict[str, Any] | None:
        """The candidate that shares most with the history."""
        if meaning.kind != RANKED:
            return None
        asked = [" ".join(one.history) for one in test[0]]
        lists = [one.candidates for one in test[1]]
        known = [text for one in train[0] for text in (*one.history, *one.candidates)]
        chosen = tfidf_nearest(asked, lists, known=known)
        texts = [row[number] for row, number in zip(lists, chosen, strict=True)]
        name = "the candidate most like the history (TF-IDF)"
        return {"name": name, **_scores(chosen, texts, test[1], meaning.kind)}


def _scores(
    chosen: Sequence[int | None], texts: Sequence[str], answers: Sequence[Answer], kind: str
) -> dict[str, Any]:
    """Right choices and words shared, with the interval of the kind's first measure."""
    truth = [one.text for one in answers]
    scores: dict[str, Any] = {"n": len(truth)}
    right = [
        int(one.candidates[number] == one.text)
        for one, number in zip(answers, chosen, strict=True)
        if number is not None
    ]
    if right:
        scores |= {"hits_at_1": sum(right) / len(right), "ranked_rows": len(right)}
    scores["f1"] = metric("squad_f1", list(texts), truth)["squad_f1"] / 100
    if kind == RANKED:
        ends = confidence_interval("accuracy", right, [1] * len(right))
    else:
        low, high = confidence_interval("squad_f1", list(texts), truth)
        ends = low / 100, high / 100
    return {**scores, "confidence_interval_95": list(ends)}
