"""Near duplicates in a million short texts: seconds and memory; a peer on a part of them.

The texts are captions of Multi30k in three languages, cut in halves and put together anew, so that
many share a half; every tenth is an earlier text with one word changed. Headway runs in a fresh
process. The peer, datasketch's MinHashLSH, gets the first 20,000 texts only, and its candidates are
verified as ours are; both have 128 minima and the threshold of 0.8, the peer with the bands that it
chooses by itself. The exact pairs among 3,000 texts say how many each of them finds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

from common import keep, need_data
from corpus import FOLDER

PEER = "datasketch==2.0.0"
THRESHOLD = 0.8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peer-rows", type=int, default=20_000)
    parser.add_argument("--exact-rows", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(*options.child)
        return
    place = FOLDER / "peers" / "datasketch"
    if not place.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*command, "--target", str(place), PEER], check=True)
    whole = [_run("headway", options.rows) for _ in range(options.rounds)]
    ours = [_run("headway", options.peer_rows) for _ in range(options.rounds)]
    theirs = _run("datasketch", options.peer_rows)
    seconds = median([run["seconds"] for run in ours])
    keep(
        "near_duplicates",
        {
            "threshold": THRESHOLD,
            "peer": PEER,
            "headway": {
                **whole[0],
                "seconds": median([run["seconds"] for run in whole]),
                "added_memory_mb": median([run["added_memory_mb"] for run in whole]),
            },
            "part": {
                "rows": options.peer_rows,
                "headway": {**ours[0], "seconds": seconds},
                "datasketch": theirs,
                "times_faster": theirs["seconds"] / seconds,
            },
            "pairs_found": _recall(options.exact_rows),
        },
    )


def _run(name: str, rows: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", name, str(rows)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(found.stdout)
    return result


def _child(name: str, rows: str) -> None:
    texts = list(_texts(int(rows)))
    work = {"headway": _headway, "datasketch": _datasketch}[name]
    before = _memory_mb("VmRSS")
    start = time.perf_counter()
    groups = work(texts)
    seconds = time.perf_counter() - start
    print(
        json.dumps(
            {
                "rows": len(texts),
                "mean_characters": sum(map(len, texts)) / len(texts),
                "seconds": seconds,
                "added_memory_mb": _memory_mb("VmHWM") - before,
                "rows_that_repeat": sum(group != row for row, group in enumerate(groups)),
            }
        )
    )


def _headway(texts: list[str]) -> list[int]:
    from headway.data import Dataset, near_groups

    data = Dataset.from_columns({"text": texts})
    groups: list[int] = near_groups(data, ["text"], threshold=THRESHOLD).tolist()
    return groups


def _datasketch(texts: list[str]) -> list[int]:
    """Groups from the peer's candidates, each verified on its sets."""
    parent = list(range(len(texts)))

    def root(row: int) -> int:
        while parent[row] != row:
            row = parent[row]
        return row

    sets = [_shingles(text) for text in texts]
    for a, b in _peer_pairs(sets):
        if _similarity(sets[a], sets[b]) >= THRESHOLD:
            x, y = sorted((root(a), root(b)))
            parent[y] = x
    return [root(row) for row in range(len(texts))]


def _peer_pairs(sets: list[set[bytes]]) -> Iterator[tuple[int, int]]:
    sys.path.insert(0, str(FOLDER / "peers" / "datasketch"))
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    for row, shingles in enumerate(sets):
        signature = MinHash(num_perm=128, seed=1)
        signature.update_batch(list(shingles))
        for other in index.query(signature):
            yield other, row
        index.insert(row, signature)


def _recall(rows: int) -> dict[str, Any]:
    """Of the pairs that are near by brute force, the share that ends up in one group."""
    # A dense part: nearly every text has a near one.
    texts = list(_texts(rows, repeats=0.7))
    sets = [_shingles(text) for text in texts]
    near = [
        (a, b)
        for a, b in combinations(range(rows), 2)
        if _similarity(sets[a], sets[b]) >= THRESHOLD
    ]
    found = {}
    for name, work in (("headway", _headway), ("datasketch", _datasketch)):
        groups = work(texts)
        found[name] = sum(groups[a] == groups[b] for a, b in near) / len(near)
    return {"rows": rows, "pairs": len(near), **found}


def _shingles(text: str) -> set[bytes]:
    line = " ".join(text.split()).lower()
    return {line[i : i + 5].encode() for i in range(max(1, len(line) - 4))}


def _similarity(a: set[bytes], b: set[bytes]) -> float:
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def _texts(rows: int, *, repeats: float = 0.1) -> Iterator[str]:
    base: list[list[str]] = []
    for language in ("en", "de", "fr"):
        path = need_data("multi30k") / f"train.{language}.gz"
        with gzip.open(path, "rt", encoding="utf-8") as file:
            base += [line.split() for line in file]
    draw = random.Random(0)
    made: list[str] = []
    for _ in range(rows):
        if made and draw.random() < repeats:
            words = draw.choice(made).split()
            words[draw.randrange(len(words))] = draw.choice(draw.choice(base))
        else:
            a, b = draw.choice(base), draw.choice(base)
            words = a[: len(a) // 2] + b[len(b) // 2 :]
        made.append(" ".join(words))
        yield made[-1]


def _memory_mb(which: str) -> float:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(which))


if __name__ == "__main__":
    main()
