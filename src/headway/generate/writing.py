"""From prompts to written texts: options become bricks, prompts become batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from headway.core.packed import Packed, asked_dtype
from headway.errors import ConfigError
from headway.generate import beams
from headway.generate.answers import answer_guides
from headway.generate.constraints import Constraint, OneOf, Regex, Schema
from headway.generate.contrastive import contrast
from headway.generate.decoding import DEFAULT_NEW_TOKENS, Decoding
from headway.generate.draft import Draft
from headway.generate.ends import Ends, before_stop
from headway.generate.grammars import grammar_guides
from headway.generate.guides import Guide
from headway.generate.loop import one_by_one
from headway.generate.parts import Parts
from headway.generate.reader import Reader
from headway.generate.record import Record
from headway.generate.rules import choose_of, filters_of, rules_of
from headway.generate.speculative import Spread, speculate
from headway.generate.spelling import spelling_of
from headway.generate.text import Text, Written, draw_for

__all__ = ["Writing", "batches"]

Prompts = Sequence[Sequence[int]]

WORTH_PACKING = 8
"""Steps from which on it pays to lay weights out for them."""

PROMPT_TOKENS = 2**14
"""Most tokens of prompts that are read at once, but for a single longer one."""

CONTRASTED = 4
"""Tokens that contrastive search compares where `top_k` does not say."""


def batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Numbers of prompts that are written together, the longest ones first.

    Args:
        lengths: of the prompts, in tokens.
        most: prompts in a batch; long ones make smaller batches.

    >>> list(batches([3, 9000, 8000, 4], 3))
    [[1], [2, 3, 0]]
    """
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        tokens = sum(lengths[each] for each in batch) + lengths[number]
        if batch and (len(batch) == most or tokens > PROMPT_TOKENS):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


class Writing:
    """One way of writing, for any number of prompts.

    Args:
        parts: of the model.
        decoding: the options.
        given: whether `max_new_tokens` is the user's own word, to be kept or refused.
        record: whether log-probabilities are wanted.
        draft: a small model that drafts, or None.

    Raises:
        ConfigError: the model writes no text, or cannot write so.
    """

    def __init__(
        self,
        parts: Parts,
        decoding: Decoding,
        *,
        given: bool,
        record: bool = False,
        draft: Draft | None = None,
    ) -> None:
        self.parts, self.decoding, self.given, self.draft = parts, decoding, given, draft
        stop = decoding.stop_tokens
        end_tokens = parts.ends if stop is None else frozenset(stop)
        end_tokens = frozenset(token for token in end_tokens if token < parts.rows)
        if draft is not None:
            draft.check(parts, decoding)
        self._check_tokens()
        forced = bool(decoding.forced_last)
        self.ends = Ends(end_tokens, decoding.stop, parts.tokenizer, forced=forced)
        self.rules = rules_of(decoding, end_tokens, parts.tokenizer)
        self.record = Record(decoding.alternatives) if record else None
        self.packed: Packed | None = None

    def texts(self, prompts: Prompts) -> list[list[Text]]:
        """The texts that are to be written, `rows` of each prompt (one where beams are followed).

        Raises:
            ConfigError: a prompt leaves no room, or a constraint that cannot be followed.
        """
        if not prompts:
            return []
        self.parts.check(prompts)
        guides = self._guides(len(prompts))
        made = []
        for number, prompt in enumerate(prompts):
            fed = self.parts.fed(prompt)
            limit, says = self._limit(len(fed))
            texts = []
            for sequence in range(1 if self.decoding.beams > 1 else self.decoding.sequences):
                text = Text(
                    fed, number, limit, says, draw_for(self.decoding.seed, prompt, sequence)
                )
                make = guides[number]
                text.guide = make() if make is not None else None
                self._check_guide(text)
                text.stopped_by = says if limit <= 0 else None
                texts.append(text)
            made.append(texts)
        return made

    def write(self, prompts: Prompts) -> list[Text]:
        """Writes texts for all prompts, in their order, `sequences` for each.

        Raises:
            ConfigError: as `texts`.
        """
        texts = self.texts(prompts)
        written: list[list[Text]] = [[] for _ in prompts]
        at_once = max(1, self.decoding.batch // self.decoding.rows)
        with self.quiet(texts):
            for chosen in batches(list(map(len, prompts)), at_once):
                steps = self.steps([prompts[n] for n in chosen], [texts[n] for n in chosen])
                (last,) = deque(steps, maxlen=1)
                for number, found in zip(chosen, last, strict=True):
                    written[number] = found
        return [text for found in written for text in found]

    def steps(self, prompts: Prompts, texts: list[list[Text]]) -> Iterator[list[list[Text]]]:
        """Writes one batch.

        Yields:
            At the start and after each step, what was written for each prompt so far.
        """
        yield texts
        open_ = [number for number, each in enumerate(texts) if each[0].stopped_by is None]
        if not open_:
            return
        going = [text for number in open_ for text in texts[number]]
        if self.decoding.beams == 1:
            for _ in self._one_path([prompts[number] for number in open_], going):
                yield texts
            return
        reader = self.parts.reader([prompts[number] for number in open_])
        found = list(texts)
        for searches in self._beams(reader, going):
            for number, each in zip(open_, searches, strict=True):
                best = (each.whole or each.running) if each.over else each.running
                found[number] = best[: self.decoding.sequences]
                if not best:
                    texts[number][0].stopped_by = "nothing_left"
                    found[number] = texts[number]
            yield found

    def _one_path(self, prompts: Prompts, texts: list[Text]) -> Iterator[None]:
        decoding, record = self.decoding, self.record
        if self.draft is not None:
            each = [prompts[n] for n in range(len(prompts)) for _ in range(decoding.sequences)]
            spread = Spread(self.rules, filters_of(decoding) if decoding.samples else None)
            return speculate(
                self.parts.reader(each),
                self.draft.parts.reader(each),
                texts,
                ahead=self.draft.ahead,
                longest=self.draft.parts.longest,
                spread=spread,
                ends=self.ends,
                record=record,
            )
        reader = self.parts.reader(prompts)
        if decoding.contrastive is not None:
            return contrast(
                reader,
                texts,
                weight=decoding.contrastive,
                candidates=decoding.top_k or CONTRASTED,
                rules=self.rules,
                ends=self.ends,
                record=record,
            )
        return one_by_one(
            reader,
            texts,
            rules=self.rules,
            choose=choose_of(decoding),
            ends=self.ends,
            record=record,
        )

    def _beams(self, reader: Reader, texts: list[Text]) -> Iterator[list[beams.Search]]:
        decoding = self.decoding
        ranking = beams.Ranking(decoding.beams, decoding.length_penalty, decoding.early_stopping)
        return beams.search(
            reader,
            texts,
            ranking=ranking,
            rules=self.rules,
            filters=filters_of(decoding) if decoding.samples else (),
            ends=self.ends,
            candidates=beams.drawn if decoding.samples else beams.likeliest,
            record=self.record,
        )

    @contextmanager
    def quiet(self, texts: Sequence[Sequence[Text]]) -> Iterator[None]:
        """Dropout off, no gradients, and weights laid out for steps, while the context is open."""
        longest = max((text.limit for each in texts for text in each), default=0)
        with self.parts.predicting():
            if self.packed is None and longest >= WORTH_PACKING:
                rows = min(self.decoding.batch, len(texts) * self.decoding.rows)
                stacks = (self.parts.decoder, self.parts.output)
                self.packed = Packed(*stacks, rows=rows, dtype=asked_dtype("cpu"))
            if self.packed is None:
                yield
                return
            with self.packed.used():
                yield

    def written(self, text: Text, prompt: Sequence[int]) -> Written:
        """What is told of a text."""
        tokenizer, count = self.parts.tokenizer, len(text.ids)
        shown = tokenizer.decode(text.ids) if tokenizer is not None else ""
        return Written(
            text=before_stop(shown, self.decoding.stop),
            ids=text.ids,
            log_probabilities=text.log_probabilities[:count],
            stopped_by=text.stopped_by or "max_new_tokens",
            tokens={"prompt": len(prompt), "new": count},
            prompt=text.number,
            score=text.score,
            alternatives=text.alternatives[:count],
            acceptance=text.accepted / text.drafted if text.drafted else None,
        )

    def _limit(self, fed: int) -> tuple[int, str]:
        """Most new tokens behind so many, and what a text that reaches it was stopped by."""
        decoding, longest = self.decoding, self.parts.longest
        limit = decoding.max_new_tokens
        if limit is None and decoding.max_length is not None:
            limit = decoding.max_length - fed
            if limit < 1:
                raise ConfigError(
                    f"a prompt of {fed} tokens and max_length = {decoding.max_length}",
                    next_step="say how many may be written: max_new_tokens",
                )
        if limit is None:
            limit = DEFAULT_NEW_TOKENS
        if longest is None or fed + limit <= longest:
            return limit, "max_new_tokens"
        if self.given or fed >= longest:
            raise ConfigError(
                f"a prompt of {fed} tokens and {limit} new ones",
                allowed=f"{longest} tokens together",
                next_step="shorten the prompt, or ask for less",
            )
        return longest - fed, "context"

    def _guides(self, prompts: int) -> list[Callable[[], Guide] | None]:
        constraint = self.decoding.constraint
        if constraint is None or isinstance(constraint, (OneOf, Regex, Schema)):
            return [self._guide(constraint)] * prompts
        if len(constraint) != prompts:
            raise ConfigError(f"{len(constraint)} constraints for {prompts} prompts")
        known: list[tuple[Constraint | None, Callable[[], Guide] | None]] = []
        for each in constraint:
            same = next((made for old, made in known if old is each or old == each), None)
            known.append((each, same or self._guide(each)))
        return [made for _, made in known]

    def _guide(self, constraint: Constraint | None) -> Callable[[], Guide] | None:
        if constraint is None:
            return None
        tokenizer, rows = self.parts.tokenizer, self.parts.rows
        if tokenizer is None:
            raise ConfigError(f"a constraint, and {self.parts.name} has no tokenizer")
        spelling = spelling_of(tokenizer)
        if isinstance(constraint, OneOf):
            return answer_guides(constraint.answers, spelling, rows)
        return grammar_guides(constraint, tokenizer, spelling, rows)

    def _check_guide(self, text: Text) -> None:
        if text.guide is not None and not text.guide.whole and not text.guide.allowed().any():
            raise ConfigError(
                f"no token can begin a text of {self.decoding.constraint!r:.80}",
                next_step="allow more, or take a model whose tokens can write it",
            )

    def _check_tokens(self) -> None:
        decoding, rows = self.decoding, self.parts.rows
        for name in ("forced_first", "forced_last"):
            value = getattr(decoding, name)
            for token in value if isinstance(value, tuple) else [value]:
                if token is not None and token >= rows:
                    raise ConfigError(f"{name} = {token}", allowed=f"token ids up to {rows - 1}")
        if decoding.stop and self.parts.tokenizer is None:
            raise ConfigError(f"stop texts, and {self.parts.name} has no tokenizer")
