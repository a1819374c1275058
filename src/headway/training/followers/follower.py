"""What a follower is, and several of them as one that never ends a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from headway.logs import log
from headway.training.loop import History

__all__ = ["Follower", "Followers", "followed"]


class Follower(Protocol):
    """Something that follows one run. All it knows is the history, so that of a run that goes on
    it can tell what came before, too.

    What it cannot write it says as an OSError, and it is called again at the end alone.
    """

    @property
    def about(self) -> str:
        """What it writes, such as the file, for people."""

    def begin(self, history: History, total: int) -> None:
        """Called before the first step; a history with steps is that of a run that goes on.

        Args:
            history: of the run.
            total: how many steps there will be, unless something ends it before.
        """

    def see(self, history: History) -> None:
        """Called behind each step and each validation."""

    def end(self, history: History, state: str, why: str) -> None:
        """Called once, behind the last step.

        Args:
            history: of the run.
            state: done, interrupted or failed.
            why: it ended before its last step, or empty.
        """


class Followers:
    """Several followers as one. One that cannot write is said once, and the run goes on."""

    def __init__(self, followers: Sequence[Follower]) -> None:
        self.every = list(followers)
        self.going: list[Follower] = []
        self.begun = False

    def begin(self, history: History, total: int) -> None:
        """See `Follower`."""
        self.going, self.begun = list(self.every), True
        self._each(lambda follower: follower.begin(history, total))

    def see(self, history: History) -> None:
        """See `Follower`."""
        self._each(lambda follower: follower.see(history))

    def end(self, history: History, state: str, why: str) -> None:
        """See `Follower`; those that could not write try once more. Without a beginning there is no
        end."""
        for follower in self.every if self.begun else ():
            try:
                follower.end(history, state, why)
            except OSError as error:
                if follower in self.going:
                    _say(follower, error)
        self.going = []

    def _each(self, act: Callable[[Follower], None]) -> None:
        for follower in list(self.going):
            try:
                act(follower)
            except OSError as error:
                _say(follower, error)
                self.going.remove(follower)


def _say(follower: Follower, error: OSError) -> None:
    said = error.strerror or str(error)
    log.warning("%s is not written: %s; the run goes on without it", follower.about, said)


@contextmanager
def followed(followers: Sequence[Follower], history: History) -> Iterator[Followers]:
    """Followers that are told of the end, whatever it is; one that was not begun has none.

    Args:
        followers: of one run.
        history: of it.

    Example:
        with followed([Journal(path)], history) as watching:
            watching.begin(history, total)  # and watching.see(history) behind each step
    """
    watching = Followers(followers)
    try:
        yield watching
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        said = "interrupted" if interrupted else str(error) or type(error).__name__
        state = "interrupted" if interrupted else "failed"
        watching.end(history, state, history.stopped or said)
        raise
    watching.end(history, "interrupted" if history.interrupted else "done", history.stopped)
