"""A guide goes along with a text and says which tokens may come next."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

__all__ = ["Guide"]


class Guide(Protocol):
    """What a constraint makes for one text."""

    @property
    def done(self) -> bool:
        """Whether the text is whole and nothing may follow."""

    @property
    def whole(self) -> bool:
        """Whether the text may end here."""

    def allowed(self) -> Tensor:
        """Which tokens may come next, bool [vocabulary]; end tokens are none of its business."""

    def take(self, token: int) -> None:
        """Goes on by a token that was allowed."""

    def fork(self) -> Guide:
        """A second guide at the same place."""
