"""10 GB of rows: opened, and read from the first byte to the last, beside touching mapped bytes.

The rows are those of `scripts/bench data`, over and over. A process of its own opens what
`headway.data.prepare` has kept and adds up every number of eight bytes in every buffer; another
maps the file that lies behind it and does the same with all its bytes.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from common import keep, private_memory
from corpus import FOLDER

AT_ONCE = 32 << 20  # bytes that are touched

Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps({"touch": _touch, "open": _open, "read": _read}[options.child]()))
        return
    _work().mkdir(parents=True, exist_ok=True)
    try:
        size = _write(options.gigabytes * 1e9)
        start = time.perf_counter()
        rows = len(_prepared())
        found: Result = {"bytes": size, "rows": rows, "prepare": time.perf_counter() - start}
        ways = ["touch", "open", "read"]
        runs: dict[str, list[Result]] = {way: [] for way in ways}
        for number in range(options.rounds + 1):
            for way in ways:
                result = _run(way)
                if number:  # the first round brings the file into memory
                    runs[way].append(result)
        for way in ways:
            found[way] = {name: median([one[name] for one in runs[way]]) for name in runs[way][0]}
        if found["read"].pop("rows") != rows:
            sys.exit("not all rows were read")
        keep("large", found)
    finally:
        shutil.rmtree(_work())


def _run(way: str) -> Result:
    environment = {**os.environ, "HEADWAY_CACHE": str(_work())}
    command = [sys.executable, __file__, "--child", way]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(told.stdout))


def _write(size: float) -> int:
    rows = pa.ipc.open_file(pa.memory_map(str(FOLDER / "data" / "rows.arrow"))).read_all()
    written = 0
    with pa.OSFile(str(_file()), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        while written < size:
            writer.write_table(rows)
            written += rows.nbytes
    return written


def _write_one() -> None:
    one = pa.table({"text": ["one"], "label": [1]})
    path = str(_work() / "one.arrow")
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, one.schema) as writer:
        writer.write_table(one)


def _prepared(path: Path | None = None) -> Any:
    from headway.data import prepare
    from headway.data.cache import Store

    kept = "steps" if path is None else "one"
    return prepare(path or _file(), store=Store(_work() / kept))


def _open() -> Result:
    _write_one()
    _prepared(_work() / "one.arrow")  # everything is imported
    before, start = private_memory(), time.perf_counter()
    data = _prepared()
    seconds = time.perf_counter() - start
    assert len(data)
    return {"ms": 1000 * seconds, "private MB": private_memory() - before}


def _read() -> Result:
    data = _prepared()
    before, start, size, rows = private_memory(), time.perf_counter(), 0, 0
    for batch in data.to_batches():
        rows += len(batch)
        size += _touched(
            buffer for column in batch.columns for buffer in column.buffers() if buffer
        )
    seconds = time.perf_counter() - start
    return {"GB/s": size / 1e9 / seconds, "private MB": private_memory() - before, "rows": rows}


def _touch() -> Result:
    (path,) = _work().glob("steps/*/part-*.arrow")
    with path.open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    start = time.perf_counter()
    size = _touched(mapped[at : at + AT_ONCE] for at in range(0, len(mapped), AT_ONCE))
    return {"GB/s": size / 1e9 / (time.perf_counter() - start)}


def _touched(parts: Iterable[Any]) -> int:
    size = 0
    for part in parts:
        numbers = np.frombuffer(part, np.uint64, count=len(part) // 8)
        numbers.sum()
        size += numbers.nbytes
    return size


def _work() -> Path:
    return FOLDER / "large" if "--child" not in sys.argv else Path(os.environ["HEADWAY_CACHE"])


def _file() -> Path:
    return _work() / "rows.arrow"


if __name__ == "__main__":
    main()
