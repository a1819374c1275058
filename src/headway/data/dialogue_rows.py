"""Whole dialogues as rows to learn replies from: persona, history, reply, candidates.

Sources: Persona-Chat's rows with 19 distractors (Zhang et al. 2018, arXiv 1801.07243); the format
of dialogues is that of the ConvAI2 exports (https://github.com/DeepPavlov/convai, 2018): `dialog`
with `sender` and `text` of each turn, `bot_profile` and `user_profile`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from headway.data.dataset import Dataset
from headway.errors import ConfigError, DataError

__all__ = ["dialogues"]

SIDES = {"both": ("user", "bot"), "bot": ("bot",), "user": ("user",)}
PROFILES = {"bot": "bot_profile", "user": "user_profile"}
BOT = "participant2"
"""Who the bot is in files that do not say it: there the words of `bot_profile` are its own."""

TRIES = 20
"""Draws for each distractor before those that are left are listed."""


class _Reply(NamedTuple):
    """One utterance, with what came before it."""

    dialogue: int
    side: str
    persona: list[str]
    history: list[str]
    text: str


def dialogues(
    data: Dataset | Iterable[Mapping[str, Any]] | str | Path | Sequence[str | Path],
    *,
    side: str = "both",
    distractors: int = 19,
    place: int = -1,
    seed: int = 0,
) -> Dataset:
    """A row for each reply of one side, or of both, to what was said before it.

    Turns of one speaker that follow each other are one utterance, so that speakers alternate and
    the last utterance of a history is the other one's. Empty turns and commands such as "/test" are
    skipped, and what opens a dialogue is no reply.

    Args:
        data: dialogues in the format of the ConvAI2 exports: a data set, dicts, or JSON files that
            hold lists of them.
        side: whose replies: bot, user or both.
        distractors: how many replies of other dialogues stand among a row's candidates, all
            different; 0 = the rows have no candidates.
        place: where the right one stands among them; -1 = last.
        seed: of the distractors.

    Returns:
        Columns persona (a list of texts, empty where the file says nothing), history (a list of
        utterances), reply, candidates, dialogue (the number of the dialogue it is from).

    Raises:
        ConfigError: a side, number or place that cannot be.
        DataError: a file or dialogue that is no such thing, no replies at all, or too few others to
            draw from.

    >>> said = [("participant1", "Hi!"), ("participant2", "/test"), ("participant2", "Hello.")]
    >>> dialog = [{"sender": sender, "text": text} for sender, text in said]
    >>> rows = dialogues([{"dialog": dialog, "bot_profile": ["I ski."]}], distractors=0)
    >>> rows[0]
    {'persona': ['I ski.'], 'history': ['Hi!'], 'reply': 'Hello.', 'dialogue': 0}
    """
    if side not in SIDES:
        raise ConfigError(f"side = {side!r}", allowed=", ".join(SIDES))
    if type(distractors) is not int or distractors < 0:
        raise ConfigError(f"distractors = {distractors!r}", allowed="0 or more")
    if type(place) is not int or not -1 <= place <= distractors:
        raise ConfigError(f"place = {place!r}", allowed=f"-1 to {distractors}")
    given = _files(data) if isinstance(data, (str, Path)) else data
    if not isinstance(given, Dataset) and isinstance(given, Sequence):
        paths = [one for one in given if isinstance(one, (str, Path))]
        given = _files(*paths) if paths and len(paths) == len(given) else given
    replies = [one for number, row in enumerate(given) for one in _replies(row, number)]
    wanted = [one for one in replies if one.side in SIDES[side]]
    if not wanted:
        raise DataError(f"no replies of {side}", allowed="dialogues of two turns or more")
    columns: dict[str, Any] = {
        "persona": [one.persona for one in wanted],
        "history": [one.history for one in wanted],
        "reply": [one.text for one in wanted],
    }
    if distractors:
        columns["candidates"] = _candidates(wanted, distractors, place, seed)
    columns["dialogue"] = [one.dialogue for one in wanted]
    name = data.name if isinstance(data, Dataset) else "dialogues"
    return Dataset.from_columns(columns, name=name)


def _files(*paths: str | Path) -> list[Any]:
    """The rows of JSON files."""
    found: list[Any] = []
    for path in paths:
        try:
            rows = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read: {error}") from None
        if not isinstance(rows, list):
            raise DataError(f"{path} holds a {type(rows).__name__}", allowed="a list of dialogues")
        found += rows
    return found


def _replies(row: Any, number: int) -> list[_Reply]:
    """All utterances of a dialogue but the first."""
    turns = row.get("dialog") if isinstance(row, Mapping) else None
    if not isinstance(turns, Sequence) or isinstance(turns, str):
        raise DataError(
            f"dialogue {number + 1} has no turns: {row!r:.60}",
            allowed='an object with "dialog", a list of turns with "sender" and "text"',
        )
    utterances: list[tuple[str, str]] = []
    for turn in turns:
        sender = turn.get("sender") if isinstance(turn, Mapping) else None
        text = turn.get("text") if isinstance(turn, Mapping) else None
        if not isinstance(sender, str) or not isinstance(text, str | None):
            raise DataError(
                f"dialogue {number + 1}: the turn {turn!r:.60}", allowed='"sender" and "text"'
            )
        text = " ".join((text or "").split())
        if not text or text.startswith("/"):
            continue
        side = _side(row, turn, sender)
        if utterances and utterances[-1][0] == side:
            text = f"{utterances.pop()[1]} {text}"
        utterances.append((side, text))
    texts = [text for _, text in utterances]
    return [
        _Reply(number, side, _persona(row, side, number), texts[:before], text)
        for before, (side, text) in enumerate(utterances)
        if before
    ]


def _side(row: Mapping[str, Any], turn: Mapping[str, Any], sender: str) -> str:
    """Whether a bot or a user speaks: as the turn says, else the dialogue, else the sender."""
    about = row.get(f"{sender}_id")
    said = turn.get("sender_class") or (about.get("class") if isinstance(about, Mapping) else None)
    return "bot" if (said == "Bot" if said else sender == BOT) else "user"


def _persona(row: Mapping[str, Any], side: str, number: int) -> list[str]:
    found = row.get(PROFILES[side]) or []
    if not isinstance(found, Sequence) or not all(isinstance(one, str) for one in found):
        raise DataError(
            f"dialogue {number + 1}: {PROFILES[side]} = {found!r:.60}", allowed="a list of texts"
        )
    return [found] if isinstance(found, str) else [one for one in found if one.strip()]


def _candidates(replies: Sequence[_Reply], count: int, place: int, seed: int) -> list[list[str]]:
    """Other dialogues' replies, and the right one among them."""
    found = []
    for number, right in enumerate(replies):
        chance = Random(f"{seed}:{number}")
        drawn: dict[str, None] = {}  # in the order of the draws
        for _ in range(TRIES * count):
            other = replies[chance.randrange(len(replies))]
            if other.dialogue != right.dialogue and other.text != right.text:
                drawn[other.text] = None
            if len(drawn) == count:
                break
        else:
            every = {one.text for one in replies if one.dialogue != right.dialogue}
            left = sorted(every - {right.text} - drawn.keys())
            if len(drawn) + len(left) < count:
                raise DataError(
                    f"{len(drawn) + len(left)} different replies in other dialogues than row "
                    f"{number + 1}'s",
                    allowed=f"{count} or more distractors",
                    next_step="ask for fewer distractors, or give more dialogues",
                )
            drawn |= dict.fromkeys(chance.sample(left, count - len(drawn)))
        texts = list(drawn)
        texts.insert(count if place == -1 else place, right.text)
        found.append(texts)
    return found
