from __future__ import annotations

import pytest

from headway.training import History
from headway.training.followers import Followers, followed


class Noted:
    """Notes what it is told; breaks where it is asked to."""

    about = "the notes"

    def __init__(self, *broken: str) -> None:
        self.told: list[str] = []
        self.broken = broken

    def _note(self, what: str) -> None:
        self.told.append(what)
        if what.split()[0] in self.broken:
            raise OSError(28, "No space left on device")

    def begin(self, history: History, total: int) -> None:
        self._note(f"begin {total}")

    def see(self, history: History) -> None:
        self._note(f"see {history.step}")

    def end(self, history: History, state: str, why: str) -> None:
        self._note(f"end {state} {why}".strip())


def test_each_is_told_of_everything() -> None:
    first, second, history = Noted(), Noted(), History()
    with followed([first, second], history) as watching:
        watching.begin(history, 7)
        watching.see(history)
    assert first.told == second.told == ["begin 7", "see 0", "end done"]


@pytest.mark.parametrize("broken", ["begin", "see"])
def test_one_that_cannot_write_is_said_once_and_left_out_until_the_end(
    broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good, history = Noted(broken, "end"), Noted(), History()
    with followed([bad, good], history) as watching:
        watching.begin(history, 7)
        watching.see(history)
        watching.see(history)
    assert good.told == ["begin 7", "see 0", "see 0", "end done"]
    assert bad.told == [*good.told[: 1 if broken == "begin" else 2], "end done"]
    said = "the notes is not written: No space left on device; the run goes on without it"
    assert caplog.messages == [said]


@pytest.mark.parametrize(
    ("error", "stopped", "told"),
    [
        (ValueError("no such thing"), "", "end failed no such thing"),
        (ValueError("no such thing"), "the loss became nan", "end failed the loss became nan"),
        (MemoryError(), "", "end failed MemoryError"),
        (KeyboardInterrupt(), "", "end interrupted interrupted"),
    ],
)
def test_an_error_is_told_and_goes_on(error: BaseException, stopped: str, told: str) -> None:
    follower, history = Noted(), History(stopped=stopped)
    with pytest.raises(type(error)), followed([follower], history) as watching:
        watching.begin(history, 1)
        raise error
    assert follower.told == ["begin 1", told]


@pytest.mark.parametrize(
    ("stopped", "told"),
    [
        ("interrupted behind step 3 of 9", "end interrupted interrupted behind step 3 of 9"),
        ("no better validation score: ended behind step 3",
         "end done no better validation score: ended behind step 3"),
    ],
)  # fmt: skip
def test_why_it_ended_is_told(stopped: str, told: str) -> None:
    follower, history = Noted(), History()
    with followed([follower], history) as watching:
        watching.begin(history, 9)
        history.stopped = stopped
    assert follower.told[-1] == told


def test_what_was_not_begun_has_no_end() -> None:
    follower = Noted()
    with pytest.raises(ValueError, match="before"), followed([follower], History()):
        raise ValueError("before it began")
    with followed([follower], History()):
        pass
    assert follower.told == []


def test_without_followers_nothing_happens() -> None:
    watching = Followers([])
    watching.begin(History(), 1)
    watching.see(History())
    watching.end(History(), "done", "")
    assert watching.going == []
