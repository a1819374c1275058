"""A guide to one of some answers, along the tree of their beginnings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from headway.generate.spelling import Spelling

__all__ = ["AnswerGuide", "answer_guides"]


class Node:
    """A beginning of answers: what may follow, byte by byte, and whether it is an answer."""

    def __init__(self) -> None:
        self.after: dict[int, Node] = {}
        self.answer = False
        self.moves: dict[bool, dict[int, Node]] = {}

    def grow(self, data: bytes) -> None:
        """Adds an answer below."""
        node = self
        for byte in data:
            node = node.after.setdefault(byte, Node())
        node.answer = True


class Words:
    """Tokens by the bytes they write."""

    def __init__(self, spelt: Sequence[bytes]) -> None:
        self.ids: dict[bytes, list[int]] = defaultdict(list)
        for id, data in enumerate(spelt):
            if data:
                self.ids[data].append(id)
        self.longest = max(map(len, self.ids), default=0)

    def moves(self, node: Node) -> dict[int, Node]:
        """The tokens that lead on from a node, and where to."""
        found: dict[int, Node] = {}
        open_ = [(b"", node)]
        while open_:
            data, place = open_.pop()
            found |= dict.fromkeys(self.ids.get(data, ()), place)
            if len(data) < self.longest:
                open_ += [(data + bytes([byte]), below) for byte, below in place.after.items()]
        return found


class AnswerGuide:
    """A place in the tree.

    Args:
        node: the place.
        first, later: tokens at the start and behind it.
        rows: of logits.
        start: whether nothing was written yet.
    """

    def __init__(
        self, node: Node, first: Words, later: Words, rows: int, *, start: bool = True
    ) -> None:
        self.node, self.first, self.later, self.rows, self.start = node, first, later, rows, start

    @property
    def done(self) -> bool:
        """Whether no answer goes on from here."""
        return not self.node.after

    @property
    def whole(self) -> bool:
        """Whether this is an answer."""
        return self.node.answer

    def _moves(self) -> dict[int, Node]:
        known = self.node.moves
        if self.start not in known:
            known[self.start] = (self.first if self.start else self.later).moves(self.node)
        return known[self.start]

    def allowed(self) -> Tensor:
        """Bool [rows]: the tokens that lead on."""
        allowed = torch.zeros(self.rows, dtype=torch.bool)
        allowed[[id for id in self._moves() if id < self.rows]] = True
        return allowed

    def take(self, token: int) -> None:
        """Goes on by a token."""
        self.node = self._moves()[token]
        self.start = False

    def fork(self) -> AnswerGuide:
        """A second guide at the same place."""
        return AnswerGuide(self.node, self.first, self.later, self.rows, start=self.start)


def answer_guides(
    answers: Sequence[str], spelling: Spelling, rows: int
) -> Callable[[], AnswerGuide]:
    """What makes guides to one of some answers.

    >>> guide = answer_guides(["ab", "b"], Spelling([b"a", b"b"], [b"a", b"b"]), rows=2)()
    >>> guide.take(0)
    >>> guide.allowed(), guide.whole
    (tensor([False,  True]), False)
    """
    root = Node()
    for answer in answers:
        root.grow(answer.encode())
    first, later = Words(spelling.first), Words(spelling.later)
    return lambda: AnswerGuide(root, first, later, rows)
