from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headway.data import Dataset, dialogues
from headway.errors import ConfigError, DataError, InputError

SHARED = Path(__file__).parents[3] / "shared" / "data" / "convai2-2018"
USER, BOT = "participant1", "participant2"


def talk(*said: tuple[str, str | None], **more: Any) -> dict[str, Any]:
    return {"dialog": [{"sender": sender, "text": text} for sender, text in said], **more}


def several(n: int = 8) -> list[dict[str, Any]]:
    """Dialogues of three turns, all different."""
    return [talk((USER, f"a{k}"), (BOT, f"b{k}"), (USER, f"c{k}")) for k in range(n)]


def test_turns_become_rows() -> None:
    row = talk(
        (BOT, "Hi."), (BOT, "Who are\nyou? "), (USER, ""), (USER, "/start"), (USER, None),
        (USER, "Ann."), (BOT, "/test"), (BOT, "I ski."),
        bot_profile=["I love snow.", " "], user_profile=["I am Ann."],
    )  # fmt: skip
    assert list(dialogues([row], distractors=0)) == [
        {"persona": ["I am Ann."], "history": ["Hi. Who are you?"], "reply": "Ann.", "dialogue": 0},
        {
            "persona": ["I love snow."],
            "history": ["Hi. Who are you?", "Ann."],
            "reply": "I ski.",
            "dialogue": 0,
        },
    ]
    assert dialogues([row], side="bot", distractors=0)["reply"] == ["I ski."]
    assert dialogues([row], side="user", distractors=0)["reply"] == ["Ann."]


def test_the_file_says_who_the_bot_is() -> None:
    row = talk((USER, "x"), (BOT, "y"), participant1_id={"class": "Bot"}, bot_profile=["p"],
               participant2_id={"class": "User"}, user_profile=["q"])  # fmt: skip
    assert dialogues([row], distractors=0)["persona"] == [["q"]]
    row["dialog"][1]["sender_class"] = "Bot"
    row["dialog"][0]["sender_class"] = "Human"
    assert dialogues([row], distractors=0)["persona"] == [["p"]]


@pytest.mark.parametrize(("place", "stands"), [(-1, 4), (0, 0), (2, 2)])
def test_candidates_are_of_other_dialogues(place: int, stands: int) -> None:
    rows = dialogues(several(), distractors=4, place=place, seed=3)
    for row in rows:
        assert row["candidates"][stands] == row["reply"]
        others = [text for text in row["candidates"] if text != row["reply"]]
        assert len(set(others)) == 4
        assert not {f"b{row['dialogue']}", f"c{row['dialogue']}"} & set(others)
    again, other = (dialogues(several(), distractors=4, place=place, seed=n) for n in (3, 4))
    assert again["candidates"] == rows["candidates"] != other["candidates"]


def test_all_there_are_can_be_drawn() -> None:
    rows = dialogues(several(3), distractors=4)
    assert all(len(set(row["candidates"])) == 5 for row in rows)
    with pytest.raises(DataError, match="4 different replies in other dialogues"):
        dialogues(several(3), distractors=5)


def test_files_and_data_sets(tmp_path: Path) -> None:
    path = tmp_path / "talks.json"
    path.write_text(json.dumps(several()))
    rows = dialogues(several(), distractors=2)
    assert dialogues(path, distractors=2).to_arrow() == rows.to_arrow()
    assert dialogues(Dataset.from_rows(several()), distractors=2).to_arrow() == rows.to_arrow()
    assert len(dialogues([path, str(path)], distractors=2)) == 2 * len(rows)


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ([{"text": "a"}], {}, "dialogue 1 has no turns"),
        ([talk((USER, "a")), {"dialog": "a"}], {}, "dialogue 2 has no turns"),
        ([{"dialog": ["a"]}], {}, "the turn 'a'"),
        ([{"dialog": [{"sender": "x", "text": 3}]}], {}, "the turn"),
        ([talk((USER, "a"))], {}, "no replies of both"),
        ([], {}, "no replies of both"),
        ([talk((USER, "a"), (BOT, "b"), bot_profile=[3])], {}, "bot_profile = "),
        (several(), {"side": "left"}, "side = 'left'"),
        (several(), {"distractors": -1}, "distractors = -1"),
        (several(), {"place": 20}, "place = 20"),
        ("nowhere.json", {}, "cannot be read"),
    ],
)
def test_what_are_no_dialogues(data: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        dialogues(data, **options)


def test_a_file_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"dialog": []}')
    with pytest.raises(DataError, match="holds a dict"):
        dialogues(tmp_path / "x.json")
    with pytest.raises(ConfigError, match="distractors"):
        dialogues([], distractors=True)


@pytest.mark.skipif(not SHARED.exists(), reason="the ConvAI2 exports are not on this machine")
def test_the_exports() -> None:
    files = sorted(SHARED.glob("*.json"))
    rows = dialogues(files, side="user")
    assert len(rows) > 3000 and len(set(rows["dialogue"])) > 1000
    sample = rows[0:500]
    assert all(len(set(row["candidates"])) == 20 for row in sample)
    assert not any(text.startswith("/") for row in sample for text in row["candidates"])
