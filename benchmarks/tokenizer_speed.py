"""Tokenizers beside their peers: megabytes a second, cold and warm, ids compared first.

Each engine encodes the corpus three times in a fresh process: the first pass is cold, the faster of
the others warm. Rounds alternate between engines, and medians are kept. Slow engines encode the
first part of the corpus. Peers are installed into folders of their own, since two of them have the
same name.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from common import keep, need_data
from corpus import FOLDER, english

PEERS = {
    "tokenizers": "tokenizers==0.23.3",
    "tokenizers-1.0rc": "tokenizers==1.0.0rc3",
    "gigatoken": "gigatoken==0.10.0",
    "nanotoken": "nanotoken==0.1.0",
    "tokie": "tokie==0.1.4",
    "fastokens": "fastokens==0.3.5",
    "sentencepiece": "sentencepiece==0.2.3",
    "tiktoken": "tiktoken==0.14.0",
}
SLOW = {"tokenizers": 12, "tokenizers-1.0rc": 48, "sentencepiece": 48, "tiktoken": 48}
"""Megabytes that an engine encodes, where the whole would take minutes."""

WORKS = {
    "WordPiece": ["headway", "nanotoken", "tokie", "tokenizers-1.0rc", "tokenizers"],
    "byte-level BPE": [
        *("headway", "gigatoken", "fastokens", "tokie", "tiktoken", "tokenizers-1.0rc"),
        "tokenizers",
    ],
    "Unigram": ["headway", "tokie", "tokenizers-1.0rc", "tokenizers"],
    "SentencePiece": ["headway", "sentencepiece"],
}
BATCH = 8_000_000  # bytes of text that Headway encodes at a time, as a data set hands them over
MARK = "<|endoftext|>"  # between the records of a file, for engines that read files

Encode = Callable[[], Any]  # one pass over the corpus; gives what `_ids` can read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[*WORKS, "gigabyte", "added"], help="one of the tables")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mb", type=int, default=195, help="megabytes of the corpus, at most")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(*options.child, megabytes=options.mb)
        return
    _install_peers()
    _write_tokenizers()
    _write_text(options.mb)
    results: dict[str, Any] = {}
    for work in WORKS if options.only is None else [options.only]:
        if work in WORKS:
            results[work] = _table(work, options.rounds, options.mb)
    if options.only in (None, "gigabyte"):
        results["1 GB on two threads, seconds"] = _gigabyte(options.mb)
    if options.only in (None, "added"):
        results["50,000 added tokens"] = _added_tokens(options.mb)
    suffix = f"_{options.only}".replace(" ", "_").replace("-", "_") if options.only else ""
    keep(f"tokenizer_speed{suffix}", {"peers": PEERS, **results})


def _table(work: str, rounds: int, megabytes: int) -> dict[str, Any]:
    """Every engine on one and two threads, with offsets where it gives them."""
    ways: list[tuple[str, int, bool]] = [
        (name, threads, False) for threads in (1, 2) for name in WORKS[work]
    ]
    ways += [("headway", 1, True), ("headway", 2, True), ("tokenizers", 2, True)]
    ways = [way for way in ways if way[0] in WORKS[work]]
    runs: dict[tuple[str, int, bool], list[dict[str, Any]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, found in runs.items():
            if not found or "error" not in found[0]:
                found.append(_measure(work, *way, megabytes))
                print(work, way, found[-1], file=sys.stderr, flush=True)
    return {"runs": [_row(way, found) for way, found in runs.items()], **_equal(work, megabytes)}


def _row(way: tuple[str, int, bool], runs: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {"engine": way[0], "threads": way[1], "offsets": way[2]}
    if "error" in runs[0]:
        return {**row, "error": runs[0]["error"]}
    return {
        **row,
        "megabytes": runs[0]["megabytes"],
        "cold_mb_per_s": median([run["cold"] for run in runs]),
        "warm_mb_per_s": median([run["warm"] for run in runs]),
        "peak_memory_mb": median([run["peak_memory_mb"] for run in runs]),
    }


def _equal(work: str, megabytes: int) -> dict[str, Any]:
    """Which engines give the ids of the origin on the first 12 MB; offsets against tokenizers."""
    few = str(min(megabytes, SLOW["tokenizers"]))
    digests = {name: _run_child(name, work, "2", "ids", few).get("digest") for name in WORKS[work]}
    origin = "sentencepiece" if work == "SentencePiece" else "tokenizers"
    equal: dict[str, Any] = {
        "ids_equal_to_" + origin: {name: d == digests[origin] for name, d in digests.items()}
    }
    if origin == "tokenizers":
        spans = [_run_child(n, work, "2", "spans", few).get("digest") for n in ("headway", origin)]
        equal["offsets_equal_to_tokenizers"] = spans[0] == spans[1]
    return equal


def _measure(work: str, name: str, threads: int, offsets: bool, mb: int) -> dict[str, Any]:
    _touch_memory()
    size = str(min(mb, SLOW.get(name, mb)))
    return _run_child(name, work, str(threads), "time+offsets" if offsets else "time", size)


def _touch_memory(gigabytes: int = 3) -> None:
    """Has a process write to fresh memory, which a virtual machine's host may give slowly at first.

    Whoever is measured next finds memory that is there, whatever ran before.
    """
    code = (
        "import mmap, numpy;"
        f"memory = mmap.mmap(-1, {gigabytes} << 30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS);"
        "memory.madvise(mmap.MADV_HUGEPAGE);"
        "numpy.frombuffer(memory, numpy.uint8)[::4096] = 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _run_child(name: str, work: str, threads: str, what: str, mb: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", name, work, threads, what, "--mb", mb]
    environment = {**os.environ, "RAYON_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "true"}
    if name in PEERS:
        paths = [str(_peer(name)), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return {"error": said[-1][:200]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _child(name: str, work: str, threads: str, what: str, *, megabytes: int) -> None:
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: int(threads)]))
    texts = _texts(megabytes)
    encode = ENGINES[name](work, texts, int(threads), "offsets" in what or what == "spans")
    if what in ("ids", "spans"):
        print(json.dumps({"digest": _digest(encode(), spans=what == "spans")}))
        return
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        encode()
        seconds.append(time.perf_counter() - start)
    size = sum(text.nbytes for text in texts.chunks) if hasattr(texts, "chunks") else texts.nbytes
    size -= 8 * len(texts)  # borders
    print(
        json.dumps(
            {
                "megabytes": size / 1e6,
                "cold": size / 1e6 / seconds[0],
                "warm": size / 1e6 / min(seconds[1:]),
                "peak_memory_mb": _peak_memory_mb(),
            }
        )
    )


def _peak_memory_mb() -> float:
    """Of this process alone: what getrusage says would count the one that started it."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _texts(megabytes: int) -> Any:
    """The first records of the corpus, so many megabytes of them, as one Arrow array."""
    import numpy as np

    column = english().combine_chunks()
    ends = np.frombuffer(column.buffers()[1], np.int64)[1 : len(column) + 1]
    return column.slice(0, int(np.searchsorted(ends, megabytes * 1_000_000)))


def _digest(rows: Any, *, spans: bool) -> str:
    """A hash of all ids, or of all offsets, whatever they come in."""
    import numpy as np

    digest = hashlib.sha256()
    for row in rows(spans) if callable(rows) else rows:
        digest.update(np.asarray(row, dtype=np.uint32).tobytes())
    return digest.hexdigest()


# The engines: (work, texts, threads, offsets) -> one pass.


def _headway(work: str, texts: Any, threads: int, offsets: bool) -> Encode:
    from headway import Tokenizer

    tok = Tokenizer.load(_file(work))
    rows = max(1, len(texts) * BATCH // texts.nbytes)
    parts = [texts.slice(at, rows) for at in range(0, len(texts), rows)]

    def encode() -> Any:
        def read(spans: bool) -> Any:
            for part in parts:
                batch = tok.encode_arrow(part, special=False, offsets=spans, threads=threads)
                for name in ("starts", "ends") if spans else ("ids",):
                    yield batch[name].values.to_numpy()

        for part in parts:
            tok.encode_arrow(part, special=False, offsets=offsets, threads=threads)
        return read

    return encode


def _tokenizers(work: str, texts: Any, threads: int, offsets: bool) -> Encode:
    from tokenizers import Tokenizer

    tok = Tokenizer.from_file(str(_file(work)))
    listed = texts.to_pylist()
    batch = getattr(tok, "encode_batch" if offsets else "encode_batch_fast", tok.encode_batch)

    def encode() -> Any:
        found = batch(listed, add_special_tokens=False)

        def read(spans: bool) -> Any:
            if not spans:
                return (row.ids for row in found)
            starts = ([start for start, _ in row.offsets] for row in found)
            ends = ([end for _, end in row.offsets] for row in found)
            # As Headway's: the starts of a batch, then its ends.
            return _in_batches(texts, list(starts), list(ends))

        return read

    return encode


def _in_batches(texts: Any, starts: list[Any], ends: list[Any]) -> Any:
    rows = max(1, len(texts) * BATCH // texts.nbytes)
    for at in range(0, len(texts), rows):
        yield from starts[at : at + rows]
        yield from ends[at : at + rows]


def _gigatoken(work: str, texts: Any, threads: int, offsets: bool) -> Encode:
    import gigatoken

    tok = gigatoken.Tokenizer(str(_file(work)))
    source = gigatoken.TextFileSource([str(_text_file(texts))], separator=MARK.encode())
    return lambda: tok.encode_files(source)


def _nanotoken(work: str, texts: Any, threads: int, offsets: bool) -> Encode:
    import nanotoken

    tok = nanotoken.Tokenizer(str(_file(work)))
    source = nanotoken.TextFileSource([str(_text_file(texts))], separator=MARK)
    return lambda: tok.encode_files(source, add_special_tokens=False)


def _tokie(work: str, texts: Any, threads: int, offsets: bool) -> Encode:
    import tokie

    tok = tokie.Tokenizer.from_json(str(_file(work)))
    path = str(_text_file(texts))

    def encode() -> Any:
        ids, _ = tok.encode_files([path], separator=MARK.encode(), add_special_tokens=False)
        return [ids]

    return encode


def _fastokens(work: str, texts: Any, threads: int, offsets: bool) -> Encode:
    import fastokens
    import numpy as np

    tok = fastokens.Tokenizer.from_file(str(_file(work)))
    listed = texts.to_pylist()

    def encode() -> Any:
        return [np.frombuffer(tok.encode_batch_flat(listed)[0], np.uint32)]

    return encode


def _tiktoken(work: str, texts: Any, threads: int, offsets: bool) -> Encode:
    import tiktoken

    document = json.loads(_file(work).read_text("utf-8"))
    from headway.tokenizer.byte_alphabet import BYTE_VALUES

    ranks = {
        bytes(BYTE_VALUES[c] for c in token): number
        for token, number in document["model"]["vocab"].items()
        if token != MARK
    }
    pattern = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
    tok = tiktoken.Encoding("gpt2", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    listed = texts.to_pylist()
    return lambda: tok.encode_ordinary_batch(listed, num_threads=threads)


def _sentencepiece(work: str, texts: Any, threads: int, offsets: bool) -> Encode:
    import sentencepiece

    tok = sentencepiece.SentencePieceProcessor(model_file=str(_file(work)))
    listed = texts.to_pylist()
    return lambda: tok.encode(listed, out_type=int, num_threads=threads)


ENGINES: dict[str, Callable[[str, Any, int, bool], Encode]] = {
    "headway": _headway,
    "tokenizers": _tokenizers,
    "tokenizers-1.0rc": _tokenizers,
    "gigatoken": _gigatoken,
    "nanotoken": _nanotoken,
    "tokie": _tokie,
    "fastokens": _fastokens,
    "tiktoken": _tiktoken,
    "sentencepiece": _sentencepiece,
}


def _gigabyte(megabytes: int) -> dict[str, float]:
    """The corpus several times over, to a gigabyte, on two threads."""
    from headway import Tokenizer

    texts = _texts(megabytes)
    times = max(1, round(1000 / megabytes))
    rows = max(1, len(texts) * BATCH // texts.nbytes)
    found = {}
    for work in ("WordPiece", "byte-level BPE", "Unigram"):
        tok = Tokenizer.load(_file(work))
        start = time.perf_counter()
        for _ in range(times):
            for at in range(0, len(texts), rows):
                tok.encode_arrow(texts.slice(at, rows), special=False, threads=2)
        found[work] = (time.perf_counter() - start) * 1000 / (times * megabytes)
    return found


def _added_tokens(megabytes: int) -> dict[str, Any]:
    """Loading, and encoding beside the same tokenizer without them."""
    import random

    from headway import Tokenizer

    rng = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = {"".join(rng.choices(letters, k=rng.randint(6, 14))) for _ in range(50_100)}
    added = sorted(words)[:50_000]
    texts = _texts(min(megabytes, 100))
    found: dict[str, Any] = {}
    for work in ("WordPiece", "byte-level BPE", "Unigram"):
        document = json.loads(_file(work).read_text("utf-8"))
        plain = Tokenizer.from_document(document)
        first = len(plain)
        entries = [
            {"id": first + i, "content": word, "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": True, "special": False}
            for i, word in enumerate(added)
        ]  # fmt: skip
        more = {**document, "added_tokens": [*document["added_tokens"], *entries]}
        start = time.perf_counter()
        tok = Tokenizer.from_document(more)
        tok.encode("a")
        loading = time.perf_counter() - start
        seconds: dict[str, list[float]] = {"plain": [], "added": []}
        for _ in range(4):
            for name, engine in (("plain", plain), ("added", tok)):
                start = time.perf_counter()
                engine.encode_arrow(texts, special=False, threads=1)
                seconds[name].append(time.perf_counter() - start)
        ratio = median(seconds["added"][1:]) / median(seconds["plain"][1:])
        found[work] = {"load_seconds": loading, "encoding_time_over_plain": ratio}
    return found


def _install_peers() -> None:
    for name, wanted in PEERS.items():
        if not _peer(name).exists():
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--pre", "--no-deps"]
            subprocess.run([*command, "--target", str(_peer(name)), wanted], check=True)


def _peer(name: str) -> Path:
    return FOLDER / "peers" / name


def _file(work: str) -> Path:
    if work == "SentencePiece":
        return need_data("tokenizer-assets") / "t5_tokenizer_base.model"
    return FOLDER / "tokenizers" / f"{work.replace(' ', '-')}.json"


def _write_tokenizers() -> None:
    """Files that every engine can read: BERT's and GPT-2's vocabularies, and T5's pieces."""
    from headway import Tokenizer

    assets = need_data("tokenizer-assets")
    sources = {
        "WordPiece": "bert_base_uncased_vocab.txt",
        "byte-level BPE": "gpt2_bpe_encoder.json",
        "Unigram": "t5_tokenizer_base.model",
    }
    _file("WordPiece").parent.mkdir(parents=True, exist_ok=True)
    for work, name in sources.items():
        document = Tokenizer.load(assets / name)._document
        if work == "Unigram":  # as the model's own tokenizer.json has it
            rules = document["normalizer"]["normalizers"][0]
            mark = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always",
                    "split": True}  # fmt: skip
            steps = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, mark]}
            document = {**document, "normalizer": rules, "pre_tokenizer": steps, "decoder": mark}
        _file(work).write_text(json.dumps(document, ensure_ascii=False), "utf-8")


def _write_text(megabytes: int) -> None:
    for size in {megabytes, min(megabytes, SLOW["tokenizers"])}:
        _text_file(_texts(size))


def _text_file(texts: Any) -> Path:
    """The records one behind the other, for engines that read files."""
    path = FOLDER / f"english-{len(texts)}.txt"
    if not path.exists():
        path.write_text(MARK.join(texts.to_pylist()) + MARK, "utf-8")
    return path


if __name__ == "__main__":
    main()
