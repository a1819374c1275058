"""Data sets beside their peer: imports, files read, rows in and out of order, token ids on disk.

Every engine has 1.2 GB of short rows that it prepared itself, and works in a fresh process each
time. What it sees is compared first: rows by their characters, shuffled rows as a set, ids as they
are. Rounds alternate between engines, and medians are kept. The peer is installed into a folder of
its own.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute  # both engines need it, so its import is not measured
from common import keep, need_data, peak_memory, private_memory, seconds_of
from corpus import FOLDER, english

PEER = ["datasets==5.2.0", "dill==0.4.1", "xxhash==4.1.0", "multiprocess==0.70.19"]
ENGINES = ["headway", "datasets"]
READ = ["jsonl", "csv"]
WORKS = ["import", *READ, "open", "sequential", "random", "shuffled", "tokenize"]
IMPORTS = {
    "python": "pass",
    "headway.data": "import headway.data",
    "Dataset and read": "from headway.data import Dataset, read",
    "datasets": "import datasets",
}
PASSAGE = 1000  # characters of a row in the files that are read
TIMES = 6  # how often the corpus is repeated in the file of rows
ROW = 100  # bytes of a row, about
ROWS = {"headway": 400_000, "datasets": 100_000}  # read as Python values, in order and shuffled
SINGLE = 100_000  # rows that are read one by one
CHECKED = 20_000  # rows that are compared
TEXTS = {"headway": 195, "datasets": 12}  # megabytes of text that are tokenized

Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=WORKS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        engine, work = options.child
        print(json.dumps(_child(engine, work)))
        return
    _install_peer()
    _write_rows()
    for kind in READ:
        _write_passages(kind)
    results: Result = {}
    for engine in ENGINES * 2:  # the second time, what was written is old enough to be trusted
        _run(engine, "prepare")
    for work in WORKS if options.only is None else [options.only]:
        if work == "import":
            results[work] = _imports(options.rounds)
        else:
            results[work] = _compared(work, options.rounds)
    keep("data", {"peer": PEER[0], **results})


def _imports(rounds: int) -> Result:
    """Milliseconds beyond bare Python, everything compiled before."""
    seen: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for number in range(rounds + 1):
        for name, code in IMPORTS.items():
            command = [sys.executable, "-c", code]
            run = partial(subprocess.run, command, env=_environment(name), check=True)
            seconds = seconds_of(run)
            if number:
                seen[name].append(1000 * seconds)
    bare = median(seen.pop("python"))
    return {name: {"ms": median(times) - bare} for name, times in seen.items()}


def _compared(work: str, rounds: int) -> Result:
    seen: dict[str, list[Result]] = {engine: [] for engine in ENGINES}
    for _ in range(rounds):
        for engine in ENGINES:
            seen[engine].append(_run(engine, work))
    checks = {one["check"] for runs in seen.values() for one in runs}
    if len(checks) != 1:
        sys.exit(f"{work}: the engines do not see the same: {checks}")
    names = [name for name in seen["headway"][0] if name != "check"]
    return {
        engine: {name: median([one[name] for one in runs]) for name in names}
        for engine, runs in seen.items()
    }


def _run(engine: str, work: str) -> Result:
    command = [sys.executable, __file__, "--child", engine, work]
    environment = _environment(engine)
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(told.stdout.splitlines()[-1]))


def _environment(engine: str) -> dict[str, str]:
    """In which modules are compiled once, and the peer is found where it is asked for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHONDONT")}
    kept["HEADWAY_CACHE"] = str(_work())
    if engine == "datasets":
        kept |= {"PYTHONPATH": str(_peer()), "HF_HUB_OFFLINE": "1"}
        kept["HF_DATASETS_CACHE"] = str(_work())
    return kept


def _child(engine: str, work: str) -> Result:
    if work in READ:
        return _read_ours(work) if engine == "headway" else _read_theirs(work)
    if work == "tokenize":
        return _tokenize_ours() if engine == "headway" else _tokenize_theirs()
    open_it = _open_ours if engine == "headway" else _open_theirs
    if work == "prepare":
        return {"rows": len(open_it())}
    _import(engine)
    before, start = private_memory(), time.perf_counter()
    data = open_it()
    if work == "open":
        seconds = time.perf_counter() - start
        megabytes = private_memory() - before
        return {"ms": 1000 * seconds, "private MB": megabytes, "check": len(data)}
    if work == "random":
        places = np.random.default_rng(0).integers(0, len(data), SINGLE).tolist()
        singly = [(data[place] for place in some) for some in (places, places[:CHECKED])]
        return _rate(singly[0], SINGLE, singly[1])
    part, few = data.select(range(ROWS[engine])), data.select(range(CHECKED))
    if work == "shuffled":
        part, few = part.shuffle(seed=1), few.shuffle(seed=1)
    return _rate(part, ROWS[engine], few)


def _rate(rows: Iterable[Any], count: int, few: Iterable[Any]) -> Result:
    """Rows a second; and the characters and labels of some, which are the same in any order."""
    start = time.perf_counter()
    for _ in rows:
        pass
    seconds = time.perf_counter() - start
    check = sum(len(row["text"]) * (1 + row["label"]) for row in few)
    return {"rows/s": count / seconds, "check": check}


def _read_ours(kind: str) -> Result:
    """A file of text to an open data set, as pandas was not there: Headway does not need it."""
    sys.modules.pop("pandas", None)
    sys.meta_path.insert(0, _NoPandas())
    from headway.data import prepare
    from headway.data.cache import Store

    store = Store(_work() / "read")
    store.clear()
    prepare(_two_rows(kind), store=store)  # everything is imported
    path = _passages(kind)
    data, told = _read(path, lambda: prepare(path, store=store))
    return told | _seen(data[:500], len(data))


def _read_theirs(kind: str) -> Result:
    import datasets

    cache = _work() / "read-datasets"
    shutil.rmtree(cache, ignore_errors=True)
    datasets.disable_progress_bars()
    name = "json" if kind == "jsonl" else kind
    load = partial(datasets.load_dataset, name, split="train", cache_dir=str(cache))
    load(data_files=str(_two_rows(kind)))
    path = _passages(kind)
    data, told = _read(path, lambda: load(data_files=str(path)))
    return told | _seen(data.select(range(500)), len(data))


class _NoPandas:
    def find_spec(self, name: str, *_: Any) -> None:
        if name == "pandas":
            raise ImportError(name)


def _read(path: Path, work: Callable[[], Any]) -> tuple[Any, Result]:
    """With the file in memory, and nothing left to be written that others have made."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass
    os.sync()
    start = time.perf_counter()
    data = work()
    seconds = time.perf_counter() - start
    return data, {"seconds": seconds, "peak MB": peak_memory()}


def _seen(rows: Iterable[Any], count: int) -> Result:
    first = json.dumps([[row["text"], row["label"]] for row in rows]).encode()
    return {"check": f"{count} {hashlib.sha256(first).hexdigest()}"}


def _import(engine: str) -> None:
    """Everything that opening needs: a data set of one row was opened before."""
    one = pa.table({"text": ["one"], "label": [1]})
    place = _work() / f"one-{engine}"
    shutil.rmtree(place, ignore_errors=True)
    if engine == "headway":
        from headway.data import prepare

        place.mkdir()
        with (
            pa.OSFile(str(place / "a.arrow"), "wb") as file,
            pa.ipc.new_file(file, one.schema) as to,
        ):
            to.write_table(one)
        prepare(place / "a.arrow")
    else:
        import datasets

        datasets.Dataset(datasets.table.InMemoryTable(one)).save_to_disk(str(place))
        datasets.load_from_disk(str(place))


def _open_ours() -> Any:
    from headway.data import prepare

    return prepare(_rows())


def _open_theirs() -> Any:
    import datasets

    folder = _work() / "datasets"
    if not folder.exists():
        batches = pa.ipc.open_file(pa.memory_map(str(_rows()))).read_all()
        made = datasets.Dataset(datasets.table.InMemoryTable(batches))
        made.save_to_disk(str(folder))
    return datasets.load_from_disk(str(folder))


def _tokenize_ours() -> Result:
    from headway import Tokenizer
    from headway.data import Dataset
    from headway.data.cache import Store

    texts = _texts("headway")
    tokenizer = Tokenizer.load(_tokenizer())
    shutil.rmtree(_work() / "tokens", ignore_errors=True)
    data = Dataset.from_columns({"text": texts}).cached(Store(_work() / "tokens"))
    start = time.perf_counter()
    made = data.tokenize(tokenizer, threads=2)
    return _written(texts, time.perf_counter() - start, made.column("ids"))


def _tokenize_theirs() -> Result:
    import datasets
    import tokenizers

    texts = _texts("datasets")
    tokenizer = tokenizers.Tokenizer.from_file(str(_tokenizer() / "tokenizer.json"))
    tokenizer.no_truncation()
    data = datasets.Dataset(datasets.table.InMemoryTable(pa.table({"text": texts})))
    place = _work() / "tokens.arrow"

    def encode(batch: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        return {"ids": [one.ids for one in tokenizer.encode_batch_fast(batch["text"])]}

    start = time.perf_counter()
    made = data.map(
        encode, batched=True, cache_file_name=str(place), load_from_cache_file=False, num_proc=None
    )
    return _written(texts, time.perf_counter() - start, made.data.column("ids"))


def _written(texts: pa.ChunkedArray, seconds: float, ids: pa.ChunkedArray) -> Result:
    """Megabytes of text a second, and the first ids."""
    first = json.dumps(ids.slice(0, 2000).to_pylist()).encode()
    return {"MB/s": texts.nbytes / 1e6 / seconds, "check": hashlib.sha256(first).hexdigest()}


def _texts(engine: str) -> pa.ChunkedArray:
    """The first megabytes of the corpus."""
    texts = english()
    part = TEXTS[engine] * 1_000_000 / texts.nbytes
    return texts.slice(0, int(len(texts) * min(1.0, part))).cast(pa.string())


def _tokenizer() -> Path:
    """BERT's vocabulary in a form that both engines read."""
    folder = _work() / "tokenizer"
    if not folder.exists():
        from headway import Tokenizer

        Tokenizer.load(need_data("tokenizer-assets") / "bert_base_uncased_vocab.txt").save(folder)
    return folder


def _write_rows() -> None:
    """The corpus in short pieces with a label, several times over."""
    _work().mkdir(parents=True, exist_ok=True)
    _tokenizer()
    if _rows().exists():
        return
    texts = [
        text[start : start + ROW]
        for text in english().to_pylist()
        for start in range(0, len(text), ROW)
    ]
    labels = np.random.default_rng(0).integers(0, 5, len(texts))
    table = pa.table({"text": pa.array(texts), "label": pa.array(labels)})
    written = _rows().with_suffix(".unfinished")
    with pa.OSFile(str(written), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        for _ in range(TIMES):
            writer.write_table(table, max_chunksize=100_000)
    written.replace(_rows())


def _write_passages(kind: str) -> None:
    """The corpus in passages with a label, as a file of text."""
    path = _passages(kind)
    if path.exists():
        return
    texts = [
        text[start : start + PASSAGE].replace("\0", " ")
        for text in english().to_pylist()
        for start in range(0, len(text), PASSAGE)
    ]
    labels = np.random.default_rng(0).integers(0, 5, len(texts)).tolist()
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        if kind == "csv":
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows(zip(texts, labels, strict=True))
        else:
            for text, label in zip(texts, labels, strict=True):
                row = {"text": text, "label": label}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    unfinished.replace(path)


def _two_rows(kind: str) -> Path:
    path = _work() / f"two.{kind}"
    rows = ["text,label", "a,1", "b,2"]
    if kind == "jsonl":
        rows = ['{"text": "a", "label": 1}', '{"text": "b", "label": 2}']
    path.write_text("\n".join(rows) + "\n")
    return path


def _passages(kind: str) -> Path:
    return _work() / f"passages.{kind}"


def _install_peer() -> None:
    if not _peer().exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*command, "--target", str(_peer()), *PEER], check=True)


def _peer() -> Path:
    return FOLDER / "peers" / "datasets"


def _work() -> Path:
    return (
        Path(os.environ.get("HEADWAY_CACHE", FOLDER / "data")) if _is_child() else FOLDER / "data"
    )


def _is_child() -> bool:
    return "--child" in sys.argv


def _rows() -> Path:
    return _work() / "rows.arrow"


if __name__ == "__main__":
    main()
