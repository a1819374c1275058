"""Beam search: several beginnings of each text at once, the likeliest whole texts in the end.

Computes what transformers' `generate` does, ties and stopping included, so that checkpoints tuned
there write the same here. Source: Graves 2012 (arXiv 1211.3711); the length penalty as in there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from headway.generate.ends import Ends
from headway.generate.filters import Filter
from headway.generate.loop import read_prompts
from headway.generate.reader import Reader
from headway.generate.record import Record
from headway.generate.rules import Rules
from headway.generate.text import Text

__all__ = ["Ranking", "Search", "drawn", "likeliest", "search"]

WORST = -1e9
"""A score below that of any text, and above the -inf of what is forbidden."""

Candidates = Callable[[Tensor, int, Text], tuple[list[float], list[int]]]
"""Summed log-probabilities [beams * vocabulary], how many, and the text they go on from -> scores
and places of so many candidates."""


@dataclass(frozen=True)
class Ranking:
    """How whole texts are compared, and when looking for better ones ends.

    Attributes:
        beams: beginnings followed at once, and whole texts kept.
        penalty: a whole text's score is its log-probability / length ** penalty.
        early: as `Decoding.early_stopping`.
    """

    beams: int
    penalty: float = 1.0
    early: bool | Literal["never"] = False

    def score(self, log_probability: float, length: int) -> float:
        """Of a text of so many new tokens, the end token counted."""
        return log_probability / length**self.penalty


@dataclass
class Search:
    """The beams of one prompt.

    Attributes:
        running: beginnings, the likeliest first; `score` is the log-probability.
        whole: texts that are whole, the best first; `score` is the rank's.
        over: whether the search has ended.
    """

    running: list[Text]
    whole: list[Text] = field(default_factory=list)
    over: bool = False


def search(
    reader: Reader,
    texts: Sequence[Text],
    *,
    ranking: Ranking,
    rules: Rules,
    filters: Sequence[Filter],
    ends: Ends,
    candidates: Candidates,
    record: Record | None = None,
) -> Iterator[list[Search]]:
    """Searches the best texts of each prompt.

    Args:
        reader: with a place for each prompt.
        texts: an empty one for each prompt.
        ranking, rules, ends: as named.
        filters: of what is drawn; none where nothing is.
        candidates: picks the beginnings to look at: the likeliest, or some that are drawn.
        record: notes log-probabilities, or None.

    Yields:
        After each step, the searches in the order of `texts`.
    """
    searches = [Search([text]) for text in texts]
    for text in texts:
        text.score = 0.0
    logits = read_prompts(reader, texts)
    open_ = searches
    while open_:
        beams = [beam for each in open_ for beam in each.running]
        scores = rules(logits.log_softmax(-1), beams)
        for each_filter in filters:
            scores = each_filter(scores)
        rows: list[int] = []
        start = 0
        for each in open_:
            part = slice(start, start + len(each.running))
            step = _Step(ranking, ends, record, logits[part])
            parents = step.grow(each, scores[part], candidates)
            rows += [] if each.over else [start + parent for parent in parents]
            start = part.stop
        yield searches
        open_ = [each for each in open_ if not each.over]
        if open_:
            reader.select(rows)
            logits = reader.last([beam.ids[-1:] for each in open_ for beam in each.running])


@dataclass(frozen=True)
class _Step:
    """One step of one search."""

    ranking: Ranking
    ends: Ends
    record: Record | None
    logits: Tensor

    def grow(self, each: Search, scores: Tensor, candidates: Candidates) -> list[int]:
        """Replaces the running beams by their best continuations; tells whose those are."""
        beams, before = self.ranking.beams, each.running
        length = len(before[0].ids) + 1  # all beams have the same
        sums = scores + scores.new_tensor([beam.score for beam in before])[:, None]
        wanted = max(2, 1 + len(self.ends.tokens)) * beams
        found = candidates(sums.flatten(), min(wanted, sums.numel()), before[0])
        closed = self.ranking.early is True and len(each.whole) == beams
        each.running, parents = [], []
        for place, (score, at) in enumerate(zip(*found, strict=True)):
            if score == -torch.inf or (len(each.running) == beams and place >= beams):
                continue
            row, token = divmod(at, scores.shape[1])
            beam = self._continued(before[row], row, token, score)
            if beam.stopped_by is None and len(each.running) < beams:
                each.running.append(beam)
                parents.append(row)
            elif beam.stopped_by is not None and place < beams and not closed:
                self._keep(each, beam, self.ranking.score(score, length))
        each.over = self._is_over(each, length)
        return parents

    def _continued(self, parent: Text, row: int, token: int, score: float) -> Text:
        beam = parent.fork()
        beam.score = score
        if self.record is not None:
            self.record(self.logits[row : row + 1], [beam], [token])
        self.ends.add(beam, token)
        return beam

    def _keep(self, each: Search, beam: Text, score: float) -> None:
        """Adds a whole text, unless there are enough better ones."""
        beam.score = score
        each.whole.append(beam)
        each.whole.sort(key=lambda text: -(text.score or 0.0))  # stable: the older of equals first
        del each.whole[self.ranking.beams :]

    def _is_over(self, each: Search, length: int) -> bool:
        ranking = self.ranking
        if not each.running:
            return True
        if len(each.whole) < ranking.beams:
            return False
        if ranking.early is True:
            return True
        best = each.running[0]
        if ranking.early == "never" and ranking.penalty > 0:
            length = best.limit
        worst = each.whole[-1].score
        return ranking.score(best.score or 0.0, length) <= (WORST if worst is None else worst)


def likeliest(sums: Tensor, count: int, text: Text) -> tuple[list[float], list[int]]:
    """The `count` likeliest continuations.

    >>> likeliest(torch.tensor([-1.0, -3.0, -2.0]), 2, Text(prompt=[0]))
    ([-1.0, -2.0], [0, 2])
    """
    best = sums.topk(count)
    return best.values.tolist(), best.indices.tolist()


def drawn(sums: Tensor, count: int, text: Text) -> tuple[list[float], list[int]]:
    """Continuations drawn by their probabilities, none twice; the likeliest of them first.

    The largest sums of log-probability and Gumbel noise are such a draw: Kool et al. 2019, arXiv
    1903.06059.
    """
    noise = torch.Generator().manual_seed(text.draw.getrandbits(63))
    uniform = torch.rand(len(sums), generator=noise, dtype=torch.float64).to(sums.device)
    keys = sums.double() - (-uniform.log()).log()
    places = keys.topk(count).indices
    places = places[sums[places].sort(descending=True, stable=True).indices]
    return sums[places].tolist(), places.tolist()
