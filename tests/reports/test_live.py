"""live.html: one offline page for every state of a run."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

from headway.reports.live import RELOAD, STATES, live_page, live_pictures
from headway.reports.sheets import SHEETS

from .parsed import Parsed
from .test_page import HOSTILE


def report(state: str = "running", *, steps: int = 60, **more: Any) -> dict[str, Any]:
    """A run of 90 steps on its way."""
    train = [
        {"step": n, "epoch": 1 + n // 30, "loss": 2 / n, "learning_rate": 1e-4 * (1 - n / 90),
         "tokens": 500, "seconds": 0.05}
        for n in range(1, steps + 1)
    ]  # fmt: skip
    validation = [{"step": n, "epoch": 1, "accuracy": 0.9 - 0.001 * n} for n in range(3, steps, 3)]
    return {
        "title": "tickets: text classification",
        "subject": "text-classification · a/model",
        "kind": "single-label",
        "state": state,
        "why": "",
        "step": steps,
        "total": 90,
        "epoch": train[-1]["epoch"] if train else 1,
        "epochs": 3,
        "share": steps / 90,
        "left": 95.0,
        "passed": 130.0,
        "utilisation": 0.251,
        "curve": {"train": train, "validation": validation},
        "last": train[-20:],
        "drawn": steps,
        "written": "2026-11-26 22:30:01 UTC",
        "about": [["rows", "40 train"]],
        "links": [["report.html", "what was measured"]] if state == "done" else [],
        **more,
    }


def hostile() -> dict[str, Any]:
    found = report("failed", title=HOSTILE[0], subject=HOSTILE[1], why=HOSTILE[3])
    found["about"] = [[text, text] for text in HOSTILE]
    return found


def broken() -> dict[str, Any]:
    """A loss that left the range of numbers."""
    found = report("failed", why="the loss became nan in step 61 of 90")
    found["curve"]["train"].append(
        {"step": 61, "epoch": 3, "loss": float("nan"), "learning_rate": 1e-4}
    )
    found["last"] = found["curve"]["train"][-20:]
    return found


def lower() -> dict[str, Any]:
    """A measure of which less is better."""
    rows = [{"step": n, "epoch": 1, "perplexity": 30.0 - n / 10} for n in (10, 20, 30)]
    rows[2]["perplexity"] = 29.5
    kind = next(
        kind
        for kind, sheet in SHEETS.items()
        if any(one.key == "perplexity" and not one.larger_is_better for one in sheet.measures)
    )
    found = report(kind=kind)
    found["curve"]["validation"] = rows
    return found


PAGES = {
    **{state: lambda state=state: report(state) for state in STATES},  # type: ignore[misc]
    "not begun": lambda: report(steps=0, left=None, utilisation=None),
    "first step": lambda: report(steps=1),
    "hostile": hostile,
    "broken": broken,
    "lower": lower,
    "drawn before": lambda: report(drawn=41),
}


@cache
def source(name: str) -> str:
    made = PAGES[name]()
    return live_page(made, live_pictures(made))


@pytest.fixture(scope="module", params=PAGES)
def parsed(request: pytest.FixtureRequest) -> Parsed:
    return Parsed(source(request.param))


def test_tags_are_closed_and_ids_unique(parsed: Parsed) -> None:
    assert parsed.problems == []
    ids = [a["id"] for _, a in parsed.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = {a["href"] for a in parsed.all("a")}
    assert {link[1:] for link in links if (link or "").startswith("#")} <= set(ids)  # type: ignore[index]


def test_nothing_is_asked_from_outside(parsed: Parsed) -> None:
    names = {name for name, _ in parsed.tags}
    assert not names & {"script", "link", "img", "iframe", "image", "object", "foreignobject"}
    for name, attributes in parsed.tags:
        assert "src" not in attributes, name
        assert not any(a.startswith("on") for a in attributes), (name, attributes)
        target = attributes.get("href") or "#"
        assert target.startswith("#") or target == "report.html", (name, attributes)
        for value in attributes.values():
            assert all(url.startswith("#") for url in re.findall(r"url\((.*?)\)", value or ""))
    policy = [a for a in parsed.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert (policy[0]["content"] or "").startswith("default-src 'none'; style-src 'unsafe-inline'")


@pytest.mark.parametrize("state", STATES)
def test_it_says_its_state_and_reloads_while_it_runs(state: str) -> None:
    page = Parsed(source(state))
    reload = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "refresh"]
    assert reload == ([str(RELOAD)] if state == "running" else [])
    assert STATES[state] in page.text and "last written at 2026-11-26 22:30:01 UTC" in page.text
    title = "running, 66%" if state == "running" else state
    assert f"tickets: text classification: {title}" in page.text
    (bar,) = (a for _, a in page.tags if a.get("role") == "progressbar")
    assert bar["aria-valuenow"] == "66.7"


def test_a_run_on_its_way() -> None:
    text = Parsed(source("running")).text
    assert "60 of 90 steps are behind it, about 1 min 35 s left." in text
    for said in ("epoch 3 of 3", "10,000", "utilisation 25.1%", "2 min 10 s so far", "40 train"):
        assert said in text, said
    losses = [2 / n for n in range(41, 61)]
    assert f"{sum(losses) / 20:.3f}" in text and "mean of the last 20 steps" in text
    assert "validation; best 89.7%, step 3" in text and "7 earlier ones are in the log" in text
    assert source("running").count("<svg") == 2


def test_an_end_tells_why() -> None:
    assert "60 of 90 steps were taken." in Parsed(source("done")).text
    assert "The loss became nan in step 61 of 90." in Parsed(source("broken")).text
    why = "no better validation score: ended behind step 60"
    assert "No better validation score: ended behind step 60." in live_page(report("done", why=why))


def test_without_a_step_there_is_no_picture() -> None:
    text = source("not begun")
    assert "0 of 90 steps are behind it." in text and "<svg" not in text and "Curves" not in text
    assert "Time left" not in text and "utilisation" not in text


def test_of_some_measures_less_is_better() -> None:
    assert "best 28.00, step 20" in Parsed(source("lower")).text


def test_pictures_that_are_older_say_so() -> None:
    assert "Up to step 41" in source("drawn before")
    assert "Up to step" not in source("running")
