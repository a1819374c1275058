"""Page and card of a pre-training."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pretraining.texts import small, texts

from headway.reports.pretrained import forgotten_lines, pretrained_headline, pretrained_rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pretrained") / "run"
    small(out=out, earlier={"plays & more": texts(seed=3)}, command="headway pretrain bert a.txt",
          max_steps=12, validate_every=4)  # fmt: skip
    return out


def test_the_page_is_one_file_and_says_what_was_measured(folder: Path) -> None:
    page = (folder / "report.html").read_text("utf-8")
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert not re.search(r"(src|href)=\"(?!#)", page) and "<script" not in page
    assert "<svg" in page and "plays &amp; more" in page
    assert "headway pretrain bert a.txt" in page
    after = report["after"]["held-out"]["loss"]
    assert f"{after:.3f}" in page


def test_the_card(folder: Path) -> None:
    card = (folder / "README.md").read_text("utf-8")
    assert card.startswith("---\nlibrary_name: ") and '"fill-mask"' in card
    assert "headway adapt" in card and "## Limits" in card
    assert "headway pretrain bert a.txt" in card


def test_rows_and_lines(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text("utf-8"))
    rows = pretrained_rows(report)
    assert {row[0] for row in rows} == {"held-out", "plays & more"}
    assert [row[1] for row in rows][:2] == ["loss (nats a token)", "perplexity"]
    assert "perplexity" in pretrained_headline(report)
    (line,) = forgotten_lines(report)
    assert line.startswith("plays & more: the loss fell by")
    report["forgotten"]["plays & more"] = 0.25
    assert "rose by 0.250: so much was forgotten" in forgotten_lines(report)[0]


def test_nothing_held_out() -> None:
    report = small(validation=0).report
    assert pretrained_rows(report) == [] and "nothing was held out" in pretrained_headline(report)
